package seal

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"zhiban/schemas"
)

// Table is where wrapped keys are kept: a map that all processes share. See
// ktable.Table.
type Table interface {
	Get(key string) (value []byte, ok bool)
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	Each(prefix string, do func(key string, value []byte) bool)
	// Err is why the table is not followed any more; nil while it is.
	Err() error
}

// Why a text does not open.
var (
	// ErrErased says that the person's key was destroyed.
	ErrErased = schemas.Errorf(schemas.NotFound, "the text was destroyed: its person has been erased")
	// ErrNoKey says that the key is not here: it was sealed elsewhere, or the
	// table was lost.
	ErrNoKey = schemas.Errorf(schemas.NotFound, "the key of this text is not here")
	// ErrForged says that the text was sealed for another person, case or field,
	// or was changed since.
	ErrForged = schemas.Errorf(schemas.Invalid, "this is not the sealed text of this person, case and field")
)

// The table's keys.
const (
	fingerprintName = "fingerprint"
	keyPrefix       = "key/"
	erasedPrefix    = "erased/"
)

const keyIDBytes = 8

// maxOpen bounds how many data keys are kept unwrapped.
const maxOpen = 10_000

// Keyring seals texts and makes pseudonyms. It is safe for concurrent use.
type Keyring struct {
	table      Table
	wrapper    Wrapper
	pseudonyms *pseudonyms
	now        func() time.Time

	whole sync.Mutex // held while keys are erased or rotated: one such change at a time
	mu    sync.Mutex
	names map[string]string  // by person, the name of the key to seal with
	open  map[string]openKey // by name
}

// openKey is a data key, as long as the table has it wrapped like that.
type openKey struct {
	wrapped []byte
	cipher  *subtle.AESGCM
}

type wrappedKey struct {
	Master string `json:"master"`
	Key    []byte `json:"key"`
}

type erasure struct {
	At   time.Time `json:"at"`
	Keys []string  `json:"keys"`
}

type fingerprint struct {
	Pseudonyms string `json:"pseudonyms"`
}

// New makes a keyring over a table. The pseudonym key must be the one that the
// table was begun with, 32 bytes.
func New(ctx context.Context, t Table, w Wrapper, pseudonymKey []byte) (*Keyring, error) {
	if len(pseudonymKey) != keyBytes {
		return nil, fmt.Errorf("open the keyring: the key of pseudonyms has %d bytes instead of %d", len(pseudonymKey), keyBytes)
	}
	k := &Keyring{table: t, wrapper: w, pseudonyms: newPseudonyms(pseudonymKey), now: time.Now, names: map[string]string{}, open: map[string]openKey{}}
	own := fingerprint{k.pseudonyms.fingerprint()}
	if _, ok := t.Get(fingerprintName); !ok {
		if err := put(ctx, t, fingerprintName, own); err != nil {
			return nil, fmt.Errorf("open the keyring: %w", err)
		}
	}
	var first fingerprint
	if err := get(t, fingerprintName, &first); err != nil {
		return nil, fmt.Errorf("open the keyring: %w", err)
	}
	if first != own {
		return nil, errors.New("open the keyring: these are not the keys that this platform began with; with them every person would become another. Put back the key file that it began with")
	}
	t.Each(keyPrefix, func(name string, _ []byte) bool {
		k.names[personOf(name)] = name
		return true
	})
	return k, nil
}

// Pseudonym is the keyed pseudonym of a person. One that is keyed already stays
// as it is.
func (k *Keyring) Pseudonym(person string) string { return k.pseudonyms.of(person) }

// Seal seals a text of a person; the pseudonym may be keyed or not. A text that is
// empty stays so. One that is sealed already must be of this very place, or of a
// key that was destroyed, and stays as it is.
func (k *Keyring) Seal(ctx context.Context, person string, of schemas.CaseID, field, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if schemas.IsSealed(text) {
		if _, err := k.Unseal(ctx, person, of, field, text); err != nil && !errors.Is(err, ErrErased) {
			return "", err
		}
		return text, nil
	}
	person = k.Pseudonym(person)
	name, cipher, err := k.sealing(ctx, person)
	if err != nil {
		return "", fmt.Errorf("seal a text: %w", err)
	}
	sealed, err := cipher.Encrypt([]byte(text), bound(person, of, field))
	if err != nil {
		return "", fmt.Errorf("seal a text: %w", err)
	}
	id, err := hex.DecodeString(idOf(name))
	if err != nil {
		return "", fmt.Errorf("seal a text: key %s: %w", name, err)
	}
	return schemas.SealedPrefix + base64.RawURLEncoding.EncodeToString(append(id, sealed...)), nil
}

// Unseal opens a text: [ErrErased], [ErrNoKey] or [ErrForged] when it cannot be
// opened. A text that is not sealed is its own.
func (k *Keyring) Unseal(ctx context.Context, person string, of schemas.CaseID, field, sealed string) (string, error) {
	if !schemas.IsSealed(sealed) {
		return sealed, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(sealed, schemas.SealedPrefix))
	if err != nil || len(raw) < keyIDBytes {
		return "", ErrForged
	}
	if err := k.table.Err(); err != nil {
		return "", fmt.Errorf("unseal a text: %w", err)
	}
	person = k.Pseudonym(person)
	name := keyName(person, hex.EncodeToString(raw[:keyIDBytes]))
	erased, err := k.erased(name)
	if err != nil {
		return "", fmt.Errorf("unseal a text: %w", err)
	}
	if erased {
		return "", ErrErased
	}
	cipher, ok, err := k.cipher(ctx, name)
	switch {
	case err != nil:
		return "", fmt.Errorf("unseal a text: %w", err)
	case !ok:
		return "", ErrNoKey
	}
	text, err := cipher.Decrypt(raw[keyIDBytes:], bound(person, of, field))
	if err != nil {
		return "", ErrForged
	}
	return string(text), nil
}

// Erase destroys the keys of a person, so that no text of theirs opens any more,
// and tells how many there were. The pseudonym may be keyed or not. After an
// error do it again.
func (k *Keyring) Erase(ctx context.Context, person string) (keys int, err error) {
	k.whole.Lock()
	defer k.whole.Unlock()
	person = k.Pseudonym(person)
	var names []string
	k.table.Each(keyPrefix+person+"/", func(name string, _ []byte) bool {
		names = append(names, name)
		return true
	})
	if len(names) == 0 {
		return 0, k.table.Err()
	}
	e := erasure{}
	if err := get(k.table, erasedPrefix+person, &e); err != nil && !errors.Is(err, errAbsent) {
		return 0, fmt.Errorf("erase a person: %w", err)
	}
	e.At = k.now().UTC().Truncate(time.Second)
	for _, name := range names {
		if id := idOf(name); !slices.Contains(e.Keys, id) {
			e.Keys = append(e.Keys, id)
		}
	}
	// First what no process opens any more, even if a rotation puts a key back.
	if err := put(ctx, k.table, erasedPrefix+person, e); err != nil {
		return 0, fmt.Errorf("erase a person: %w", err)
	}
	for _, name := range names {
		if err := k.table.Delete(ctx, name); err != nil {
			return keys, fmt.Errorf("erase a person: %d of %d keys are destroyed: %w", keys, len(names), err)
		}
		keys++
		k.forget(name)
	}
	return keys, nil
}

// Rotate wraps every data key by the primary master key that is not yet, and
// tells how many it did. After an error do it again: it goes on with the rest.
func (k *Keyring) Rotate(ctx context.Context) (rewrapped int, err error) {
	k.whole.Lock()
	defer k.whole.Unlock()
	names := map[string][]byte{}
	k.table.Each(keyPrefix, func(name string, value []byte) bool {
		names[name] = value
		return true
	})
	for name, value := range names {
		done, err := k.rewrap(ctx, name, value)
		if err != nil {
			return rewrapped, fmt.Errorf("rotate: %d of %d keys are wrapped anew: key %s: %w", rewrapped, len(names), name, err)
		}
		if done {
			rewrapped++
		}
	}
	return rewrapped, k.table.Err()
}

func (k *Keyring) rewrap(ctx context.Context, name string, value []byte) (done bool, err error) {
	if erased, err := k.deleteErased(ctx, name); err != nil || erased {
		return false, err
	}
	var w wrappedKey
	if err := json.Unmarshal(value, &w); err != nil {
		return false, err
	}
	if w.Master == k.wrapper.Primary() {
		return false, nil
	}
	key, err := k.wrapper.Unwrap(ctx, w.Master, w.Key, []byte(name))
	if err != nil {
		return false, err
	}
	if err := k.store(ctx, name, key); err != nil {
		return false, err
	}
	erased, err := k.deleteErased(ctx, name) // by another process meanwhile
	return err == nil && !erased, err
}

// deleteErased takes a key that was destroyed out of the table.
func (k *Keyring) deleteErased(ctx context.Context, name string) (erased bool, err error) {
	erased, err = k.erased(name)
	if err != nil || !erased { // never delete what may still be needed
		return false, err
	}
	return true, k.table.Delete(ctx, name)
}

// sealing is the key that a person's texts are sealed with now; it is made when
// there is none.
func (k *Keyring) sealing(ctx context.Context, person string) (string, *subtle.AESGCM, error) {
	if name, cipher, ok, err := k.usable(ctx, person); ok || err != nil {
		return name, cipher, err
	}
	key := random(keyBytes)
	name := keyName(person, hex.EncodeToString(random(keyIDBytes)))
	// Texts of one event are sealed one after the other; two events of a person
	// at once may make two keys, which is as good.
	if err := k.store(ctx, name, key); err != nil {
		return "", nil, err
	}
	k.mu.Lock()
	k.names[person] = name
	k.mu.Unlock()
	if name, cipher, ok, err := k.usable(ctx, person); ok || err != nil {
		return name, cipher, err
	}
	return "", nil, schemas.Errorf(schemas.Conflict, "the person is being erased; send it again")
}

// usable is the key that a person's texts were last sealed with, if it still
// stands.
func (k *Keyring) usable(ctx context.Context, person string) (name string, cipher *subtle.AESGCM, ok bool, err error) {
	if err := k.table.Err(); err != nil {
		return "", nil, false, err
	}
	k.mu.Lock()
	name, ok = k.names[person]
	k.mu.Unlock()
	if !ok {
		return "", nil, false, nil
	}
	if erased, err := k.erased(name); err != nil || erased {
		k.forget(name)
		return "", nil, false, err
	}
	cipher, ok, err = k.cipher(ctx, name)
	if err == nil && !ok {
		k.forget(name)
	}
	return name, cipher, ok, err
}

// cipher is a data key unwrapped; ok is false when the table has it not.
func (k *Keyring) cipher(ctx context.Context, name string) (_ *subtle.AESGCM, ok bool, err error) {
	value, ok := k.table.Get(name)
	if !ok {
		k.forget(name)
		return nil, false, nil
	}
	k.mu.Lock()
	known, ok := k.open[name]
	k.mu.Unlock()
	if ok && bytes.Equal(known.wrapped, value) {
		return known.cipher, true, nil
	}
	var w wrappedKey
	if err := json.Unmarshal(value, &w); err != nil {
		return nil, false, fmt.Errorf("key %s: %w", name, err)
	}
	key, err := k.wrapper.Unwrap(ctx, w.Master, w.Key, []byte(name))
	if err != nil {
		return nil, false, fmt.Errorf("key %s: %w", name, err)
	}
	cipher, err := subtle.NewAESGCM(key)
	if err != nil {
		return nil, false, fmt.Errorf("key %s: %w", name, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.open) >= maxOpen {
		clear(k.open)
	}
	k.open[name] = openKey{value, cipher}
	return cipher, true, nil
}

func (k *Keyring) store(ctx context.Context, name string, key []byte) error {
	master, wrapped, err := k.wrapper.Wrap(ctx, key, []byte(name))
	if err != nil {
		return err
	}
	return put(ctx, k.table, name, wrappedKey{master, wrapped})
}

// erased tells whether a key was destroyed.
func (k *Keyring) erased(name string) (bool, error) {
	var e erasure
	err := get(k.table, erasedPrefix+personOf(name), &e)
	if errors.Is(err, errAbsent) {
		return false, nil
	}
	return slices.Contains(e.Keys, idOf(name)), err
}

func (k *Keyring) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.open, name)
	if person := personOf(name); k.names[person] == name {
		delete(k.names, person)
	}
}

// bound is what a sealed text is tied to.
func bound(person string, of schemas.CaseID, field string) []byte {
	var b []byte
	for _, part := range []string{"zhiban.text.v1", person, of.String(), field} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

func keyName(person, id string) string { return keyPrefix + person + "/" + id }

// personOf and idOf take a key's name apart.
func personOf(name string) string {
	person, _, _ := strings.Cut(strings.TrimPrefix(name, keyPrefix), "/")
	return person
}

func idOf(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

var errAbsent = errors.New("it is not there")

func get(t Table, key string, into any) error {
	value, ok := t.Get(key)
	if !ok {
		return fmt.Errorf("%s: %w", key, errAbsent)
	}
	if err := json.Unmarshal(value, into); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func put(ctx context.Context, t Table, key string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return t.Put(ctx, key, b)
}

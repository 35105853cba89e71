package seal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"zhiban/schemas"
)

// Wrapper wraps data keys by master keys that it alone knows.
type Wrapper interface {
	// Primary is the id of the master key that Wrap uses.
	Primary() string
	// Wrap wraps a data key; bound has to be the same when it is unwrapped.
	Wrap(ctx context.Context, key, bound []byte) (master string, wrapped []byte, err error)
	// Unwrap gives a data key back.
	Unwrap(ctx context.Context, master string, wrapped, bound []byte) ([]byte, error)
}

const keyBytes = 32

// KeyFile holds the master keys and the pseudonym key in a file.
type KeyFile struct {
	path string

	mu      sync.RWMutex
	content keyFile
}

type keyFile struct {
	Version    int         `json:"version"`
	Pseudonyms []byte      `json:"pseudonyms"`
	Primary    string      `json:"primary"`
	Keys       []masterKey `json:"keys"`
}

type masterKey struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Key     []byte    `json:"key"`
}

// OpenKeyFile reads a key file.
func OpenKeyFile(path string) (*KeyFile, error) {
	content, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	return &KeyFile{path: path, content: content}, nil
}

// CreateKeyFile makes a key file with fresh keys. One that is there is an error.
func CreateKeyFile(path string, now time.Time) (*KeyFile, error) {
	first := newMasterKey(now)
	f := &KeyFile{path: path, content: keyFile{Version: 1, Pseudonyms: random(keyBytes), Primary: first.ID, Keys: []masterKey{first}}}
	err := write(path, f.content, func(temporary string) error {
		return os.Link(temporary, path) // unlike Rename, never over another
	})
	if err != nil {
		return nil, fmt.Errorf("create the key file: %w", err)
	}
	return f, nil
}

// OpenOrCreateKeyFile is for a platform that may be starting for the first time.
func OpenOrCreateKeyFile(path string, now time.Time) (f *KeyFile, created bool, err error) {
	f, err = OpenKeyFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return f, false, err
	}
	if f, err = CreateKeyFile(path, now); errors.Is(err, os.ErrExist) { // another process was first
		f, err = OpenKeyFile(path)
		return f, false, err
	}
	return f, err == nil, err
}

// Pseudonyms is the key of keyed pseudonyms.
func (f *KeyFile) Pseudonyms() []byte {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return slices.Clone(f.content.Pseudonyms)
}

// Add makes a master key and the primary one of it. The file is replaced as a
// whole.
func (f *KeyFile) Add(now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, err := readKeyFile(f.path)
	if err != nil {
		return err
	}
	key := newMasterKey(now)
	content.Keys, content.Primary = append(content.Keys, key), key.ID
	if err := write(f.path, content, func(temporary string) error { return os.Rename(temporary, f.path) }); err != nil {
		return fmt.Errorf("add a master key to %s: %w", f.path, err)
	}
	f.content = content
	return nil
}

// Primary is the id of the newest master key.
func (f *KeyFile) Primary() string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.content.Primary
}

// Wrap wraps a data key by the primary master key.
func (f *KeyFile) Wrap(_ context.Context, key, bound []byte) (string, []byte, error) {
	id := f.Primary()
	master, err := f.master(id)
	if err != nil {
		return "", nil, err
	}
	wrapped, err := master.Encrypt(key, bound)
	return id, wrapped, err
}

// Unwrap opens a wrapped data key.
func (f *KeyFile) Unwrap(_ context.Context, id string, wrapped, bound []byte) ([]byte, error) {
	master, err := f.master(id)
	if err != nil {
		return nil, err
	}
	key, err := master.Decrypt(wrapped, bound)
	if err != nil {
		return nil, fmt.Errorf("master key %s does not open a wrapped key: it was changed, or belongs elsewhere", id)
	}
	return key, nil
}

// master finds a master key, reading the file again for one that is not known.
func (f *KeyFile) master(id string) (*subtle.AESGCM, error) {
	f.mu.RLock()
	key, ok := f.content.find(id)
	f.mu.RUnlock()
	if !ok {
		f.mu.Lock()
		defer f.mu.Unlock()
		content, err := readKeyFile(f.path)
		if err != nil {
			return nil, err
		}
		if key, ok = content.find(id); !ok {
			return nil, schemas.Errorf(schemas.Unavailable, "key file %s has no master key %q; put back the file that has it", f.path, id)
		}
		f.content = content
	}
	return subtle.NewAESGCM(key.Key)
}

func (k keyFile) find(id string) (masterKey, bool) {
	i := slices.IndexFunc(k.Keys, func(m masterKey) bool { return m.ID == id })
	if i < 0 {
		return masterKey{}, false
	}
	return k.Keys[i], true
}

func newMasterKey(now time.Time) masterKey {
	return masterKey{ID: now.UTC().Format("20060102") + "-" + hex.EncodeToString(random(4)), Created: now.UTC().Truncate(time.Second), Key: random(keyBytes)}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// maxKeyFile bounds a key file: hundreds of master keys.
const maxKeyFile = 1 << 20

// readKeyFile reads a key file. No error repeats what is in it.
func readKeyFile(path string) (k keyFile, err error) {
	f, err := os.Open(path)
	if err != nil {
		return k, fmt.Errorf("read the key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return k, fmt.Errorf("read the key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return k, fmt.Errorf("key file %s can be read by others (%v); take that away: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return k, fmt.Errorf("read the key file: %w", err)
	}
	if len(b) > maxKeyFile || json.Unmarshal(b, &k) != nil {
		return k, fmt.Errorf("key file %s is not one: it is cut off or was changed by hand; put back a copy of it", path)
	}
	return k, k.check(path)
}

func (k keyFile) check(path string) error {
	if k.Version != 1 {
		return fmt.Errorf("key file %s is of version %d; this program reads version 1", path, k.Version)
	}
	if len(k.Pseudonyms) != keyBytes {
		return fmt.Errorf("key file %s: the key of pseudonyms has %d bytes instead of %d", path, len(k.Pseudonyms), keyBytes)
	}
	for i, m := range k.Keys {
		if len(m.Key) != keyBytes {
			return fmt.Errorf("key file %s: master key %q has %d bytes instead of %d", path, m.ID, len(m.Key), keyBytes)
		}
		if slices.ContainsFunc(k.Keys[:i], func(o masterKey) bool { return o.ID == m.ID }) {
			return fmt.Errorf("key file %s: master key %q stands twice", path, m.ID)
		}
	}
	if _, ok := k.find(k.Primary); !ok {
		return fmt.Errorf("key file %s: the primary master key %q is not in it", path, k.Primary)
	}
	return nil
}

// write puts a key file beside its place and has it put there: whoever reads
// the place finds all of a file or none.
func write(path string, content keyFile, place func(temporary string) error) error {
	b, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := place(f.Name()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

package seal

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"pgregory.net/rapid"

	"zhiban/schemas"
	"zhiban/schemas/ktable"
)

var (
	day   = time.Date(2026, 9, 1, 8, 0, 0, 0, schemas.Shanghai)
	case1 = schemas.CaseID{Kind: schemas.CaseConsultation, Key: "0199a1c2-7d1e-7c3a-9a55-0242ac120001"}
	case2 = schemas.CaseID{Kind: schemas.CaseConsultation, Key: "0199a1c2-7d1e-7c3a-9a55-0242ac120002"}
)

// memory is a table that several keyrings share, as processes share a topic.
type memory struct {
	mu      sync.Mutex
	content map[string][]byte
	refuse  error // what writing answers
	ended   error
}

func newMemory() *memory { return &memory{content: map[string][]byte{}} }

func (m *memory) Get(key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.content[key]
	return v, ok
}

func (m *memory) Put(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse == nil {
		m.content[key] = value
	}
	return m.refuse
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse == nil {
		delete(m.content, key)
	}
	return m.refuse
}

func (m *memory) Each(prefix string, do func(string, []byte) bool) {
	m.mu.Lock()
	content := maps.Clone(m.content)
	m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(content)) {
		if strings.HasPrefix(key, prefix) && !do(key, content[key]) {
			return
		}
	}
}

func (m *memory) Err() error { return m.ended }

func keyFileIn(t testing.TB) *KeyFile {
	t.Helper()
	f, err := CreateKeyFile(filepath.Join(t.TempDir(), "keys.json"), day)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func ring(t testing.TB, table Table, f *KeyFile) *Keyring {
	t.Helper()
	k, err := New(context.Background(), table, f, f.Pseudonyms())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t testing.TB, k *Keyring, person, text string) string {
	t.Helper()
	sealed, err := k.Seal(context.Background(), person, case1, "question", text)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// opens tells what a text of person's question in case1 says, or why it does not.
func opens(k *Keyring, person, sealed string) string {
	text, err := k.Unseal(context.Background(), person, case1, "question", sealed)
	switch {
	case err == nil:
		return text
	case errors.Is(err, ErrErased):
		return "erased"
	case errors.Is(err, ErrNoKey):
		return "no key"
	case errors.Is(err, ErrForged):
		return "forged"
	}
	return err.Error()
}

func TestWhatIsSealedOpensAgain(t *testing.T) {
	k := ring(t, newMemory(), keyFileIn(t))
	rapid.Check(t, func(t *rapid.T) {
		person, text := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}`).Draw(t, "person"), rapid.StringN(1, 300, -1).Draw(t, "text")
		sealed, err := k.Seal(context.Background(), person, case1, "question", text)
		if err != nil {
			t.Fatal(err)
		}
		if !schemas.IsSealed(sealed) || len(text) > 8 && strings.Contains(sealed, text) {
			t.Errorf("%q was sealed as %q", text, sealed)
		}
		if got := opens(k, person, sealed); got != text {
			t.Errorf("%q opens as %q", text, got)
		}
		if got := opens(k, k.Pseudonym(person), sealed); got != text {
			t.Errorf("under the keyed pseudonym %q opens as %q", text, got)
		}
	})
}

func TestTheLongestTextHasTheFormOfASealedOne(t *testing.T) {
	k := ring(t, newMemory(), keyFileIn(t))
	text := strings.Repeat("𠮷", 20_000) // four bytes each
	sealed := seal(t, k, "p-1", text)
	if !schemas.IsSealed(sealed) || opens(k, "p-1", sealed) != text {
		t.Errorf("a text of 20000 letters is sealed in %d bytes, and is not taken for a sealed one", len(sealed))
	}
}

func TestASealedTextOpensInItsOwnPlaceAlone(t *testing.T) {
	k := ring(t, newMemory(), keyFileIn(t))
	sealed := seal(t, k, "p-1", "能不能取保候审？")
	seal(t, k, "p-2", "又一人") // who has a key too
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(sealed, schemas.SealedPrefix))
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(raw)
	changed[len(changed)-1] ^= 1
	for _, c := range []struct {
		what, person string
		of           schemas.CaseID
		field        string
		sealed       string
		want         error
	}{
		{"another case", "p-1", case2, "question", sealed, ErrForged},
		{"another field", "p-1", case1, "answer", sealed, ErrForged},
		{"another person", "p-2", case1, "question", sealed, ErrNoKey},
		{"a changed text", "p-1", case1, "question", schemas.SealedPrefix + base64.RawURLEncoding.EncodeToString(changed), ErrForged},
		{"a text cut short", "p-1", case1, "question", schemas.SealedPrefix + base64.RawURLEncoding.EncodeToString(raw[:12]), ErrForged},
		{"no ciphertext at all", "p-1", case1, "question", schemas.SealedPrefix + "AAAA", ErrForged},
	} {
		if text, err := k.Unseal(t.Context(), c.person, c.of, c.field, c.sealed); !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v; want %v", c.what, text, err, c.want)
		}
		if _, err := k.Seal(t.Context(), c.person, c.of, c.field, c.sealed); !errors.Is(err, c.want) {
			t.Errorf("%s is taken for sealed: %v", c.what, err)
		}
	}
	if again, err := k.Seal(t.Context(), "p-1", case1, "question", sealed); err != nil || again != sealed {
		t.Errorf("in its own place it becomes %q, %v", again, err)
	}
}

func TestErasingMakesTextsUnreadableEverywhere(t *testing.T) {
	table, f := newMemory(), keyFileIn(t)
	one, two := ring(t, table, f), ring(t, table, f)
	texts := []string{seal(t, one, "p-1", "甲"), seal(t, two, "p-1", "乙")}
	other := seal(t, one, "p-2", "丙")
	for _, s := range texts {
		if opens(one, "p-1", s) == "erased" || opens(two, "p-1", s) == "erased" {
			t.Fatal("a text is erased before its person is")
		}
	}
	if keys, err := one.Erase(t.Context(), one.Pseudonym("p-1")); err != nil || keys == 0 {
		t.Fatalf("%d keys were destroyed, %v", keys, err)
	}
	for _, k := range []*Keyring{one, two, ring(t, table, f)} {
		for _, s := range texts {
			if got := opens(k, "p-1", s); got != "erased" {
				t.Errorf("a text of the erased person says %q", got)
			}
		}
		if got := opens(k, "p-2", other); got != "丙" {
			t.Errorf("another person's text says %q", got)
		}
		if again, err := k.Seal(t.Context(), "p-1", case1, "question", texts[0]); err != nil || again != texts[0] {
			t.Errorf("a destroyed text that comes back becomes %q, %v", again, err)
		}
		later := seal(t, k, "p-1", "后来的")
		if got := opens(two, "p-1", later); got != "后来的" {
			t.Errorf("a text that came after the erasure says %q", got)
		}
		if later[:len(schemas.SealedPrefix)+11] == texts[0][:len(schemas.SealedPrefix)+11] {
			t.Error("a later text is sealed under the destroyed key")
		}
	}
	if keys, err := two.Erase(t.Context(), "p-1"); err != nil || keys == 0 {
		t.Errorf("erased again: %d keys, %v", keys, err)
	}
	if keys, err := two.Erase(t.Context(), "nobody"); err != nil || keys != 0 {
		t.Errorf("of nobody %d keys were destroyed, %v", keys, err)
	}
}

func TestAKeyThatARotationPutBackStaysErased(t *testing.T) {
	table, f := newMemory(), keyFileIn(t)
	k := ring(t, table, f)
	sealed := seal(t, k, "p-1", "甲")
	before := maps.Clone(table.content)
	if _, err := k.Erase(t.Context(), "p-1"); err != nil {
		t.Fatal(err)
	}
	for name, value := range before { // what another process had read before
		if strings.HasPrefix(name, keyPrefix) {
			table.content[name] = value
		}
	}
	if got := opens(ring(t, table, f), "p-1", sealed); got != "erased" {
		t.Errorf("the text says %q", got)
	}
	if _, err := k.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	table.Each(keyPrefix, func(name string, _ []byte) bool {
		t.Errorf("%s stands after a rotation", name)
		return true
	})
}

func TestRotationWrapsEveryKeyAnew(t *testing.T) {
	table, f := newMemory(), keyFileIn(t)
	k := ring(t, table, f)
	other, err := OpenKeyFile(f.path) // a server that goes on meanwhile
	if err != nil {
		t.Fatal(err)
	}
	server := ring(t, table, other)
	sealed := map[string]string{}
	for _, person := range []string{"p-1", "p-2", "p-3"} {
		sealed[person] = seal(t, k, person, "甲")
	}
	old, pseudonym := f.Primary(), k.Pseudonym("p-1")
	if err := f.Add(day.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if n, err := k.Rotate(t.Context()); n != 3 || err != nil {
		t.Fatalf("%d keys were wrapped anew, %v", n, err)
	}
	if n, err := k.Rotate(t.Context()); n != 0 || err != nil {
		t.Errorf("the second time %d keys were wrapped anew, %v", n, err)
	}
	for name, value := range table.content {
		if strings.Contains(string(value), old) {
			t.Errorf("%s is still wrapped by the old master key", name)
		}
	}
	for person, s := range sealed {
		if opens(k, person, s) != "甲" || opens(server, person, s) != "甲" {
			t.Errorf("the text of %s says %q, at the other server %q", person, opens(k, person, s), opens(server, person, s))
		}
	}
	if k.Pseudonym("p-1") != pseudonym {
		t.Error("the person has another pseudonym")
	}
	f.content.Keys = f.content.Keys[1:] // the old master key is taken out
	if got := opens(ring(t, table, f), "p-1", sealed["p-1"]); got != "甲" {
		t.Errorf("without the old master key the text says %q", got)
	}
}

func TestAKeyringOfAnotherPlatformIsRefused(t *testing.T) {
	table := newMemory()
	ring(t, table, keyFileIn(t))
	f := keyFileIn(t)
	if _, err := New(t.Context(), table, f, f.Pseudonyms()); err == nil || !strings.Contains(err.Error(), "key file that it began with") {
		t.Errorf("it is opened: %v", err)
	}
}

func TestWithoutItsTableNothingIsSealedOrOpened(t *testing.T) {
	table, f := newMemory(), keyFileIn(t)
	k := ring(t, table, f)
	sealed := seal(t, k, "p-1", "甲")
	table.refuse = errors.New("the broker is away")
	if s, err := k.Seal(t.Context(), "p-2", case1, "question", "乙"); err == nil {
		t.Errorf("a text is sealed by a key that is kept nowhere: %s", s)
	}
	if _, err := k.Erase(t.Context(), "p-1"); err == nil {
		t.Error("an erasure that was not written down is reported done")
	}
	if got := opens(k, "p-1", sealed); got != "甲" {
		t.Errorf("while nothing can be written a text says %q", got)
	}
	table.ended = errors.New("a record cannot be read")
	if got := opens(k, "p-1", sealed); got == "甲" {
		t.Error("a text opens though nobody knows whether it was erased")
	}
	if _, err := k.Seal(t.Context(), "p-1", case1, "question", "丁"); err == nil {
		t.Error("a text is sealed though nobody knows whether its key still stands")
	}
}

func TestKeysInTheCompactedTopic(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	open := func() *ktable.Table {
		table, err := ktable.Open(t.Context(), ktable.Config{Brokers: cluster.ListenAddrs(), Topic: schemas.KeyTopic})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = table.Close() })
		return table
	}
	f := keyFileIn(t)
	k := ring(t, open(), f)
	kept, erased := seal(t, k, "p-1", "甲"), seal(t, k, "p-2", "乙")
	if n, err := k.Erase(t.Context(), "p-2"); n != 1 || err != nil {
		t.Fatalf("%d keys were destroyed, %v", n, err)
	}
	after := ring(t, open(), f) // another process, later
	if a, b := opens(after, "p-1", kept), opens(after, "p-2", erased); a != "甲" || b != "erased" {
		t.Errorf("after a restart the texts say %q and %q", a, b)
	}
}

func TestSealingFromSeveralSidesAtOnce(t *testing.T) {
	table, f := newMemory(), keyFileIn(t)
	rings := []*Keyring{ring(t, table, f), ring(t, table, f)}
	var wg sync.WaitGroup
	sealed := make([]string, 64)
	for i := range sealed {
		wg.Go(func() { sealed[i], _ = rings[i%2].Seal(context.Background(), "p-1", case1, "question", "甲") })
	}
	wg.Wait()
	for i, s := range sealed {
		if got := opens(rings[(i+1)%2], "p-1", s); got != "甲" {
			t.Errorf("text %d says %q", i, got)
		}
	}
}

func BenchmarkPseudonym(b *testing.B) {
	k := ring(b, newMemory(), keyFileIn(b))
	for b.Loop() {
		k.Pseudonym("220182-0199a1c2")
	}
}

func BenchmarkSeal(b *testing.B) {
	k := ring(b, newMemory(), keyFileIn(b))
	text := strings.Repeat("家属问能否取保候审。", 40)
	for b.Loop() {
		seal(b, k, "p-1", text)
	}
}

func BenchmarkUnseal(b *testing.B) {
	k := ring(b, newMemory(), keyFileIn(b))
	sealed := seal(b, k, "p-1", strings.Repeat("家属问能否取保候审。", 40))
	for b.Loop() {
		opens(k, "p-1", sealed)
	}
}

// An erasure that cannot be read is no erasure: nothing is destroyed for it, and no
// text passes for one that was.
func TestAnErasureThatCannotBeReadDestroysNothing(t *testing.T) {
	m, file := newMemory(), keyFileIn(t)
	k := ring(t, m, file)
	sealed, err := k.Seal(t.Context(), "p-1", case1, "question", "问")
	if err != nil {
		t.Fatal(err)
	}
	name := erasedPrefix + k.Pseudonym("p-1")
	m.content[name] = []byte("{")
	if _, err := k.Unseal(t.Context(), "p-1", case1, "question", sealed); err == nil || errors.Is(err, ErrErased) {
		t.Errorf("unseal: %v", err)
	}
	if _, err := k.Seal(t.Context(), "p-1", case1, "question", sealed); err == nil {
		t.Error("a sealed text passed unseen")
	}
	if err := file.Add(day); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Rotate(t.Context()); err == nil {
		t.Error("the rotation did not say so")
	}
	delete(m.content, name)
	if _, err := k.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text, err := k.Unseal(t.Context(), "p-1", case1, "question", sealed); err != nil || text != "问" {
		t.Errorf("afterwards it opens as %q, %v", text, err)
	}
}

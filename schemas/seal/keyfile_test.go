package seal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zhiban/schemas"
)

func TestKeyFileIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	f, created, err := OpenOrCreateKeyFile(path, day)
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("its mode is %v, %v", info.Mode(), err)
	}
	again, created, err := OpenOrCreateKeyFile(path, day)
	if err != nil || created || string(again.Pseudonyms()) != string(f.Pseudonyms()) {
		t.Errorf("the second time created %v, %v, or with other keys", created, err)
	}
	if _, err := CreateKeyFile(path, day); !errors.Is(err, os.ErrExist) {
		t.Errorf("a key file was overwritten: %v", err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".keys-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAKeyFileThatIsWrongIsNamedWithoutItsContent(t *testing.T) {
	const good = `{"version":1,"pseudonyms":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","primary":"a","keys":[{"id":"a","created":"2026-09-01T00:00:00Z","key":"U2VjcmV0U2VjcmV0U2VjcmV0U2VjcmV0U2VjcmV0U2U="}]}`
	for what, change := range map[string]func(string) string{
		"cut off":         func(s string) string { return s[:100] },
		"empty":           func(string) string { return "" },
		"another version": func(s string) string { return strings.Replace(s, `"version":1`, `"version":2`, 1) },
		"no primary":      func(s string) string { return strings.Replace(s, `"primary":"a"`, `"primary":"b"`, 1) },
		"short key": func(s string) string {
			return strings.Replace(s, "U2VjcmV0U2VjcmV0U2VjcmV0U2VjcmV0U2VjcmV0U2U=", "U2VjcmV0", 1)
		},
		"short pseudonyms": func(s string) string {
			return strings.Replace(s, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "", 1)
		},
		"not a file": nil,
	} {
		path := filepath.Join(t.TempDir(), "keys.json")
		if change == nil {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(change(good)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenKeyFile(path)
		if err == nil || !strings.Contains(err.Error(), path) && what != "not a file" || strings.Contains(err.Error(), "U2Vj") {
			t.Errorf("%s: %v", what, err)
		}
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyFile(path); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestAPseudonymIsKeyedOnce(t *testing.T) {
	k, other := ring(t, newMemory(), keyFileIn(t)), ring(t, newMemory(), keyFileIn(t))
	rapid.Check(t, func(t *rapid.T) {
		person := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}`).Draw(t, "person")
		keyed := k.Pseudonym(person)
		if !schemas.IsKeyed(keyed) || len(keyed) > 64 || k.Pseudonym(keyed) != keyed {
			t.Errorf("%q is keyed as %q, then as %q", person, keyed, k.Pseudonym(keyed))
		}
		if other.Pseudonym(person) == keyed || other.Pseudonym(keyed) == keyed {
			t.Errorf("another platform's keys make the same of %q", person)
		}
	})
	forged := schemas.KeyedPrefix + strings.Repeat("a", 32)
	if k.Pseudonym(forged) == forged {
		t.Error("what merely looks keyed passes as it is")
	}
}

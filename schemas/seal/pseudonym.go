package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"hash"
	"sync"

	"zhiban/schemas"
)

const (
	pseudonymLetters = 26
	checkLetters     = 6
)

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// pseudonyms makes keyed pseudonyms.
type pseudonyms struct{ macs sync.Pool }

func newPseudonyms(key []byte) *pseudonyms {
	return &pseudonyms{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (p *pseudonyms) sum(purpose, text string) (sum [sha256.Size]byte) {
	mac := p.macs.Get().(hash.Hash)
	defer p.macs.Put(mac)
	mac.Reset()
	_, _ = mac.Write(append(append([]byte(purpose), 0), text...))
	mac.Sum(sum[:0])
	return sum
}

func (p *pseudonyms) of(person string) string {
	if p.ours(person) {
		return person
	}
	sum := p.sum("zhiban.pseudonym.v1", person)
	body := letters.EncodeToString(sum[:16])
	return schemas.KeyedPrefix + body + p.check(body)
}

// ours tells whether a pseudonym was made with this key.
func (p *pseudonyms) ours(person string) bool {
	if !schemas.IsKeyed(person) {
		return false
	}
	body, check := person[len(schemas.KeyedPrefix):][:pseudonymLetters], person[len(schemas.KeyedPrefix)+pseudonymLetters:]
	return hmac.Equal([]byte(check), []byte(p.check(body)))
}

func (p *pseudonyms) check(body string) string {
	sum := p.sum("zhiban.pseudonym.check.v1", body)
	return letters.EncodeToString(sum[:4])[:checkLetters]
}

// fingerprint tells pseudonym keys apart and nothing about them.
func (p *pseudonyms) fingerprint() string {
	sum := p.sum("zhiban.pseudonym.fingerprint.v1", "")
	return hex.EncodeToString(sum[:8])
}

package schemas

import (
	"strings"
	"sync"
)

// What package seal makes of personal data before it reaches the log has forms
// of its own, by which it is known without a key.
const (
	// SealedPrefix begins a sealed text: sealed.v1.<base64url>.
	SealedPrefix = "sealed.v1."
	// KeyedPrefix begins a keyed pseudonym: k1- and 32 letters.
	KeyedPrefix = "k1-"

	keyedLetters = 32
	// maxSealed bounds a sealed text: 20000 letters of four bytes, what sealing
	// adds, and a third more for base64.
	maxSealed = 110_000
)

// IsSealed tells whether a text has the form of a sealed one.
func IsSealed(text string) bool {
	rest, ok := strings.CutPrefix(text, SealedPrefix)
	return ok && rest != "" && len(text) <= maxSealed && strings.Trim(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// IsKeyed tells whether a pseudonym has the form of a keyed one. Whether it was
// made here only the holder of the key can tell.
func IsKeyed(person string) bool {
	rest, ok := strings.CutPrefix(person, KeyedPrefix)
	return ok && len(rest) == keyedLetters && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// Personal says what a field, or an event's data, holds about a person.
type Personal int

// From nothing to the person's words.
const (
	NotPersonal  Personal = iota
	NamesPerson           // a pseudonym
	QuotesPerson          // texts about the person whom the pseudonym beside them names
)

// PersonalField is what a field of that name holds in the data of every type of
// event that has it.
func PersonalField(name string) Personal {
	switch w := words[name]; {
	case w.sealed:
		return QuotesPerson
	case w.private:
		return NamesPerson
	}
	return NotPersonal
}

// Personal is what the type's data may hold; that of a correction is the data of
// any type of its case.
func (t *EventType) Personal() Personal { return personalTypes()[t] }

var personalTypes = sync.OnceValue(func() map[*EventType]Personal {
	m := map[*EventType]Personal{}
	for _, t := range Catalogue.All() {
		types := []*EventType{t}
		if t.Verb == "corrected" {
			types = factTypes(t.Case)
		}
		for _, t2 := range types {
			for _, f := range payloadSchemas()[t2].fields {
				m[t] = max(m[t], PersonalField(f.name))
			}
		}
	}
	return m
})

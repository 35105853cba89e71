package schemas

import "strings"

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

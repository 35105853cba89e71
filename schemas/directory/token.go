package directory

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Token is a program's.
type Token struct {
	ID, Title                 string
	Role                      access.Role
	Scope                     access.Scope
	Expires, Created, Revoked time.Time // Revoked is zero while it is not
	By                        string    // the account that made it
}

type tokenRecord struct {
	Hash    string       `json:"hash"`
	Title   string       `json:"title"`
	Role    access.Role  `json:"role"`
	Scope   access.Scope `json:"scope"`
	Expires time.Time    `json:"expires"`
	Created time.Time    `json:"created"`
	By      string       `json:"by"`
	Revoked time.Time    `json:"revoked,omitzero"`
}

// tokenMark begins every token, so that one that leaked is found in texts.
const tokenMark = "zb_"

// NewToken makes a token of t's title, role, scope, expiry and maker. The secret
// is zb_<id>_<43 letters>, and is not kept.
func (d *Directory) NewToken(ctx context.Context, t Token) (secret string, err error) {
	if err := checkTitle(t.Title); err != nil {
		return "", err
	}
	if err := checkScope(t.Role, t.Scope, schemas.DayOf(d.now())); err != nil {
		return "", err
	}
	if !t.Expires.After(d.now()) {
		return "", refuse(schemas.Invalid, tokenExpired)
	}
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	id := hex.EncodeToString(b)
	secret, hash := newSecret()
	r := tokenRecord{Hash: hash, Title: t.Title, Role: t.Role, Scope: t.Scope, Expires: t.Expires.UTC().Truncate(time.Second), Created: d.moment(), By: t.By}
	return tokenMark + id + "_" + secret, d.put(ctx, tokenKey+id, r)
}

// Check is who a token is: the account is "token:<id>", the title, role and scope
// are the token's. Unauthenticated when it was never made, has expired or was
// revoked.
func (d *Directory) Check(secret string) (access.Identity, error) {
	rest, marked := strings.CutPrefix(secret, tokenMark)
	id, rest, _ := strings.Cut(rest, "_")
	t, ok, err := get[tokenRecord](d, tokenKey+id)
	if err != nil {
		return access.Identity{}, err
	}
	good := subtle.ConstantTimeCompare([]byte(digest(rest)), []byte(t.Hash)) == 1
	if !marked || !ok || !good || !t.Revoked.IsZero() || !d.now().Before(t.Expires) {
		return access.Identity{}, refuse(schemas.Unauthenticated, noToken)
	}
	return access.Identity{Account: "token:" + id, Title: t.Title, Role: t.Role, Scope: t.Scope, Token: true}, nil
}

// Revoke ends a token for good.
func (d *Directory) Revoke(ctx context.Context, id string) error {
	t, ok, err := get[tokenRecord](d, tokenKey+id)
	if err != nil || !ok {
		return cmp.Or(err, refuse(schemas.NotFound, noTokenOf, id))
	}
	if !t.Revoked.IsZero() {
		return nil
	}
	t.Revoked = d.moment()
	return d.put(ctx, tokenKey+id, t)
}

// Tokens are all tokens that were ever made, by id.
func (d *Directory) Tokens() []Token {
	var out []Token
	d.table.Each(tokenKey, func(key string, _ []byte) bool {
		id := strings.TrimPrefix(key, tokenKey)
		if t, ok, err := get[tokenRecord](d, key); ok && err == nil {
			out = append(out, Token{id, t.Title, t.Role, t.Scope, t.Expires, t.Created, t.Revoked, t.By})
		}
		return true
	})
	return out
}

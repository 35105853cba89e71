package login

import (
	"context"
	"time"

	"zhiban/schemas/access"
)

// Directory is where accounts are kept.
type Directory interface {
	Login(ctx context.Context, name, password string) (access.Identity, error)
	External(ctx context.Context, a Account) (access.Identity, error)
	Redeem(ctx context.Context, secret string) (access.Identity, error)
	Identity(account string) (access.Identity, bool)

	Accounts() []Account
	Account(name string) (Account, bool)
	Create(ctx context.Context, a Account) error
	SetPassword(ctx context.Context, name, password string) error
	Disable(ctx context.Context, name string) error
	Enable(ctx context.Context, name string) error
	Link(ctx context.Context, account string, validity time.Duration) (secret string, err error)

	Tokens() []Token
	NewToken(ctx context.Context, t Token) (secret string, err error)
	Revoke(ctx context.Context, id string) error
}

// Account is a person's or an office's; the fields are those of
// directory.Account.
type Account struct {
	Name, Title        string
	Role               access.Role
	Scope              access.Scope
	Disabled           bool
	Locked             time.Time // until
	HasPassword        bool
	Created, LastLogin time.Time
}

// Token is a program's; the fields are those of directory.Token.
type Token struct {
	ID, Title                 string
	Role                      access.Role
	Scope                     access.Scope
	Expires, Created, Revoked time.Time
	By                        string
}

package login

import (
	"context"
	"time"

	"zhiban/schemas/access"
	"zhiban/schemas/directory"
)

// Directory is where accounts are kept: directory.Directory.
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

// Account is a person's or an office's.
type Account = directory.Account

// Token is a program's.
type Token = directory.Token

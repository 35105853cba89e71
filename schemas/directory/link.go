package directory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// Link makes a link by which an account is entered once, a password or none, a
// lock or none. It voids those made before.
func (d *Directory) Link(ctx context.Context, account string, validity time.Duration) (secret string, err error) {
	a, ok, err := d.find(account)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", refuse(schemas.NotFound, noAccount, account)
	case isExternalName(account):
		return "", refuse(schemas.Conflict, isExternal, account)
	case a.Disabled:
		return "", refuse(schemas.Conflict, isDisabled, account)
	case validity <= 0:
		return "", refuse(schemas.Invalid, linkValidity)
	}
	if err := d.voidLinks(ctx, account); err != nil {
		return "", err
	}
	secret, hash := newSecret()
	return secret, d.put(ctx, linkKey+hash, linkRecord{account, d.moment().Add(validity)})
}

// Redeem is the login by a link: of all processes that are shown it, exactly one
// lets its bearer in. Unauthenticated when it was used, has expired or never was.
func (d *Directory) Redeem(ctx context.Context, secret string) (access.Identity, error) {
	key := linkKey + digest(secret)
	// Guesses write nothing.
	if _, ok, err := get[linkRecord](d, key); err != nil || !ok {
		return access.Identity{}, cmp.Or(err, refuse(schemas.Unauthenticated, noEntry))
	}
	taking, cancel := bounded(ctx)
	defer cancel()
	value, err := d.table.Take(taking, key)
	if err != nil || value == nil {
		return access.Identity{}, cmp.Or(err, refuse(schemas.Unauthenticated, noEntry))
	}
	var link linkRecord
	if err := decode(key, value, &link); err != nil {
		return access.Identity{}, err
	}
	if !d.now().Before(link.Expires) {
		return access.Identity{}, refuse(schemas.Unauthenticated, noEntry)
	}
	if err := d.remove(ctx, attemptsKey+link.Account); err != nil {
		return access.Identity{}, err
	}
	return d.enter(ctx, link.Account)
}

func (d *Directory) voidLinks(ctx context.Context, account string) error {
	var void []string
	var err error
	d.table.Each(linkKey, func(key string, value []byte) bool {
		var link linkRecord
		if err = decode(key, value, &link); err == nil && link.Account == account {
			void = append(void, key)
		}
		return err == nil
	})
	for _, key := range void {
		if err == nil {
			err = d.remove(ctx, key)
		}
	}
	return err
}

// firstLink is how long the first administrator's link and those of the
// demonstration are valid.
const firstLink = 24 * time.Hour

// FirstAdministrator makes the account "admin" when no account manages accounts,
// and a new link for it at every start until it was entered. The secret is empty
// once an account that manages accounts has a password or was ever entered, and
// when others were made that wait for theirs.
func (d *Directory) FirstAdministrator(ctx context.Context) (secret string, err error) {
	const name = "admin"
	managers := d.managers()
	admin := slices.ContainsFunc(managers, func(a Account) bool { return a.Name == name })
	switch _, taken, err := d.find(name); {
	case err != nil:
		return "", err
	case d.Claimed() || len(managers) > 0 && !admin:
		return "", nil
	case taken && !admin:
		return "", refuse(schemas.Conflict, adminTaken, name)
	case !taken:
		if err := d.Create(ctx, Account{Name: name, Title: "系统管理员", Role: access.Administrator}); err != nil {
			return "", err
		}
	}
	return d.Link(ctx, name, firstLink)
}

// managers are the accounts that manage accounts.
func (d *Directory) managers() []Account {
	return slices.DeleteFunc(d.Accounts(), func(a Account) bool { return !a.identity().May(access.ManageAccounts) })
}

// Claimed tells whether somebody is administrator: an account that manages
// accounts has a password or was ever entered.
func (d *Directory) Claimed() bool {
	return slices.ContainsFunc(d.managers(), func(a Account) bool { return a.HasPassword || !a.LastLogin.IsZero() })
}

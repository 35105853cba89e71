package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"zhiban/schemas"
)

const (
	// SessionAccount is the session's value that says whose it is.
	SessionAccount = "account"
	// sessionGeneration is the value that the store adds to it.
	sessionGeneration = "generation"
)

// sessionRecord is a session; the account is empty before its person has shown
// who they are.
type sessionRecord struct {
	Account    string    `json:"account,omitempty"`
	Generation int       `json:"generation,omitempty"`
	Expires    time.Time `json:"expires"`
	Data       []byte    `json:"data"` // scs.GobCodec's
}

var _ scs.CtxStore = (*Directory)(nil)

// FindCtx is the session of a token; found is false when it has ended or expired,
// or its account is disabled.
func (d *Directory) FindCtx(_ context.Context, token string) (data []byte, found bool, err error) {
	hash := digest(token)
	s, ok, err := get[sessionRecord](d, sessionKey+hash)
	if err != nil || !ok || !d.now().Before(s.Expires) || d.ended(hash) {
		return nil, false, err
	}
	if s.Account == "" {
		return s.Data, true, nil
	}
	a, ok, err := d.find(s.Account)
	if err != nil || !ok || a.Disabled {
		return nil, false, err
	}
	current, _, err := get[generationRecord](d, generationKey+s.Account)
	if err != nil || s.Generation < current.N {
		return nil, false, err
	}
	return s.Data, true, nil
}

// CommitCtx keeps a session. A new one is of its account's generation; one that
// was found and is written again, under whichever token, stays of its own.
func (d *Directory) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	hash := digest(token)
	if d.ended(hash) {
		return refuse(schemas.Unauthenticated, ended)
	}
	deadline, values, err := scs.GobCodec{}.Decode(data)
	if err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	s := sessionRecord{Expires: expiry.UTC(), Data: data}
	s.Account, _ = values[SessionAccount].(string)
	if s.Account != "" {
		known := false
		if s.Generation, known = values[sessionGeneration].(int); !known {
			current, _, err := get[generationRecord](d, generationKey+s.Account)
			if err != nil {
				return err
			}
			if s, err = s.of(current.N, deadline, values); err != nil {
				return err
			}
		}
	}
	return d.put(ctx, sessionKey+hash, s)
}

// of is the session in a generation.
func (s sessionRecord) of(generation int, deadline time.Time, values map[string]any) (sessionRecord, error) {
	var err error
	values[sessionGeneration] = generation
	s.Generation = generation
	s.Data, err = scs.GobCodec{}.Encode(deadline, values)
	if err != nil {
		return s, fmt.Errorf("keep a session: %w", err)
	}
	return s, nil
}

// DeleteCtx ends a session: a request that is under way in it does not bring it
// back.
func (d *Directory) DeleteCtx(ctx context.Context, token string) error {
	hash := digest(token)
	s, ok, err := get[sessionRecord](d, sessionKey+hash)
	if err != nil || !ok {
		return err
	}
	if err := d.put(ctx, endedKey+hash, expiryRecord{s.Expires}); err != nil {
		return err
	}
	return d.remove(ctx, sessionKey+hash)
}

func (d *Directory) ended(hash string) bool {
	_, ok := d.table.Get(endedKey + hash)
	return ok
}

// Find is FindCtx, which scs calls instead.
func (d *Directory) Find(token string) ([]byte, bool, error) {
	return d.FindCtx(context.Background(), token)
}

// Commit is CommitCtx, which scs calls instead.
func (d *Directory) Commit(token string, data []byte, expiry time.Time) error {
	return d.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx, which scs calls instead.
func (d *Directory) Delete(token string) error { return d.DeleteCtx(context.Background(), token) }

// EndSessions ends all sessions of an account but the one whose token is except,
// which may be empty.
func (d *Directory) EndSessions(ctx context.Context, account, except string) error {
	if err := d.exists(account); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	current, _, err := get[generationRecord](d, generationKey+account)
	if err != nil {
		return err
	}
	current.N++
	// First the one that goes on, so that it does not pause.
	key := sessionKey + digest(except)
	s, ok, err := get[sessionRecord](d, key)
	if err != nil {
		return err
	}
	if ok && s.Account == account && s.Generation == current.N-1 {
		deadline, values, err := scs.GobCodec{}.Decode(s.Data)
		if err != nil {
			return fmt.Errorf("keep a session: %w", err)
		}
		if s, err = s.of(current.N, deadline, values); err != nil {
			return err
		}
		if err := d.put(ctx, key, s); err != nil {
			return err
		}
	}
	return d.put(ctx, generationKey+account, current)
}

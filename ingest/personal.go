package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/errgroup"

	"zhiban/schemas"
)

// Keys keep what events say about people from those who read the log; see
// seal.Keyring.
type Keys interface {
	// Pseudonym is the keyed pseudonym of a person; one that is keyed stays.
	Pseudonym(person string) string
	// Seal seals a text of a person. An error of the kinds Invalid and NotFound
	// says that the text is sealed already, and not by us for this place.
	Seal(ctx context.Context, person string, of schemas.CaseID, field, text string) (string, error)
}

// sealing is how many events are sealed at once: each of a person who is new waits
// for the key to be kept.
const sealing = 64

// protect makes the data of events what the log may hold: pseudonyms are keyed,
// texts sealed. wrong is told of each event, by its place, whose texts cannot be
// what they claim to be; the error is that there are no keys now.
func protect(ctx context.Context, keys Keys, events []schemas.Event, wrong func(i int, e schemas.FieldError)) error {
	var group *errgroup.Group
	refused := make([]error, len(events))
	for i := range events {
		ev := &events[i]
		switch ev.Type.Personal() {
		case schemas.NamesPerson:
			refused[i] = protectEvent(ctx, keys, ev)
		case schemas.QuotesPerson:
			if group == nil {
				group, ctx = errgroup.WithContext(ctx)
				group.SetLimit(sealing)
			}
			group.Go(func() error {
				err := protectEvent(ctx, keys, ev)
				if kind := schemas.KindOf(err); err != nil && kind != schemas.Invalid && kind != schemas.NotFound {
					return err
				}
				refused[i] = err
				return nil
			})
		}
	}
	if group != nil {
		if err := group.Wait(); err != nil {
			return err
		}
	}
	for i, err := range refused {
		var at *fieldError
		if errors.As(err, &at) {
			wrong(i, schemas.FieldError{Location: at.field, Message: at.err.Error()})
		} else if err != nil {
			return err
		}
	}
	return nil
}

// fieldError says at which field something went wrong.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.field + ": " + e.err.Error() }

func (e *fieldError) Unwrap() error { return e.err }

func protectEvent(ctx context.Context, keys Keys, ev *schemas.Event) (err error) {
	if ev.Type.Verb != "corrected" {
		ev.Data, err = protectFacts(ctx, keys, ev.Case, "data", ev.Data)
		return err
	}
	members, err := membersOf(ev.Data)
	if err != nil {
		return err
	}
	ev.Data, err = rewrite(ev.Data, members, func(name string, value jsontext.Value) (jsontext.Value, error) {
		if name != "data" {
			return value, nil
		}
		return protectFacts(ctx, keys, ev.Case, "data.data", value)
	})
	return err
}

// protectFacts protects the data of an event that records a fact; at is its place.
func protectFacts(ctx context.Context, keys Keys, of schemas.CaseID, at string, data []byte) ([]byte, error) {
	members, err := membersOf(data)
	if err != nil {
		return nil, err
	}
	var person string // may stand behind the texts
	for _, m := range members {
		if schemas.PersonalField(m.name) == schemas.NamesPerson {
			plain, err := text(data[m.from:m.to])
			if err != nil {
				return nil, err
			}
			person = keys.Pseudonym(plain)
		}
	}
	return rewrite(data, members, func(name string, value jsontext.Value) (jsontext.Value, error) {
		switch schemas.PersonalField(name) {
		case schemas.NamesPerson:
			return jsontext.AppendQuote(nil, person)
		case schemas.QuotesPerson:
			plain, err := text(value)
			if err != nil {
				return nil, err
			}
			sealed, err := keys.Seal(ctx, person, of, name, plain)
			if err != nil {
				return nil, &fieldError{at + "." + name, err}
			}
			return jsontext.AppendQuote(nil, sealed)
		}
		return value, nil
	})
}

func text(value jsontext.Value) (string, error) {
	b, err := jsontext.AppendUnquote(nil, value)
	return string(b), err
}

// member is a member of an object: its name, and where its value is.
type member struct {
	name     string
	from, to int
}

// membersOf lists the members of an object, whose values it does not read.
func membersOf(object []byte) ([]member, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(object), jsontext.AllowDuplicateNames(true)) // validation has seen to that
	wrong := func(err error) error { return fmt.Errorf("read the data of an event: %w", err) }
	if _, err := d.ReadToken(); err != nil {
		return nil, wrong(err)
	}
	members := make([]member, 0, 12)
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, wrong(err)
		}
		name := token.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, wrong(err)
		}
		end := int(d.InputOffset())
		members = append(members, member{name, end - len(value), end})
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, wrong(err)
	}
	return members, nil
}

// rewrite is an object with other values in the place of its members'.
func rewrite(object []byte, members []member, change func(name string, value jsontext.Value) (jsontext.Value, error)) ([]byte, error) {
	out := make([]byte, 0, len(object)+64)
	kept := 0 // of object, how much is in out
	for _, m := range members {
		value, err := change(m.name, object[m.from:m.to])
		if err != nil {
			return nil, err
		}
		out = append(append(out, object[kept:m.from]...), value...)
		kept = m.to
	}
	return append(out, object[kept:]...), nil
}

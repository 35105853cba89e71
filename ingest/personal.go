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
	ev.Data, err = rewrite(ev.Data, func(name string, value jsontext.Value) (jsontext.Value, error) {
		if name != "data" {
			return value, nil
		}
		return protectFacts(ctx, keys, ev.Case, "data.data", value)
	})
	return err
}

// protectFacts protects the data of an event that records a fact; at is its place.
func protectFacts(ctx context.Context, keys Keys, of schemas.CaseID, at string, data []byte) ([]byte, error) {
	var person string // may stand behind the texts
	if _, err := rewrite(data, func(name string, value jsontext.Value) (_ jsontext.Value, err error) {
		if schemas.PersonalField(name) == schemas.NamesPerson {
			person, err = text(value)
			person = keys.Pseudonym(person)
		}
		return value, err
	}); err != nil {
		return nil, err
	}
	return rewrite(data, func(name string, value jsontext.Value) (jsontext.Value, error) {
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

// rewrite puts other values in the place of an object's members. The object is the
// same when none is another.
func rewrite(object []byte, change func(name string, value jsontext.Value) (jsontext.Value, error)) ([]byte, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(object), jsontext.AllowDuplicateNames(true)) // validation has seen to that
	if _, err := d.ReadToken(); err != nil {
		return nil, fmt.Errorf("read the data of an event: %w", err)
	}
	var out []byte
	kept := 0 // of object, how much is in out
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("read the data of an event: %w", err)
		}
		name := token.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("read the data of an event: %w", err)
		}
		end := int(d.InputOffset())
		changed, err := change(name, value)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(changed, value) {
			if out == nil {
				out = make([]byte, 0, len(object)+len(changed)+64)
			}
			out = append(append(out, object[kept:end-len(value)]...), changed...)
			kept = end
		}
	}
	if out == nil {
		return object, nil
	}
	return append(out, object[kept:]...), nil
}

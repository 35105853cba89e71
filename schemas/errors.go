package schemas

import (
	"errors"
	"fmt"
)

// ErrorKind is what a caller can do about an error. Kinds are numbered and
// only ever appended; one table in each HTTP front maps them to a status.
type ErrorKind int

// The kinds of error.
const (
	Internal        ErrorKind = iota // a defect or an unforeseen state: look at the log
	Invalid                          // the request is wrong: mend it
	NotFound                         // no such thing, or not for you
	Unavailable                      // an engine does not answer: try again
	TooLarge                         // the request is over a limit: split it
	Conflict                         // it does not fit the state that things are in
	Unauthenticated                  // nobody is logged in, or the token is not (or no longer) good: log in
	Forbidden                        // not for this role
	TooMany                          // too often: come back later
)

// Error is an error whose text may be shown to the person who asked. Anything
// else is logged, and shown as a fault of the system.
type Error struct {
	Kind    ErrorKind
	Message string
	Err     error // the cause, or nil
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error of a kind.
func Errorf(kind ErrorKind, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// KindOf is the kind of the first [Error] in err's chain; Internal when there
// is none.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

package dashboard

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"zhiban/schemas"
)

// statuses is the one table from what went wrong to the HTTP status.
var statuses = map[schemas.ErrorKind]int{
	schemas.Internal:    http.StatusInternalServerError,
	schemas.Invalid:     http.StatusUnprocessableEntity,
	schemas.NotFound:    http.StatusNotFound,
	schemas.Unavailable: http.StatusServiceUnavailable,
	schemas.TooLarge:    http.StatusRequestEntityTooLarge,
	schemas.Conflict:    http.StatusConflict,

	schemas.Unauthenticated: http.StatusUnauthorized,
	schemas.Forbidden:       http.StatusForbidden,
	schemas.TooMany:         http.StatusTooManyRequests,
}

// statusOf is the HTTP status of an error.
func statusOf(err error) int {
	if _, ok := errors.AsType[problems](err); ok {
		return http.StatusUnprocessableEntity
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable
	}
	return statuses[schemas.KindOf(err)]
}

// shown is the part of an error that the person who asked may read. Why an
// engine does not answer is for the log alone.
func shown(err error) string {
	e, ok := errors.AsType[*schemas.Error](err)
	switch {
	case !ok || e.Kind == schemas.Internal:
		return ""
	case e.Kind == schemas.Unavailable:
		return "the warehouse does not answer; try again"
	}
	return e.Message
}

// apiError is an error as the API answers it: problem+json with every problem
// in it.
func (s *Server) apiError(ctx context.Context, err error) error {
	status := statusOf(err)
	if bad, ok := errors.AsType[problems](err); ok {
		details := make([]error, len(bad))
		for i, b := range bad {
			details[i] = &huma.ErrorDetail{Message: b.text(english), Location: "query." + b.Param, Value: b.Value}
		}
		return huma.NewError(status, "the request cannot be answered; every problem is listed", details...)
	}
	s.logError(ctx, status, err)
	message := shown(err)
	if message == "" {
		message = http.StatusText(status)
	}
	return huma.NewError(status, message)
}

// logError keeps what the person who asked does not see.
func (s *Server) logError(ctx context.Context, status int, err error) {
	if status >= http.StatusInternalServerError && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "request failed", "status", status, "error", err)
	}
}

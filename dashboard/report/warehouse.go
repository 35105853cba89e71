package report

import (
	"context"
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"zhiban/schemas"
)

// Warehouse answers questions from the tables that the projector fills.
type Warehouse struct {
	conn driver.Conn
	now  func() time.Time
}

// New reads through conn.
func New(conn driver.Conn) *Warehouse { return &Warehouse{conn: conn, now: time.Now} }

var errUnbuilt = errors.New("being built")

// Statistics answers q within scope.
func (w *Warehouse) Statistics(ctx context.Context, scope Scope, q Query) (Statistics, error) {
	return Statistics{}, errUnbuilt
}

// Postings lists what makes up the figures of q: limit postings from offset on.
func (w *Warehouse) Postings(ctx context.Context, scope Scope, q Query, offset, limit int) (PostingPage, error) {
	return PostingPage{}, errUnbuilt
}

// Event opens one event.
func (w *Warehouse) Event(ctx context.Context, scope Scope, id schemas.EventID) (EventDetail, error) {
	return EventDetail{}, errUnbuilt
}

// Stations lists the stations that report to division or below it.
func (w *Warehouse) Stations(ctx context.Context, scope Scope, division schemas.DivisionCode, asOf time.Time) ([]Station, error) {
	return nil, errUnbuilt
}

// Station finds one station; an unregistered one is described by its code.
func (w *Warehouse) Station(ctx context.Context, scope Scope, code schemas.StationCode, asOf time.Time) (Station, error) {
	return Station{}, errUnbuilt
}

// Lawyers lists the lawyers posted by centres of division or below it.
func (w *Warehouse) Lawyers(ctx context.Context, scope Scope, division schemas.DivisionCode, asOf time.Time) ([]Lawyer, error) {
	return nil, errUnbuilt
}

// Lawyer finds one lawyer; an unregistered one has a licence and nothing else.
func (w *Warehouse) Lawyer(ctx context.Context, scope Scope, licence string, asOf time.Time) (Lawyer, error) {
	return Lawyer{}, errUnbuilt
}

// Status tells how far the projection has come.
func (w *Warehouse) Status(ctx context.Context) (Status, error) {
	return Status{}, errUnbuilt
}

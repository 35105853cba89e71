package warehouse

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"zhiban/schemas"
)

// EventColumns is what [ScanEvent] expects a query to select, in this order.
const EventColumns = "id, type, case_kind, case_key, source, time, recorded, data"

// ScanEvent reads one row of the events table; extra takes columns selected
// after [EventColumns].
func ScanEvent(rows driver.Rows, extra ...any) (schemas.Event, error) {
	var (
		e                    schemas.Event
		typ, kind, key, from string
		data                 string
		at, recorded         time.Time
	)
	if err := rows.Scan(append([]any{&e.ID, &typ, &kind, &key, &from, &at, &recorded, &data}, extra...)...); err != nil {
		return schemas.Event{}, fmt.Errorf("read an event: %w", err)
	}
	var err error
	if e.Type, err = schemas.Catalogue.Lookup(typ); err != nil {
		return schemas.Event{}, fmt.Errorf("event %s: %w", e.ID, err)
	}
	e.Case = schemas.CaseID{Kind: schemas.CaseKind(kind), Key: key}
	e.Source = SourceOf(from)
	e.Time, e.Recorded = at, recorded
	e.Data = json.RawMessage(data)
	if e.Payload, err = e.Type.Read(e.Data); err != nil {
		return schemas.Event{}, fmt.Errorf("event %s: %w", e.ID, err)
	}
	return e, nil
}

// SourceOf is the source whose key the tables hold: a station code, or a
// division code.
func SourceOf(key string) schemas.Source {
	if strings.Contains(key, "-") {
		code := schemas.StationCode(key)
		return schemas.Source{Station: code, Division: code.Division()}
	}
	return schemas.Source{Division: schemas.DivisionCode(key)}
}

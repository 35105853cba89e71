package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"zhiban/schemas"
)

// Verified is when the log was last recounted independently (zhiban verify) and
// whether everything agreed. The zero value: never.
type Verified struct {
	Ended   time.Time `json:"ended"`
	OK      bool      `json:"ok" doc:"whether everything agreed"`
	Version int       `json:"version" doc:"version of the tables that were compared"`
	Current bool      `json:"current" doc:"whether these are the tables that answer"`
}

// VerificationResult is a verification in the list of them.
type VerificationResult struct {
	Verified
	Started     time.Time `json:"started"`
	Records     int64     `json:"records" doc:"records of the log that were read"`
	Figures     int64     `json:"figures" doc:"figures that were compared"`
	Batches     int64     `json:"batches" doc:"batches whose rows were hashed"`
	Differences int64     `json:"differences" doc:"figures that differ"`
	Damaged     int64     `json:"damaged" doc:"ranges of the log that are damaged in the tables"`
}

// Verification is a verification whole. Its lists are bounded; More, MoreDamaged
// and MoreEvents count what they leave out.
type Verification struct {
	Verified
	Started     time.Time    `json:"started"`
	Cut         Cut          `json:"cut" doc:"by partition, the offset of the first record that was not read"`
	Records     int64        `json:"records" doc:"records of the log that were read"`
	Events      int64        `json:"events" doc:"of them events that were counted"`
	Parked      int64        `json:"parked" doc:"of them records that are parked"`
	Figures     int64        `json:"figures" doc:"figures that were compared"`
	Batches     int64        `json:"batches" doc:"batches whose rows were hashed"`
	Differences []Difference `json:"differences,omitempty" doc:"figures that differ"`
	More        int64        `json:"more,omitempty" doc:"differences that are not listed"`
	Damaged     []Damage     `json:"damaged,omitempty" doc:"ranges of the log that are damaged in the tables"`
	MoreDamaged int64        `json:"more_damaged,omitempty" doc:"damages that are not listed"`
}

// Difference is a figure of a month and a place, or of a month and a lawyer,
// that the tables have otherwise than the recount. Where both are the same, what
// lies below them differs.
type Difference struct {
	Indicator  schemas.IndicatorCode `json:"indicator"`
	Month      string                `json:"month"`
	Source     string                `json:"source,omitempty" doc:"station or division code"`
	Lawyer     string                `json:"lawyer,omitempty"`
	Due        string                `json:"due,omitempty" doc:"last day, of figures that fall due"`
	Recounted  int64                 `json:"recounted"`
	Projected  int64                 `json:"projected"`
	Events     []VerifiedEvent       `json:"events,omitempty" doc:"events at fault"`
	MoreEvents int64                 `json:"more_events,omitempty" doc:"events that are not listed"`
}

// VerifiedEvent is an event at fault: in a difference, with what it should add
// to the figure and what its postings add; in damage, with 1 and how often it
// stands in the table as it does in the log.
type VerifiedEvent struct {
	Partition int             `json:"partition"`
	Offset    int64           `json:"offset"`
	ID        schemas.EventID `json:"id"`
	Recounted int64           `json:"recounted"`
	Projected int64           `json:"projected"`
}

// Damage is a range of the log whose rows or ledger are not as they must be.
type Damage struct {
	Partition int             `json:"partition"`
	First     int64           `json:"first"`
	Last      int64           `json:"last"`
	Epoch     uint32          `json:"epoch,omitempty" doc:"of the ledger's row"`
	What      schemas.Text    `json:"what"`
	Events    []VerifiedEvent `json:"events,omitempty"`
}

// Found tells how many figures differ and how many ranges are damaged.
func (v Verification) Found() (differences, damaged int64) {
	return int64(len(v.Differences)) + v.More, int64(len(v.Damaged)) + v.MoreDamaged
}

// verifiedColumns are those of Verified as of a moment; its SQL takes it twice.
const verifiedColumns = `SELECT ended, ok, toInt64(version), version = (SELECT argMax(version, switched) FROM versions WHERE switched <= fromUnixTimestamp64Milli(?))`

// Verified is the last verification by a moment, now when t is zero; the zero
// value when there was none. It tells no figure, so everybody may know.
func (w *Warehouse) Verified(ctx context.Context, t time.Time) (Verified, error) {
	var v Verified
	err := w.scanVerified(ctx, t, verifiedColumns+` FROM verifications WHERE ended <= fromUnixTimestamp64Milli(?) ORDER BY ended DESC LIMIT 1`, &v)
	if errors.Is(err, sql.ErrNoRows) {
		return Verified{}, nil
	}
	return v, err
}

func (w *Warehouse) scanVerified(ctx context.Context, t time.Time, query string, v *Verified, more ...any) error {
	until := w.until(t)
	var version int64
	err := w.conn.QueryRow(ctx, query, until, until).Scan(append([]any{&v.Ended, &v.OK, &version, &v.Current}, more...)...)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return unavailable("find the last verification", err)
	}
	v.Version = int(version)
	return err
}

// until is a moment in milliseconds, now when t is zero.
func (w *Warehouse) until(t time.Time) int64 {
	if t.IsZero() {
		t = w.now()
	}
	return t.UnixMilli()
}

// Verifications lists the last verifications by a moment, now when t is zero,
// the newest first. It is for the whole province alone.
func (w *Warehouse) Verifications(ctx context.Context, scope Scope, t time.Time, limit int) ([]VerificationResult, error) {
	if err := whole(scope); err != nil {
		return nil, err
	}
	until := w.until(t)
	rows, err := w.conn.Query(ctx, verifiedColumns+`, JSONExtractString(result, 'started'), JSONExtractString(result, 'ended'), JSONExtractInt(result, 'records'), JSONExtractInt(result, 'figures'), JSONExtractInt(result, 'batches'),
		toInt64(JSONLength(result, 'differences')) + JSONExtractInt(result, 'more'), toInt64(JSONLength(result, 'damaged')) + JSONExtractInt(result, 'more_damaged')
		FROM verifications WHERE ended <= fromUnixTimestamp64Milli(?) ORDER BY ended DESC LIMIT ?`, until, until, limit)
	if err != nil {
		return nil, unavailable("list the verifications", err)
	}
	defer rows.Close()
	var out []VerificationResult
	for rows.Next() {
		var v VerificationResult
		var version int64
		var started, ended string
		if err := rows.Scan(&v.Ended, &v.OK, &version, &v.Current, &started, &ended, &v.Records, &v.Figures, &v.Batches, &v.Differences, &v.Damaged); err != nil {
			return nil, unavailable("list the verifications", err)
		}
		v.Version = int(version)
		kept := v.Ended
		for _, moment := range []struct {
			at   *time.Time
			text string
		}{{&v.Started, started}, {&v.Ended, ended}} {
			if *moment.at, err = time.Parse(time.RFC3339Nano, moment.text); err != nil {
				return nil, fmt.Errorf("result of the verification that ended at %s: %w", kept.Format(time.RFC3339), err)
			}
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("list the verifications", err)
	}
	return out, nil
}

// Verification is the last verification by a moment, now when t is zero. It is
// for the whole province alone, and not found when there was none.
func (w *Warehouse) Verification(ctx context.Context, scope Scope, t time.Time) (Verification, error) {
	if err := whole(scope); err != nil {
		return Verification{}, err
	}
	var at Verified
	var result string
	err := w.scanVerified(ctx, t, verifiedColumns+`, result FROM verifications WHERE ended <= fromUnixTimestamp64Milli(?) ORDER BY ended DESC LIMIT 1`, &at, &result)
	if errors.Is(err, sql.ErrNoRows) {
		return Verification{}, schemas.Errorf(schemas.NotFound, "nothing was verified yet; run zhiban verify")
	}
	if err != nil {
		return Verification{}, err
	}
	var v Verification
	if err := json.Unmarshal([]byte(result), &v); err != nil {
		return Verification{}, fmt.Errorf("result of the verification that ended at %s: %w", at.Ended.Format(time.RFC3339), err)
	}
	v.OK, v.Current = at.OK, at.Current
	if !scope.SmallCells {
		all := len(v.Differences)
		v.Differences = slices.DeleteFunc(v.Differences, func(d Difference) bool { return slices.Contains(tellingIndicators, d.Indicator) })
		v.More += int64(all - len(v.Differences))
	}
	return v, nil
}

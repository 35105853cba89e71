package report

import (
	"context"
	"strings"

	"zhiban/schemas"
	trail "zhiban/schemas/audit"
)

// AuditFilter says which records of the audit trail are asked for; what is empty
// narrows nothing.
type AuditFilter struct {
	From, To schemas.Day // days of Asia/Shanghai, inclusive
	Account  string
	Action   string
	Outcome  string
	Object   string // a part of the object, whatever the case of its letters
	// Before leaves out the records from this place on: a list that is read page
	// by page stays the same while the trail grows.
	Before int64
}

// AuditRecord is a record of the trail with its place there.
type AuditRecord struct {
	Place int64 `json:"place" doc:"offset in the topic of the trail"`
	trail.Record
}

// AuditPage is a part of the trail, the newest first.
type AuditPage struct {
	Total   int64         `json:"total" doc:"records that match"`
	Records []AuditRecord `json:"records"`
	Next    int           `json:"next,omitempty" doc:"offset of the next page; left out on the last"`
}

// AuditTrail reads who did and saw what, as far as it has been copied from its
// topic. It is not about figures, so no [Scope] narrows it: who calls makes sure
// that the asker may read it.
func (w *Warehouse) AuditTrail(ctx context.Context, f AuditFilter, offset, limit int) (AuditPage, error) {
	from, args := f.sql()
	page := AuditPage{Records: []AuditRecord{}}
	if err := w.conn.QueryRow(ctx, `SELECT toInt64(count())`+from, args...).Scan(&page.Total); err != nil {
		return AuditPage{}, unavailable("count the audit trail", err)
	}
	rows, err := w.conn.Query(ctx, `SELECT toInt64(kafka_offset), time, account, role, address, action, object, outcome, detail`+from+` ORDER BY kafka_offset DESC LIMIT ? OFFSET ?`, append(args, limit, offset)...)
	if err != nil {
		return AuditPage{}, unavailable("read the audit trail", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r AuditRecord
		if err := rows.Scan(&r.Place, &r.Time, &r.Account, &r.Role, &r.Address, &r.Action, &r.Object, &r.Outcome, &r.Detail); err != nil {
			return AuditPage{}, unavailable("read the audit trail", err)
		}
		r.Time = r.Time.In(schemas.Shanghai)
		page.Records = append(page.Records, r)
	}
	if err := rows.Err(); err != nil {
		return AuditPage{}, unavailable("read the audit trail", err)
	}
	if next := offset + len(page.Records); int64(next) < page.Total {
		page.Next = next
	}
	return page, nil
}

// sql is the part of a query behind its columns, with its arguments.
func (f AuditFilter) sql() (string, []any) {
	where, args := []string{"1"}, []any{}
	add := func(condition string, arg any) {
		where, args = append(where, condition), append(args, arg)
	}
	if f.From != 0 {
		add("time >= fromUnixTimestamp64Milli(?)", f.From.Start().UnixMilli())
	}
	if f.To != 0 {
		add("time < fromUnixTimestamp64Milli(?)", (f.To + 1).Start().UnixMilli())
	}
	if f.Account != "" {
		add("account = ?", f.Account)
	}
	if f.Action != "" {
		add("action = ?", f.Action)
	}
	if f.Outcome != "" {
		add("outcome = ?", f.Outcome)
	}
	if f.Object != "" {
		add("positionCaseInsensitiveUTF8(object, ?) > 0", f.Object)
	}
	if f.Before != 0 {
		add("kafka_offset < ?", uint64(f.Before))
	}
	return " FROM audit FINAL WHERE " + strings.Join(where, " AND "), args
}

package report

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"zhiban/schemas"
	trail "zhiban/schemas/audit"
)

// newTrail writes records into the table of the audit trail; place 3 is copied
// twice.
func newTrail(t *testing.T) *book {
	b := newBook(t)
	ctx := t.Context()
	if err := b.conn.Exec(ctx, "TRUNCATE TABLE audit"); err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time {
		return time.Date(2026, time.September, day, hour, 0, 0, 0, schemas.Shanghai)
	}
	all := []trail.Record{
		{Time: at(1, 8), Account: "admin", Role: "administrator", Address: "192.0.2.1", Action: trail.Login, Object: "admin", Outcome: "done", Detail: "password"},
		{Time: at(1, 9), Address: "203.0.113.9", Action: trail.LoginFailed, Object: "(unknown)", Outcome: "refused"},
		{Time: at(2, 0), Account: "yushu", Role: "county", Action: trail.Export, Object: "/api/v1/postings.csv", Outcome: "allowed", Detail: "indicator=shifts"},
		{Time: at(2, 23), Account: "yushu", Role: "county", Action: trail.Denied, Object: "/Accounts", Outcome: "refused"},
		{Time: at(3, 0), Account: "yushu'; DROP TABLE audit; --", Role: "county", Action: trail.Unseal, Object: "百分之100%_", Outcome: "allowed"},
	}
	for _, places := range [][]int{{0, 1, 2, 3, 4}, {3}} {
		batch, err := b.conn.PrepareBatch(ctx, `INSERT INTO audit (kafka_offset, time, account, role, address, action, object, outcome, detail)`)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range places {
			r := all[p]
			if err := batch.Append(uint64(p), r.Time, r.Account, r.Role, r.Address, r.Action, r.Object, r.Outcome, r.Detail); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestTheTrailIsReadNewestFirstAndEachRecordOnce(t *testing.T) {
	b := newTrail(t)
	day := func(n int) schemas.Day { return schemas.Date(2026, time.September, n) }
	for _, c := range []struct {
		name string
		f    AuditFilter
		want []int64
	}{
		{"all", AuditFilter{}, []int64{4, 3, 2, 1, 0}},
		{"a day from its first to its last moment", AuditFilter{From: day(2), To: day(2)}, []int64{3, 2}},
		{"since", AuditFilter{From: day(3)}, []int64{4}},
		{"until", AuditFilter{To: day(1)}, []int64{1, 0}},
		{"an account", AuditFilter{Account: "yushu"}, []int64{3, 2}},
		{"an account that is SQL", AuditFilter{Account: "yushu'; DROP TABLE audit; --"}, []int64{4}},
		{"an action", AuditFilter{Action: "export"}, []int64{2}},
		{"an outcome", AuditFilter{Outcome: "refused"}, []int64{3, 1}},
		{"a part of the object", AuditFilter{Object: "accounts"}, []int64{3}},
		{"a sign is no pattern", AuditFilter{Object: "100%_"}, []int64{4}},
		{"a sign that matches nothing", AuditFilter{Object: "1_0"}, nil},
		{"before a place", AuditFilter{Before: 2}, []int64{1, 0}},
		{"all at once", AuditFilter{From: day(1), To: day(2), Account: "yushu", Action: "denied", Outcome: "refused", Object: "/", Before: 4}, []int64{3}},
	} {
		got, err := b.AuditTrail(t.Context(), c.f, 0, 10)
		var places []int64
		for _, r := range got.Records {
			places = append(places, r.Place)
		}
		if err != nil || !slices.Equal(places, c.want) || got.Total != int64(len(c.want)) || got.Next != 0 {
			t.Errorf("%s: %v, total %d, next %d, %v", c.name, places, got.Total, got.Next, err)
		}
	}
	var read []string
	for offset := 0; ; {
		page, err := b.AuditTrail(t.Context(), AuditFilter{}, offset, 2)
		if err != nil || page.Total != 5 {
			t.Fatalf("total %d, %v", page.Total, err)
		}
		for _, r := range page.Records {
			read = append(read, fmt.Sprintf("%d %s %s", r.Place, r.Account, r.Time.Format(time.RFC3339)))
		}
		if offset = page.Next; offset == 0 {
			break
		}
	}
	if len(read) != 5 || read[0] != "4 yushu'; DROP TABLE audit; -- 2026-09-03T00:00:00+08:00" || read[4] != "0 admin 2026-09-01T08:00:00+08:00" {
		t.Errorf("page by page: %q", read)
	}
}

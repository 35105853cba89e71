package report

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// unreadable is a book in which the first of its events was parked before, under
// its id, with others.
func unreadable(t *testing.T, values ...string) *book {
	t.Helper()
	b := newBook(t)
	tables, err := warehouse.Current(t.Context(), b.conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.conn.Exec(t.Context(), "TRUNCATE TABLE "+tables.Parked()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the other tests' books hold nothing parked
		_ = b.conn.Exec(t.Context(), "TRUNCATE TABLE "+tables.Parked())
	})
	b.offsets[0] = int64(len(values))
	ids := b.write([4]string{court, "shift.planned", "0199a1c2-7d1e-7c3a-9a55-00000000a001", `{"lawyer":"12201200010000001"}`})
	for i, value := range values {
		id := schemas.EventID{}
		if i == 0 {
			id = ids[0]
		}
		_, err := schemas.ParseEvent([]byte(value))
		if err == nil {
			t.Fatalf("%s can be read", value)
		}
		if err := b.conn.Exec(t.Context(), "INSERT INTO "+tables.Parked()+" (kafka_partition, kafka_offset, epoch, id, type, source, subject, recorded, reason, key, value) VALUES (0, ?, 1, ?, 'zhiban.shift.planned.v9', '', '', ?, ?, '', ?)",
			uint64(i), id, b.at.Add(time.Duration(i)*time.Second), err.Error(), value); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// record is a record of the log with this data, of a type that reads it.
func recordWith(data string) string {
	return `{"specversion":"1.0","id":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","source":"/stations/220182-court","type":"zhiban.consultation.recorded.v1",
		"subject":"consultation/0199a1c2-7d1e-7c3a-9a55-0242ac120002","time":"2026-09-01T08:31:00+08:00","data":` + data + `}`
}

func TestWhatWaitsIsListedBeforeWhatWasReplayed(t *testing.T) {
	b := unreadable(t, `{"type":"zhiban.shift.planned.v9"}`, `not JSON`, `{"id":"x"}`)
	page, err := b.Parked(t.Context(), ProvinceWide, Cut{}, 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	var places []int64
	for _, r := range page.Records {
		places = append(places, r.Offset)
		if r.Replayed != (r.Offset == 0) {
			t.Errorf("%+v", r)
		}
	}
	if !slices.Equal(places, []int64{2, 1, 0}) || page.Total != 3 || page.Waiting != 2 {
		t.Errorf("%v: %d, of which %d wait", places, page.Total, page.Waiting)
	}
	status, err := b.Status(t.Context())
	if err != nil || status.Parked != page.Waiting {
		t.Errorf("the status says %d, %v", status.Parked, err)
	}
	if next, err := b.Parked(t.Context(), ProvinceWide, page.Cut, 2, 2); err != nil || len(next.Records) != 1 || next.Records[0].Offset != 0 || next.Total != 3 {
		t.Errorf("the second page: %+v, %v", next, err)
	}
	early := page.Cut
	early.Offsets = map[int]int64{0: 2}
	then, err := b.Parked(t.Context(), ProvinceWide, early, 0, 50)
	if err != nil || then.Total != 2 || then.Waiting != 2 {
		t.Errorf("before it was replayed: %+v, %v", then, err)
	}
	if _, err := b.ParkedRecord(t.Context(), ProvinceWide, early, 0, 2); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("beyond the cut: %v", err)
	}
	if _, err := b.Parked(t.Context(), Scope{Division: "220182"}, Cut{}, 0, 50); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("a county sees what is parked: %v", err)
	}
	if _, err := b.ParkedRecord(t.Context(), Scope{Division: "220182"}, Cut{}, 0, 0); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("a county sees what is parked: %v", err)
	}
}

func TestAParkedRecordTellsNamesOfFieldsAndNoValues(t *testing.T) {
	values := []string{
		recordWith(`{"minutes":220102199001011234999,"person":"张三","topics":["盗窃"]}`),
		recordWith(`{"person":["张三 \"小张\""],"minutes":"二十"}`),
		recordWith(`"张三"`),
		`张三`,
	}
	b := unreadable(t, values...)
	for i, fields := range [][]string{{"minutes", "person", "topics"}, {"minutes", "person"}, nil, nil} {
		r, err := b.ParkedRecord(t.Context(), ProvinceWide, Cut{}, 0, int64(i))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fields, r.Fields); diff != "" {
			t.Errorf("%s: %s", values[i], diff)
		}
		for _, secret := range []string{"张三", "小张", "2201021990", "盗窃", "二十"} {
			if strings.Contains(r.Reason, secret) {
				t.Errorf("%s: the reason tells %s: %s", values[i], secret, r.Reason)
			}
		}
		if r.Reason == "" || r.Bytes != len(values[i]) {
			t.Errorf("%+v", r)
		}
	}
	// The first reason did quote a number, and says the rest all the same.
	_, err := schemas.ParseEvent([]byte(values[0]))
	if err == nil || !strings.Contains(err.Error(), "220102199001011234999") {
		t.Errorf("nothing to mask: %v", err)
	}
	r, err := b.ParkedRecord(t.Context(), ProvinceWide, Cut{}, 0, 0)
	if err != nil || !strings.Contains(r.Reason, `JSON number … into Go int within "/minutes"`) {
		t.Errorf("%q, %v", r.Reason, err)
	}
}

func TestAReasonIsMaskedHoweverItQuotes(t *testing.T) {
	for i, c := range []struct{ reason, value, want string }{
		{`time "张三 \"小张\"" is wrong`, `张三 "小张"`, `time "…" is wrong`},
		{`time 张三 "小张" is wrong`, `张三 "小张"`, `time … is wrong`},
		{`nothing`, `张三`, `nothing`},
	} {
		if got := masked(c.reason, []string{c.value}); got != c.want {
			t.Error(strconv.Itoa(i), got)
		}
	}
	if got := masked("220102199001011234", []string{"1990", "220102199001011234"}); got != "…" {
		t.Errorf("a part was masked first: %s", got)
	}
}

package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"zhiban/projector/verify"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// keeper is a book without results of verifications.
func keeper(t *testing.T) *book {
	t.Helper()
	b := newBook(t)
	if err := b.conn.Exec(t.Context(), "TRUNCATE TABLE verifications"); err != nil {
		t.Fatal(err)
	}
	return b
}

// keep stores a result as zhiban verify does.
func (b *book) keep(r verify.Result) {
	b.t.Helper()
	if err := r.Keep(b.t.Context(), b.conn); err != nil {
		b.t.Fatal(err)
	}
}

// current is the version of the tables that answer.
func (b *book) current() int {
	b.t.Helper()
	tables, err := warehouse.Current(b.t.Context(), b.conn)
	if err != nil {
		b.t.Fatal(err)
	}
	return tables.Version
}

// verified is a verification that found a difference and damage.
func verified(version int, ended time.Time) verify.Result {
	ref := verify.EventRef{Partition: 1, Offset: 7, ID: schemas.EventID{1, 2, 3}, Recounted: 1}
	return verify.Result{Started: ended.Add(-time.Minute), Ended: ended, Version: version, Cut: map[int]int64{0: 4, 1: 9}, Records: 13, Events: 12, Parked: 1, Figures: 31, Batches: 3,
		Differences: []verify.Difference{{Indicator: schemas.Shifts, Month: "2026-09", Source: court, Due: "2026-09-04", Recounted: 5, Projected: 4, Events: []verify.EventRef{ref}, MoreEvents: 2}}, More: 6,
		Damaged: []verify.Damage{{Partition: 1, First: 3, Last: 8, Epoch: 2, What: schemas.Text{ZH: "缺行", EN: "rows missing"}, Events: []verify.EventRef{ref}}}, MoreDamaged: 1}
}

// What verify keeps and what is read here are two declarations of one form: no
// member may get lost between them.
func TestAVerificationIsReadWholeAsItWasKept(t *testing.T) {
	b := keeper(t)
	kept := verified(b.current(), time.Now().Add(-time.Hour).Truncate(time.Millisecond))
	b.keep(kept)
	got, err := b.Verification(t.Context(), ProvinceWide, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if got.OK || !got.Current || !got.Ended.Equal(kept.Ended) {
		t.Errorf("%+v", got.Verified)
	}
	members := func(v any) (m map[string]any) {
		text, err := json.Marshal(v)
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		delete(m, "ok")
		delete(m, "current")
		for _, moment := range []string{"started", "ended"} {
			at, err := time.Parse(time.RFC3339Nano, m[moment].(string))
			if err != nil {
				t.Fatal(err)
			}
			m[moment] = at.UTC()
		}
		return m
	}
	if diff := cmp.Diff(members(kept), members(got)); diff != "" {
		t.Errorf("kept and read differ:\n%s", diff)
	}
}

func TestVerificationsAreListedWithWhatTheyFound(t *testing.T) {
	b := keeper(t)
	now := time.Now().Truncate(time.Millisecond)
	if at, err := b.Verified(t.Context(), time.Time{}); err != nil || at != (Verified{}) {
		t.Fatalf("before the first: %+v, %v", at, err)
	}
	if _, err := b.Verification(t.Context(), ProvinceWide, time.Time{}); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("before the first: %v", err)
	}
	b.keep(verified(b.current()+7, now.Add(-2*time.Hour)))
	b.keep(verify.Result{Started: now.Add(-61 * time.Minute), Ended: now.Add(-time.Hour), Version: b.current(), Records: 13, Figures: 31, Batches: 3})
	all, err := b.Verifications(t.Context(), ProvinceWide, time.Time{}, 50)
	if err != nil {
		t.Fatal(err)
	}
	want := []VerificationResult{
		{Verified{now.Add(-time.Hour), true, b.current(), true}, now.Add(-61 * time.Minute), 13, 31, 3, 0, 0},
		{Verified{now.Add(-2 * time.Hour), false, b.current() + 7, false}, now.Add(-2*time.Hour - time.Minute), 13, 31, 3, 7, 2},
	}
	if diff := cmp.Diff(want, all, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Error(diff)
	}
	if one, err := b.Verifications(t.Context(), ProvinceWide, time.Time{}, 1); err != nil || !cmp.Equal(one, all[:1]) {
		t.Errorf("the last alone: %+v, %v", one, err)
	}
	at, err := b.Verified(t.Context(), time.Time{})
	if err != nil || at.Ended.Unix() != all[0].Ended.Unix() {
		t.Errorf("the last: %+v, %v", at, err)
	}
	if at.Ended = all[0].Ended; at != all[0].Verified {
		t.Errorf("the last: %+v", at)
	}
	past, err := b.Verification(t.Context(), ProvinceWide, now.Add(-90*time.Minute))
	if err != nil || past.Verified.Version != b.current()+7 {
		t.Errorf("between the two: %+v, %v", past.Verified, err)
	}
	if differences, damaged := past.Found(); differences != 7 || damaged != 2 {
		t.Errorf("%d differences, %d damaged", differences, damaged)
	}
	for _, part := range []Scope{{Division: "220182"}, {Division: "220182", Station: court}} {
		if _, err := b.Verifications(t.Context(), part, time.Time{}, 50); schemas.KindOf(err) != schemas.NotFound {
			t.Errorf("%+v sees verifications: %v", part, err)
		}
		if _, err := b.Verification(t.Context(), part, time.Time{}); schemas.KindOf(err) != schemas.NotFound {
			t.Errorf("%+v sees a verification: %v", part, err)
		}
	}
}

func TestAResultThatCannotBeReadIsAnError(t *testing.T) {
	b := keeper(t)
	if err := b.conn.Exec(t.Context(), `INSERT INTO verifications (ended, version, ok, result) VALUES (now64(3) - 1, 1, true, 'nonsense')`); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Verification(t.Context(), ProvinceWide, time.Time{}); err == nil || !strings.Contains(err.Error(), "result of the verification that ended at") {
		t.Errorf("%v", err)
	}
	if _, err := b.Verifications(t.Context(), ProvinceWide, time.Time{}, 50); err == nil || !strings.Contains(err.Error(), "result of the verification that ended at") {
		t.Errorf("%v", err)
	}
}

package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

func (f *fake) Verified(ctx context.Context, asOf time.Time) (report.Verified, error) {
	v, err := f.Verification(ctx, report.ProvinceWide, asOf)
	if schemas.KindOf(err) == schemas.NotFound {
		return report.Verified{}, nil
	}
	return v.Verified, err
}

func (f *fake) Verifications(_ context.Context, _ report.Scope, asOf time.Time, limit int) ([]report.VerificationResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []report.VerificationResult
	for _, v := range f.verified {
		if (asOf.IsZero() || !v.Ended.After(asOf)) && len(out) < limit {
			differences, damaged := v.Found()
			out = append(out, report.VerificationResult{Verified: v.Verified, Started: v.Started, Records: v.Records, Figures: v.Figures, Batches: v.Batches, Differences: differences, Damaged: damaged})
		}
	}
	return out, f.down
}

func (f *fake) Verification(_ context.Context, _ report.Scope, asOf time.Time) (report.Verification, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return report.Verification{}, f.down
	}
	for _, v := range f.verified {
		if asOf.IsZero() || !v.Ended.After(asOf) {
			return v, nil
		}
	}
	return report.Verification{}, schemas.Errorf(schemas.NotFound, "nothing was verified yet; run zhiban verify")
}

// verify makes up a verification that ended so long ago and found everything in
// agreement.
func (f *fake) verify(ago time.Duration) *report.Verification {
	f.mu.Lock()
	defer f.mu.Unlock()
	cut := f.cut()
	for p := range cut.Offsets {
		cut.Offsets[p] -= 30
	}
	ended := f.now.Add(-ago)
	v := report.Verification{Verified: report.Verified{Ended: ended, OK: true, Version: 2, Current: true}, Started: ended.Add(-43 * time.Second), Cut: cut,
		Records: f.head - 90, Events: f.head - 92, Parked: 2, Figures: 48_211, Batches: 1_204}
	f.verified = append([]report.Verification{v}, f.verified...)
	return &f.verified[0]
}

// differ makes a verification one that found three differences and damage, with
// the first events of those figures at fault.
func (f *fake) differ(v *report.Verification) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := func(code schemas.IndicatorCode, lawyer bool, n int) (report.Posting, []report.VerifiedEvent) {
		var of report.Posting
		var events []report.VerifiedEvent
		for _, p := range f.postings {
			if p.Indicator != code || p.Day < schemas.Date(2026, time.October, 1) || lawyer && p.Lawyer == "" || of.Station != "" && p.Station != of.Station {
				continue
			}
			if of.Station == "" {
				of = p.Posting
			}
			if events = append(events, report.VerifiedEvent{Partition: p.Partition, Offset: p.Offset, ID: p.Event, Recounted: 1}); len(events) == n {
				break
			}
		}
		return of, events
	}
	shift, shifts := at(schemas.Shifts, true, 1)
	advice, advised := at(schemas.Consultations, false, 12)
	_, damaged := at(schemas.ApplicationsReceived, false, 2)
	v.OK = false
	v.Differences = []report.Difference{
		{Indicator: schemas.Consultations, Month: "2026-10", Source: string(advice.Station), Recounted: 31, Projected: 19, Events: advised, MoreEvents: 3},
		{Indicator: schemas.Shifts, Month: "2026-10", Lawyer: shift.Lawyer, Recounted: 4, Projected: 3, Events: shifts},
		{Indicator: schemas.NotificationsDue, Month: "2026-10", Source: "220100", Due: "2026-10-12", Recounted: 2, Projected: 2},
		{Indicator: "retired_figure", Month: "2026-10", Source: "220100", Recounted: 1},
	}
	v.More = 5
	v.Damaged = []report.Damage{{Partition: 1, First: 4_000, Last: 4_811, Epoch: 3, What: schemas.Text{ZH: "批次的内容与日志不符", EN: "rows of the batch are not as in the log"}, Events: damaged}}
}

func TestWithoutAVerificationThePageSaysHowToGetOne(t *testing.T) {
	s := newServer(t, newFake())
	_, _, body := get(t, s, "/verification")
	if !strings.Contains(body, "尚未核对。请管理员运行： <code>zhiban verify</code>") {
		t.Error(body)
	}
	if code, _, body := get(t, s, "/api/v1/verifications/latest"); code != http.StatusNotFound || !strings.Contains(body, "run zhiban verify") {
		t.Errorf("%d %s", code, body)
	}
	if code, _, body := get(t, s, "/api/v1/verifications"); code != http.StatusOK || strings.TrimSpace(body) != `{"verifications":[]}` {
		t.Errorf("%d %s", code, body)
	}
}

func TestEveryPageTellsTheLastVerification(t *testing.T) {
	f := newFake()
	s := newServer(t, f)
	says := func(words string) {
		t.Helper()
		if _, _, body := get(t, s, "/docs/indicators"); !strings.Contains(body, `<a href="/verification"`) || !strings.Contains(body, ">"+words+"</a>") {
			t.Errorf("no page says %q", words)
		}
	}
	says("尚未核对")
	f.verify(20 * 24 * time.Hour)
	says("需重新核对")
	f.verify(14 * time.Hour).Current = false
	says("需重新核对")
	f.verify(13 * time.Hour)
	says("11-24核对一致")
	f.differ(f.verify(12 * time.Hour))
	says("11-24核对不一致")
}

func TestAnOldVerificationOrOneOfOtherTablesIsToBeRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		ago     time.Duration
		current bool
		words   string
	}{
		"old":          {9 * 24 * time.Hour, true, "上次核对已过去 9 天，超过了 8 天"},
		"other tables": {time.Hour, false, "这次核对的是第 2 版数据表，现在使用的是另一版"},
		"neither":      {7 * 24 * time.Hour, true, ""},
	} {
		f := newFake()
		f.verify(c.ago).Current = c.current
		_, _, body := get(t, newServer(t, f), "/verification")
		if warned := strings.Contains(body, "<code>zhiban verify</code>"); warned != (c.words != "") || !strings.Contains(body, c.words) {
			t.Errorf("%s: the page warns: %v", name, warned)
		}
	}
}

func TestADifferenceLeadsToItsPostingsAndToTheEventsAtFault(t *testing.T) {
	f := newFake()
	f.differ(f.verify(time.Hour))
	s := newServer(t, f)
	code, _, body := get(t, s, "/verification")
	if code != http.StatusOK {
		t.Fatal(code, body)
	}
	v := f.verified[0]
	for _, d := range v.Differences[:3] {
		details := "/details?"
		if d.Source == "220100" {
			details += "division=220100&"
		}
		details += "from=2026-10-01&indicator=" + string(d.Indicator)
		if d.Lawyer != "" {
			details += "&lawyer=" + d.Lawyer
		} else if d.Source != "220100" {
			details += "&station=" + d.Source
		}
		details += "&to=2026-10-31"
		if !strings.Contains(body, `href="`+strings.ReplaceAll(details, "&", "&amp;")+`"`) {
			t.Errorf("no link %s", details)
		}
		if code, _, _ := get(t, s, details); code != http.StatusOK {
			t.Errorf("%s: %d", details, code)
		}
	}
	events := append(slices.Clone(v.Differences[0].Events), append(v.Differences[1].Events, v.Damaged[0].Events...)...)
	for _, e := range events {
		if link := fmt.Sprintf(`<a href="/events/%s">%d/%d</a>`, e.ID, e.Partition, e.Offset); !strings.Contains(body, link) {
			t.Errorf("no link %s", link)
		}
		if code, _, _ := get(t, s, "/events/"+e.ID.String()); code != http.StatusOK {
			t.Errorf("event %s: %d", e.ID, code)
		}
	}
	for _, words := range []string{"9 个数字与独立计数不同", "有 1 处损坏", "合计相同，明细不同", "retired_figure", "期限 2026-10-12", "另有 3 处未列出", "另有 5 处未列出", "4000 至 4811", "批次的内容与日志不符", "此后新增"} {
		if !strings.Contains(body, words) {
			t.Errorf("the page does not say %s", words)
		}
	}
	if _, _, english := get(t, s, "/verification?lang=en"); !strings.Contains(english, "rows of the batch are not as in the log") || !strings.Contains(english, "does not agree") {
		t.Error("the English page does not say what is wrong")
	}
}

func TestAnEarlierVerificationIsOpenedFromTheList(t *testing.T) {
	f := newFake()
	f.differ(f.verify(30 * time.Hour))
	f.verify(time.Hour)
	s := newServer(t, f)
	_, _, body := get(t, s, "/verification")
	if strings.Contains(body, `id="differences"`) {
		t.Error("the last verification found nothing")
	}
	earlier := "/verification?as_of=2026-11-23T10%3A20%3A00%2B08%3A00"
	if !strings.Contains(body, `href="`+earlier+`"`) {
		t.Fatalf("no link %s", earlier)
	}
	if _, _, body := get(t, s, earlier); !strings.Contains(body, `id="differences"`) {
		t.Error("the earlier one is not shown")
	}
}

func TestTheAPIGivesVerificationsAsThePage(t *testing.T) {
	f := newFake()
	f.verify(30 * time.Hour)
	f.differ(f.verify(time.Hour))
	s := newServer(t, f)
	var list struct{ Verifications []report.VerificationResult }
	var last report.Verification
	for path, into := range map[string]any{"/api/v1/verifications": &list, "/api/v1/verifications/latest": &last} {
		code, _, body := get(t, s, path)
		if err := json.Unmarshal([]byte(body), into); code != http.StatusOK || err != nil {
			t.Fatalf("%s: %d %v", path, code, err)
		}
	}
	if len(list.Verifications) != 2 || list.Verifications[0].OK || list.Verifications[0].Differences != 9 || !list.Verifications[1].OK {
		t.Errorf("%+v", list)
	}
	if differences, damaged := last.Found(); differences != 9 || damaged != 1 || last.Differences[0].Events[0].ID != f.verified[0].Differences[0].Events[0].ID || last.Cut.IsZero() {
		t.Errorf("%+v", last)
	}
	if code, _, _ := get(t, s, "/api/v1/verifications?page=2"); code != http.StatusUnprocessableEntity {
		t.Errorf("an unknown parameter: %d", code)
	}
}

func TestMetricsTellTheLastVerification(t *testing.T) {
	f := newFake()
	s := newServer(t, f)
	if _, _, body := get(t, s, "/metrics"); strings.Contains(body, "zhiban_verification") {
		t.Error("there was none")
	}
	f.verify(2 * time.Hour)
	if _, _, body := get(t, s, "/metrics"); !strings.Contains(body, "zhiban_verification_ok 1\n") || !strings.Contains(body, "zhiban_verification_age_seconds 7200\n") {
		t.Error("not as it was")
	}
	f.differ(f.verify(time.Hour))
	if _, _, body := get(t, s, "/metrics"); !strings.Contains(body, "zhiban_verification_ok 0\n") || !strings.Contains(body, "zhiban_verification_age_seconds 3600\n") {
		t.Error("not as it was")
	}
}

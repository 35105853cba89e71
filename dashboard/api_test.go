package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"zhiban/dashboard/export"
	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// script answers every question the same way, and keeps the question.
type script struct {
	Reader
	query    report.Query
	answer   report.Statistics
	postings []report.Posting
	err      error
}

func (s *script) Statistics(_ context.Context, _ report.Scope, q report.Query) (report.Statistics, error) {
	s.query = q
	return s.answer, s.err
}

func (s *script) Postings(_ context.Context, _ report.Scope, q report.Query, offset, limit int) (report.PostingPage, error) {
	s.query = q
	end := min(offset+limit, len(s.postings))
	page := report.PostingPage{Cut: report.Cut{Offsets: map[int]int64{0: 9}}, Total: int64(len(s.postings)), Postings: s.postings[offset:end]}
	if end < len(s.postings) {
		page.Next = end
	}
	return page, s.err
}

func TestStatisticsAnswersInTheOrderOfTheQuestion(t *testing.T) {
	one, share := 1234567.0, 0.5
	r := &script{Reader: newFake(), answer: report.Statistics{Cut: report.Cut{Offsets: map[int]int64{0: 123, 2: 7}}, AsOf: fakeNow, Rows: []report.Row{
		{Key: []string{"220100", "2026-01"}, Values: []*float64{&one, &share}},
		{Key: []string{"220200", "2026-01"}, Values: []*float64{new(float64), nil}},
	}}}
	code, header, body := get(t, newServer(t, r), "/api/v1/statistics?division=220000&from=2026-01-01&to=2026-10-31&by=division,month&indicator=consultations,transferred_within_24h&view=now&mode=phone,online&organ=court&as_of=2026-03-20")
	if code != http.StatusOK || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s %s", code, header, body)
	}
	want := `{"cut":{"0":123,"2":7},"as_of":"2026-11-24T16:20:00+08:00","division":"220000","from":"2026-01-01","to":"2026-10-31","view":"now","by":["division","month"],"indicators":["consultations","transferred_within_24h"],` +
		`"rows":[{"division":"220100","month":"2026-01","consultations":1234567,"transferred_within_24h":0.5},{"division":"220200","month":"2026-01","consultations":0,"transferred_within_24h":null}]}`
	if got := strings.TrimSpace(body); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	q := r.query
	if q.From != schemas.Date(2026, time.January, 1) || q.To != schemas.Date(2026, time.October, 31) || q.View != schemas.ViewNow ||
		strings.Join(q.Filter[report.ByMode], " ") != "phone online" || len(q.Filter) != 2 || !q.AsOf.Equal(schemas.Date(2026, time.March, 21).Start().Add(-time.Millisecond)) {
		t.Errorf("asked %+v", q)
	}
}

func TestStatisticsWithoutParametersIsTheMonthOfTheProvince(t *testing.T) {
	r := &script{Reader: newFake()}
	code, _, body := get(t, newServer(t, r), "/api/v1/statistics")
	if code != http.StatusOK || !strings.Contains(body, `"rows":[]`) {
		t.Fatalf("%d %s", code, body)
	}
	if q := r.query; q.Division != schemas.Province || q.From.String() != "2026-11-01" || q.To.String() != "2026-11-24" || q.View != schemas.ViewThen || !q.AsOf.IsZero() || len(q.Indicators) < 5 || q.By != nil {
		t.Errorf("asked %+v", q)
	}
	get(t, newServer(t, r), "/api/v1/statistics?as_of=2026-03-20T12:00:00%2B08:00")
	if q := r.query; q.From.String() != "2026-03-01" || q.To.String() != "2026-03-20" {
		t.Errorf("as of a day in March asked %s to %s", q.From, q.To)
	}
}

func TestStatisticsNamesEveryProblemAtOnce(t *testing.T) {
	code, header, body := get(t, newServer(t, newFake()), "/api/v1/statistics?division=11&from=2026-02-30&by=colour,mode,mode&indicator=visits&as_of=now&view=both&station=220182&lawyer=1&mode=boat&colour=red&to=2026-01-01&to=2026-02-01")
	if code != http.StatusUnprocessableEntity || header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s %s", code, header.Get("Content-Type"), body)
	}
	var p struct {
		Errors []struct{ Message, Location, Value string }
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Location+" "+e.Value)
	}
	want := "query.as_of now|query.by colour|query.by mode|query.colour red|query.division 11|query.from 2026-02-30|query.indicator visits|query.lawyer 1|query.mode boat|query.station 220182|query.to 2026-01-01,2026-02-01|query.view both"
	if strings.Join(got, "|") != want {
		t.Errorf("problems\n%s\nwant\n%s", strings.Join(got, "|"), want)
	}
	for _, allowed := range []string{"consultations", "onsite, phone, online", "then, now", "division, county, day, month", "2026-09-01"} {
		if !strings.Contains(body, allowed) {
			t.Errorf("what is allowed is not said: %s", allowed)
		}
	}
}

func TestErrorsHaveTheirStatus(t *testing.T) {
	secret := errors.New("password in the address")
	for _, c := range []struct {
		err  error
		want int
		text string
	}{
		{schemas.Errorf(schemas.Invalid, "stations cannot be split by month"), http.StatusUnprocessableEntity, "stations cannot be split by month"},
		{schemas.Errorf(schemas.NotFound, "there is no division"), http.StatusNotFound, "there is no division"},
		{schemas.Errorf(schemas.TooLarge, "more than 200000 rows"), http.StatusRequestEntityTooLarge, "more than 200000 rows"},
		{schemas.Errorf(schemas.Unavailable, "the warehouse does not answer: %w", secret), http.StatusServiceUnavailable, ""},
		{secret, http.StatusServiceUnavailable, "the warehouse does not answer"},
	} {
		code, _, body := get(t, newServer(t, &script{Reader: newFake(), err: c.err}), "/api/v1/statistics")
		if code != c.want || !strings.Contains(body, c.text) || strings.Contains(body, "password") {
			t.Errorf("%v: %d %s", c.err, code, body)
		}
	}
}

func TestPostingsArePaged(t *testing.T) {
	r := &script{Reader: newFake()}
	for i := range 12500 {
		r.postings = append(r.postings, report.Posting{Indicator: schemas.Shifts, Quantity: 1, Offset: int64(i)})
	}
	s := newServer(t, r)
	_, _, body := get(t, s, "/api/v1/postings?indicator=shifts&offset=1000&limit=1000")
	var page report.PostingPage
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Postings) != 1000 || page.Postings[0].Offset != 1000 || page.Next != 2000 || page.Total != 12500 {
		t.Errorf("%d postings from %d, next %d of %d", len(page.Postings), page.Postings[0].Offset, page.Next, page.Total)
	}
	code, _, body := get(t, s, "/api/v1/postings?limit=5000&offset=-1")
	if code != http.StatusUnprocessableEntity || !strings.Contains(body, "query.limit") || !strings.Contains(body, "query.offset") {
		t.Errorf("%d %s", code, body)
	}
	_, header, body := get(t, s, "/api/v1/postings.csv?indicator=shifts")
	if lines := strings.Count(body, "\n"); lines != 12501 || !strings.HasPrefix(body, "\uFEFFindicator,day,quantity,") || header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%d lines of %s", lines, header.Get("Content-Type"))
	}
	if r.query.Cut.String() != "0:9" {
		t.Errorf("the later pages are of cut %s", r.query.Cut)
	}
}

func TestAllPostingsAreAWorkbook(t *testing.T) {
	r := &script{Reader: newFake()}
	for i := range 2500 {
		r.postings = append(r.postings, report.Posting{Indicator: schemas.TrainingHours, Quantity: 90, Division: "220182", Type: "zhiban.training.attended.v2", Offset: int64(i)})
	}
	r.postings[7].Type = "zhiban.training.corrected.v1"
	code, header, body := get(t, newServer(t, r), "/api/v1/postings.xlsx?indicator=training_hours&division=220182&lines=standing")
	if code != http.StatusOK || header.Get("Content-Type") != export.XLSX || !r.query.Standing {
		t.Fatalf("%d %s %.300s", code, header.Get("Content-Type"), body)
	}
	f, err := excelize.OpenReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("明细")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2501 || rows[0][0] != "指标" || strings.Join(rows[1][:5], " ") != "培训学时 1970-01-01 1.5 小时 榆树市" || rows[8][17] != "是" || rows[2500][20] != "2499" {
		t.Errorf("%d rows: %q, %q, %q", len(rows), rows[0], rows[1], rows[8])
	}
	if _, params, err := mime.ParseMediaType(header.Get("Content-Disposition")); err != nil || !strings.HasPrefix(params["filename"], "榆树市培训学时明细") {
		t.Errorf("%v %v", params, err)
	}
}

// broken lists a few postings and then fails.
type broken struct{ *script }

func (b broken) EachPosting(_ context.Context, _ report.Scope, _ report.Query, do func(report.Posting) error) error {
	for _, p := range b.postings {
		if err := do(p); err != nil {
			return err
		}
	}
	return errors.New("the warehouse is gone")
}

// Nobody takes a part of the postings for all of them: when the rest cannot be
// read the answer is cut off, not ended.
func TestAFileThatBreaksOffIsNotTakenForAWhole(t *testing.T) {
	r := &script{Reader: newFake(), postings: slices.Repeat([]report.Posting{{Indicator: schemas.Shifts, Quantity: 1}}, 2000)}
	server := httptest.NewServer(handler(newServer(t, broken{r})))
	defer server.Close()
	for _, path := range []string{"/api/v1/postings.csv?indicator=shifts", "/api/v1/postings.xlsx?indicator=shifts"} {
		res, err := http.Get(server.URL + path)
		if err != nil {
			continue // cut off before the first byte
		}
		_, err = io.Copy(io.Discard, res.Body)
		if res.Body.Close(); err == nil && res.StatusCode == http.StatusOK {
			t.Errorf("%s ended as if it were whole", path)
		}
	}
	r.err = schemas.Errorf(schemas.TooLarge, "too many")
	if code, _, _ := get(t, newServer(t, r), "/api/v1/postings.csv?indicator=shifts"); code != http.StatusRequestEntityTooLarge {
		t.Errorf("what is wrong from the start has status %d", code)
	}
}

func TestComparedStatisticsSayWithWhichDays(t *testing.T) {
	one, share := 12.0, 0.5
	r := &script{Reader: newFake(), answer: report.Statistics{Rows: []report.Row{{Values: []*float64{&one, &share}}}}}
	_, _, body := get(t, newServer(t, r), "/api/v1/statistics?from=2026-11-01&to=2026-11-30&indicator=consultations,transferred_within_24h&compare=mom,ytd")
	for _, want := range []string{
		`"to":"2026-11-24"`, `"unfinished":true`, `"compared":[{"with":"mom","from":"2026-10-01","to":"2026-10-24"},{"with":"ytd","from":"2026-01-01","to":"2026-11-24"}]`,
		`"mom":{"consultations":{"value":12,"difference":0,"change":0},"transferred_within_24h":{"value":0.5,"difference":0,"change":null}},"ytd":{"consultations":12,"transferred_within_24h":0.5}}`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	if code, _, body := get(t, newServer(t, r), "/api/v1/statistics?by=month&compare=ytd,qoq"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "yoy, mom, ytd") {
		t.Errorf("%d %s", code, body)
	}
	if code, _, body := get(t, newServer(t, r), "/api/v1/statistics?by=month&compare=ytd"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "cannot be split by month") {
		t.Errorf("%d %s", code, body)
	}
}

func TestTheDefinitionsHaveMoved(t *testing.T) {
	code, header, _ := get(t, newServer(t, newFake()), "/indicators?lang=en")
	if code != http.StatusMovedPermanently || header.Get("Location") != "/docs/indicators?lang=en" {
		t.Errorf("%d to %s", code, header.Get("Location"))
	}
}

func TestEventsNeverShowTheLedgersTexts(t *testing.T) {
	f := newFake()
	id, first := uuid.MustParse("0199a1c2-7d1e-7c3a-9a55-0242ac120002"), uuid.MustParse("0199a1c2-7d1e-7c3a-9a55-0242ac120001")
	e := schemas.Envelope{SpecVersion: "1.0", ID: id.String(), Source: "/stations/220182-court", Type: "zhiban.consultation.corrected.v1", Subject: "consultation/" + first.String(), Time: "2026-11-01T01:00:00.000Z", RecordedTime: "2026-11-01T01:00:01.000Z", RecordedBy: "desk",
		Data: json.RawMessage(`{"target":"` + first.String() + `","reason":"登记有误","data":{"lawyer":"` + f.lawyers[0].Licence + `","channel":"phone","person":"p-1","person_role":"relative","question":"SECRET","answer":"SECRET"}}`)}
	old := e
	old.ID, old.Type = first.String(), "zhiban.consultation.recorded.v1"
	old.Data = json.RawMessage(`{"lawyer":"` + f.lawyers[0].Licence + `","channel":"visit","person":"p-1","person_role":"relative","question":"SECRET"}`)
	f.events[id] = report.EventDetail{Event: e, Partition: 1, Offset: 42, Places: 2, Status: "corrected", Case: []schemas.Envelope{old, e},
		Postings: []report.Posting{{Indicator: schemas.Consultations, Quantity: -1, Division: "220182", Station: "220182-court", Channel: "visit", Event: id}}}
	s := newServer(t, f)
	_, _, body := get(t, s, "/api/v1/events/"+id.String())
	if strings.Contains(body, "SECRET") || !strings.Contains(body, `"question":null`) || !strings.Contains(body, "登记有误") {
		t.Errorf("API: %s", body)
	}
	_, _, page := get(t, s, "/events/"+id.String())
	for _, want := range []string{"更正记录", "登记有误", "内容保密", "分区 1，位置 42", "日志中有 2 份", "更正后内容", "来电", "咨询登记", "−1", f.lawyers[0].Name} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "SECRET") {
		t.Error("the page shows a text of the ledger")
	}
}

func TestFilesHaveChineseNames(t *testing.T) {
	f := newFake()
	s := newServer(t, f)
	for _, c := range []struct{ path, contentType, ext string }{
		{"/api/v1/lawyers/" + f.lawyers[0].Licence + "/record.xlsx?year=2026", export.XLSX, ".xlsx"},
		{"/api/v1/lawyers/" + f.lawyers[0].Licence + "/record?year=2026&format=xlsx", export.XLSX, ".xlsx"},
		{"/api/v1/returns/220182/2026-10.xlsx", export.XLSX, ".xlsx"},
		{"/api/v1/slides?division=220182&period=2026-10", export.PPTX, ".pptx"},
	} {
		code, header, body := get(t, s, c.path)
		if code != http.StatusOK || header.Get("Content-Type") != c.contentType || !strings.HasPrefix(body, "PK") {
			t.Errorf("%s: %d %s %.200q", c.path, code, header.Get("Content-Type"), body)
			continue
		}
		disposition := header.Get("Content-Disposition")
		kind, params, err := mime.ParseMediaType(disposition)
		if err != nil || kind != "attachment" || !strings.HasSuffix(params["filename"], c.ext) || !strings.Contains(disposition, "filename*=utf-8''%") {
			t.Errorf("%s: %s: %v", c.path, disposition, err)
		}
	}
}

func TestTheAPIDescribesItself(t *testing.T) {
	_, _, body := get(t, newServer(t, newFake()), "/api/openapi.json")
	var d struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name string }
		}
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	params := map[string]bool{}
	for _, p := range d.Paths["/api/v1/statistics"]["get"].Parameters {
		params[p.Name] = true
	}
	for _, want := range []string{"division", "from", "to", "by", "indicator", "as_of", "view", "station", "station_kind", "lawyer", "firm", "mode", "channel", "person_role", "organ"} {
		if !params[want] {
			t.Errorf("statistics does not describe %s", want)
		}
	}
	for _, path := range []string{"/api/v1/indicators", "/api/v1/postings", "/api/v1/events/{id}", "/api/v1/status", "/api/v1/slides", "/api/v1/returns/{division}/{month}.xlsx", "/api/v1/lawyers/{licence}/record.xlsx"} {
		if d.Paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
	_, _, body = get(t, newServer(t, newFake()), "/api/v1/indicators")
	for _, want := range []string{`"code":"consultations"`, `"zh":"法律咨询"`, `"effective":"2022-01-01"`} {
		if !strings.Contains(body, want) {
			t.Errorf("indicators lack %s", want)
		}
	}
}

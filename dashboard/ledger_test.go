package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/mux"

	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
	"zhiban/schemas/seal"
)

func (f *fake) Ledger(_ context.Context, scope report.Scope, q report.LedgerQuery, offset, limit int) (report.LedgerPage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines []report.LedgerLine
	for _, p := range slices.Backward(f.postings) {
		if p.Indicator != schemas.Consultations || p.Day < q.From || p.Day > q.To || q.Station != "" && p.Station != q.Station || !schemas.Divisions.Within(p.Division, q.Division) {
			continue
		}
		minutes := 5 + int(p.Offset%50)
		l := report.LedgerLine{Event: p.Event, Time: p.Time, Station: p.Station, Lawyer: p.Lawyer, Channel: p.Channel, PersonRole: p.PersonRole, Person: fmt.Sprintf("k1-%026d", p.person),
			Topics: []string{"取保候审", "会见"}[:1+p.Offset%2], Minutes: &minutes, Signed: p.Offset%5 != 0}
		if p.Offset%7 == 0 {
			l.Minutes, l.Topics = nil, nil
		}
		if of, ok := f.texts[p.Event]; ok {
			l.Texts, l.Sealed = of.Texts, of.Sealed
		}
		lines = append(lines, l)
	}
	return report.LedgerPage{Cut: f.cut(), Total: len(lines), Lines: lines[min(offset, len(lines)):min(offset+limit, len(lines))]}, f.down
}

func (f *fake) LedgerTexts(_ context.Context, scope report.Scope, id schemas.EventID) (report.LedgerTexts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, ok := f.texts[id]
	if !ok || scope.Station != "" && scope.Station != l.Station || scope.Division != "" && !schemas.Divisions.Within(l.Station.Division(), scope.Division) {
		return report.LedgerTexts{}, schemas.Errorf(schemas.NotFound, "the ledger has no texts under %s", id)
	}
	return l, f.down
}

// What is asked and answered in the fake's ledger, open and sealed.
const (
	spokenQuestion = "绝密问题：取保候审<b>要</b>什么\n条件？"
	spokenAnswer   = "绝密解答：符合刑事诉讼法第六十七条"
	sealedQuestion = schemas.SealedPrefix + "UXVlc3Rpb25RdWVzdGlvblF1ZXN0aW9u"
	sealedAnswer   = schemas.SealedPrefix + "QW5zd2VyQW5zd2VyQW5zd2VyQW5zd2Vy"
)

// speak gives the last consultations of a station texts, and returns their ids:
// the first of them opens, and of the others each for a reason of its own does not.
func (f *fake) speak(station schemas.StationCode) []schemas.EventID {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.texts = map[schemas.EventID]report.LedgerTexts{}
	var ids []schemas.EventID
	for _, p := range slices.Backward(f.postings) {
		if p.Indicator != schemas.Consultations || p.Station != station || len(ids) == 6 {
			continue
		}
		person := []string{"opens", "erased", "nokey", "forged", "broken", "plain"}[len(ids)]
		t := report.LedgerTexts{Case: schemas.CaseID{Kind: schemas.CaseConsultation, Key: p.Event.String()}, Question: sealedQuestion, Answer: sealedAnswer,
			LedgerLine: report.LedgerLine{Event: p.Event, Time: p.Time, Station: station, Person: person, Texts: 2, Sealed: 2, Topics: []string{"取保候审"}}}
		if person == "plain" {
			t.Question, t.Answer, t.Texts, t.Sealed = "绝密：先于封存写下的", "", 1, 0
		}
		f.texts[p.Event] = t
		data := fmt.Sprintf(`{"lawyer":%q,"channel":"visit","person":"p-1","person_role":"suspect","question":%q,"answer":%q}`, p.Lawyer, t.Question, t.Answer)
		e := schemas.Envelope{SpecVersion: "1.0", ID: p.Event.String(), Source: "/stations/" + string(station), Type: p.Type, Subject: "consultation/" + p.Event.String(),
			Time: p.Time.UTC().Format(schemas.WireTime), RecordedTime: p.Recorded.UTC().Format(schemas.WireTime), Data: []byte(data)}
		corrected := e
		corrected.Type, corrected.Data = "zhiban.consultation.corrected.v1", fmt.Appendf(nil, `{"target":%q,"reason":"r","data":%s}`, e.ID, data)
		f.events[p.Event] = report.EventDetail{Event: e, Places: 1, Status: "effective", Case: []schemas.Envelope{e, corrected}, Postings: []report.Posting{p.Posting}}
		ids = append(ids, p.Event)
	}
	return ids
}

// keys open the fake's texts.
func keys(_ context.Context, person string, of schemas.CaseID, field, sealed string) (string, error) {
	switch {
	case of.Kind != schemas.CaseConsultation || of.Key == "":
		return "", errors.New("of no case")
	case person == "erased":
		return "", errors.Join(nil, seal.ErrErased)
	case person == "nokey":
		return "", seal.ErrNoKey
	case person == "forged":
		return "", fmt.Errorf("unseal: %w", seal.ErrForged)
	case person == "broken":
		return "not for reading", errors.New("kms.internal: timeout")
	case !schemas.IsSealed(sealed):
		return sealed, nil
	case field == "question" && sealed == sealedQuestion:
		return spokenQuestion, nil
	case field == "answer" && sealed == sealedAnswer:
		return spokenAnswer, nil
	}
	return "", seal.ErrForged
}

// reading is a dashboard behind its gate, whose ledger can be opened.
type reading struct {
	*fake
	url   string
	trail []audit.Record
	fails error // of the trail
	who   access.Identity
}

const spoken = schemas.StationCode("220182-detention")

// newReading lets in whoever who is.
func newReading(t *testing.T, unseal func(context.Context, string, schemas.CaseID, string, string) (string, error)) *reading {
	t.Helper()
	r := &reading{fake: newFake()}
	s, err := New(Config{Poll: time.Minute, Now: func() time.Time { return fakeNow }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Unseal: unseal,
		Audit: func(_ context.Context, rec audit.Record) error {
			if r.fails == nil {
				r.trail = append(r.trail, rec)
			}
			return r.fails
		}}, r.fake)
	if err != nil {
		t.Fatal(err)
	}
	router := mux.NewRouter()
	gate := &access.Gate{Rules: Rules(), Session: func(*http.Request) (access.Identity, bool) { return r.who, r.who.Account != "" }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	router.Use(gate.Middleware)
	s.Register(router)
	srv := httptest.NewServer(router)
	t.Cleanup(srv.Close)
	r.url = srv.URL
	return r
}

func (r *reading) ask(t *testing.T, method, path string, headers ...string) (int, http.Header, string) {
	t.Helper()
	q := httptest.NewRequestWithContext(t.Context(), method, r.url+path, nil)
	q.RequestURI = ""
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	var b strings.Builder
	if err := a.Write(&b); err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, a.Header, b.String()
}

// officer is somebody of an office.
func officer(role access.Role, scope access.Scope) access.Identity {
	return access.Identity{Account: string(role) + "-1", Title: "某" + string(role), Role: role, Scope: scope}
}

func TestOnlyTheConsultationLedgerHasTexts(t *testing.T) {
	for _, typ := range schemas.Catalogue.All() {
		payload := reflect.TypeOf(typ.Payload()).Elem()
		for i := range payload.NumField() {
			name, _, _ := strings.Cut(payload.Field(i).Tag.Get("json"), ",")
			if _, recorded := typ.Payload().(*schemas.ConsultationRecorded); slices.Contains(texts, name) && !recorded {
				t.Errorf("%s has %s, which the ledger does not show", typ.Name, name)
			}
		}
	}
}

func TestTheLedgerListsConsultationsWithoutTheirTexts(t *testing.T) {
	r := newReading(t, keys)
	ids := r.speak(spoken)
	r.who = officer(access.County, access.Scope{Division: "220182", SmallCells: true})
	code, _, body := r.ask(t, "GET", "/ledger?station=220182-detention&from=2026-10-01&to=2026-11-24")
	if code != http.StatusOK || strings.Contains(body, "%!") {
		t.Fatalf("%d %.2000s", code, body)
	}
	for _, want := range []string{"已封存", "未封存", "已签", "未签", "取保候审、会见", `action="/ledger/` + ids[0].String() + `/text"`, "每次查看原文都记入审计记录", "榆树市法律援助中心驻看守所值班律师工作站", "k1-0000000…", `<a href="/ledger" aria-current="page">咨询台账</a>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the ledger does not say %s", want)
		}
	}
	for path, want := range map[string]int{"/ledger?from=2026-11-02&to=2026-11-01": 422, "/ledger?station=x": 422, "/ledger?lang=en": 200, "/ledger?colour=red": 422, "/ledger?division=220182&offset=50&from=2026-01-01": 200} {
		if code, _, _ := r.ask(t, "GET", path); code != want {
			t.Errorf("%s: %d", path, code)
		}
	}
	// Who may not unseal has no button, and neither has anyone without keys.
	for name, c := range map[string]struct {
		who  access.Identity
		keys func(context.Context, string, schemas.CaseID, string, string) (string, error)
		says string
	}{
		"the host organ": {officer(access.Host, access.Scope{Station: spoken}), keys, "只有县级法律援助机构和工作站可以查看"},
		"the province":   {officer(access.Province, access.ProvinceWide), keys, "只有县级法律援助机构和工作站可以查看"},
		"without keys":   {officer(access.Station, access.Scope{Station: spoken}), nil, "<code>" + keySetting + "</code>"},
	} {
		r := newReading(t, c.keys)
		r.speak(spoken)
		r.who = c.who
		if _, _, body := r.ask(t, "GET", "/ledger?station=220182-detention&from=2026-10-01"); !strings.Contains(body, c.says) || strings.Contains(body, "/text") || !strings.Contains(body, "已封存") {
			t.Errorf("%s: %.3000s", name, body)
		}
	}
}

func TestATextIsShownToItsOfficeAloneAndRecordedBefore(t *testing.T) {
	r := newReading(t, keys)
	ids := r.speak(spoken)
	path := func(i int) string { return "/ledger/" + ids[i].String() + "/text" }
	county, station := officer(access.County, access.Scope{Division: "220182"}), officer(access.Station, access.Scope{Station: spoken})
	for _, c := range []struct {
		name string
		who  access.Identity
		i    int
		code int
		says string
	}{
		{"the county", county, 0, 200, "绝密问题：取保候审&lt;b&gt;要&lt;/b&gt;什么\n条件？"},
		{"the station", station, 0, 200, spokenAnswer},
		{"one that was not sealed", county, 5, 200, "绝密：先于封存写下的"},
		{"one that was erased", county, 1, 200, "已按要求销毁"},
		{"one of other keys", county, 2, 200, "密钥不在本平台"},
		{"one that was changed", county, 3, 200, "密文与这名当事人、这次咨询不符"},
		{"one that the keys fail at", county, 4, 200, "密钥服务暂不可用"},
		{"another county", officer(access.County, access.Scope{Division: "220122"}), 0, 404, "没有找到"},
		{"another station", officer(access.Station, access.Scope{Station: "220182-court"}), 0, 404, "没有找到"},
		{"the host organ", officer(access.Host, access.Scope{Station: spoken}), 0, 403, ""},
		{"the prefecture", officer(access.Prefecture, access.Scope{Division: "220100"}), 0, 403, ""},
		{"the auditor", auditor, 0, 403, ""},
		{"the administrator", administrator, 0, 403, ""},
		{"nobody", access.Identity{}, 0, 401, ""},
	} {
		r.who, r.trail = c.who, nil
		code, header, body := r.ask(t, "POST", path(c.i))
		if code != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d, does not say %s: %.1500s", c.name, code, c.says, body)
		}
		if strings.Contains(body, "绝密") != (c.i == 0 || c.i == 5) && c.code == 200 || c.code != 200 && strings.Contains(body, "绝密") || strings.Contains(body, schemas.SealedPrefix) || strings.Contains(body, "kms.internal") || strings.Contains(body, "not for reading") {
			t.Errorf("%s: what is shown is not what may be: %.2000s", c.name, body)
		}
		if header.Get("Cache-Control") != "no-store" && c.code != 405 {
			t.Errorf("%s: kept as %q", c.name, header.Get("Cache-Control"))
		}
		want := audit.Record{Account: c.who.Account, Role: string(c.who.Role), Address: "127.0.0.1", Action: audit.Unseal, Object: ids[c.i].String(), Outcome: "allowed"}
		if c.code == 200 && (len(r.trail) != 1 || r.trail[0] != want) || c.code != 200 && len(r.trail) != 0 {
			t.Errorf("%s: the trail is %+v", c.name, r.trail)
		}
	}
	r.who = county
	for _, c := range []struct {
		method, path string
		headers      []string
		code         int
	}{
		{"POST", path(0), []string{"Sec-Fetch-Site", "cross-site"}, 403}, {"POST", path(0), []string{"Origin", "https://elsewhere.example"}, 403},
		{"GET", path(0), nil, 405}, {"POST", "/ledger/x/text", nil, 422}, {"POST", "/ledger/0199a1c2-7d1e-7c3a-9a55-0242ac120099/text", nil, 404},
	} {
		if code, _, body := r.ask(t, c.method, c.path, c.headers...); code != c.code || strings.Contains(body, "绝密") {
			t.Errorf("%s %s %v: %d", c.method, c.path, c.headers, code)
		}
	}
	r.fails = schemas.Errorf(schemas.Unavailable, "the audit trail cannot be written")
	if code, _, body := r.ask(t, "POST", path(0)); code != http.StatusServiceUnavailable || strings.Contains(body, "绝密") || !strings.Contains(body, "审计记录暂时写不进去") {
		t.Errorf("without the trail: %d %.1500s", code, body)
	}
	if _, err := New(Config{Unseal: keys}, r.fake); err == nil || !strings.Contains(err.Error(), "Audit") {
		t.Errorf("texts without a trail: %v", err)
	}
}

// keyTable is a table of keys in memory.
type keyTable map[string][]byte

func (k keyTable) Get(key string) ([]byte, bool)                         { v, ok := k[key]; return v, ok }
func (k keyTable) Put(_ context.Context, key string, value []byte) error { k[key] = value; return nil }
func (k keyTable) Delete(_ context.Context, key string) error            { delete(k, key); return nil }
func (k keyTable) Err() error                                            { return nil }
func (k keyTable) Each(prefix string, do func(string, []byte) bool) {
	for _, key := range slices.Sorted(maps.Keys(k)) {
		if strings.HasPrefix(key, prefix) && !do(key, k[key]) {
			return
		}
	}
}

func TestATextOpensWithTheKeyringThatSealedIt(t *testing.T) {
	file, err := seal.CreateKeyFile(filepath.Join(t.TempDir(), "keys.json"), fakeNow)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.New(t.Context(), keyTable{}, file, file.Pseudonyms())
	if err != nil {
		t.Fatal(err)
	}
	r := newReading(t, ring.Unseal)
	ids := r.speak(spoken)
	r.who = officer(access.Station, access.Scope{Station: spoken})
	for i, id := range ids[:3] { // as ingest seals them: under the field's name in the case
		l := r.texts[id]
		l.Person = ring.Pseudonym(fmt.Sprint("p-", i))
		of := l.Case
		if i == 2 {
			of = r.texts[ids[0]].Case // a text that was moved
		}
		for field, text := range map[string]*string{"question": &l.Question, "answer": &l.Answer} {
			if *text, err = ring.Seal(t.Context(), l.Person, of, field, "绝密"+field); err != nil {
				t.Fatal(err)
			}
		}
		r.texts[id] = l
	}
	open := func(i int) string {
		_, _, body := r.ask(t, "POST", "/ledger/"+ids[i].String()+"/text")
		return body
	}
	if body := open(0); !strings.Contains(body, "绝密question") || !strings.Contains(body, "绝密answer") {
		t.Errorf("%.2000s", body)
	}
	if body := open(2); strings.Contains(body, "绝密") || !strings.Contains(body, "密文与这名当事人、这次咨询不符") {
		t.Errorf("%.2000s", body)
	}
	if _, err := ring.Erase(t.Context(), "p-1"); err != nil {
		t.Fatal(err)
	}
	if body := open(1); strings.Contains(body, "绝密") || !strings.Contains(body, "已按要求销毁") {
		t.Errorf("%.2000s", body)
	}
}

// Every page, file and answer that there is, of consultations that have texts.
func TestTextsAreNowhereElse(t *testing.T) {
	r := newReading(t, keys)
	ids := r.speak(spoken)
	r.who = auditor
	day := schemas.DayOf(r.texts[ids[0]].Time).String()
	const days = "&from=2026-10-01&to=2026-11-24"
	addresses := slices.Collect(maps.Values(sitemap(r.fake)))
	addresses = append(addresses, "/ledger?station=220182-detention"+days, "/details?indicator=consultations&station=220182-detention"+days,
		"/api/v1/postings?indicator=consultations&station=220182-detention"+days, "/api/v1/postings.csv?indicator=consultations&station=220182-detention"+days,
		"/api/v1/effective-events?source=220182-detention&case=consultation&from="+day+"&to="+day, "/api/v1/open-cases?station=220182-detention", "/api/v1/quality?division=220182"+days)
	for _, id := range ids {
		addresses = append(addresses, "/events/"+id.String(), "/api/v1/events/"+id.String())
	}
	for _, address := range addresses {
		code, _, body := r.ask(t, "GET", address)
		if code != http.StatusOK {
			t.Errorf("%s: %d", address, code)
		}
		for _, secret := range []string{"绝密", schemas.SealedPrefix, "UXVlc3Rpb25", "QW5zd2Vy"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s has %s", address, secret)
			}
		}
	}
	if _, _, body := r.ask(t, "GET", "/api/v1/effective-events?source=220182-detention&case=consultation&from="+day+"&to="+day); !strings.Contains(body, ids[0].String()) || !strings.Contains(body, `"question":null`) {
		t.Errorf("the event is not there at all: %.1000s", body)
	}
}

func TestTheLedgerInABrowser(t *testing.T) {
	r := newReading(t, keys)
	ids := r.speak(spoken)
	r.who = officer(access.County, access.Scope{Division: "220182", SmallCells: true})
	b := newBrowser(t, r.url)
	const path = "/ledger?station=220182-detention&from=2026-10-01&to=2026-11-24"
	b.everywhere("ledger", path)
	b.everywhere("ledger-english", path+"&lang=en")
	b.size(1280, 800, false)
	for i, name := range []string{"text", "text-erased"} {
		b.open(path)
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector('form[action^="/ledger/%s"] button').click()`, ids[i])))
		b.at("/ledger/" + ids[i].String())
		b.look(name)
		b.accessible(name)
		b.fits(name)
		b.clean(name)
	}
	b.size(360, 800, true)
	b.open(path)
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector('form[action^="/ledger/%s"] button').click()`, ids[0])))
	b.at("/ledger/" + ids[0].String())
	b.look("text-360")
	b.fits("text on a phone")
	if got := eval[string](b, `document.querySelector('.spoken .text').textContent`); got != spokenQuestion {
		t.Errorf("%q", got)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.back a').click()`))
	b.at("/ledger")
	b.clean("back")
}

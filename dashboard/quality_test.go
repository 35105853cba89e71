package dashboard

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// findings asks the API for what was found.
func findings(t *testing.T, s *Server, query string) report.Quality {
	t.Helper()
	code, _, body := get(t, s, "/api/v1/quality?"+query)
	if code != http.StatusOK {
		t.Fatalf("%s: %d %s", query, code, body)
	}
	var q report.Quality
	if err := json.Unmarshal([]byte(body), &q); err != nil {
		t.Fatal(err)
	}
	return q
}

func TestThePageOfQualityHasWhatTheAPIHas(t *testing.T) {
	province := newFake()
	province.park()
	s := newServer(t, province)
	const days = "from=2026-10-01&to=2026-10-31"
	_, _, body := get(t, s, "/quality?month=2026-10")
	found := findings(t, s, days)
	if found.From.String() != "2026-10-01" || found.To.String() != "2026-10-31" || found.Cut.IsZero() || found.Recorded.IsZero() || found.List != nil {
		t.Errorf("%+v", found)
	}
	rows := regexp.MustCompile(`<tr><th scope="row">([^<]+)</th><td class="num[^"]*">(?:<a href="([^"]+)"[^>]*>)?([0-9,]+)`).FindAllStringSubmatch(body, -1)
	for _, f := range found.Findings {
		i := slices.IndexFunc(rows, func(r []string) bool { return r[1] == f.Name.ZH })
		if i < 0 || rows[i][3] != number(float64(f.Count)) {
			t.Errorf("%s: the page does not say %d", f.Name.ZH, f.Count)
			continue
		}
		want := "/quality?"
		switch {
		case f.Count == 0:
			want = ""
		case f.Indicator != "":
			want = "/details?"
		case f.Code == report.ParkedEvents:
			want = "/parked"
		}
		if !strings.HasPrefix(rows[i][2], want) || want == "" && rows[i][2] != "" {
			t.Errorf("%s leads to %q", f.Name.ZH, rows[i][2])
		}
	}
}

func TestAFindingIsListedPageByPage(t *testing.T) {
	s := newServer(t, newFake())
	query := "from=2026-01-01&to=2026-10-31&finding=" + string(report.LateEntry)
	all := findings(t, s, query+"&limit=100")
	i := slices.IndexFunc(all.Findings, func(f report.Finding) bool { return f.Code == report.LateEntry })
	if total := all.Findings[i].Count; total <= perPage || len(all.List.Items) != int(min(total, 100)) {
		t.Fatalf("%d of %d late entries", len(all.List.Items), total)
	}
	path, seen := "/quality?"+query, 0
	for path != "" {
		code, _, body := get(t, s, path)
		events := regexp.MustCompile(`<th scope="row"><a href="/events/([0-9a-f-]{36})">`).FindAllStringSubmatch(body, -1)
		if code != http.StatusOK || len(events) == 0 {
			t.Fatalf("%s: %d with %d events", path, code, len(events))
		}
		for j, e := range events {
			if at := seen + j; at < len(all.List.Items) && e[1] != all.List.Items[at].Event.String() {
				t.Errorf("at %d %s, the API says %s", at, e[1], all.List.Items[at].Event)
			}
		}
		seen += len(events)
		path = ""
		if next := regexp.MustCompile(`<a href="(/quality[^"]+)" rel="next">`).FindStringSubmatch(body); next != nil {
			path = strings.ReplaceAll(next[1], "&amp;", "&")
		}
	}
	if int64(seen) != all.Findings[i].Count {
		t.Errorf("the pages list %d of %d", seen, all.Findings[i].Count)
	}
}

func TestFindingsLeadDownToADivision(t *testing.T) {
	s := newServer(t, newFake())
	const query = "from=2026-01-01&to=2026-10-31&finding=out_of_order"
	_, _, body := get(t, s, "/quality?"+query)
	found := findings(t, s, query)
	i := slices.IndexFunc(found.Findings, func(f report.Finding) bool { return f.Code == report.OutOfOrder })
	for _, d := range found.Findings[i].Divisions {
		path := "/quality?division=" + string(d.Division) + "&amp;finding=out_of_order&amp;from=2026-01-01&amp;to=2026-10-31"
		if !strings.Contains(body, `<a href="`+path+`">`+strconv.FormatInt(d.Count, 10)+`</a>`) {
			t.Errorf("%s has no way down", schemas.Divisions.Name(d.Division))
		}
		code, _, below := get(t, s, strings.ReplaceAll(path, "&amp;", "&"))
		if code != http.StatusOK || !strings.Contains(below, "共 "+strconv.FormatInt(d.Count, 10)+" 条") {
			t.Errorf("%s: %d, not %d records", path, code, d.Count)
		}
	}
}

func TestWrongQuestionsAboutQualityAreNamed(t *testing.T) {
	s := newServer(t, newFake())
	for query, word := range map[string]string{
		"finding=nonsense": "finding", "from=2026-10-02&to=2026-10-01": "from", "division=110000": "division", "limit=101": "limit", "offset=-1": "offset", "station=220182-court": "station", "as_of=soon": "as_of",
	} {
		if code, _, body := get(t, s, "/api/v1/quality?"+query); code != http.StatusUnprocessableEntity || !strings.Contains(body, "query."+word) {
			t.Errorf("%s: %d %s", query, code, body)
		}
		if code, _, _ := get(t, s, "/quality?"+query); code != http.StatusUnprocessableEntity {
			t.Errorf("the page, %s: %d", query, code)
		}
	}
}

package report

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zhiban/schemas"
)

// fact is a posting of a small world in memory.
type fact struct {
	code     schemas.IndicatorCode
	day      string
	division schemas.DivisionCode
	station  string
	lawyer   string
	value    string // of the dimension that the indicator has: mode, channel or organ
	role     string
	person   string
	n        float64 // 0 stands for 1
}

// world answers the questions of documents from facts, by the plainest way to
// count.
type world struct {
	facts    []fact
	stations []Station
	lawyers  []Lawyer
	down     error

	mu    sync.Mutex
	asked []Query
}

func (w *world) inquiry(scope Scope, asOf string) inquiry {
	return inquiry{w: w, scope: scope, asOf: morning(asOf), cut: Cut{Offsets: map[int]int64{0: 17, 1: 4}}}
}

func (w *world) Statistics(ctx context.Context, scope Scope, q Query) (Statistics, error) {
	if len(q.Columns) > 0 {
		out := Statistics{Query: q, Cut: q.Cut, AsOf: q.AsOf}
		for k, r := range q.Columns {
			one := q
			one.From, one.To, one.Columns = r.From, r.To, nil
			s, err := w.Statistics(ctx, scope, one)
			if err != nil {
				return s, err
			}
			for _, row := range s.Rows {
				out.Rows = append(out.Rows, Row{Key: append([]string{strconv.Itoa(k)}, row.Key...), Values: row.Values})
			}
		}
		return out, nil
	}
	if err := admits(scope, q.Division); err != nil {
		return Statistics{}, err
	}
	w.mu.Lock()
	w.asked = append(w.asked, q)
	w.mu.Unlock()
	s := Statistics{Query: q, Cut: q.Cut, AsOf: q.AsOf}
	if w.down != nil {
		return s, w.down
	}
	keys := map[string][]string{}
	if len(q.By) == 0 {
		keys[""] = nil
	}
	of := func(f fact) []string {
		day, err := schemas.ParseDay(f.day)
		if err != nil {
			panic(err)
		}
		var key []string
		for _, by := range q.By {
			switch by {
			case ByDivision:
				path := schemas.Divisions.Path(f.division)
				i := slices.IndexFunc(path, func(d schemas.Division) bool { return d.Code == q.Division })
				key = append(key, string(path[min(i+1, len(path)-1)].Code))
			case ByStation:
				key = append(key, f.station)
			case ByMonth:
				key = append(key, day.Month().String())
			case ByPersonRole:
				key = append(key, f.role)
			case ByLawyer:
				key = append(key, f.lawyer)
			case ByFirm:
				l, _ := w.Lawyer(context.Background(), scope, f.lawyer, time.Time{})
				key = append(key, l.Firm)
			default:
				key = append(key, f.value)
			}
		}
		return key
	}
	in := func(f fact, kind schemas.IndicatorKind) bool {
		day, _ := schemas.ParseDay(f.day)
		if lawyers := q.Filter[ByLawyer]; lawyers != nil && !slices.Contains(lawyers, f.lawyer) {
			return false
		}
		return day <= q.To && (day >= q.From || kind == schemas.Stock) && schemas.Divisions.Within(f.division, q.Division)
	}
	for _, f := range w.facts {
		if in(f, schemas.Additive) || in(f, schemas.Stock) && slices.ContainsFunc(q.Indicators, func(c schemas.IndicatorCode) bool { return c == f.code }) {
			key := of(f)
			keys[strings.Join(key, "/")] = key
		}
	}
	for joined, key := range keys {
		row := Row{Key: key}
		for _, ind := range lookup(q.Indicators...) {
			count := func(code schemas.IndicatorCode) (n float64) {
				persons := map[string]bool{}
				for _, f := range w.facts {
					if f.code == code && in(f, ind.Kind) && strings.Join(of(f), "/") == joined {
						n += max(f.n, 1)
						persons[f.person] = true
					}
				}
				if ind.Kind == schemas.Distinct {
					n = float64(len(persons))
				}
				return n
			}
			var v *float64
			switch ind.Kind {
			case schemas.Ratio, schemas.Mean:
				if over := count(ind.Over); over > 0 {
					v = new(count(ind.Of) / over)
				}
			case schemas.Distinct, schemas.Overdue:
				v = new(count(ind.Of))
			default:
				v = new(count(ind.Code))
			}
			row.Values = append(row.Values, v)
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

func (w *world) Stations(context.Context, Scope, schemas.DivisionCode, time.Time) ([]Station, error) {
	return w.stations, nil
}

func (w *world) Lawyers(_ context.Context, _ Scope, division schemas.DivisionCode, _ time.Time) ([]Lawyer, error) {
	return slices.DeleteFunc(slices.Clone(w.lawyers), func(l Lawyer) bool { return !schemas.Divisions.Within(l.Division, division) }), w.down
}

func (w *world) Lawyer(_ context.Context, _ Scope, licence string, _ time.Time) (Lawyer, error) {
	for _, l := range w.lawyers {
		if l.Licence == licence {
			return l, nil
		}
	}
	return Lawyer{Licence: licence}, nil
}

func morning(day string) time.Time {
	d, err := schemas.ParseDay(day)
	if err != nil {
		panic(err)
	}
	return d.Start().Add(9 * time.Hour)
}

func monthOf(s string) schemas.Month {
	m, err := schemas.ParseMonth(s)
	if err != nil {
		panic(err)
	}
	return m
}

func sheetOf(division schemas.DivisionCode, month string) sheet {
	m := monthOf(month)
	return sheet{schemas.Returns, schemas.Returns.FormOf(m), division, m, false}
}

// monthIn gathers a return from a world.
func monthIn(t *testing.T, w *world, division schemas.DivisionCode, month, asOf string) DivisionMonth {
	t.Helper()
	m, err := w.inquiry(ProvinceWide, asOf).divisionMonth(t.Context(), sheetOf(division, month))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func known(v float64) Figure { return Figure{Value: v} }

var (
	notAvailable  = Figure{Status: NotAvailable}
	notApplicable = Figure{Status: NotApplicable}
)

func TestADocumentIsOfOneMomentAndOneCut(t *testing.T) {
	w := &world{facts: deckFacts}
	i := w.inquiry(ProvinceWide, "2026-11-03")
	m, err := i.divisionMonth(t.Context(), sheetOf("220100", "2026-10"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := i.deck(t.Context(), "220100", monthOf("2026-10"))
	if err != nil {
		t.Fatal(err)
	}
	y, err := i.lawyerYear(t.Context(), "12201201810123456", 2026)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range w.asked {
		if !q.AsOf.Equal(i.asOf) || q.Cut.String() != i.cut.String() {
			t.Errorf("asked as of %s at %s", q.AsOf, q.Cut)
		}
	}
	for what, cut := range map[string]Cut{"return": m.Cut, "deck": d.Cut, "record": y.Cut} {
		if cut.String() != i.cut.String() {
			t.Errorf("%s of cut %s", what, cut)
		}
	}
}

func TestADocumentFailsAsItsQuestionsDo(t *testing.T) {
	down := schemas.Errorf(schemas.Unavailable, "down")
	i := (&world{down: down}).inquiry(ProvinceWide, "2026-11-03")
	if _, err := i.divisionMonth(t.Context(), sheetOf("220100", "2026-10")); !errors.Is(err, down) {
		t.Errorf("return: %v", err)
	}
	if _, err := i.deck(t.Context(), "220100", monthOf("2026-10")); !errors.Is(err, down) {
		t.Errorf("deck: %v", err)
	}
	if _, err := i.lawyerYear(t.Context(), "12201201810123456", 2026); !errors.Is(err, down) {
		t.Errorf("record: %v", err)
	}
}

func TestAStationHasNoDocumentOfItsDivision(t *testing.T) {
	scope := Scope{Division: "220182", Station: "220182-court"}
	if _, err := (inquiry{w: &world{}, scope: scope}).divisionMonth(t.Context(), sheetOf("220182", "2026-10")); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("return: %v", err)
	}
	if _, err := (inquiry{w: &world{}, scope: scope}).deck(t.Context(), "220182", monthOf("2026-10")); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("deck: %v", err)
	}
	scope.Station = ""
	if _, err := (inquiry{w: &world{}, scope: scope}).deck(t.Context(), "220100", monthOf("2026-10")); schemas.KindOf(err) != schemas.NotFound {
		t.Errorf("deck of a division outside the scope: %v", err)
	}
}

package report

import (
	"testing"
	"time"

	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/warehouse"
)

// A bar has one number for a year that is over and nothing to subtract from it.
func TestFewComplaintsAreNotFoundOutBySubtraction(t *testing.T) {
	b := newBook(t)
	b.Clock = func() time.Time { return schemas.Date(2026, 9, 1).Start() }
	b.write([4]string{court, "shift.signed_in", "0199a1c2-7d1e-7c3a-9a55-0242ac120001", `{"lawyer":"12201201810123456","mode":"onsite"}`})
	tables, err := warehouse.Current(t.Context(), b.conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		day, source string
		n           int64
	}{{"2024-03-01", court, 4}, {"2025-03-01", court, 6}, {"2025-07-01", centre, 1}} {
		if err := b.conn.Exec(t.Context(), "INSERT INTO "+tables.Postings()+" (kafka_partition, kafka_offset, epoch, recorded, indicator, day, source, quantity) VALUES (0, 0, 1, '2026-01-01 09:00:00', 'complaints', ?, ?, ?)", x.day, x.source, x.n); err != nil {
			t.Fatal(err)
		}
	}
	bar := Scope{Division: schemas.Province}
	ask := func(s Scope, change func(*Query)) []Row {
		t.Helper()
		q := Query{Division: schemas.Province, From: schemas.Date(2025, 1, 1), To: schemas.Date(2025, 12, 31), Indicators: []schemas.IndicatorCode{schemas.Complaints}}
		if change != nil {
			change(&q)
		}
		st, err := b.Statistics(t.Context(), s, q)
		if err != nil {
			t.Fatal(err)
		}
		return st.Rows
	}
	if rows := ask(bar, nil); len(rows) != 1 || rows[0].Values[0] == nil || *rows[0].Values[0] != 7 {
		t.Fatalf("the year that is over: %v", rows)
	}
	for name, change := range map[string]func(*Query){
		"a year with four":      func(q *Query) { q.From, q.To = schemas.Date(2024, 1, 1), schemas.Date(2024, 12, 31) },
		"two years":             func(q *Query) { q.From = schemas.Date(2024, 1, 1) },
		"all but a day":         func(q *Query) { q.From++ },
		"the year so far":       func(q *Query) { q.From, q.To = schemas.Date(2026, 1, 1), schemas.Date(2026, 12, 31) },
		"a division":            func(q *Query) { q.Division = "220100" },
		"by division":           func(q *Query) { q.By = []Dimension{ByDivision} },
		"by month":              func(q *Query) { q.By = []Dimension{ByMonth} },
		"by year and station":   func(q *Query) { q.By = []Dimension{ByYear, ByStation} },
		"a station":             func(q *Query) { q.Filter = map[Dimension][]string{ByStation: {centre}} },
		"a kind of station":     func(q *Query) { q.Filter = map[Dimension][]string{ByStationKind: {"court"}} },
		"under today's tree":    func(q *Query) { q.View = schemas.ViewNow },
		"as of a moment before": func(q *Query) { q.AsOf = schemas.Date(2026, 8, 1).Start() },
	} {
		for _, row := range ask(bar, change) {
			if row.Values[0] != nil {
				t.Errorf("%s: %v of %v", name, *row.Values[0], row.Key)
			}
		}
	}
	if rows := ask(ProvinceWide, func(q *Query) { q.By = []Dimension{ByMonth} }); len(rows) != 2 {
		t.Errorf("justice sees %v", rows)
	}
	// Forms say that there is a figure which is not for the bar, not that there is none.
	for _, c := range []struct {
		scope Scope
		want  Figure
	}{{bar, Figure{Status: NotAvailable, Withheld: true}}, {ProvinceWide, Figure{Value: 6}}} {
		month, err := b.DivisionMonth(t.Context(), c.scope, schemas.Province, schemas.Date(2025, 3, 1).Month(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, g := range month.Groups {
			for _, line := range g.Lines {
				if line.Indicator.Code == schemas.Complaints {
					found = true
					if line.Month != c.want || line.Month.Frozen().Mark == "" != (c.want.Status == Known) {
						t.Errorf("%+v: %+v", c.scope, line.Month)
					}
				} else if line.Month.Withheld {
					t.Errorf("%s is withheld", line.Indicator.Code)
				}
			}
		}
		if !found {
			t.Error("the form has no complaints")
		}
	}
	q := Query{Division: schemas.Province, From: schemas.Date(2025, 1, 1), To: schemas.Date(2025, 12, 31), Indicators: []schemas.IndicatorCode{schemas.Shifts, schemas.OutsideDuties}}
	if _, err := b.Postings(t.Context(), bar, q, 0, 10); schemas.KindOf(err) != schemas.Forbidden {
		t.Errorf("the postings of single complaints: %v", err)
	}
}

func TestConductThatNobodyHasDecidedUponIsForJusticeAlone(t *testing.T) {
	b := newBook(t)
	b.Clock = func() time.Time { return schemas.Date(2026, 9, 2).Start() }
	key := func(n string) string { return "0199a1c2-7d1e-7c3a-9a55-2222222200" + n }
	ids := b.write(
		[4]string{"220182", "conduct.reported", key("01"), `{"lawyer":"12201201810123456","code":"fees"}`},
		[4]string{"220182", "conduct.reported", key("02"), `{"lawyer":"12201201810123456","code":"leak"}`},
		[4]string{"220182", "conduct.decided", key("02"), `{"lawyer":"12201201810123456","outcome":"upheld","document":"长律协〔2026〕8号"}`},
		[4]string{"220182", "conduct.reported", key("03"), `{"lawyer":"12201201810123456","code":"leak"}`},
		[4]string{"220182", "conduct.decided", key("03"), `{"lawyer":"12201201810123456","outcome":"upheld","document":"长律协〔2026〕9号"}`},
		[4]string{court, "complaint.lodged", key("04"), `{"lawyer":"12201201810123456","person":"p-1","ground":"other"}`},
	)
	voided := ids[4]
	b.write([4]string{"220182", "conduct.voided", key("03"), `{"target":"` + voided.String() + `","reason":"撤销"}`},
		// Nothing of this was done yet when it was recorded: a finding.
		[4]string{"220182", "conduct.decided", key("05"), `{"lawyer":"12201201810123456","outcome":"upheld","document":"x"}`})
	undecided, decided, complaint := []schemas.EventID{ids[0], ids[3]}, []schemas.EventID{ids[1], ids[2]}, ids[5]
	day := schemas.Date(2026, 9, 1)
	for _, c := range []struct {
		role                 access.Role
		undecided, complaint bool
	}{
		{access.Province, true, true}, {access.Prefecture, true, true}, {access.County, true, true}, {access.Procurator, false, true}, {access.Bar, false, false}, {access.Auditor, false, false},
	} {
		info, _ := c.role.Info()
		scope := Scope{Division: "220182", SmallCells: info.SmallCells, Undecided: info.Undecided}
		sees := func(id schemas.EventID) bool {
			_, err := b.Event(t.Context(), scope, id)
			if err != nil && schemas.KindOf(err) != schemas.NotFound {
				t.Fatal(err)
			}
			return err == nil
		}
		for _, id := range undecided {
			if sees(id) != c.undecided {
				t.Errorf("%s sees undecided conduct: %v", c.role, !c.undecided)
			}
		}
		for _, id := range decided {
			if !sees(id) {
				t.Errorf("%s does not see decided conduct", c.role)
			}
		}
		if sees(complaint) != c.complaint {
			t.Errorf("%s sees a complaint: %v", c.role, !c.complaint)
		}
		want := 3 // both of the decided one, and the decision upon what was never reported
		if c.undecided {
			want = 5
		}
		of, err := b.EffectiveEventsOf(t.Context(), scope, schemas.Source{Division: "220182"}, schemas.CaseConduct, day, day)
		if err != nil || len(of.Events) != want {
			t.Errorf("%s: %d events count, want %d, %v", c.role, len(of.Events), want, err)
		}
		if of, err = b.EffectiveEvents(t.Context(), scope, undecided); err != nil || (len(of.Events) == 2) != c.undecided {
			t.Errorf("%s: %d of the undecided, %v", c.role, len(of.Events), err)
		}
		quality, err := b.Quality(t.Context(), scope, Query{Division: "220182", From: day, To: day, View: schemas.ViewThen}, WithoutFirst, 0, 10)
		if err != nil || len(quality.List.Items) == 1 != c.undecided {
			t.Errorf("%s: the finding about conduct: %+v, %v", c.role, quality.List, err)
		}
	}
}

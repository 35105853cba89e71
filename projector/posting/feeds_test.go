package posting

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"zhiban/schemas"
)

// variants are data beside a type's example that lead to figures which the
// example does not.
var variants = map[string][]string{
	"zhiban.station.inspected.v1":      {`{"met":["room","desks","computer","printer","copier","signs","plate","material"]}`},
	"zhiban.consultation.recorded.v1":  {`{` + lawyer + `,"channel":"phone","person":"p-1","person_role":"suspect","has_defender":true}`},
	"zhiban.shift.planned.v1":          {`{` + lawyer + `,"mode":"phone","start":"2026-09-02T08:30:00+08:00","end":"2026-09-02T16:30:00+08:00"}`},
	"zhiban.application.decided.v1":    {`{"agency":"榆树市法律援助中心","outcome":"refused"}`},
	"zhiban.application.assigned.v1":   {out},
	"zhiban.notification.given.v1":     {`{"form":"oral"}`},
	"zhiban.notification.triggered.v1": {`{"organ":"police","trigger":"interrogation","person":"p-1","in_custody":true}`},
	"zhiban.assistance.given.v1": {
		`{` + lawyer + `,"person":"p-1","service":"affidavit"}`, `{` + lawyer + `,"person":"p-1","service":"meeting"}`,
		`{` + lawyer + `,"person":"p-1","service":"file_review"}`, `{` + lawyer + `,"person":"p-1","service":"opinion","adopted":true}`,
		`{` + lawyer + `,"person":"p-1","service":"coercive_measure"}`, `{` + lawyer + `,"person":"p-1","service":"procedure_choice"}`,
	},
	"zhiban.activity.held.v1":   {`{"kind":"other_task"}`},
	"zhiban.conduct.decided.v1": {`{` + lawyer + `,"outcome":"upheld","document":"1号"}`},
}

// The reference tells which figures an event can change: those that it changes
// in some of many histories, in any order, corrected and voided, and no others.
func TestTheCatalogueSaysWhatEachTypeCanChange(t *testing.T) {
	dice := rand.New(rand.NewPCG(2018, 4))
	changed := map[string]map[schemas.IndicatorCode]bool{}
	for _, kind := range schemas.Catalogue.Cases() {
		for range 1500 {
			history := randomHistory(t, dice, kind)
			var c Case
			for _, e := range history {
				for _, p := range c.Enter(e) {
					if changed[e.Type.Name] == nil {
						changed[e.Type.Name] = map[schemas.IndicatorCode]bool{}
					}
					changed[e.Type.Name][p.Indicator] = true
				}
			}
		}
	}
	for _, typ := range schemas.Catalogue.All() {
		for code := range changed[typ.Name] {
			if !slices.Contains(typ.Feeds, code) {
				t.Errorf("%s changes %s and does not say so: add it to Feeds", typ.Name, code)
			}
		}
		for _, code := range typ.Feeds {
			if !changed[typ.Name][code] {
				t.Errorf("%s says that it can change %s and never does", typ.Name, code)
			}
		}
	}
}

// randomHistory is a case of a kind: facts, corrections and voids in any order,
// at a court, a detention centre or in a division, before and after later law.
func randomHistory(t *testing.T, dice *rand.Rand, kind schemas.CaseKind) []schemas.Event {
	t.Helper()
	var facts []*schemas.EventType
	for _, typ := range schemas.Catalogue.Of(kind) {
		if !typ.Meta() {
			facts = append(facts, typ)
		}
	}
	pick := func(from []string) string { return from[dice.IntN(len(from))] }
	data := func(typ *schemas.EventType) string { return pick(append(variants[typ.Name], typ.Example)) }
	source := pick([]string{"/stations/220182-court", "/stations/220182-detention", "/divisions/220182"})
	begins := []time.Time{time.Date(2018, 6, 1, 8, 0, 0, 0, schemas.Shanghai), time.Date(2026, 9, 1, 8, 0, 0, 0, schemas.Shanghai)}[dice.IntN(2)]
	moment := func() string { return begins.Add(time.Duration(dice.IntN(48)) * time.Hour).Format(time.RFC3339) }
	subject := string(kind) + "/" + id(99)
	switch kind {
	case schemas.CaseStation:
		subject = "station/220182-court"
	case schemas.CaseLawyer:
		subject = "lawyer/12201201810123456"
	case schemas.CaseReturn:
		subject = "return/220182-2026-09"
	}

	var history []schemas.Event
	var of []*schemas.EventType // the type of each fact, nil for what is none
	for i := range 1 + dice.IntN(8) {
		typ := facts[dice.IntN(len(facts))]
		name, content := typ.Name, data(typ)
		of = append(of, typ)
		if target := dice.IntN(i + 1); target < i && of[target] != nil && dice.IntN(2) == 0 && kind != schemas.CaseReturn { // returns are not corrected
			of[i] = nil
			verb := "voided"
			content = fmt.Sprintf(`{"target":%q,"reason":"重复登记"}`, id(target))
			if dice.IntN(3) > 0 {
				verb = "corrected"
				content = fmt.Sprintf(`{"target":%q,"data":%s,"time":%q,"reason":"登记有误"}`, id(target), data(of[target]), moment())
			}
			name = strings.Replace(typ.Name, typ.Verb, verb, 1)
			name = name[:strings.LastIndex(name, ".v")] + ".v1"
		}
		e, err := schemas.Envelope{
			SpecVersion: "1.0", ID: id(i), Source: source, Type: name, Subject: subject,
			Time: moment(), Data: json.RawMessage(content), RecordedTime: moment(), // perhaps a day late
		}.Parse()
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, e)
	}
	return history
}

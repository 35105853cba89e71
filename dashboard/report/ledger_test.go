package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zhiban/schemas"
)

const (
	asksAbout = `{"lawyer":"12201201810123456","channel":"visit","person":"p-%s","person_role":"relative","topics":["取保候审","会见"],"minutes":25%s}`
	signs     = `{"lawyer":"12201201810123456"}`
	sealedA   = "sealed.v1.QUJDREVGR0hJSktMTU5PUA"
	sealedB   = "sealed.v1.UVJTVFVWV1hZWkFCQ0RFRg"
)

func consult(source, key, person, more string) [4]string {
	return [4]string{source, "consultation.recorded", key, fmt.Sprintf(asksAbout, person, more)}
}

func TestTheLedgerHasEachConsultationAsItCountsNow(t *testing.T) {
	b := newBook(t)
	b.Clock = func() time.Time { return time.Date(2026, time.September, 2, 9, 0, 0, 0, schemas.Shanghai) }
	key := func(n int) string { return fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-1%011d", n) }
	for code, kind := range map[string]string{court: "court", centre: "detention_centre", "220122-court": "court"} {
		b.write([4]string{code, "station.founded", code, `{"code":"` + code + `","kind":"` + kind + `","name":"` + code + `","location":"` + code[:6] + `","reporting":"` + code[:6] + `"}`})
	}
	ids := b.write(
		consult(court, key(1), "1", `,"question":"`+sealedA+`","answer":"`+sealedB+`"`),
		consult(court, key(2), "2", ""),
		consult(centre, key(3), "3", `,"question":"明文"`),
		consult("220122-court", key(4), "4", `,"question":"`+sealedA+`"`),
		consult(court, key(5), "5", ""),
		[4]string{court, "consultation.signed", key(1), signs},
	)
	b.at = time.Date(2026, time.September, 2, 8, 0, 0, 0, schemas.Shanghai)
	b.write(
		[4]string{court, "consultation.signed", key(2), signs}, // on the day after
		[4]string{court, "consultation.corrected", key(2), `{"target":"` + ids[1].String() + `","reason":"补录","data":` + fmt.Sprintf(asksAbout, "2", `,"answer":"`+sealedB+`"`) + `}`},
		[4]string{court, "consultation.voided", key(5), `{"target":"` + ids[4].String() + `","reason":"重复"}`},
		consult(centre, key(6), "6", ""),
	)
	first, second := schemas.Date(2026, time.September, 1), schemas.Date(2026, time.September, 2)
	province, county := ProvinceWide, Scope{Division: "220182"}
	for _, c := range []struct {
		name  string
		scope Scope
		q     LedgerQuery
		want  string
	}{
		{"a station", county, LedgerQuery{Station: court, From: first, To: first}, "2s1/1 1s2/2"},
		{"a division", county, LedgerQuery{Division: "220182", From: first, To: second}, "6-0/0 3-1/0 2s1/1 1s2/2"},
		{"the province", province, LedgerQuery{Division: schemas.Province, From: first, To: first}, "4-1/1 3-1/0 2s1/1 1s2/2"},
		{"a station for itself", Scope{Station: court}, LedgerQuery{Division: "220182", From: first, To: second}, "2s1/1 1s2/2"},
		{"no day", county, LedgerQuery{Station: court, From: second, To: second}, ""},
	} {
		got, err := b.Ledger(t.Context(), c.scope, c.q, 0, 100)
		var words []string
		for _, l := range got.Lines {
			word := map[bool]string{true: "s", false: "-"}[l.Signed]
			words = append(words, fmt.Sprintf("%s%s%d/%d", strings.TrimPrefix(l.Person, "p-"), word, l.Texts, l.Sealed))
			if l.Lawyer != "12201201810123456" || l.Channel != "visit" || l.PersonRole != "relative" || !slices.Equal(l.Topics, []string{"取保候审", "会见"}) || *l.Minutes != 25 {
				t.Errorf("%s: %+v", c.name, l)
			}
		}
		if err != nil || strings.Join(words, " ") != c.want || got.Total != len(words) {
			t.Errorf("%s: %q of %d, want %q, %v", c.name, words, got.Total, c.want, err)
		}
	}
	page, err := b.Ledger(t.Context(), province, LedgerQuery{Division: schemas.Province, From: first, To: first}, 3, 2)
	if err != nil || page.Total != 4 || len(page.Lines) != 1 || page.Lines[0].Person != "p-1" {
		t.Errorf("%+v %v", page, err)
	}
	for name, ask := range map[string]struct {
		scope Scope
		q     LedgerQuery
	}{
		"another's station":     {Scope{Division: "220122"}, LedgerQuery{Station: court, From: first, To: first}},
		"another's division":    {Scope{Division: "220122"}, LedgerQuery{Division: "220182", From: first, To: first}},
		"the division above":    {county, LedgerQuery{Division: schemas.Province, From: first, To: first}},
		"a station's neighbour": {Scope{Station: court}, LedgerQuery{Station: centre, From: first, To: first}},
		"for who sees nothing":  {Scope{}, LedgerQuery{Division: "220182", From: first, To: first}},
	} {
		if _, err := b.Ledger(t.Context(), ask.scope, ask.q, 0, 10); schemas.KindOf(err) != schemas.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}

	texts, err := b.LedgerTexts(t.Context(), county, ids[1]) // its correction has them
	if err != nil || texts.Answer != sealedB || texts.Question != "" || texts.Case.String() != "consultation/"+key(2) || texts.Person != "p-2" {
		t.Errorf("%+v %v", texts, err)
	}
	if texts, err = b.LedgerTexts(t.Context(), Scope{Station: court}, ids[0]); err != nil || texts.Question != sealedA || texts.Answer != sealedB {
		t.Errorf("%+v %v", texts, err)
	}
	for name, ask := range map[string]struct {
		scope Scope
		id    schemas.EventID
	}{
		"another's": {Scope{Division: "220122"}, ids[0]}, "a neighbour's": {Scope{Station: centre}, ids[0]}, "a voided one": {province, ids[4]}, "a signature": {province, ids[5]}, "one that is not there": {province, schemas.EventID{}},
	} {
		if _, err := b.LedgerTexts(t.Context(), ask.scope, ask.id); schemas.KindOf(err) != schemas.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package schemas

import (
	"slices"
	"strings"
	"testing"
)

func TestASealedTextMayComeBackInACorrection(t *testing.T) {
	const event = `{"specversion":"1.0","id":"0199a1c2-7d1e-7c3a-9a55-0242ac120003","source":"/stations/220182-court","type":"zhiban.consultation.corrected.v1",` +
		`"subject":"consultation/0199a1c2-7d1e-7c3a-9a55-0242ac120001","time":"2026-09-01T08:31:00+08:00","data":{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","reason":"分钟数记错",` +
		`"data":{"lawyer":"12201201810123456","channel":"visit","person":"k1-abcdefghijklmnopqrstuvwxyz234567","person_role":"suspect","minutes":20,"question":"$"}}}`
	for what, c := range map[string]struct {
		text  string
		right bool
	}{
		"a text that is short enough":     {strings.Repeat("问", 20_000), true},
		"a text that is too long":         {strings.Repeat("问", 20_001), false},
		"the longest text, sealed":        {SealedPrefix + strings.Repeat("A", 106_712), true},
		"more than any text makes":        {SealedPrefix + strings.Repeat("A", 110_000), false},
		"a long text that only begins so": {SealedPrefix + strings.Repeat("问", 20_000), false},
	} {
		_, _, errs := Validate([]byte(strings.Replace(event, "$", c.text, 1)))
		if (len(errs) == 0) != c.right {
			t.Errorf("%s: %v", what, errs)
		}
		for _, e := range errs {
			if len(e.Message) > 500 {
				t.Errorf("%s: the message repeats the text", what)
			}
		}
	}
}

func TestWhatTypesSayAboutPersonsIsKnown(t *testing.T) {
	for _, e := range Catalogue.All() {
		fields := payloadSchemas()[e].fields
		has := func(name string) bool {
			return slices.ContainsFunc(fields, func(f payloadField) bool { return f.name == name })
		}
		for _, f := range fields {
			if strings.Contains(f.schema.Description, "pseudonym") && PersonalField(f.name) != NamesPerson {
				t.Errorf("%s: %s holds a pseudonym and is not known to", e.Name, f.name)
			}
			if n := f.schema.MaxLength; n != nil && *n > 2000 && f.schema.Type == "string" && PersonalField(f.name) != QuotesPerson && e.Case != CaseReturn {
				t.Errorf("%s: %s holds long texts that are not sealed", e.Name, f.name)
			}
			if PersonalField(f.name) == QuotesPerson && !has("person") {
				t.Errorf("%s: %s quotes a person whom the event does not name", e.Name, f.name)
			}
		}
	}
	for name, want := range map[string]Personal{
		"zhiban.shift.signed_in.v1": NotPersonal, "zhiban.shift.corrected.v1": NotPersonal, "zhiban.feedback.given.v1": NotPersonal, "zhiban.consultation.voided.v1": NotPersonal,
		"zhiban.complaint.lodged.v1": NamesPerson, "zhiban.help_request.corrected.v1": NamesPerson,
		"zhiban.consultation.recorded.v1": QuotesPerson, "zhiban.consultation.corrected.v1": QuotesPerson,
	} {
		e, err := Catalogue.Lookup(name)
		if err != nil || e.Personal() != want {
			t.Errorf("%s holds %v, expected %v; %v", name, e.Personal(), want, err)
		}
	}
}

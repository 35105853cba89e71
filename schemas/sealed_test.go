package schemas

import (
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

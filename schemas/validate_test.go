package schemas

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	testID    = "0199a1c2-7d1e-7c3a-9a55-0242ac120009"
	testShift = "shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001"
)

// wire builds an event as it is sent, attribute by attribute, so that a test
// can put anything into any place.
func wire(source, typ, subject, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":%q,"type":%q,"subject":%q,"time":"2026-09-01T08:31:00+08:00","datacontenttype":"application/json","data":%s}`,
		testID, source, typ, subject, data)
}

// exampleEvent wraps a type's example in an envelope.
func exampleEvent(t *EventType) string {
	source, key := "/stations/220182-court", "0199a1c2-7d1e-7c3a-9a55-0242ac120001"
	switch t.Case {
	case CaseStation:
		key = "220182-court"
	case CaseLawyer:
		source, key = "/divisions/220182", "12201201810123456"
	case CaseReturn:
		source, key = "/divisions/220182", "220182-2026-09"
	}
	return wire(source, t.Name, string(t.Case)+"/"+key, t.Example)
}

func validate(raw string) []string {
	_, _, errs := Validate([]byte(raw))
	var out []string
	for _, e := range errs {
		out = append(out, e.String())
	}
	return out
}

func TestValidate(t *testing.T) {
	signIn := func(data string) string {
		return wire("/stations/220182-court", "zhiban.shift.signed_in.v1", testShift, data)
	}
	const good = `{"lawyer":"12201201810123456","mode":"onsite"}`
	recorded := func(fields string) string {
		return wire("/stations/220182-court", "zhiban.consultation.recorded.v1", "consultation/0199a1c2-7d1e-7c3a-9a55-0242ac120001",
			`{"lawyer":"12201201810123456","channel":"visit","person_role":"other",`+fields+`}`)
	}
	founded := func(source, subject, data string) string {
		return wire(source, "zhiban.station.founded.v1", subject, data)
	}
	triggered := func(organ, trigger string) string {
		return wire("/divisions/220182", "zhiban.notification.triggered.v1", "notification/0199a1c2-7d1e-7c3a-9a55-0242ac120001",
			fmt.Sprintf(`{"organ":%q,"trigger":%q,"person":"p-1","in_custody":false}`, organ, trigger))
	}
	inspected := func(data string) string {
		return wire("/stations/220182-court", "zhiban.station.inspected.v1", "station/220182-court", data)
	}
	appointed := func(fields string) string {
		return wire("/divisions/220182", "zhiban.contact.appointed.v1", "contact/0199a1c2-7d1e-7c3a-9a55-0242ac120001", `{"organ":"court","role":"liaison",`+fields+`}`)
	}
	with := func(event, old, replacement string) string {
		if !strings.Contains(event, old) {
			t.Fatalf("%s is not in %s", old, event)
		}
		return strings.Replace(event, old, replacement, 1)
	}
	for _, tt := range []struct {
		name  string
		event string
		want  []string
	}{
		{"a sign-in", signIn(good), nil},
		{"content type left out", with(signIn(good), `"datacontenttype":"application/json",`, ``), nil},
		{"content type with charset", with(signIn(good), `application/json`, `application/json; charset=UTF-8`), nil},
		{"content type null", with(signIn(good), `"application/json"`, `null`), nil},
		{"an upper-case subject", with(signIn(good), `shift/0199a1c2-7d1e-7c3a`, `shift/0199A1C2-7D1E-7C3A`), nil},
		{"white space between", " \n" + strings.ReplaceAll(signIn(good), `":`, "\" :\t") + "\r\n ", nil},

		{"nothing", ``, []string{"event: is not JSON: it ends too early"}},
		{"half an event", signIn(good)[:80], []string{"event: is not JSON: it ends too early"}},
		{"an array", `[]`, []string{"event: expected a JSON object, found an array"}},
		{"a word", `hello`, []string{`event: is not JSON: invalid character 'h' at start of value`}},
		{"something after it", signIn(good) + `{}`, []string{"event: is not JSON: something follows the object"}},
		{"rubbish after it", signIn(good) + `x`, []string{"event: is not JSON: invalid character 'x' at start of value after offset 315"}},
		{"not UTF-8", with(signIn(good), "onsite", "on\xffsite"), []string{`event: is not JSON: invalid UTF-8 within "/data/mode" after offset 308`}},

		{"everything wrong at once",
			`{"specversion":"0.3","id":"7","source":"/stations/110101-court","type":"zhiban.consultation.recorded.v1","subject":"shift/1",
			  "time":"2026-09-01 08:31","datacontenttype":"text/xml","recordedby":"me","colour":"red",
			  "data":{"lawyer":"123","channel":"letter","person":"220182199001011234","minutes":-5,"topics":["a",7],"guided_to_apply":"yes","mood":"good"}}`,
			[]string{
				"recordedby: is set by the server when it records the event; leave it out",
				"colour: is not an attribute of an event; there are specversion, id, source, type, subject, time, datacontenttype and data",
				`specversion: expected "1.0", found "0.3"`,
				`id: "7" is not a UUID such as 0199a1c2-7d1e-7c3a-9a55-0242ac120002`,
				`source: source "/stations/110101-court": station code "110101-court": 110101 is not a division of the province`,
				`subject: subject "shift/1": the id of a shift is a UUID`,
				`time: "2026-09-01 08:31" is not RFC 3339 with a zone, for example 2026-09-01T08:31:00+08:00`,
				`datacontenttype: expected application/json, found "text/xml"`,
				`data.lawyer: expected string to be the 17 digits of a licence (执业证号), found "123"`,
				`data.channel: expected value to be one of "visit, phone, online, in_custody", found "letter"`,
				"data.person: looks like an identity card number; send a pseudonym that only the station can resolve",
				"data.person_role: is required: one of suspect defendant relative other",
				"data.topics[1]: expected string, found 7",
				"data.minutes: expected number >= 0, found -5",
				`data.guided_to_apply: expected boolean, found "yes"`,
				"data.mood: is not a field of this type",
			}},
		{"an empty object", `{}`, []string{
			`specversion: is required: "1.0"`,
			"id: is required: a UUID",
			"source: is required: /stations/<station code> or /divisions/<division code>",
			"type: is required: a type of the catalogue, see GET /api/v1/event-types",
			"subject: is required: <case>/<id>",
			"time: is required: RFC 3339, for example 2026-09-01T08:31:00+08:00",
			"data: is required: a JSON object",
		}},
		{"attributes that are no strings", with(with(signIn(good), `"id":"`+testID+`"`, `"id":7`), `"time":"2026-09-01T08:31:00+08:00"`, `"time":{"at":8}`), []string{
			"id: expected a string, found a number",
			"time: expected a string, found an object",
		}},
		{"names that stand twice", with(with(signIn(good), `"mode":`, `"mode":"phone","mode":`), `"specversion"`, `"id":"`+testID+`","specversion"`), []string{
			"id: stands twice",
			"data.mode: stands twice",
		}},
		{"names that stand twice deeper down", recorded(`"person":"p-1","topics":[{"a":1,"a":2}]`), []string{
			"data.topics.a: stands twice",
			"data.topics[0]: expected string, found an object",
		}},
		{"a name in other letters", signIn(`{"lawyer":"12201201810123456","mode":"onsite","Mode":"phone"}`), []string{
			"data.Mode: is not a field of this type; it is written mode",
		}},
		{"the nil UUID as id", with(signIn(good), testID, "00000000-0000-0000-0000-000000000000"), []string{
			`id: "00000000-0000-0000-0000-000000000000" is not a UUID such as 0199a1c2-7d1e-7c3a-9a55-0242ac120002`}},
		{"a UUID in braces", with(signIn(good), testID, "{"+testID+"}"), []string{
			`id: "{0199a1c2-7d1e-7c3a-9a55-0242ac120009}" is not a UUID such as 0199a1c2-7d1e-7c3a-9a55-0242ac120002`}},
		{"the nil UUID as subject", with(signIn(good), testShift, "shift/00000000-0000-0000-0000-000000000000"), []string{
			`subject: "shift/00000000-0000-0000-0000-000000000000": the id is all zeros; every case needs its own UUID`}},
		{"an unknown type", with(signIn(good), "signed_in.v1", "signed_in.v9"), []string{
			`type: type "zhiban.shift.signed_in.v9" is not in the catalogue; GET /api/v1/event-types lists the types`}},
		{"a subject of another case", with(signIn(good), testShift, "consultation/0199a1c2-7d1e-7c3a-9a55-0242ac120001"), []string{
			`subject: "consultation/0199a1c2-7d1e-7c3a-9a55-0242ac120001" does not belong to type zhiban.shift.signed_in.v1; expected shift/<id>`}},
		{"a time without zone", with(signIn(good), "08:31:00+08:00", "08:31:00"), []string{
			`time: "2026-09-01T08:31:00" is not RFC 3339 with a zone, for example 2026-09-01T08:31:00+08:00`}},
		{"a time that only Go reads", with(signIn(good), "T08:31:00+08:00", "T8:31:00+08:00"), []string{
			`time: "2026-09-01T8:31:00+08:00" is not RFC 3339 with a zone, for example 2026-09-01T08:31:00+08:00`}},
		{"a time with a decimal comma", with(signIn(good), "08:31:00+08:00", "08:31:00,5+08:00"), []string{
			`time: "2026-09-01T08:31:00,5+08:00" is not RFC 3339 with a zone, for example 2026-09-01T08:31:00+08:00`}},
		{"a year that cannot be", with(signIn(good), "2026-", "0206-"), []string{
			`time: "0206-09-01T08:31:00+08:00" is not between the years 2000 and 2099`}},
		{"data that is no object", signIn(`"x"`), []string{"data: expected a JSON object, found a string"}},
		{"data that is null", signIn(`null`), []string{"data: expected a JSON object, found null"}},
		{"an optional field that is null", signIn(`{"lawyer":"12201201810123456","mode":"onsite","badge":null}`), []string{
			"data.badge: null is not a value; leave the field out or give a value of type boolean"}},
		{"a licence of zeros", signIn(`{"lawyer":"00000000000000000","mode":"onsite"}`), []string{
			`data.lawyer: licence "00000000000000000": a licence number (执业证号) has 17 digits and nothing else`}},
		{"minutes with a fraction", recorded(`"person":"p-1","minutes":25.5`), []string{"data.minutes: expected integer, found 25.5"}},
		{"minutes as 25.0", recorded(`"person":"p-1","minutes":25.0`), []string{
			"data.minutes: expected a whole number without fraction or exponent, found 25.0"}},
		{"minutes beyond any number", recorded(`"person":"p-1","minutes":1e999`), []string{"data.minutes: expected number <= 1440, found 1.7976931348623157e+308"}},
		{"a shift that is no UUID", recorded(`"person":"p-1","shift":"12"`), []string{
			`data.shift: expected string to be RFC 4122 uuid: invalid UUID length: 2, found "12"`}},

		{"an inspection", inspected(`{"met":["room","desks"],"missing":["copier"]}`), nil},
		{"an item that was found and missing", inspected(`{"met":["room","desks","copier"],"missing":["copier","room"]}`), []string{
			`data.missing: "room" is among those met too`, `data.missing: "copier" is among those met too`}},
		{"an item that stands twice", inspected(`{"met":["room","desks","room"]}`), []string{`data.met: "room" stands twice`}},
		{"items that are lists", inspected(`{"met":[["room"],["room"]]}`), []string{"data.met[0]: expected string, found an array of 1", "data.met[1]: expected string, found an array of 1"}},
		{"a contact of one day", appointed(`"from":"2026-01-01","to":"2026-01-01"`), nil},
		{"a contact that ends before it begins", appointed(`"from":"2026-01-02","to":"2026-01-01"`), []string{`data.to: "2026-01-01" is before the first day, "2026-01-02"`}},
		{"a contact of a year that cannot be", appointed(`"from":"0206-01-02"`), []string{`data.from: "0206-01-02" is not between the years 2000 and 2099`}},
		{"a subsidy to be paid in a year that cannot be", wire("/divisions/220182", "zhiban.subsidy.accrued.v1", "subsidy/0199a1c2-7d1e-7c3a-9a55-0242ac120001", `{"lawyer":"12201201810123456","fen":20000,"payable_by":"2126-01-31"}`),
			[]string{`data.payable_by: "2126-01-31" is not between the years 2000 and 2099`}},
		{"a contact from no day", appointed(`"from":"2026-02-30"`), []string{`data.from: expected string to be RFC 3339 date, found "2026-02-30"`}},
		{"a topic of nothing", recorded(`"person":"p-1","topics":[""]`), []string{`data.topics[0]: expected length >= 1, found ""`}},
		{"a topic that is a narrative", recorded(`"person":"p-1","topics":["` + strings.Repeat("长", 101) + `"]`), []string{
			`data.topics[0]: expected length <= 100, found "` + strings.Repeat("长", 64) + `…"`}},
		{"a correction that makes a contact impossible", wire("/divisions/220182", "zhiban.contact.corrected.v1", "contact/0199a1c2-7d1e-7c3a-9a55-0242ac120001",
			`{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120001","data":{"organ":"court","role":"liaison","from":"2026-01-02","to":"2026-01-01"},"reason":"登记有误"}`), []string{
			"data.data: fits no type that a contact can have; closest is zhiban.contact.appointed.v1:", `data.data.to: "2026-01-01" is before the first day, "2026-01-02"`}},

		{"a person written as an old card number", recorded(`"person":"220182900101123"`), []string{
			"data.person: looks like an identity card number; send a pseudonym that only the station can resolve"}},
		{"a person written as a card number with X", recorded(`"person":"22018219900101123X"`), []string{
			"data.person: looks like an identity card number; send a pseudonym that only the station can resolve"}},
		{"a person written as a card number in groups", recorded(`"person":"220182-19900101-1234"`), []string{
			"data.person: looks like an identity card number; send a pseudonym that only the station can resolve"}},
		{"a person with a real card number inside", recorded(`"person":"person:11010519491231002X"`), []string{
			"data.person: looks like an identity card number; send a pseudonym that only the station can resolve"}},
		{"a person by name is not repeated", recorded(`"person":"张三"`), []string{
			"data.person: expected string to be a pseudonym: a letter or digit, then up to 63 letters, digits, or . _ : / -"}},
		{"a person with many digits", recorded(`"person":"case:202609010831001234"`), nil},

		{"a shift in a division", with(signIn(good), "/stations/220182-court", "/divisions/220182"), []string{
			`source: expected /stations/<station code>, for a shift happens at a station; found "/divisions/220182"`}},
		{"a shift's correction in a division", wire("/divisions/220182", "zhiban.shift.voided.v1", testShift, `{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","reason":"r"}`), []string{
			`source: expected /stations/<station code>, for a shift happens at a station; found "/divisions/220182"`}},
		{"a station founded elsewhere", founded("/stations/220183-court", "station/220182-court",
			`{"code":"220182-detention","kind":"court","name":"榆树市法律援助中心驻人民法院值班律师工作站","location":"220199","reporting":"330000"}`), []string{
			`source: expected /stations/220182-court, the station of the subject, found "/stations/220183-court"`,
			`data.location: "220199" is not a division of the province`,
			`data.reporting: "330000" is not a division of the province`,
			`data.code: "220182-detention" is not the station of the subject, "220182-court"`,
			`data.kind: "court" does not agree with the code 220182-detention, which says "detention_centre"`,
			`data.name: "榆树市法律援助中心驻人民法院值班律师工作站" does not follow the pattern of 三(一)2: XX法律援助中心驻看守所值班律师工作站`,
		}},
		{"a station without its place", founded("/stations/220182-court", "station/220182-court",
			`{"code":"220182-court","kind":"court","name":"法律援助中心驻人民法院值班律师工作站","location":"220182","reporting":"220182"}`), []string{
			`data.name: "法律援助中心驻人民法院值班律师工作站" does not follow the pattern of 三(一)2: XX法律援助中心驻人民法院值班律师工作站`}},
		{"a lawyer under another's licence", wire("/divisions/220182", "zhiban.lawyer.enrolled.v1", "lawyer/12201201810123456",
			`{"licence":"12201201810123457","name":"王立新","kind":"private","firm":"f","division":"220182"}`), []string{
			`data.licence: "12201201810123457" is not the lawyer of the subject, "12201201810123456"`}},

		{"police at an interrogation", triggered("police", "interrogation"), nil},
		{"state security at a coercive measure", triggered("state_security", "coercive_measure"), nil},
		{"procuratorate at review", triggered("procuratorate", "review"), nil},
		{"court at a retrial", triggered("court", "retrial"), nil},
		{"police accept no cases", triggered("police", "accepted"), []string{
			`data.trigger: "accepted" is no duty of the organ "police"; expected one of interrogation coercive_measure`}},
		{"a court does not interrogate", triggered("court", "interrogation"), []string{
			`data.trigger: "interrogation" is no duty of the organ "court"; expected one of accepted retrial`}},

		{"a void of itself", wire("/stations/220182-court", "zhiban.shift.voided.v1", testShift, `{"target":"`+strings.ToUpper(testID)+`","reason":"r"}`), []string{
			"data.target: is this event itself; expected the id of an earlier event of the case"}},
		{"a correction to a sign-out", wire("/stations/220182-court", "zhiban.shift.corrected.v1", testShift,
			`{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","data":{"lawyer":"12201201810123456"},"time":"2026-09-01T17:00:00+08:00","reason":"r"}`), nil},
		{"a correction that fits nothing", wire("/stations/220182-court", "zhiban.shift.corrected.v1", testShift,
			`{"target":"`+testID+`","data":{"lawyer":"1","mode":"asleep"},"time":"1999-01-01T00:00:00Z","reason":""}`), []string{
			`data.reason: expected length >= 1, found ""`,
			"data.target: is this event itself; expected the id of an earlier event of the case",
			`data.time: "1999-01-01T00:00:00Z" is not between the years 2000 and 2099`,
			"data.data: fits no type that a shift can have; closest is zhiban.shift.signed_in.v1:",
			`data.data.lawyer: expected string to be the 17 digits of a licence (执业证号), found "1"`,
			`data.data.mode: expected value to be one of "onsite, phone, online", found "asleep"`,
		}},
		{"a correction without data", wire("/stations/220182-court", "zhiban.shift.corrected.v1", testShift,
			`{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","reason":"r"}`), []string{"data.data: is required: the whole new data"}},
		{"a correction with a list as data", wire("/stations/220182-court", "zhiban.shift.corrected.v1", testShift,
			`{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","data":[],"reason":"r"}`), []string{"data.data: expected a JSON object, found an array"}},
		{"a correction of a station must follow its rules", wire("/stations/220182-court", "zhiban.station.corrected.v1", "station/220182-court",
			`{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","data":{"code":"220182-court","kind":"court","name":"x站","location":"220182","reporting":"220182"},"reason":"r"}`), []string{
			"data.data: fits no type that a station can have; closest is zhiban.station.founded.v1:",
			`data.data.name: expected length >= 4, found "x站"`,
		}},
		{"a correction with minutes as 2e1", wire("/stations/220182-court", "zhiban.consultation.corrected.v1", "consultation/0199a1c2-7d1e-7c3a-9a55-0242ac120001",
			`{"target":"0199a1c2-7d1e-7c3a-9a55-0242ac120002","data":{"lawyer":"12201201810123456","channel":"visit","person":"p","person_role":"other","minutes":2e1},"reason":"r"}`), []string{
			"data.data: fits no type that a consultation can have; closest is zhiban.consultation.recorded.v1:",
			"data.data.minutes: expected a whole number without fraction or exponent, found 2e1",
		}},
		{"data nested without end", signIn(`{"lawyer":"12201201810123456","mode":"onsite","badge":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`), []string{
			"data.badge: is nested too deeply",
			"data.badge: expected boolean, found an array of 1",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, validate(tt.event)); d != "" {
				t.Errorf("errors of %s (-want +got):\n%s", tt.event, d)
			}
		})
	}
}

func TestValidateGivesTheEventAndTheEnvelope(t *testing.T) {
	raw := strings.Replace(exampleEvent(Catalogue.byName["zhiban.shift.signed_in.v1"]), testShift, strings.ToUpper(testShift[:6])+testShift[6:], 1)
	env, ev, errs := Validate([]byte(raw))
	if len(errs) == 0 || env.ID != testID || ev.Type != nil {
		t.Errorf("a wrong event gives its envelope only: got %v, %v, %v", env, ev, errs)
	}

	raw = exampleEvent(Catalogue.byName["zhiban.shift.signed_in.v1"])
	env, ev, errs = Validate([]byte(raw))
	if errs != nil {
		t.Fatal(errs)
	}
	var sent Envelope
	if err := json.Unmarshal([]byte(raw), &sent); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sent, env); d != "" {
		t.Errorf("envelope (-sent +got):\n%s", d)
	}
	parsed, err := sent.Parse()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(parsed.Envelope(), ev.Envelope()); d != "" {
		t.Errorf("Validate and Parse differ (-parse +validate):\n%s", d)
	}
	if d := cmp.Diff(parsed.Payload, ev.Payload); d != "" {
		t.Errorf("payloads of Validate and Parse differ (-parse +validate):\n%s", d)
	}
}

func TestValidateBoundsTheAnswer(t *testing.T) {
	var data strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&data, `"%d%s":1,`, i, strings.Repeat("x", 500))
	}
	_, _, errs := Validate([]byte(wire("/stations/220182-court", "zhiban.shift.signed_in.v1", testShift, `{`+data.String()+`"lawyer":"1"}`)))
	if len(errs) != maxFieldErrors+1 || errs[maxFieldErrors].String() != "event: and 16 more errors" {
		t.Errorf("%d errors, expected %d and a line for the rest", len(errs), maxFieldErrors)
	}
	for _, e := range errs {
		if len(e.Location)+len(e.Message) > 600 {
			t.Errorf("an error of %d bytes: %s", len(e.Location)+len(e.Message), e)
		}
	}
}

// FuzzValidate holds Validate to its promise with any bytes.
func FuzzValidate(f *testing.F) {
	for _, t := range Catalogue.All() {
		f.Add([]byte(exampleEvent(t)))
	}
	f.Add([]byte(`{"":1,"":2}`))
	f.Add([]byte(`{"specversion":"1.0","id":null,"data":{"data":[[[]]]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) { keepsItsPromise(t, raw) })
}

// The same with events that are right but for one place.
func TestWhatIsPassedCanBeRead(t *testing.T) {
	values := []string{
		`null`, `true`, `0`, `25`, `25.0`, `-1`, `1e3`, `1e999`, `""`, `"x"`, `"12201201810123456"`, `"00000000000000000"`, `[]`, `{}`, `[[{}]]`, `{"a":{"a":1,"a":2}}`,
		`"0199A1C2-7D1E-7C3A-9A55-0242AC120001"`, `"urn:uuid:0199a1c2-7d1e-7c3a-9a55-0242ac120001"`, `"0199a1c27d1e7c3a9a550242ac120001"`,
		`"2026-09-01T08:31:00+08:00"`, `"0000-01-01T00:00:00+08:00"`, `"9999-12-31T23:59:59-08:00"`, `"2026-09-01T08:31:00,5Z"`, `"2026-09-01T24:00:00Z"`,
		`"/stations/220182-court"`, `"/divisions/220182"`, `"220182-court-0"`, `"22CB01-court-2"`, `"station/220182-court"`, `"shift/0199A1C2-7d1e-7c3a-9a55-0242ac120001"`,
		`"\u0000"`, `"\ud800"`, `"法\u2028"`, `["a","b"]`, `["a",null]`,
	}
	var names []string
	for _, typ := range Catalogue.All() {
		names = append(names, typ.Name)
	}
	for _, name := range names {
		values = append(values, `"`+name+`"`, Catalogue.byName[name].Example)
	}
	passed := 0
	rapid.Check(t, func(rt *rapid.T) {
		typ := Catalogue.byName[rapid.SampledFrom(names).Draw(rt, "type")]
		var attributes, data map[string]json.RawMessage
		if json.Unmarshal([]byte(exampleEvent(typ)), &attributes) != nil || json.Unmarshal([]byte(typ.Example), &data) != nil {
			rt.Fatal("the example is no JSON")
		}
		for range rapid.IntRange(0, 2).Draw(rt, "changes") {
			object := rapid.SampledFrom([]map[string]json.RawMessage{attributes, data}).Draw(rt, "object")
			place := rapid.SampledFrom(append(slices.Sorted(maps.Keys(object)), "Lawyer", "TARGET", "topics", "minutes", "time", "agency")).Draw(rt, "place")
			if rapid.Bool().Draw(rt, "remove") {
				delete(object, place)
			} else {
				object[place] = json.RawMessage(rapid.SampledFrom(values).Draw(rt, "value"))
			}
		}
		var raw strings.Builder // by hand: encoding/json would mend what is wrong
		raw.WriteString(`{"data":{`)
		for i, k := range slices.Sorted(maps.Keys(data)) {
			fmt.Fprintf(&raw, "%s %q : %s", strings.Repeat(",", min(i, 1)), k, data[k])
		}
		raw.WriteString("}")
		delete(attributes, "data")
		for _, k := range slices.Sorted(maps.Keys(attributes)) {
			fmt.Fprintf(&raw, ",\n%q: %s", k, attributes[k])
		}
		raw.WriteString("}")
		if keepsItsPromise(rt, []byte(raw.String())) {
			passed++
		}
	})
	if passed == 0 {
		t.Error("no event was passed; the test shows nothing")
	}
}

// keepsItsPromise checks that Validate does not panic, and that an event which
// it passes can be read from the log, decoded, and counts.
func keepsItsPromise(t interface {
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}, raw []byte) (passed bool) {
	before := string(raw)
	env, ev, errs := Validate(raw)
	if string(raw) != before {
		t.Errorf("the input was changed")
	}
	for _, e := range errs {
		if e.Location == "" || e.Message == "" || !utf8.ValidString(e.Location+e.Message) {
			t.Errorf("an error without place or text: %q", e)
		}
	}
	if len(errs) > 0 {
		return false
	}
	if _, err := env.Parse(); err != nil {
		t.Errorf("passed, but Parse says: %v: %s", err, raw)
	}
	b, err := json.Marshal(ev.Envelope())
	if err != nil {
		t.Fatalf("passed, but cannot be written: %v: %s", err, raw)
	}
	read, err := ParseEvent(b)
	if err != nil {
		t.Fatalf("passed, but cannot be read: %v: %s", err, raw)
	}
	if read.Case != ev.Case || read.Source != ev.Source || read.ID != ev.ID || !read.Time.Equal(ev.Time.Truncate(time.Millisecond)) {
		t.Errorf("written %v, read %v", ev, read)
	}
	if d := cmp.Diff(ev.Payload, read.Payload, cmp.Comparer(func(a, b json.RawMessage) bool { return true })); d != "" {
		t.Errorf("payload (-validated +read):\n%s", d)
	}
	switch p := ev.Payload.(type) {
	case *Corrected:
		if !slices.ContainsFunc(factTypes(ev.Type.Case), func(fact *EventType) bool { _, ok := fact.fits(p.Data); return ok }) {
			t.Errorf("passed, but Effective would ignore the data %s", p.Data)
		}
	case *Voided:
	default:
		if _, ok := ev.Type.fits(ev.Data); !ok {
			t.Errorf("passed, but does not fit its own type: %s", ev.Data)
		}
	}
	return true
}

func BenchmarkValidate(b *testing.B) {
	b.Run("a question of 20000 letters", func(b *testing.B) {
		raw := []byte(strings.Replace(exampleEvent(Catalogue.byName["zhiban.consultation.recorded.v1"]), `"minutes":25`, `"minutes":25,"question":"`+strings.Repeat("问", 20000)+`"`, 1))
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if _, _, errs := Validate(raw); errs != nil {
				b.Fatal(errs)
			}
		}
	})
	for _, name := range []string{"zhiban.shift.signed_in.v1", "zhiban.consultation.recorded.v1", "zhiban.station.founded.v1", "zhiban.shift.corrected.v1"} {
		raw := []byte(exampleEvent(Catalogue.byName[name]))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if _, _, errs := Validate(raw); errs != nil {
					b.Fatal(errs)
				}
			}
		})
	}
}

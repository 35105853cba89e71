package schemas

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A return goes from hand to hand in these steps, and in no others.
func TestStepsOfAReturn(t *testing.T) {
	verbs := []string{"submitted", "returned", "accepted", "amended"}
	allowed := map[ReturnState]string{
		ReturnOpen: "submitted", ReturnIsIn: "accepted returned", ReturnSentBack: "submitted", ReturnClosed: "amended", ReturnIsAmended: "amended",
	}
	for state, want := range allowed {
		if got := strings.Join(state.Steps(), " "); got != want {
			t.Errorf("%s allows %s, want %s", state, got, want)
		}
		for _, verb := range verbs {
			next, ok := state.After(verb)
			if ok != slices.Contains(strings.Fields(want), verb) || ok && string(next) != verb {
				t.Errorf("%s, %s: %s %t", state, verb, next, ok)
			}
		}
		if title := state.Title(); title.ZH == string(state) || title.EN == "" {
			t.Errorf("%s has no title", state)
		}
	}
}

const emptyZip = `"file":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","sha256":"8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85"`

// returnHistory parses steps: each is a verb and its data.
func returnHistory(t *testing.T, steps ...[2]string) []Event {
	t.Helper()
	var out []Event
	for i, s := range steps {
		raw := wire("/divisions/220182", "zhiban.return."+s[0]+".v1", "return/220182-2026-09", s[1])
		raw = strings.Replace(raw, testID, fmt.Sprintf("0199a1c2-7d1e-7c3a-9a55-%012d", i+1), 1)
		_, e, errs := Validate([]byte(raw))
		if errs != nil {
			t.Fatalf("%s: %v", raw, errs)
		}
		out = append(out, e)
	}
	return out
}

func submitted(consultations int, filler string) [2]string {
	return [2]string{"submitted", fmt.Sprintf(`{"division":"220182","month":"2026-09","form":"2026-2","cut":{"0":7},"figures":[{"cell":"consultations","month":%d,"ytd":90,"last_year":"X"}],%s,"filler":%q}`, consultations, emptyZip, filler)}
}

func amended(number, old, new int) [2]string {
	return [2]string{"amended", fmt.Sprintf(`{"number":%d,"signer":"赵国华","reason":"补录","form":"2026-2","cut":{"0":9},"changes":[{"cell":"consultations","column":"month","old":%d,"new":%d}],%s}`, number, old, new, emptyZip)}
}

var september = ReturnID{"220182", Month(2026*12 + 8)}

func TestAReturnSentBackIsSubmittedAnewAndAmendedOnceAccepted(t *testing.T) {
	r := FoldReturn(september, returnHistory(t,
		submitted(10, "李敏"), [2]string{"returned", `{"signer":"赵国华","reason":"漏报"}`},
		submitted(12, "李敏"), [2]string{"accepted", `{"signer":"赵国华"}`}, amended(1, 12, 13), amended(2, 13, 11)))
	if r.State != ReturnIsAmended || r.Amendments() != 2 || len(r.Versions) != 4 {
		t.Fatalf("%s, %d amendments, %d versions", r.State, r.Amendments(), len(r.Versions))
	}
	var months []float64
	for _, v := range r.Versions {
		months = append(months, v.Figures[0].Month.Number)
	}
	if diff := cmp.Diff([]float64{10, 12, 13, 11}, months); diff != "" {
		t.Errorf("figures of the versions (-want +got):\n%s", diff)
	}
	if v, ok := r.Standing(); !ok || v.Version != 4 || v.Amendment != 2 || v.By != "赵国华" || v.Figures[0].LastYear.Mark != MarkNotAvailable {
		t.Errorf("what stands: %+v %t", v, ok)
	}
}

// What comes too late, twice or out of turn is kept with the reason, and has no
// effect.
func TestStepsThatHaveNoEffect(t *testing.T) {
	accepted := [2]string{"accepted", `{"signer":"赵国华"}`}
	for _, c := range []struct {
		name    string
		steps   [][2]string
		state   ReturnState
		ignored string
	}{
		{"two clerks submit at once", [][2]string{submitted(1, "李敏"), submitted(2, "王芳")}, ReturnIsIn, "cannot be submitted"},
		{"accepted before it was submitted", [][2]string{accepted}, ReturnOpen, "open cannot be accepted"},
		{"sent back after it was accepted", [][2]string{submitted(1, "李敏"), accepted, {"returned", `{"signer":"赵国华","reason":"漏报"}`}}, ReturnClosed, "cannot be returned"},
		{"amended before it was accepted", [][2]string{submitted(1, "李敏"), amended(1, 1, 2)}, ReturnIsIn, "cannot be amended"},
		{"two amendments of one number", [][2]string{submitted(1, "李敏"), accepted, amended(1, 1, 2), amended(1, 1, 3)}, ReturnIsAmended, "2 was to come"},
		{"an amendment of what did not stand there", [][2]string{submitted(1, "李敏"), accepted, amended(1, 5, 6)}, ReturnClosed, "did not stand there"},
	} {
		r := FoldReturn(september, returnHistory(t, c.steps...))
		last := r.Steps[len(r.Steps)-1]
		if r.State != c.state || !strings.Contains(last.Ignored.EN, c.ignored) || last.Ignored.ZH == "" || last.Version != 0 || len(r.Steps) != len(c.steps) {
			t.Errorf("%s: %s, %+v", c.name, r.State, last)
		}
	}
	again := returnHistory(t, submitted(1, "李敏"))
	if r := FoldReturn(september, append(again, again...)); len(r.Steps) != 1 {
		t.Errorf("one event that the log holds twice is %d steps", len(r.Steps))
	}
}

func TestAnAmendmentIsTheDifference(t *testing.T) {
	n := func(v float64) FormValue { return FormValue{Number: v} }
	x := FormValue{Mark: MarkNotAvailable}
	frozen := []FormFigure{{"shifts", n(4), n(40), x}, {"satisfaction", n(0.5), n(0.5), x}, {"gone", n(1), n(1), x}}
	now := []FormFigure{{"shifts", n(5), n(41), x}, {"satisfaction", n(0.5), x, x}}
	want := []FormChange{
		{"shifts", ColumnMonth, n(4), n(5)}, {"shifts", ColumnYTD, n(40), n(41)}, {"satisfaction", ColumnYTD, n(0.5), x},
		{"gone", ColumnMonth, n(1), x}, {"gone", ColumnYTD, n(1), x},
	}
	if diff := cmp.Diff(want, Amendment(frozen, now)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Amendment(frozen, frozen); got != nil {
		t.Errorf("nothing changed, and %v did", got)
	}
}

// Who reports to whom is the tree of divisions on the month's last day.
func TestLinesOfReporting(t *testing.T) {
	for _, c := range []struct{ division, month, to string }{
		{"220182", "2026-09", "220100"}, {"220100", "2026-09", "220000"},
		{"22CB00", "2026-09", "220000"}, {"22CB01", "2026-09", "22CB00"}, {"220581", "2026-09", "220500"},
		{"220381", "2020-05", "220300"}, {"220184", "2020-06", "220100"},
	} {
		id, err := ParseReturnID(c.division + "-" + c.month)
		if err != nil {
			t.Fatal(err)
		}
		up, ok := Returns.ReportsTo(id)
		if !ok || string(up.Division) != c.to || up.Month != id.Month || !slices.Contains(Returns.MadeOf(up), id) || !Returns.Reports(id) {
			t.Errorf("%s reports to %s (%t), which is made of %v", id, up, ok, Returns.MadeOf(up))
		}
	}
	if _, ok := Returns.ReportsTo(ReturnID{Province, september.Month}); ok {
		t.Error("the province reports to somebody")
	}
	for _, bad := range []string{"220184-2020-05", "220381-2020-06", "229999-2026-09", "220182-2026-13", "220182-2026-9", "220182", "220182-2026-09-"} {
		if id, err := ParseReturnID(bad); err == nil {
			t.Errorf("%q is read as %s", bad, id)
		}
	}
}

func TestWhatAStepOfAReturnMustSay(t *testing.T) {
	good := submitted(1, "李敏")[1]
	for _, c := range []struct{ old, new, want string }{
		{`"division":"220182"`, `"division":"220183"`, "data.division: \"220183\" is not that of the subject"},
		{`"month":"2026-09"`, `"month":"2026-08"`, "data.month: \"2026-08\" is not that of the subject"},
		{`"sha256":"8739`, `"sha256":"0739`, "data.sha256: is 0739"},
		{`"file":"UEs`, `"file":"UE?s`, "data.file"},
		{`"last_year":"X"`, `"last_year":"Y"`, "data.figures[0].last_year"},
		{`"ytd":90,`, ``, "data.figures[0]"},
		{`"cut":{"0":7}`, `"cut":{"zero":7}`, "data.cut"},
		{`"cut":{"0":7}`, `"cut":{}`, "data.cut"},
		{`"last_year":"X"}`, `"last_year":"X"},{"cell":"consultations","month":1,"ytd":1,"last_year":1}`, "stands twice"},
		{`"filler":"李敏"`, `"filler":""`, "data.filler"},
		{`"filler"`, `"children":["x"],"filler"`, "data.children"},
	} {
		raw := wire("/divisions/220182", "zhiban.return.submitted.v1", "return/220182-2026-09", strings.Replace(good, c.old, c.new, 1))
		if errs := validate(raw); len(errs) == 0 || !strings.Contains(strings.Join(errs, "\n"), c.want) {
			t.Errorf("%s: %q does not say %q", c.new, errs, c.want)
		}
	}
	for _, source := range []string{"/divisions/220100", "/stations/220182-court"} {
		if errs := validate(wire(source, "zhiban.return.submitted.v1", "return/220182-2026-09", good)); len(errs) != 1 || !strings.HasPrefix(errs[0], "source: expected /divisions/220182") {
			t.Errorf("from %s: %q", source, errs)
		}
	}
	same := strings.Replace(amended(1, 1, 2)[1], `"new":2`, `"new":1`, 1)
	if errs := validate(wire("/divisions/220182", "zhiban.return.amended.v1", "return/220182-2026-09", same)); len(errs) != 1 {
		t.Errorf("an amendment that changes nothing: %q", errs)
	}
}

func TestFormValuesKeepZeroXAndNApart(t *testing.T) {
	for text, want := range map[string]FormValue{`0`: {}, `0.875`: {Number: 0.875}, `"X"`: {Mark: MarkNotAvailable}, `"N"`: {Mark: MarkNotApplicable}} {
		var v FormValue
		if err := json.Unmarshal([]byte(text), &v); err != nil || v != want {
			t.Errorf("%s is read as %v (%v)", text, v, err)
		}
		if b, err := json.Marshal(v); err != nil || string(b) != text {
			t.Errorf("%v is written %s (%v)", v, b, err)
		}
	}
}

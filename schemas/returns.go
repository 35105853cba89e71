package schemas

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// ReturnID names a monthly return: whose, and of which month. It is written
// 220182-2026-09.
type ReturnID struct {
	Division DivisionCode
	Month    Month
}

func (r ReturnID) String() string { return string(r.Division) + "-" + r.Month.String() }

// Case is the subject of the return's events.
func (r ReturnID) Case() CaseID { return CaseID{CaseReturn, r.String()} }

// ParseReturnID reads what String wrote. A division has returns of the months
// at whose end it existed.
func ParseReturnID(s string) (ReturnID, error) {
	if len(s) == 14 && s[6] == '-' {
		d, ok := Divisions.Get(DivisionCode(s[:6]))
		m, err := ParseMonth(s[7:])
		switch {
		case err != nil || m.String() != s[7:]:
		case !ok:
			return ReturnID{}, fmt.Errorf("return %q: %s is not a division of the province", s, s[:6])
		case !d.Valid(m.Last()):
			return ReturnID{}, fmt.Errorf("return %q: in %s %s reported as %s", s, m, d.Name, Divisions.On(d.Code, m.Last()))
		default:
			return ReturnID{d.Code, m}, nil
		}
	}
	return ReturnID{}, fmt.Errorf("return %q is not <division code>-<month>, for example 220182-2026-09", s)
}

// ReturnState is where a return stands in the close of its month.
type ReturnState string

// The states. A return is open until its first step.
const (
	ReturnOpen      ReturnState = "open"      // 待报
	ReturnIsIn      ReturnState = "submitted" // 已报
	ReturnSentBack  ReturnState = "returned"  // 退回
	ReturnClosed    ReturnState = "accepted"  // 已接收
	ReturnIsAmended ReturnState = "amended"   // 已更正
)

// returnSteps are the steps that are allowed in each state, with the state that
// each leads to.
var returnSteps = map[ReturnState]map[string]ReturnState{
	ReturnOpen:      {"submitted": ReturnIsIn},
	ReturnIsIn:      {"returned": ReturnSentBack, "accepted": ReturnClosed},
	ReturnSentBack:  {"submitted": ReturnIsIn},
	ReturnClosed:    {"amended": ReturnIsAmended},
	ReturnIsAmended: {"amended": ReturnIsAmended},
}

// After is the state that a step (the verb of an event type) leads to; false
// when the step is not allowed.
func (s ReturnState) After(verb string) (ReturnState, bool) {
	next, ok := returnSteps[s][verb]
	return next, ok
}

// Steps are the verbs that are allowed, in alphabetical order.
func (s ReturnState) Steps() []string { return slices.Sorted(maps.Keys(returnSteps[s])) }

// Final tells whether the close has ended; what comes now is an amendment.
func (s ReturnState) Final() bool { return s == ReturnClosed || s == ReturnIsAmended }

// Title returns the state's name.
func (s ReturnState) Title() Text {
	switch s {
	case ReturnOpen:
		return Text{"待报", "Open"}
	case ReturnIsIn:
		return Text{"已报待审", "Submitted"}
	case ReturnSentBack:
		return Text{"已退回", "Sent back"}
	case ReturnClosed:
		return Text{"已接收", "Accepted"}
	case ReturnIsAmended:
		return Text{"已更正", "Amended"}
	}
	return Text{string(s), string(s)}
}

// MonthlyReturn is what the steps of one return amount to.
type MonthlyReturn struct {
	ID       ReturnID
	State    ReturnState
	Steps    []ReturnStep   // all of them in log order
	Versions []FrozenReturn // what was frozen, oldest first
}

// ReturnStep is one event of a return.
type ReturnStep struct {
	Event    EventID   `json:"event"`
	Verb     string    `json:"verb"`
	Time     time.Time `json:"time"`
	Recorded time.Time `json:"recorded"` // by the server's clock: what counts for being late
	By       string    `json:"by"`       // the named filler or signer
	Reason   string    `json:"reason,omitempty"`
	Version  int       `json:"version,omitempty"` // of the form that it froze
	// Ignored says why the step has no effect; empty: it has.
	Ignored Text `json:"ignored,omitzero"`
}

// FrozenReturn is one frozen form: that of a submission, or what an amendment
// made of it.
type FrozenReturn struct {
	Version   int // 1 for the first submission
	Amendment int // number of the amendment; 0: a submission
	Event     EventID
	Time      time.Time // the moment of the figures
	Recorded  time.Time
	By        string // filler of a submission, signer of an amendment
	Reason    string // of an amendment
	Form      string
	Cut       map[int]int64
	Figures   []FormFigure
	Changes   []FormChange // of an amendment
	Overrides []ReturnOverride
	Children  []EventID
	Divisions []FormDivision // the sheet of divisions; none of a county
	File      []byte
	SHA256    string
}

// FoldReturn reads the steps of a return in log order. A step that is not
// allowed where it stands — two clerks submitted at once — has no effect and is
// kept with the reason.
func FoldReturn(id ReturnID, history []Event) MonthlyReturn {
	r := MonthlyReturn{ID: id, State: ReturnOpen}
	for _, e := range unrepeated(history) {
		r.add(e)
	}
	return r
}

// Standing is the frozen form that stands; false while there is none, or when
// it was sent back.
func (r MonthlyReturn) Standing() (FrozenReturn, bool) {
	if len(r.Versions) == 0 || r.State == ReturnSentBack {
		return FrozenReturn{}, false
	}
	return r.Versions[len(r.Versions)-1], true
}

// Amendments counts the amendments.
func (r MonthlyReturn) Amendments() int {
	if len(r.Versions) == 0 {
		return 0
	}
	return r.Versions[len(r.Versions)-1].Amendment
}

func (r *MonthlyReturn) add(e Event) {
	step := ReturnStep{Event: e.ID, Verb: e.Type.Verb, Time: e.Time, Recorded: e.Recorded}
	next, allowed := r.State.After(e.Type.Verb)
	if !allowed {
		step.Ignored = Text{r.State.Title().ZH + "的月报不能" + stepWords[e.Type.Verb], fmt.Sprintf("a return that is %s cannot be %s", r.State, e.Type.Verb)}
	}
	frozen := FrozenReturn{Version: len(r.Versions) + 1, Event: e.ID, Time: e.Time, Recorded: e.Recorded}
	freezes := true
	switch p := e.Payload.(type) {
	case *ReturnSubmitted:
		step.By = p.Filler
		frozen.By, frozen.Form, frozen.Cut, frozen.Figures, frozen.Overrides = p.Filler, p.Form, p.Cut, p.Figures, p.Overrides
		frozen.Divisions, frozen.File, frozen.SHA256 = p.Divisions, p.File, p.SHA256
		for _, child := range p.Children {
			if id, ok := parseUUID(child); ok {
				frozen.Children = append(frozen.Children, id)
			}
		}
	case *ReturnAmended:
		step.By, step.Reason = p.Signer, p.Reason
		frozen.By, frozen.Reason, frozen.Form, frozen.Cut, frozen.Changes = p.Signer, p.Reason, p.Form, p.Cut, p.Changes
		frozen.Amendment, frozen.Divisions, frozen.File, frozen.SHA256 = p.Number, p.Divisions, p.File, p.SHA256
		if allowed {
			before := r.Versions[len(r.Versions)-1]
			frozen.Children, frozen.Overrides = before.Children, before.Overrides
			frozen.Figures, step.Ignored = before.amended(p)
		}
	case *ReturnReturned:
		step.By, step.Reason, freezes = p.Signer, p.Reason, false
	case *ReturnAccepted:
		step.By, freezes = p.Signer, false
	}
	if step.Ignored == (Text{}) {
		r.State = next
		if freezes {
			step.Version = frozen.Version
			r.Versions = append(r.Versions, frozen)
		}
	}
	r.Steps = append(r.Steps, step)
}

// stepWords are the steps in Chinese.
var stepWords = map[string]string{"submitted": "上报", "returned": "退回", "accepted": "接收", "amended": "更正"}

// amended are the figures after an amendment of what is frozen, or why it has no
// effect.
func (f FrozenReturn) amended(p *ReturnAmended) ([]FormFigure, Text) {
	switch {
	case p.Number != f.Amendment+1:
		return nil, Text{fmt.Sprintf("这是第%d次更正，而应为第%d次", p.Number, f.Amendment+1), fmt.Sprintf("it is amendment %d, and %d was to come", p.Number, f.Amendment+1)}
	case p.Form != f.Form:
		return nil, Text{fmt.Sprintf("更正的是表式%s，而月报用的是表式%s", p.Form, f.Form), fmt.Sprintf("it amends the form %s, and the return is in %s", p.Form, f.Form)}
	}
	out := slices.Clone(f.Figures)
	for _, c := range p.Changes {
		i := slices.IndexFunc(out, func(x FormFigure) bool { return x.Cell == c.Cell })
		if i < 0 {
			return nil, Text{"表中没有" + c.Cell, "the form has no cell " + c.Cell}
		}
		v := out[i].Value(c.Column)
		if *v != c.Old {
			return nil, Text{fmt.Sprintf("%s（%s）的原值与已上报的不符", c.Cell, c.Column), fmt.Sprintf("what it says stood in %s of %s did not stand there", c.Column, c.Cell)}
		}
		*v = c.New
	}
	return out, Text{}
}

// Amendment lists what differs between frozen figures and the same form's
// figures now. A cell that only one of them has counts as not available in the
// other.
func Amendment(frozen, now []FormFigure) []FormChange {
	var out []FormChange
	for _, old := range frozen {
		current := FormFigure{old.Cell, FormValue{Mark: MarkNotAvailable}, FormValue{Mark: MarkNotAvailable}, FormValue{Mark: MarkNotAvailable}}
		if i := slices.IndexFunc(now, func(x FormFigure) bool { return x.Cell == old.Cell }); i >= 0 {
			current = now[i]
		}
		for _, c := range FormColumns {
			if was, is := *old.Value(c), *current.Value(c); was != is {
				out = append(out, FormChange{old.Cell, c, was, is})
			}
		}
	}
	return out
}

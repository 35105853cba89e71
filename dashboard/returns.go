package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/google/uuid"

	"zhiban/dashboard/export"
	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
	"zhiban/schemas/audit"
)

// returnOperations adds the close of the month to the API.
func (s *Server) returnOperations(api huma.API, get func(path, id, summary string) huma.Operation) {
	huma.Register(api, get("/api/v1/returns", "returns", "The close of a month: who has reported, who is late or missing, who is to be reminded"), s.returnGrid)
	huma.Register(api, file(get("/api/v1/returns/{division}/{month}.xlsx", "return-xlsx", "A division's monthly return as a workbook: the frozen file byte for byte, or the live form"), export.XLSX), s.returnFile)
	huma.Register(api, get("/api/v1/returns/{division}/{month}", "return", "A division's monthly return: figures, state, what stands in the way, every version and step"), s.returnByID)
	guard := http.NewCrossOriginProtection()
	post := func(step, summary string) huma.Operation {
		return huma.Operation{
			OperationID: "return-" + step, Method: http.MethodPost, Path: "/api/v1/returns/{division}/{month}/" + step, Summary: summary, DefaultStatus: http.StatusAccepted,
			SkipValidateParams: true,
			Errors:             []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusNotImplemented, http.StatusServiceUnavailable},
			Middlewares: huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
				if r, _ := humamux.Unwrap(ctx); guard.Check(r) != nil {
					_ = huma.WriteErr(api, ctx, http.StatusForbidden, "the request comes from a page of another origin")
					return
				}
				next(ctx)
			}},
		}
	}
	huma.Register(api, post("submit", "Freeze a month and report it upward"), s.submitReturn)
	huma.Register(api, post("return", "Send a submitted return back"), s.sendBackReturn)
	huma.Register(api, post("accept", "Accept a submitted return"), s.acceptReturn)
	huma.Register(api, post("amend", "Amend an accepted return by what has changed since"), s.amendReturn)
}

func (s *Server) returnGrid(ctx context.Context, in *struct {
	Month    string `query:"month" doc:"month such as 2026-10; the last that is over when left out" example:"2026-10"`
	Division string `query:"division" doc:"division code; all that one may see when left out" example:"220100"`
	rawQuery
}) (*body[report.CloseGrid], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	division, month := r.division(), r.month("month")
	if month == 0 {
		month = schemas.DayOf(s.now()).Month() - 1
	}
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	grid, err := s.read.Returns(ctx, scopeOf(ctx), division, month)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("returns of %s: %w", month, unavailable(err)))
	}
	return &body[report.CloseGrid]{grid}, nil
}

// OfReturn is the path of one return. It is exported for huma, which passes over
// what is not.
type OfReturn struct {
	Division string `path:"division" doc:"division code"`
	Month    string `path:"month" doc:"such as 2026-10"`
	rawQuery
}

// id reads the path; what is wrong with it goes to r.
func (in *OfReturn) id(r *queryReader) schemas.ReturnID {
	month, err := schemas.ParseMonth(in.Month)
	if err != nil {
		r.problem("month", in.Month, "problem.month")
	}
	return schemas.ReturnID{Division: schemas.DivisionCode(in.Division), Month: month}
}

// readReturn is a return as it is now, its live form of a cut when one is given.
func (s *Server) readReturn(ctx context.Context, id schemas.ReturnID, cut map[int]int64) (report.MonthlyReturn, error) {
	m, err := s.read.MonthlyReturn(ctx, scopeOf(ctx), id.Division, id.Month, cut)
	if err != nil {
		return m, fmt.Errorf("return %s: %w", id, unavailable(err))
	}
	return m, nil
}

// returnView is a return as the API shows it.
type returnView struct {
	Division  schemas.DivisionCode `json:"division"`
	Name      string               `json:"name"`
	Unit      string               `json:"unit" doc:"who fills the form"`
	Month     string               `json:"month"`
	From      schemas.Day          `json:"from"`
	To        schemas.Day          `json:"to"`
	Rule      schemas.Text         `json:"rule" doc:"what the month stands for"`
	Due       schemas.Day          `json:"due"`
	ReportsTo schemas.DivisionCode `json:"reports_to,omitempty"`
	State     schemas.ReturnState  `json:"state"`
	Allowed   []string             `json:"allowed" doc:"steps that the asker may take now: submit, return, accept, amend"`
	Row       report.ReturnRow     `json:"row" doc:"the return in the close grid"`
	Blockers  []returnBlocker      `json:"blockers" doc:"what stands in the way of submitting"`
	MadeOf    []report.ReturnRow   `json:"made_of" doc:"the returns of the divisions below"`
	Steps     []schemas.ReturnStep `json:"steps"`
	Versions  []returnVersion      `json:"versions" doc:"what was frozen, oldest first"`
	Live      returnForm           `json:"live" doc:"the form as the books are now"`
	Changes   []schemas.FormChange `json:"changes" doc:"from the version that stands to the live form: what an amendment would say"`
}

type returnBlocker struct {
	report.Blocker
	Links []string `json:"links" doc:"pages that show it"`
}

type returnVersion struct {
	Version   int                      `json:"version"`
	Amendment int                      `json:"amendment" doc:"number of the amendment; 0: a submission"`
	Event     schemas.EventID          `json:"event"`
	Time      time.Time                `json:"time"`
	Recorded  time.Time                `json:"recorded"`
	By        string                   `json:"by"`
	Reason    string                   `json:"reason,omitempty"`
	Form      string                   `json:"form"`
	Cut       report.Cut               `json:"cut"`
	SHA256    string                   `json:"sha256"`
	File      string                   `json:"file" doc:"where the frozen file is"`
	Figures   []schemas.FormFigure     `json:"figures"`
	Changes   []schemas.FormChange     `json:"changes"`
	Overrides []schemas.ReturnOverride `json:"overrides"`
	Children  []schemas.EventID        `json:"children"`
	Divisions []schemas.FormDivision   `json:"divisions" doc:"the sheet of divisions; none of a county"`
}

type returnForm struct {
	Form    string          `json:"form"`
	Title   schemas.Text    `json:"title"`
	Cut     report.Cut      `json:"cut"`
	AsOf    time.Time       `json:"as_of"`
	Columns []returnHeading `json:"columns"`
	Groups  []returnGroup   `json:"groups"`
}

type returnHeading struct {
	Column schemas.FormColumn `json:"column"`
	Title  schemas.Text       `json:"title"`
}

type returnGroup struct {
	Title schemas.Text `json:"title"`
	Lines []returnLine `json:"lines"`
}

type returnLine struct {
	schemas.FormFigure
	Name      schemas.Text      `json:"name"`
	Part      *schemas.Text     `json:"part,omitempty"`
	Unit      schemas.Text      `json:"unit" doc:"of the catalogue, not of the printed form"`
	Before    schemas.FormValue `json:"before" doc:"last month"`
	Deviation *float64          `json:"deviation,omitempty" doc:"from last month, as a part of it"`
	Details   string            `json:"details" doc:"page of the postings behind the month"`
}

func (s *Server) returnByID(ctx context.Context, in *OfReturn) (*body[returnView], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	id := in.id(r)
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	m, err := s.readReturn(ctx, id, nil)
	if err != nil {
		return nil, s.apiError(ctx, err)
	}
	return &body[returnView]{viewReturn(m, s.allowedTo(access.From(ctx), m.MonthlyReturn))}, nil
}

// stepNames are the steps as the API calls them, by the verbs of their events.
var stepNames = map[string]string{"submitted": "submit", "returned": "return", "accepted": "accept", "amended": "amend"}

// allowed are the steps that can be taken in a state.
func allowed(state schemas.ReturnState) []string {
	out := []string{}
	for _, verb := range state.Steps() {
		out = append(out, stepNames[verb])
	}
	return out
}

// allowedTo are those of them that an identity may take.
func (s *Server) allowedTo(i access.Identity, r schemas.MonthlyReturn) []string {
	out := []string{}
	for _, verb := range r.State.Steps() {
		if i.MayStep(s.read.ReturnRules(), r.ID, verb) {
			out = append(out, stepNames[verb])
		}
	}
	return out
}

func viewReturn(m report.MonthlyReturn, allowed []string) returnView {
	l := m.Live
	v := returnView{
		Division: m.ID.Division, Name: l.Division.Name, Unit: l.Unit, Month: m.ID.Month.String(), From: l.Period.From, To: l.Period.To, Rule: l.Rule, Due: l.Due,
		ReportsTo: m.ReportsTo, State: m.State, Row: m.Row, MadeOf: notNil(m.Made), Steps: notNil(m.Steps), Changes: notNil(m.Changes),
		Allowed: allowed, Blockers: []returnBlocker{}, Versions: []returnVersion{},
		Live: returnForm{Form: l.Form.Version, Title: l.Form.Title, Cut: l.Cut, AsOf: l.AsOf.In(schemas.Shanghai)},
	}
	for _, b := range m.Blockers {
		v.Blockers = append(v.Blockers, returnBlocker{b, notNil(blockerLinks(m, b))})
	}
	for _, f := range m.Versions {
		v.Versions = append(v.Versions, returnVersion{f.Version, f.Amendment, f.Event, f.Time.In(schemas.Shanghai), f.Recorded.In(schemas.Shanghai), f.By, f.Reason, f.Form, report.Cut{Offsets: f.Cut}, f.SHA256,
			returnPath(m.ID) + ".xlsx?version=" + strconv.Itoa(f.Version), f.Figures, notNil(f.Changes), notNil(f.Overrides), notNil(f.Children), notNil(f.Divisions)})
	}
	for _, c := range l.Form.Columns {
		v.Live.Columns = append(v.Live.Columns, returnHeading{c.Column, c.Title})
	}
	figures := l.Figures()
	for _, g := range l.Groups {
		group := returnGroup{Title: g.Title}
		for _, line := range g.Lines {
			x := returnLine{FormFigure: figures[0], Name: line.Indicator.Name, Unit: line.Indicator.Unit, Before: line.Before.Frozen(), Details: cellLink(l, line)}
			figures = figures[1:]
			if line.By != "" {
				x.Part = &line.Part
			}
			if d, ok := line.Deviation(); ok {
				x.Deviation = &d
			}
			group.Lines = append(group.Lines, x)
		}
		v.Live.Groups = append(v.Live.Groups, group)
	}
	return v
}

func returnPath(id schemas.ReturnID) string {
	return "/api/v1/returns/" + string(id.Division) + "/" + id.Month.String()
}

// cellLink is the page of the postings behind a line's month.
func cellLink(m report.DivisionMonth, line report.FormLine) string {
	q := url.Values{"division": {string(m.Division.Code)}, "from": {m.Period.From.String()}, "to": {m.Period.To.String()}, "indicator": {strings.Join(codes[string](line.Codes), ",")}}
	if line.By != "" {
		q.Set(string(line.By), line.Value)
	}
	return "/details?" + q.Encode()
}

// blockerLinks are the pages that show what stands in the way.
func blockerLinks(m report.MonthlyReturn, b report.Blocker) []string {
	var out []string
	if b.Indicator != "" {
		out = append(out, cellLink(m.Live, report.FormLine{Codes: []schemas.IndicatorCode{b.Indicator}}))
	}
	if b.Code == report.ParkedInTheWay {
		out = append(out, "/parked")
	}
	for _, d := range b.Divisions {
		out = append(out, "/returns/"+string(d)+"/"+m.ID.Month.String())
	}
	return out
}

func (s *Server) returnFile(ctx context.Context, in *struct {
	Version string `query:"version" doc:"number of a frozen version, or live; what stands when left out, the live form while nothing does"`
	AsOf    string `query:"as_of" doc:"RFC 3339, or a day for its end: the live form of then"`
	OfReturn
}) (*download, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := in.reader()
	id, asOf := in.id(r), r.moment()
	version := r.text("version")
	if n, err := strconv.Atoi(version); version != "" && version != "live" && (err != nil || n < 1) {
		r.problem("version", version, "problem.version")
	}
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	if version != "live" && asOf.IsZero() {
		r, err := s.read.ReturnHistory(ctx, scopeOf(ctx), id.Division, id.Month)
		if err != nil {
			return nil, s.apiError(ctx, fmt.Errorf("return %s: %w", id, unavailable(err)))
		}
		if f, ok := frozenFile(r, version); ok {
			return newDownload(f), nil
		}
		if version != "" {
			return nil, s.apiError(ctx, schemas.Errorf(schemas.NotFound, "return %s has no version %s", id, version))
		}
	}
	live, err := s.read.DivisionMonth(ctx, scopeOf(ctx), id.Division, id.Month, asOf)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("return %s: %w", id, unavailable(err)))
	}
	f, err := export.CountyMonth(live)
	if err != nil {
		return nil, s.apiError(ctx, fmt.Errorf("return %s: %w", id, err))
	}
	return newDownload(f), nil
}

// frozenFile is the file of a version, of what stands when none is named.
func frozenFile(r schemas.MonthlyReturn, version string) (export.File, bool) {
	v, ok := r.Standing()
	if version != "" {
		i := slices.IndexFunc(r.Versions, func(f schemas.FrozenReturn) bool { return strconv.Itoa(f.Version) == version })
		if ok = i >= 0; ok {
			v = r.Versions[i]
		}
	}
	return export.File{Name: fmt.Sprintf("值班律师工作统计表-%s-%s-第%d版.xlsx", schemas.Divisions.Name(r.ID.Division), r.ID.Month, v.Version), Type: export.XLSX, Body: v.File}, ok
}

// stepDone is the answer to a step of a return: it is in the log. The pages show
// it as soon as it is projected.
type stepDone struct {
	Event   schemas.EventID     `json:"event" doc:"the step, in the log"`
	State   schemas.ReturnState `json:"state" doc:"after the step"`
	Version int                 `json:"version,omitempty" doc:"of the form that it froze"`
	SHA256  string              `json:"sha256,omitempty" doc:"of the file that it froze"`
}

func (s *Server) submitReturn(ctx context.Context, in *struct {
	OfReturn
	Body struct {
		Cut       map[int]int64            `json:"cut,omitempty" doc:"of the form that the filler saw; now's when left out"`
		Overrides []schemas.ReturnOverride `json:"overrides,omitempty" doc:"why it is submitted in spite of a blocker"`
	}
}) (*body[stepDone], error) {
	return s.step(ctx, &in.OfReturn, in.Body.Cut, submission(signer(access.From(ctx)), in.Body.Overrides))
}

func (s *Server) sendBackReturn(ctx context.Context, in *struct {
	OfReturn
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500"`
	}
}) (*body[stepDone], error) {
	return s.step(ctx, &in.OfReturn, nil, decision("returned", schemas.ReturnReturned{Signer: signer(access.From(ctx)), Reason: in.Body.Reason}))
}

func (s *Server) acceptReturn(ctx context.Context, in *struct {
	OfReturn
}) (*body[stepDone], error) {
	return s.step(ctx, &in.OfReturn, nil, decision("accepted", schemas.ReturnAccepted{Signer: signer(access.From(ctx))}))
}

func (s *Server) amendReturn(ctx context.Context, in *struct {
	OfReturn
	Body struct {
		Reason string        `json:"reason" minLength:"1" maxLength:"500"`
		Cut    map[int]int64 `json:"cut,omitempty" doc:"of the form that the signer saw; now's when left out"`
	}
}) (*body[stepDone], error) {
	return s.step(ctx, &in.OfReturn, in.Body.Cut, amendment(signer(access.From(ctx)), in.Body.Reason))
}

// step is taken for a program, which is answered in JSON.
func (s *Server) step(ctx context.Context, in *OfReturn, cut map[int]int64, step returnStep) (*body[stepDone], error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if s.cfg.Append == nil {
		return nil, huma.NewError(http.StatusNotImplemented, "this dashboard only reads: start it with --ingest, the address of an ingest server, to close months here")
	}
	r := in.reader()
	id := in.id(r)
	if err := r.err(); err != nil {
		return nil, s.apiError(ctx, err)
	}
	done, err := s.take(ctx, id, cut, step)
	if err != nil {
		return nil, s.stepError(ctx, err)
	}
	return &body[stepDone]{done}, nil
}

// returnStep is a step of a return to be taken: its verb, whether it freezes the
// live form, and what it says of the return as it is.
type returnStep struct {
	verb    string
	freezes bool
	make    func(report.MonthlyReturn) (any, stepDone, error)
}

// submission freezes the live form.
func submission(filler string, overrides []schemas.ReturnOverride) returnStep {
	return returnStep{"submitted", true, func(m report.MonthlyReturn) (any, stepDone, error) {
		if open := report.Unanswered(m.Blockers, overrides); len(open) > 0 {
			return nil, stepDone{}, blocked(open)
		}
		version := len(m.Versions) + 1
		m.Live.Frozen = &report.Stamp{Version: version, By: filler}
		f, err := export.CountyMonth(m.Live)
		if err != nil {
			return nil, stepDone{}, err
		}
		p := report.Freeze(m, filler, overrides, f.Body)
		return p, stepDone{Version: version, SHA256: p.SHA256}, nil
	}}
}

// decision says yes or no to a submitted return.
func decision(verb string, payload any) returnStep {
	return returnStep{verb, false, func(report.MonthlyReturn) (any, stepDone, error) { return payload, stepDone{}, nil }}
}

// amendment freezes what differs from what stands.
func amendment(signer, reason string) returnStep {
	return returnStep{"amended", true, func(m report.MonthlyReturn) (any, stepDone, error) {
		if len(m.Changes) == 0 {
			return nil, stepDone{}, errNothingToAmend
		}
		version := len(m.Versions) + 1
		m.Live.Frozen = &report.Stamp{Version: version, Amendment: m.Amendments() + 1, By: signer, Reason: reason, Changes: m.Changes}
		f, err := export.CountyMonth(m.Live)
		if err != nil {
			return nil, stepDone{}, err
		}
		p := report.Amend(m, signer, reason, f.Body)
		return p, stepDone{Version: version, SHA256: p.SHA256}, nil
	}}
}

var errNothingToAmend = schemas.Errorf(schemas.Conflict, "nothing differs from the version that stands: there is nothing to amend")

// take appends one step of a return to the log.
func (s *Server) take(ctx context.Context, id schemas.ReturnID, cut map[int]int64, step returnStep) (stepDone, error) {
	r, err := s.read.ReturnHistory(ctx, scopeOf(ctx), id.Division, id.Month)
	if err != nil {
		return stepDone{}, fmt.Errorf("return %s: %w", id, unavailable(err))
	}
	if !access.From(ctx).MayStep(s.read.ReturnRules(), id, step.verb) {
		return stepDone{}, schemas.Errorf(schemas.Forbidden, "a return is submitted and amended by its division's own office, and decided by the office that it reports to")
	}
	next, ok := r.State.After(step.verb)
	if !ok {
		return stepDone{}, schemas.Errorf(schemas.Conflict, "return %s is %s; what can be done now: %s", id, r.State, strings.Join(allowed(r.State), ", "))
	}
	m := report.MonthlyReturn{MonthlyReturn: r, Live: report.DivisionMonth{AsOf: s.now()}}
	if step.freezes {
		if m, err = s.readReturn(ctx, id, cut); err != nil {
			return stepDone{}, err
		}
	}
	payload, done, err := step.make(m)
	if err != nil {
		return stepDone{}, err
	}
	env, err := returnEvent(id, step.verb, m.Live.AsOf, payload)
	if err != nil {
		return stepDone{}, err
	}
	if s.cfg.Audit != nil {
		who := access.From(ctx)
		if err := s.cfg.Audit(ctx, audit.Record{Account: who.Account, Role: string(who.Role), Action: "month-" + stepNames[step.verb], Object: id.String(), Outcome: "allowed", Detail: env.ID}); err != nil {
			return stepDone{}, fmt.Errorf("return %s: %w", id, err)
		}
	}
	if err := s.cfg.Append(ctx, []schemas.Envelope{env}); err != nil {
		return stepDone{}, fmt.Errorf("return %s: %w", id, schemas.Errorf(schemas.Unavailable, "append a step: %w", err))
	}
	done.Event, done.State = uuid.MustParse(env.ID), next
	return done, nil
}

// returnEvent is a step as an event, checked as ingest will.
func returnEvent(id schemas.ReturnID, verb string, at time.Time, payload any) (schemas.Envelope, error) {
	data, err := json.Marshal(payload)
	if err != nil {
		return schemas.Envelope{}, err
	}
	event, err := uuid.NewV7()
	if err != nil {
		return schemas.Envelope{}, err
	}
	env := schemas.Envelope{SpecVersion: "1.0", ID: event.String(), Source: "/divisions/" + string(id.Division), Type: "zhiban.return." + verb + ".v1",
		Subject: id.Case().String(), Time: at.UTC().Format(schemas.WireTime), DataContentType: "application/json", Data: data}
	raw, err := json.Marshal(env)
	if err != nil {
		return schemas.Envelope{}, err
	}
	if _, _, wrong := schemas.Validate(raw); len(wrong) > 0 {
		return schemas.Envelope{}, invalidStep(wrong)
	}
	return env, nil
}

// invalidStep is what validation finds wrong with a step.
type invalidStep []schemas.FieldError

func (e invalidStep) Error() string { return fmt.Sprint([]schemas.FieldError(e)) }

// blocked is what stands in the way of a submission.
type blocked []report.Blocker

func (b blocked) Error() string { return fmt.Sprintf("%d blockers", len(b)) }

// Unwrap says what kind of error it is.
func (b blocked) Unwrap() error { return &schemas.Error{Kind: schemas.Conflict, Message: b.Error()} }

// stepError answers with everything that is wrong.
func (s *Server) stepError(ctx context.Context, err error) error {
	var details []error
	if wrong, ok := errors.AsType[invalidStep](err); ok {
		for _, w := range wrong {
			details = append(details, &huma.ErrorDetail{Location: w.Location, Message: w.Message})
		}
		return huma.NewError(http.StatusUnprocessableEntity, "the step cannot be recorded; every problem is listed", details...)
	}
	if open, ok := errors.AsType[blocked](err); ok {
		for _, b := range open {
			message := b.Title.EN
			if b.Final {
				message += "; no reason helps"
			}
			details = append(details, &huma.ErrorDetail{Location: "blockers." + string(b.Code), Message: message, Value: b.Count})
		}
		return huma.NewError(http.StatusConflict, "something stands in the way; mend it, or submit with a reason for each", details...)
	}
	return s.apiError(ctx, err)
}

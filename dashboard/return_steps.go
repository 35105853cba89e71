package dashboard

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// submitForm reports a month upward.
type submitForm struct {
	Action, Cut string
	Blockers    []blockerField
	Filler      string
	Confirmed   bool
	Stopped     bool // no reason helps
	Clear       string
	To          string
}

// blockerField is something in the way: where to mend it, or why to submit all
// the same.
type blockerField struct {
	Code, Text, Hint string
	Links            []link
	Final            bool
	Reason           string
	Unanswered       bool // a submission gave no reason
}

// reviewForm is for whom a return was submitted to.
type reviewForm struct {
	Action, By string
	Signer     string
	Reason     string // of who sends it back
}

// amendForm changes an accepted return to what the books say now.
type amendForm struct {
	Action, Cut    string
	Heading        string
	Changes        []changeRow
	Signer, Reason string
	Confirmed      bool
}

type changeRow struct{ Name, Column, Old, New string }

// entry is what was entered into a form that could not be carried out, and why.
type entry struct {
	step      string
	reason    string
	reasons   map[string]string // by blocker
	cut       map[int]int64
	confirmed bool
	problems  []string
}

func (v *visit) submitForm(m report.MonthlyReturn, in entry) *submitForm {
	if _, ok := m.State.After("submitted"); !ok {
		return nil
	}
	f := &submitForm{Action: v.stepAction(m.ID), Cut: m.Live.Cut.String(), To: v.t("return.submit.own"), Filler: signer(v.who)}
	if m.ReportsTo != "" {
		f.To = v.t("return.submit.to", schemas.Divisions.Name(m.ReportsTo))
	}
	if in.step == "submit" {
		f.Confirmed = in.confirmed
	}
	for _, b := range m.Blockers {
		field := v.blockerField(m, b, in.reasons[string(b.Code)])
		field.Unanswered = in.step == "submit" && field.Reason == ""
		f.Blockers = append(f.Blockers, field)
		f.Stopped = f.Stopped || b.Final
	}
	if len(f.Blockers) == 0 {
		f.Clear = v.t("return.clear")
	}
	return f
}

// blockerField shows a blocker with the pages where it can be mended.
func (v *visit) blockerField(m report.MonthlyReturn, b report.Blocker, reason string) blockerField {
	f := blockerField{Code: string(b.Code), Text: v.t("return.blocker", v.blockerTitle(b.Code), number(float64(b.Count))), Final: b.Final, Reason: reason}
	if b.Indicator != "" {
		f.Links = append(f.Links, link{v.t("return.open"), v.details(b.Indicator, m.ID.Division, m.Live.Period, asReturned(m, time.Time{})...)})
	}
	for _, d := range b.Divisions {
		f.Links = append(f.Links, v.returnLink(schemas.ReturnID{Division: d, Month: m.ID.Month}))
	}
	f.Hint = v.t(blockerMends[b.Code])
	switch b.Code {
	case report.PeriodRunning:
		f.Text = v.t("return.blocker.days", v.blockerTitle(b.Code), number(float64(b.Count)))
	case report.ParkedInTheWay:
		f.Links = append(f.Links, link{v.t("return.open"), v.link("/parked", "month", "")})
	}
	return f
}

// blockerMends say how each blocker is mended.
var blockerMends = map[report.BlockerCode]string{
	report.PeriodRunning:   "return.mend.period",
	report.UnsignedLines:   "return.mend.unsigned",
	report.OpenShifts:      "return.mend.shifts",
	report.MissingEvidence: "return.mend.evidence",
	report.ParkedInTheWay:  "return.mend.parked",
	report.ChildrenMissing: "return.mend.missing",
	report.ChildrenChanged: "return.mend.changed",
}

func (p phrases) blockerTitle(code report.BlockerCode) string { return code.Title().In(string(p)) }

func (v *visit) reviewForm(m report.MonthlyReturn, in entry) *reviewForm {
	if _, ok := m.State.After("accepted"); !ok {
		return nil
	}
	by := m.Live.Division.Name
	if m.ReportsTo != "" {
		by = schemas.Divisions.Name(m.ReportsTo)
	}
	f := &reviewForm{Action: v.stepAction(m.ID), By: v.t("return.review.by", by), Signer: signer(v.who)}
	if in.step == "return" {
		f.Reason = in.reason
	}
	return f
}

// amendForm is nil while nothing differs from what stands.
func (v *visit) amendForm(m report.MonthlyReturn, in entry) *amendForm {
	if _, ok := m.State.After("amended"); !ok || len(m.Changes) == 0 {
		return nil
	}
	f := &amendForm{Action: v.stepAction(m.ID), Cut: m.Live.Cut.String(), Heading: v.t("return.amend", m.Amendments()+1), Signer: signer(v.who)}
	if in.step == "amend" {
		f.Reason, f.Confirmed = in.reason, in.confirmed
	}
	lines := map[string]report.FormLine{}
	for _, g := range m.Live.Groups {
		for _, line := range g.Lines {
			lines[line.Cell] = line
		}
	}
	for _, c := range m.Changes {
		row := changeRow{Name: c.Cell, Column: v.columnTitle(m.Live.Form, c.Column)}
		line, ok := lines[c.Cell]
		if ok {
			row.Name = v.t("unit.paren", line.Indicator.Name.In(string(v.phrases)), v.unit(line.Indicator))
			if line.By != "" {
				row.Name = v.t("return.part", row.Name, line.Part.In(string(v.phrases)))
			}
		}
		row.Old, row.New = v.formCell(line, report.Thawed(c.Old)).Text, v.formCell(line, report.Thawed(c.New)).Text
		f.Changes = append(f.Changes, row)
	}
	return f
}

func (v *visit) stepAction(id schemas.ReturnID) string { return v.returnLink(id).Href }

// maxStepForm bounds what a form of a step may hold.
const maxStepForm = 64 << 10

// returnStep takes a step that a form asks for and leads back to the return. When it
// cannot be taken, the page says why and keeps what was entered.
func (s *Server) returnStep(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.Timeout)
	defer cancel()
	v := newVisit(r, s.now())
	w.Header().Set("Cache-Control", "no-store")
	id, err := v.returnID()
	if err == nil {
		err = v.err()
	}
	if err != nil {
		s.answer(ctx, w, v, statusOf(err), v.failure(err))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxStepForm)
	if err := r.ParseForm(); err != nil {
		s.refuse(ctx, w, v, id, entry{problems: []string{v.t("return.bad.form")}}, http.StatusUnprocessableEntity)
		return
	}
	step, in := v.entry(r.PostForm)
	if len(in.problems) > 0 {
		s.refuse(ctx, w, v, id, in, http.StatusUnprocessableEntity)
		return
	}
	done, err := s.take(ctx, id, in.cut, step)
	if err != nil {
		s.logError(ctx, statusOf(err), err)
		in.problems = v.explain(err)
		s.refuse(ctx, w, v, id, in, stepStatus(err))
		return
	}
	s.await(ctx, id, done.Event)
	http.Redirect(w, r, v.link(returnsPath(id), "month", "", "figure", "", "view", "", "done", step.verb, "event", done.Event.String()), http.StatusSeeOther)
}

// entry reads a form: the step that it asks for, and what is missing.
func (v *visit) entry(form url.Values) (returnStep, entry) {
	in := entry{step: form.Get("step"), reasons: map[string]string{}, confirmed: form.Get("confirm") == "yes"}
	text := func(field string, longest int, missing string) string {
		value := strings.TrimSpace(form.Get(field))
		switch {
		case value == "" && missing != "":
			in.problems = append(in.problems, missing)
		case utf8.RuneCountInString(value) > longest:
			in.problems = append(in.problems, v.t("return.bad.long", string([]rune(value)[:20]), longest))
		}
		return value
	}
	confirmed := func() {
		if !in.confirmed {
			in.problems = append(in.problems, v.t("return.bad.confirm"))
		}
	}
	cut := func() {
		var ok bool
		if in.cut, ok = parseCut(form.Get("cut")); !ok {
			in.problems = append(in.problems, v.t("return.bad.form"))
		}
	}
	switch in.step {
	case "submit":
		confirmed()
		cut()
		var overrides []schemas.ReturnOverride
		for _, field := range slices.Sorted(maps.Keys(form)) {
			blocker, ok := strings.CutPrefix(field, "reason.")
			if !ok {
				continue
			}
			if reason := text(field, 500, ""); reason != "" {
				in.reasons[blocker] = reason
				overrides = append(overrides, schemas.ReturnOverride{Blocker: blocker, Reason: reason})
			}
		}
		return submission(signer(v.who), overrides), in
	case "return":
		in.reason = text("reason", 500, v.t("return.bad.reason"))
		return decision("returned", schemas.ReturnReturned{Signer: signer(v.who), Reason: in.reason}), in
	case "accept":
		return decision("accepted", schemas.ReturnAccepted{Signer: signer(v.who)}), in
	case "amend":
		in.reason = text("reason", 500, v.t("return.bad.reason"))
		confirmed()
		cut()
		return amendment(signer(v.who), in.reason), in
	}
	in.problems = append(in.problems, v.t("return.bad.form"))
	return returnStep{}, in
}

// parseCut reads what Cut.String wrote.
func parseCut(text string) (map[int]int64, bool) {
	out := map[int]int64{}
	for part := range strings.SplitSeq(text, ",") {
		p, o, _ := strings.Cut(part, ":")
		partition, err := strconv.Atoi(p)
		offset, err2 := strconv.ParseInt(o, 10, 64)
		if err != nil || err2 != nil {
			return nil, false
		}
		out[partition] = offset
	}
	return out, true
}

// explain says in the clerk's words why a step was not taken, and what to do.
func (v *visit) explain(err error) []string {
	if open, ok := errors.AsType[blocked](err); ok {
		if slices.ContainsFunc(open, func(b report.Blocker) bool { return b.Final }) {
			return []string{v.t("return.bad.final")}
		}
		return []string{v.t("return.bad.blockers", number(float64(len(open))))} // which they are is said where they stand
	}
	if wrong, ok := errors.AsType[invalidStep](err); ok {
		var out []string
		for _, w := range wrong {
			out = append(out, v.t("return.bad.field", w.Location, w.Message))
		}
		return out
	}
	switch {
	case schemas.KindOf(err) == schemas.Forbidden:
		return []string{v.t("return.bad.office")}
	case errors.Is(err, errNothingToAmend):
		return []string{v.t("return.bad.nothing")}
	case schemas.KindOf(err) == schemas.Conflict:
		return []string{v.t("return.bad.state")}
	case schemas.KindOf(err) == schemas.Invalid:
		return []string{v.t("return.bad.old")}
	case schemas.KindOf(err) == schemas.Unavailable:
		return []string{v.t("return.bad.unavailable")}
	}
	return []string{v.t("return.bad.other")}
}

// stepStatus is the status of a step that was not taken.
func stepStatus(err error) int {
	if _, ok := errors.AsType[blocked](err); ok {
		return http.StatusConflict
	}
	if _, ok := errors.AsType[invalidStep](err); ok {
		return http.StatusUnprocessableEntity
	}
	return statusOf(err)
}

// refuse answers with the return as it is now, what was entered and why it was
// not done.
func (s *Server) refuse(ctx context.Context, w http.ResponseWriter, v *visit, id schemas.ReturnID, in entry, status int) {
	err := s.stand(ctx, v)
	var m report.MonthlyReturn
	if err == nil {
		m, err = s.readReturn(ctx, id, v.cut.Offsets)
	}
	if err != nil {
		s.logError(ctx, statusOf(err), err)
		s.answer(ctx, w, v, statusOf(err), v.failure(err))
		return
	}
	s.answer(ctx, w, v, status, s.returnOf(v, m, in))
}

// answer writes a page that is not to be kept.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, v *visit, status int, p page) {
	html, err := s.html(v, p)
	if err != nil {
		s.log.ErrorContext(ctx, "page", "error", err)
		http.Error(w, v.t("error.500"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.htmlLang())
	w.WriteHeader(status)
	_, _ = w.Write(html)
}

// await waits until a step is in the books, for a while: then the page that
// comes next says that it is on its way.
func (s *Server) await(ctx context.Context, id schemas.ReturnID, event schemas.EventID) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout/4)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for seen := ""; ; {
		status, err := s.read.Status(ctx)
		if err != nil {
			return
		}
		if cut := status.Cut.String(); cut != seen {
			seen = cut
			r, err := s.read.ReturnHistory(ctx, scopeOf(ctx), id.Division, id.Month)
			if err != nil || slices.ContainsFunc(r.Steps, func(x schemas.ReturnStep) bool { return x.Event == event }) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"zhiban/schemas"
)

// Options are the command line of an import.
type Options struct {
	Files   []string
	Station schemas.StationCode // empty: from the titles
	DryRun  bool                // read, report and mark, but send nothing
	Server  string              // shown in the report
	Out     io.Writer           // the report

	// Send delivers events in order and returns what became of each. With an
	// error come the results of the events before it. Not used in a dry run.
	Send func(context.Context, []schemas.Envelope) ([]Result, error)

	// Known, when there is one, returns those of the events with the given ids
	// that the platform holds already, as they count now. What it holds is not
	// sent again; what has changed since is sent as a correction. Without it
	// everything is sent, and for events the platform holds their first content
	// stands.
	Known func(ctx context.Context, ids []string) (map[string]schemas.Envelope, error)

	// Held, when there is one, returns the events of a source and a kind of case that
	// the platform holds of the days from to to, as they count now; nil when it
	// cannot tell. Lines that were imported before and are not in the file any more
	// are found by it.
	Held func(ctx context.Context, source schemas.Source, kind schemas.CaseKind, from, to schemas.Day) ([]schemas.Envelope, error)

	// Progress, when there is one, hears how far the import is.
	Progress func(Progress)

	// Now is the clock for the time of corrections; nil: time.Now.
	Now func() time.Time
}

// Progress is how far the import of a file is.
type Progress struct {
	File        string
	Stage       Stage
	Done, Total int // rows read, of which the total is not known (0), or events sent
}

// Stage is what an import is doing.
type Stage int

// The stages.
const (
	Reading Stage = iota
	Sending
	Ended // the report follows
)

func (o Options) progress(file string, stage Stage, done, total int) {
	if o.Progress != nil {
		o.Progress(Progress{file, stage, done, total})
	}
}

// Result is what became of an event.
type Result struct {
	ID       string
	Accepted bool
	Errors   []schemas.FieldError // why it was rejected
}

// ErrRejected says that some rows were rejected, and that everything else was
// imported.
var ErrRejected = errors.New("有行被退回，其余已导入")

// ExitStatus is the exit status for Import's error: 0 when every line was
// accepted or repeated, 2 when some were rejected and the rest imported, 1
// when a file could not be imported.
func ExitStatus(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrRejected):
		return 2
	}
	return 1
}

// sendBatch is how many events go to Send at once, askBatch how many ids to
// Known.
const (
	sendBatch = 1000
	askBatch  = 1000
)

// Import imports files: each is read, sent and reported, and a marked copy is
// written beside it when there is something to mark. A file that cannot be
// read does not stop the others; a server that cannot be reached does.
func Import(ctx context.Context, o Options) error {
	if len(o.Files) == 0 {
		return schemas.Errorf(schemas.Invalid, "没有给出要导入的文件")
	}
	run := &run{Options: o, seen: map[string]seen{}}
	var failed, rejected, accepted, repeated int
	for i, path := range o.Files {
		if i > 0 {
			fmt.Fprintln(o.Out)
		}
		l, err := run.file(ctx, path)
		if l == nil {
			fmt.Fprintf(o.Out, "%v\n", err)
			failed++
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		rejected += len(l.Rejections)
		repeated += len(l.Repeats)
		accepted += l.Accepted()
		if err != nil {
			if rest := len(o.Files) - i - 1; rest > 0 {
				fmt.Fprintf(o.Out, "\n其余 %d 个文件没有处理\n", rest)
			}
			return fmt.Errorf("导入没有完成：%w", err)
		}
	}
	if len(o.Files) > 1 {
		word := "导入"
		if o.DryRun {
			word = "可导入"
		}
		fmt.Fprintf(o.Out, "\n共 %d 个文件：%s %d 行，重复 %d 行，退回 %d 行", len(o.Files), word, accepted, repeated, rejected)
		if failed > 0 {
			fmt.Fprintf(o.Out, "；%d 个文件读不出来", failed)
		}
		fmt.Fprintln(o.Out)
	}
	switch {
	case failed > 0:
		return schemas.Errorf(schemas.Invalid, "%d 个文件没有导入", failed)
	case rejected > 0:
		return ErrRejected
	}
	return nil
}

// run is one call of Import.
type run struct {
	Options
	seen map[string]seen // by case, the lines of the files before
}

type seen struct {
	place schemas.Text
	says  string
}

// file imports one file. Without a ledger the error is why it could not be
// read; with one, why not everything was sent.
func (r *run) file(ctx context.Context, path string) (*Ledger, error) {
	src, err := readFile(path)
	if err != nil {
		return nil, err
	}
	l, s, err := r.source(ctx, path, src)
	if err != nil {
		return nil, err
	}
	if l.Marked() {
		if s.Copy, err = writeCopy(path, src, l); err != nil {
			l.notice("", 0, tell("标注副本没有写成：%v", err))
		}
	}
	if err := Report(r.Out, l, s); err != nil {
		return l, err
	}
	return l, s.Err
}

// source imports what a file holds, whose name is path.
func (r *run) source(ctx context.Context, path string, src []byte) (*Ledger, Sent, error) {
	r.progress(path, Reading, 0, 0)
	l, err := Read(path, bytes.NewReader(src), ReadOptions{Station: r.Station, Stop: ctx.Err, Rows: func(rows int) { r.progress(path, Reading, rows, 0) }})
	if err != nil {
		return nil, Sent{}, err
	}
	l.compareFiles(r.seen)
	defer r.progress(path, Ended, 0, 0)
	s := Sent{DryRun: r.DryRun, Server: r.Server, Events: len(l.Events), Asked: r.Known != nil}
	switch {
	case !r.DryRun:
		r.send(ctx, l, &s)
	case r.Known != nil && len(l.Events) <= mostLooked:
		r.look(ctx, l, &s)
	}
	if r.Held != nil && s.Err == nil {
		r.findGone(ctx, l)
	}
	l.sort()
	return l, s, nil
}

// mostLooked is for how many events a dry run asks what the platform holds.
const mostLooked = 5000

// look tells for a dry run what the platform holds already.
func (r *run) look(ctx context.Context, l *Ledger, s *Sent) {
	events, _, err := r.unknown(ctx, l, s)
	if err != nil {
		s.Known, s.Changed = 0, 0
		l.notice("", 0, tell("没有问到平台上已有哪些记录：%v", err))
		return
	}
	s.Events = len(events)
}

// Source is a file that is at hand, with its name.
type Source struct {
	Name string
	Data []byte
}

// Outcome is what became of a source: either it could not be read (Err), or it
// is a ledger that was sent (Sent, with an Err of its own when not all was).
type Outcome struct {
	Ledger *Ledger
	Sent   Sent
	Err    error
}

// ImportSources imports as Import does, but from memory, and returns what
// became of each source instead of reporting it. Options.Files and Out are not
// used. After a server that cannot be used the sources left are not sent.
func ImportSources(ctx context.Context, o Options, sources []Source) []Outcome {
	r := &run{Options: o, seen: map[string]seen{}}
	out := make([]Outcome, len(sources))
	for i, src := range sources {
		out[i].Ledger, out[i].Sent, out[i].Err = r.source(ctx, src.Name, src.Data)
		if out[i].Sent.Err != nil {
			r.Send = func(context.Context, []schemas.Envelope) ([]Result, error) { return nil, out[i].Sent.Err }
			r.Known, r.Held = nil, nil
		}
	}
	return out
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, unreadable(path, "没有这个文件")
	case errors.Is(err, os.ErrPermission):
		return nil, unreadable(path, "没有读这个文件的权限")
	case err != nil:
		return nil, unreadable(path, "打不开：%v", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, unreadable(path, "是文件夹，请给出文件")
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, unreadable(path, "读取失败：%v", err)
	}
	return b, nil
}

// compareFiles takes out the lines that an earlier file of the run has: as
// repeats when they say the same, as conflicts when they do not.
func (l *Ledger) compareFiles(before map[string]seen) {
	out := make(map[int]bool)
	for i, n := range l.lines {
		s := l.Sheets[n.sheet]
		id := s.caseOf(n).String()
		says := s.Kind.row().says(n)
		old, ok := before[id]
		switch {
		case !ok:
			before[id] = seen{tell("%s 的 %s 第%d行", filepath.Base(l.File), s.Name, n.row), says}
		case old.says == says:
			l.repeat(n, old.place)
			out[i] = true
		default:
			l.reject(n, Rejection{Code: Conflict, col: -1, Reason: tell("与%s是同一%s同一时间，但内容不同；请核对后只留一行，确是两次的请放在同一个文件里", old.place, s.Kind.whose())})
			out[i] = true
		}
	}
	if len(out) == 0 {
		return
	}
	events, origins := l.Events[:0], l.origins[:0]
	for i, e := range l.Events {
		if !out[l.origins[i]] {
			events, origins = append(events, e), append(origins, l.origins[i])
		}
	}
	l.Events, l.origins = events, origins
}

// send delivers a ledger's events and takes out the lines of those that the
// server rejects.
func (r *run) send(ctx context.Context, l *Ledger, s *Sent) {
	events, origins, err := r.unknown(ctx, l, s)
	if err != nil {
		s.Err = err
		return
	}
	rejected := map[int]bool{}
	r.progress(l.File, Sending, 0, len(events))
	for first := 0; first < len(events); first += sendBatch {
		batch := events[first:min(first+sendBatch, len(events))]
		results, err := r.Send(ctx, batch)
		if err == nil && len(results) != len(batch) {
			err = errorf("服务器对 %d 条事件只答复了 %d 条", len(batch), len(results))
		}
		for i, result := range results[:min(len(results), len(batch))] {
			if result.Accepted {
				s.Accepted++
				continue
			}
			s.Rejected++
			if origin := origins[first+i]; !rejected[origin] {
				rejected[origin] = true
				n := l.lines[origin]
				l.reject(n, l.Sheets[n.sheet].refusal(result))
			}
		}
		r.progress(l.File, Sending, first+min(len(results), len(batch)), len(events))
		if err != nil {
			s.Err = err
			return
		}
	}
}

// refusal puts the server's answer in the clerk's words.
func (s *Sheet) refusal(result Result) Rejection {
	r := Rejection{Code: Refused, col: -1}
	var reasons []schemas.Text
	for _, e := range result.Errors {
		text, where := schemas.Text{ZH: e.Message, EN: e.Message}, e.Location
		if strings.HasPrefix(e.Message, "your account") {
			text, where = tell("您的账号无权为该工作站或区划登记这类事项"), ""
		}
		if f, ok := s.fieldAt(e.Location); ok && s.layout.has(f) {
			if r.col < 0 {
				r.col, r.Column = s.layout.col[f], s.layout.name(f)
			}
			where = s.layout.name(f)
		}
		if where != "" {
			text = schemas.Text{ZH: where + "：" + text.ZH, EN: where + ": " + text.EN}
		}
		reasons = append(reasons, text)
	}
	r.Reason = tell("服务器拒收：%s", join(reasons, "；", "; "))
	if len(reasons) == 0 {
		r.Reason = tell("服务器拒收，没有说明原因")
	}
	return r
}

// fieldAt is the column that an error of the server speaks of.
func (s *Sheet) fieldAt(location string) (field, bool) {
	name, _, _ := strings.Cut(strings.TrimPrefix(location, "data."), "[")
	switch name {
	case "in_custody":
		return colCustody, true
	case "agency":
		return colAgency, true
	case "organ":
		return colOrgan, true
	case "trigger":
		return colTrigger, true
	case "form":
		return colForm, true
	case "evidence":
		return colEvidence, true
	case "topic":
		return colTopic, true
	case "hours":
		return colHours, true
	case "fen":
		return colAmount, true
	case "payable_by":
		return colPayableBy, true
	case "lawyer":
		return colLicence, true
	case "mode":
		return colMode, true
	case "channel":
		return colChannel, true
	case "person_role":
		return colRole, true
	case "topics":
		return colQuestion, true
	case "minutes":
		return colMinutes, true
	case "time":
		return colDate, true
	}
	return 0, false
}

// unknown leaves out the events that the platform holds already, and turns
// those that it holds with another content into corrections.
func (r *run) unknown(ctx context.Context, l *Ledger, s *Sent) ([]schemas.Envelope, []int, error) {
	if r.Known == nil {
		return l.Events, l.origins, nil
	}
	known := map[string]schemas.Envelope{}
	for part := range slices.Chunk(l.Events, askBatch) {
		ids := make([]string, len(part))
		for i, e := range part {
			ids[i] = e.ID
		}
		found, err := r.Known(ctx, ids)
		if err != nil {
			return nil, nil, errorf("查询已导入的记录：%v", err)
		}
		for id, e := range found {
			known[id] = e
		}
	}
	var events []schemas.Envelope
	var origins []int
	for i, e := range l.Events {
		old, ok := known[e.ID]
		if ok {
			var err error
			if e, err = withPerson(old, e); err != nil {
				return nil, nil, err
			}
		}
		if ok && sameContent(old, e) {
			s.Known++
			continue
		}
		if ok {
			c, err := r.correction(old, e)
			if err != nil {
				return nil, nil, err
			}
			s.Changed++
			n := l.lines[l.origins[i]]
			l.notice(l.Sheets[n.sheet].Name, n.row, tell("与此前导入的内容不同，作为更正导入"))
			e = c
		}
		events, origins = append(events, e), append(origins, l.origins[i])
	}
	return events, origins, nil
}

// withPerson is e with the pseudonym under which the platform holds the person of
// the line: keyed, it can only be compared with itself.
func withPerson(held, e schemas.Envelope) (schemas.Envelope, error) {
	var was struct {
		Person string `json:"person"`
	}
	if json.Unmarshal(held.Data, &was) != nil || !schemas.IsKeyed(was.Person) {
		return e, nil //nolint:nilerr // what names nobody has no pseudonym to compare
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return e, err
	}
	if data["person"] == nil {
		return e, nil
	}
	var err error
	if data["person"], err = json.Marshal(was.Person); err != nil {
		return e, err
	}
	e.Data, err = json.Marshal(data)
	return e, err
}

func sameContent(a, b schemas.Envelope) bool {
	ta, errA := time.Parse(time.RFC3339, a.Time)
	tb, errB := time.Parse(time.RFC3339, b.Time)
	var da, db any
	return errA == nil && errB == nil && ta.Equal(tb) &&
		json.Unmarshal(a.Data, &da) == nil && json.Unmarshal(b.Data, &db) == nil && reflect.DeepEqual(da, db)
}

// correction is the event that replaces old by e. Its id is fresh: a line may
// be changed, changed back and changed again.
func (r *run) correction(old, e schemas.Envelope) (schemas.Envelope, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return e, err
	}
	p := schemas.Corrected{Target: e.ID, Data: e.Data, Reason: "台账改正后重新导入"}
	if old.Time != e.Time {
		p.Time = e.Time
	}
	data, err := json.Marshal(p)
	if err != nil {
		return e, err
	}
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	kind, _, _ := strings.Cut(e.Subject, "/")
	return schemas.Envelope{SpecVersion: "1.0", ID: id.String(), Source: e.Source, Type: "zhiban." + kind + ".corrected.v1",
		Subject: e.Subject, Time: now().In(schemas.Shanghai).Format(time.RFC3339), DataContentType: "application/json", Data: data}, nil
}

// Marked tells whether some row has to be marked.
func (l *Ledger) Marked() bool {
	return len(l.Rejections) > 0 || len(l.Repeats) > 0 || slices.ContainsFunc(l.Notices, func(n Notice) bool { return len(n.Rows) > 0 })
}

var copyName = regexp.MustCompile(`^(.*)\.` + resultHeading + `(\d*)$`)

// copyOf is the name of a file's marked copy without its extension, its number,
// and the extension of what the file is, whatever it is called.
func copyOf(path string, f format) (base string, n int, ext string) {
	base = strings.TrimSuffix(path, filepath.Ext(path))
	n = 1
	if m := copyName.FindStringSubmatch(base); m != nil {
		base = m[1]
		n, _ = strconv.Atoi(m[2])
		n = max(n, 1) + 1
	}
	if ext = strings.ToLower(filepath.Ext(path)); f == formatXLSX && (ext == ".xlsm" || ext == ".xltx") {
		return base, n, ext
	}
	return base, n, f.ext()
}

// CopyName is what the ledger's marked copy is called.
func (l *Ledger) CopyName() string {
	base, n, ext := copyOf(filepath.Base(l.File), l.format)
	if n > 1 {
		return fmt.Sprintf("%s.%s%d%s", base, resultHeading, n, ext)
	}
	return base + "." + resultHeading + ext
}

// writeCopy writes the marked copy beside the file, as 名称.导入结果.xlsx or .csv. A file
// that is there may have been mended by hand and is never overwritten: the
// next copy is 名称.导入结果2.xlsx.
func writeCopy(path string, src []byte, l *Ledger) (string, error) {
	var b bytes.Buffer
	if err := Annotate(src, l, &b); err != nil {
		return "", err
	}
	base, n, ext := copyOf(path, l.format)
	for {
		name := base + "." + resultHeading + ext
		if n > 1 {
			name = fmt.Sprintf("%s.%s%d%s", base, resultHeading, n, ext)
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, os.ErrExist) {
			if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, b.Bytes()) {
				return name, nil
			}
			n++
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(b.Bytes())
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(name)
			return "", err
		}
		return name, nil
	}
}

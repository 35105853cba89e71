package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"zhiban/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it anew):\n%s", name, diff)
	}
}

// platform stands for the server: it takes what is valid, once.
type platform struct {
	t      *testing.T
	events map[string]schemas.Envelope
	order  []schemas.Envelope
	sent   int
	reject func(schemas.Envelope) []schemas.FieldError
	away   int // after how many events it does not answer any more; 0: never
}

func newPlatform(t *testing.T) *platform {
	return &platform{t: t, events: map[string]schemas.Envelope{}}
}

func (p *platform) Send(_ context.Context, events []schemas.Envelope) ([]Result, error) {
	validate(p.t, events)
	var out []Result
	for _, e := range events {
		if p.away > 0 && p.sent == p.away {
			return out, errors.New("connection refused")
		}
		p.sent++
		if p.reject != nil {
			if errs := p.reject(e); errs != nil {
				out = append(out, Result{ID: e.ID, Errors: errs})
				continue
			}
		}
		if _, ok := p.events[e.ID]; !ok {
			p.events[e.ID] = e
			p.order = append(p.order, e)
		}
		out = append(out, Result{ID: e.ID, Accepted: true})
	}
	return out, nil
}

// Known answers as a platform does that applies corrections.
func (p *platform) Known(_ context.Context, ids []string) (map[string]schemas.Envelope, error) {
	out := map[string]schemas.Envelope{}
	for _, id := range ids {
		e, ok := p.events[id]
		if !ok {
			continue
		}
		var history []schemas.Event
		for _, other := range p.order {
			if ev, err := other.Parse(); err == nil && other.Subject == e.Subject {
				history = append(history, ev)
			}
		}
		for _, r := range schemas.Effective(history) {
			if r.ID.String() == id {
				out[id] = r.Envelope()
			}
		}
	}
	return out, nil
}

// inDir goes to a new directory with files in it.
func inDir(t *testing.T, files map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

func county(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".xlsx")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run imports files and returns what the clerk sees.
func runImport(t *testing.T, o Options) (string, error) {
	t.Helper()
	var out strings.Builder
	o.Out = &out
	err := Import(context.Background(), o)
	return out.String(), err
}

func TestTheClerkReadsWhatBecameOfEveryRow(t *testing.T) {
	files := map[string][]byte{}
	var paths []string
	for _, name := range countyLedgers {
		files[name+".xlsx"] = county(t, name)
		paths = append(paths, name+".xlsx")
	}
	for _, c := range []struct {
		golden string
		o      Options
		status int
		err    string
	}{
		{"import.golden", Options{Files: paths, Send: newPlatform(t).Send, Server: "http://zhiban.example"}, 2, "有行被退回，其余已导入"},
		{"dry-run.golden", Options{Files: paths[:1], DryRun: true}, 2, "有行被退回，其余已导入"},
		{"refused.golden", Options{Files: paths[1:], Send: (&platform{t: t, events: map[string]schemas.Envelope{}, reject: func(e schemas.Envelope) []schemas.FieldError {
			if strings.HasSuffix(e.Time, "14:53:00+08:00") {
				return []schemas.FieldError{{Location: "data.person_role", Message: "expected value to be one of …"}}
			}
			return nil
		}}).Send}, 2, "有行被退回，其余已导入"},
		{"away.golden", Options{Files: paths, Send: (&platform{t: t, events: map[string]schemas.Envelope{}, away: 40}).Send, Server: "http://zhiban.example"}, 1, "导入没有完成：connection refused"},
		{"unreadable.golden", Options{Files: []string{"没有.xlsx", "通讯录.xlsx", paths[0]}, Send: newPlatform(t).Send}, 1, "2 个文件没有导入"},
	} {
		t.Run(c.golden, func(t *testing.T) {
			home, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			files["通讯录.xlsx"] = book(t, sheet{name: "通讯录", rows: [][]any{{"姓名", "电话"}}})
			inDir(t, files)
			text, err := runImport(t, c.o)
			if ExitStatus(err) != c.status || err == nil || err.Error() != c.err {
				t.Errorf("exit status %d: %v", ExitStatus(err), err)
			}
			t.Chdir(home)
			golden(t, c.golden, text)
		})
	}
}

func TestACleanLedgerLeavesNoCopyAndStatusZero(t *testing.T) {
	inDir(t, map[string][]byte{"a.xlsx": book(t, signInSheet(shiftLine))})
	p := newPlatform(t)
	text, err := runImport(t, Options{Files: []string{"a.xlsx"}, Send: p.Send})
	if err != nil || len(p.events) != 2 || strings.Contains(text, "标注副本") {
		t.Errorf("%v %d events\n%s", err, len(p.events), text)
	}
	if got, _ := filepath.Glob("*"); len(got) != 1 {
		t.Errorf("files %v", got)
	}
}

func TestADryRunSendsNothing(t *testing.T) {
	inDir(t, map[string][]byte{"a.xlsx": book(t, signInSheet(shiftLine))})
	text, err := runImport(t, Options{Files: []string{"a.xlsx"}, DryRun: true, Send: func(context.Context, []schemas.Envelope) ([]Result, error) {
		t.Error("sent")
		return nil, nil
	}})
	if err != nil || !strings.Contains(text, "试运行：没有发送；正式导入时会发送 2 条事件") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestLinesThatStandInTwoFilesOfARunCountOnce(t *testing.T) {
	inDir(t, map[string][]byte{
		"a.xlsx": book(t, signInSheet(shiftLine), consultSheet(consultLine)),
		"b.xlsx": book(t, signInSheet(with(shiftLine, 1, "2026年9月1日"), with(shiftLine, 1, "2026-09-02")), consultSheet(with(consultLine, 5, "缓刑适用咨询"))),
	})
	p := newPlatform(t)
	text, err := runImport(t, Options{Files: []string{"a.xlsx", "b.xlsx"}, Send: p.Send})
	if f := count(t, p.order); f.Shifts != 2 || f.Consultations != 1 || p.sent != 6 {
		t.Errorf("%+v", f)
	}
	if !errors.Is(err, ErrRejected) || !strings.Contains(text, "签到簿 第3行 与a.xlsx 的 签到簿 第3行相同") || !strings.Contains(text, "与a.xlsx 的 咨询台账 第3行是同一律师同一时间，但内容不同") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestSendingGoesOnWhereItBrokeOff(t *testing.T) {
	inDir(t, map[string][]byte{"a.xlsx": county(t, countyLedgers[0])})
	p := newPlatform(t)
	p.away = 100
	if _, err := runImport(t, Options{Files: []string{"a.xlsx"}, Send: p.Send}); ExitStatus(err) != 1 {
		t.Errorf("%v", err)
	}
	p.away = 0
	if _, err := runImport(t, Options{Files: []string{"a.xlsx"}, Send: p.Send}); ExitStatus(err) != 2 {
		t.Errorf("%v", err)
	}
	if f := count(t, p.order); f.Shifts != 28 || f.Consultations != 88 || f.DutyMinutes != 13078 {
		t.Errorf("%+v", f)
	}
}

func TestAChangedLineGoesOutAsACorrection(t *testing.T) {
	inDir(t, map[string][]byte{
		"a.xlsx": book(t, signInSheet(shiftLine), consultSheet(consultLine)),
		"b.xlsx": book(t, signInSheet(with(with(shiftLine, 5, "17:00"), 6, "电话")), consultSheet(with(consultLine, 3, "被告人"))),
	})
	p := newPlatform(t)
	now := time.Date(2026, 10, 8, 9, 0, 0, 0, schemas.Shanghai)
	o := Options{Send: p.Send, Known: p.Known, Now: func() time.Time { return now }}
	var last string
	for i, step := range []struct {
		file string
		sent int
	}{{"a.xlsx", 4}, {"a.xlsx", 0}, {"b.xlsx", 3}, {"b.xlsx", 0}, {"a.xlsx", 3}, {"b.xlsx", 3}} {
		before := p.sent
		o.Files = []string{step.file}
		text, err := runImport(t, o)
		if err != nil || p.sent-before != step.sent {
			t.Errorf("step %d: %v, sent %d, want %d\n%s", i, err, p.sent-before, step.sent, text)
		}
		last = text
	}
	if !strings.Contains(last, "3 条更正") || !strings.Contains(last, "与此前导入的内容不同，作为更正导入（第3行）") {
		t.Error(last)
	}
	want := read(t, book(t, signInSheet(with(with(shiftLine, 5, "17:00"), 6, "电话")), consultSheet(with(consultLine, 3, "被告人"))), ReadOptions{})
	for _, e := range want.Events {
		known, err := p.Known(context.Background(), []string{e.ID})
		if err != nil || !sameContent(known[e.ID], e) {
			t.Errorf("%v\n%s %s\n%s %s", err, known[e.ID].Time, known[e.ID].Data, e.Time, e.Data)
		}
	}
}

func TestAMarkedCopyNeverReplacesAFile(t *testing.T) {
	inDir(t, map[string][]byte{"a.xlsx": book(t, signInSheet(shiftLine, shiftLine)), "a.导入结果.xlsx": []byte("mended by hand")})
	text, err := runImport(t, Options{Files: []string{"a.xlsx"}, DryRun: true})
	if err != nil || !strings.Contains(text, "标注副本：a.导入结果2.xlsx") {
		t.Errorf("%v\n%s", err, text)
	}
	text, err = runImport(t, Options{Files: []string{"a.导入结果2.xlsx"}, DryRun: true})
	if err != nil || !strings.Contains(text, "标注副本：a.导入结果3.xlsx") {
		t.Errorf("%v\n%s", err, text)
	}
	if b, err := os.ReadFile("a.导入结果.xlsx"); err != nil || string(b) != "mended by hand" {
		t.Errorf("%v %s", err, b)
	}
}

func TestACopyThatCannotBeWrittenDoesNotStopTheImport(t *testing.T) {
	name := strings.Repeat("a", 245) + ".xlsx" // with anything added it is too long for a file
	inDir(t, map[string][]byte{name: book(t, signInSheet(shiftLine, shiftLine))})
	p := newPlatform(t)
	text, err := runImport(t, Options{Files: []string{name}, Send: p.Send})
	if err != nil || len(p.events) != 2 || !strings.Contains(text, "标注副本没有写成") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestManyEventsGoInBatches(t *testing.T) {
	var lines [][]any
	for i := range 1200 {
		lines = append(lines, with(with(shiftLine, 1, 46266+i%30), 4, float64(i+1)/1440))
		lines[i][5] = "23:00"
	}
	inDir(t, map[string][]byte{"a.xlsx": book(t, signInSheet(lines...))})
	p := newPlatform(t)
	var batches []int
	_, err := runImport(t, Options{Files: []string{"a.xlsx"}, Send: func(ctx context.Context, e []schemas.Envelope) ([]Result, error) {
		batches = append(batches, len(e))
		return p.Send(ctx, e)
	}})
	if err != nil || len(p.events) != 2400 || len(batches) != 3 || batches[0] != 1000 {
		t.Errorf("%v %d %v", err, len(p.events), batches)
	}
}

func TestAServerThatAnswersShortIsAFailure(t *testing.T) {
	inDir(t, map[string][]byte{"a.xlsx": book(t, signInSheet(shiftLine))})
	text, err := runImport(t, Options{Files: []string{"a.xlsx"}, Send: func(_ context.Context, e []schemas.Envelope) ([]Result, error) {
		return []Result{{ID: e[0].ID, Accepted: true}}, nil
	}})
	if ExitStatus(err) != 1 || !strings.Contains(text, "服务器对 2 条事件只答复了 1 条") || !bytes.Contains([]byte(text), []byte("可导入")) {
		t.Errorf("%v\n%s", err, text)
	}
}

// The platform holds a person under a keyed pseudonym, which the file cannot know.
func TestALineWhosePersonIsKeyedIsNotChanged(t *testing.T) {
	inDir(t, map[string][]byte{
		"a.xlsx": book(t, consultSheet(consultLine)),
		"b.xlsx": book(t, consultSheet(with(consultLine, 3, "被告人"))),
	})
	p := newPlatform(t)
	const keyed = schemas.KeyedPrefix + "abcdefghijklmnopqrstuvwxyz234567"
	o := Options{Files: []string{"a.xlsx"}, Send: p.Send, Known: func(ctx context.Context, ids []string) (map[string]schemas.Envelope, error) {
		known, err := p.Known(ctx, ids)
		for id, e := range known {
			var data map[string]any
			if json.Unmarshal(e.Data, &data) == nil && data["person"] != nil {
				data["person"] = keyed
				e.Data, _ = json.Marshal(data)
				known[id] = e
			}
		}
		return known, err
	}}
	for i, sent := range []int{2, 0} {
		before := p.sent
		if text, err := runImport(t, o); err != nil || p.sent-before != sent {
			t.Errorf("time %d: %v, sent %d, expected %d\n%s", i, err, p.sent-before, sent, text)
		}
	}
	o.Files = []string{"b.xlsx"}
	if text, err := runImport(t, o); err != nil || !strings.Contains(text, "1 条更正") {
		t.Errorf("%v\n%s", err, text)
	}
	var c schemas.Corrected
	var data schemas.ConsultationRecorded
	last := p.order[len(p.order)-1]
	if json.Unmarshal(last.Data, &c) != nil || json.Unmarshal(c.Data, &data) != nil || data.Person != keyed || data.PersonRole != "defendant" {
		t.Errorf("the correction is %s", last.Data)
	}
}

func TestWhatTheAccountMayNotIsSaidInWords(t *testing.T) {
	inDir(t, map[string][]byte{"a.xlsx": book(t, signInSheet(shiftLine))})
	p := newPlatform(t)
	p.reject = func(schemas.Envelope) []schemas.FieldError {
		return []schemas.FieldError{{Location: "source", Message: "your account may write for /stations/220183-court alone, not for /stations/220182-court"}}
	}
	text, err := runImport(t, Options{Files: []string{"a.xlsx"}, Send: p.Send})
	if !errors.Is(err, ErrRejected) || !strings.Contains(text, "服务器拒收：您的账号无权为该工作站或区划登记这类事项") {
		t.Errorf("%v\n%s", err, text)
	}
	for kind, want := range map[schemas.ErrorKind]string{schemas.Unauthenticated: "请重新登录", schemas.Forbidden: "没有这项权限", schemas.Unavailable: "the reason"} {
		if got := ErrorText(fmt.Errorf("send: %w", schemas.Errorf(kind, "the reason"))); !strings.Contains(got.ZH, want) {
			t.Errorf("kind %d is told %s", kind, got.ZH)
		}
	}
}

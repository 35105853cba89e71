package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"

	"zhiban/schemas"
)

// Held answers as a platform does that counts everything it was sent.
func (p *platform) Held(ctx context.Context, source schemas.Source, kind schemas.CaseKind, from, to schemas.Day) ([]schemas.Envelope, error) {
	var out []schemas.Envelope
	for id := range p.events {
		known, err := p.Known(ctx, []string{id})
		if err != nil {
			return nil, err
		}
		for _, e := range known {
			if ev, err := e.Parse(); err == nil && ev.Source == source && ev.Case.Kind == kind && from <= schemas.DayOf(ev.Time) && schemas.DayOf(ev.Time) <= to {
				out = append(out, e)
			}
		}
	}
	return out, nil
}

func TestALineThatIsGoneIsToldAndNotVoided(t *testing.T) {
	second := with(with(shiftLine, 4, "13:00"), 5, "17:30")
	moved := with(second, 4, "13:05") // a changed time makes another line
	inDir(t, map[string][]byte{
		"both.xlsx": book(t, signInSheet(shiftLine, second), consultSheet(consultLine)), "one.xlsx": book(t, signInSheet(shiftLine), consultSheet(consultLine)),
		"moved.xlsx": book(t, signInSheet(shiftLine, moved), consultSheet(consultLine)),
	})
	p := newPlatform(t)
	// What was entered at a desk is no line of any ledger.
	desk := schemas.Envelope{SpecVersion: "1.0", ID: "0199a1c2-7d1e-7c3a-9a55-0242ac120002", Source: "/stations/220182-court", Type: "zhiban.shift.signed_in.v1",
		Subject: "shift/0199a1c2-7d1e-7c3a-9a55-0242ac120001", Time: "2026-09-01T20:00:00+08:00", Data: []byte(`{"lawyer":"` + wang + `","mode":"onsite"}`)}
	p.events[desk.ID], p.order = desk, append(p.order, desk)
	for _, step := range []struct {
		file     string
		dry      bool
		gone     int
		says     string
		doesSend int
	}{
		{"both.xlsx", true, 0, "", 0},
		{"both.xlsx", false, 0, "", 6},
		{"both.xlsx", false, 0, "", 0},
		{"one.xlsx", true, 1, "签到簿 2026-09-01 13:00，执业证号 " + wang, 0},
		{"one.xlsx", false, 1, "签到簿 2026-09-01 13:00，执业证号 " + wang, 0},
		{"moved.xlsx", false, 1, "签到簿 2026-09-01 13:00，执业证号 " + wang, 2},
		{"both.xlsx", false, 1, "签到簿 2026-09-01 13:05，执业证号 " + wang, 0},
	} {
		before := p.sent
		text, err := runImport(t, Options{Files: []string{step.file}, DryRun: step.dry, Send: p.Send, Known: p.Known, Held: p.Held})
		if err != nil || p.sent-before != step.doesSend {
			t.Errorf("%s: %v, sent %d, expected %d", step.file, err, p.sent-before, step.doesSend)
		}
		told := strings.Contains(text, "1 行曾导入、本次文件中没有。它们仍在计数") && strings.Contains(text, step.says)
		if told != (step.gone == 1) || step.gone == 0 && strings.Contains(text, "本次文件中没有") {
			t.Errorf("%s, dry %v: expected %d gone\n%s", step.file, step.dry, step.gone, text)
		}
	}
	p.events[desk.ID] = desk
	text, err := runImport(t, Options{Files: []string{"one.xlsx"}, Send: p.Send, Known: p.Known, Held: func(context.Context, schemas.Source, schemas.CaseKind, schemas.Day, schemas.Day) ([]schemas.Envelope, error) {
		return nil, errors.New("away")
	}})
	if err != nil || !strings.Contains(text, "没有问到此前导入过、本次没有的行：away") {
		t.Errorf("%v\n%s", err, text)
	}
}

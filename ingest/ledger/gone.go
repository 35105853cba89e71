package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"zhiban/schemas"
)

// Gone is a line that was imported before, counts, and is not in the file: it
// was deleted there, or its date, time or lawyer was changed, which makes it
// another line. It is told and never voided by itself, for it may also stand in
// another file of the same month.
type Gone struct {
	Kind   Kind
	Event  string // the first of its case
	Time   time.Time
	Lawyer string // licence; empty when the line names none
}

// Text says which line it is.
func (g Gone) Text() schemas.Text {
	at := g.Time.In(schemas.Shanghai).Format("2006-01-02 15:04")
	if g.Lawyer == "" {
		return tell("%s %s", g.Kind.Text(), at)
	}
	return tell("%s %s，执业证号 %s", g.Kind.Text(), at, g.Lawyer)
}

// GoneText says what the lines that are gone mean, and what to do.
func (l *Ledger) GoneText() schemas.Text {
	return tell("%d 行曾导入、本次文件中没有。它们仍在计数：确已删除的，或改了日期、时间、律师的，请把旧记录在平台上作废；在同月另一份台账里的不用管", len(l.Gone))
}

// findGone asks which lines of the file's tables the platform holds and the file
// does not have. It knows them by their ids: what was not imported has others.
// Asked for are the days of the table's month, or from its first line to its
// last when the title names no month.
func (r *run) findGone(ctx context.Context, l *Ledger) {
	type table struct {
		source schemas.Source
		kind   Kind
	}
	type span struct{ from, to schemas.Day }
	present := map[uuid.UUID]bool{}
	days := map[table]map[schemas.Month]span{}
	var tables []table
	for _, n := range l.lines {
		s := &l.Sheets[n.sheet]
		present[s.caseOf(n)] = true
		t, day := table{s.Source, s.Kind}, schemas.DayOf(n.start)
		if days[t] == nil {
			days[t] = map[schemas.Month]span{}
			tables = append(tables, t)
		}
		month := day.Month()
		in, ok := days[t][month]
		if !ok {
			in = span{day, day}
		}
		if s.period.month != 0 && s.period.day().Month() == month {
			in = span{month.First(), month.Last()}
		}
		days[t][month] = span{min(in.from, day), max(in.to, day)}
	}
	for _, t := range tables {
		for _, in := range days[t] {
			held, err := r.Held(ctx, t.source, schemas.CaseKind(t.kind), in.from, in.to)
			if err != nil {
				l.notice("", 0, tell("没有问到此前导入过、本次没有的行：%v", err))
				return
			}
			for _, e := range held {
				if c, ok := lineOf(e); ok && !present[c] {
					l.Gone = append(l.Gone, gone(t.kind, e))
				}
			}
		}
	}
	slices.SortFunc(l.Gone, func(a, b Gone) int { return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Event, b.Event)) })
}

// lineOf is the case of an event, when it is the first event of a line that was
// imported.
func lineOf(e schemas.Envelope) (uuid.UUID, bool) {
	kind, key, _ := strings.Cut(e.Subject, "/")
	c, err := uuid.Parse(key)
	row := Kind(kind).row()
	return c, err == nil && row.events != nil && e.Type == row.eventType(row.events(line{}, "")[0].verb) && e.ID == eventID(c, e.Type).String()
}

func gone(kind Kind, e schemas.Envelope) Gone {
	g := Gone{Kind: kind, Event: e.ID}
	g.Time, _ = time.Parse(time.RFC3339, e.Time) // of the platform, which has read it
	var data struct{ Lawyer string }
	if json.Unmarshal(e.Data, &data) == nil {
		g.Lawyer = data.Lawyer
	}
	return g
}

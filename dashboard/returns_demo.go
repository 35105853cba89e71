package dashboard

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"zhiban/dashboard/report"
	"zhiban/schemas"
	"zhiban/schemas/access"
)

// DemoClose closes months of a made-up past as the clerks of the province would
// have: most counties in time, some late, one a month sent back, some amended; of
// the last month that is due a prefecture has not finished. Every step is taken by
// the code that takes a real one, as of its moment in the past.
type DemoClose struct {
	// Figures are read with a clock that DemoClose sets: they are its alone.
	Figures *report.Warehouse
	// Append writes steps to the log with the recordedtime that they carry.
	Append func(context.Context, []schemas.Envelope) error
	// Log gets what goes wrong; slog.Default when nil.
	Log *slog.Logger
	// First is the first month to be closed; Until is the moment at which the past
	// ends: steps that would come later are not taken.
	First schemas.Month
	Until time.Time

	server *Server
	clock  atomic.Pointer[time.Time]
	mu     sync.Mutex
	taken  []schemas.Envelope
}

// demoStep is a step that a clerk takes at a moment.
type demoStep struct {
	id   schemas.ReturnID
	at   time.Time
	verb string
}

// Run takes the steps, level by level, and returns when they are projected. What
// was done before is not done again: a run that was interrupted goes on. Figures
// must hold the months' events.
func (d *DemoClose) Run(ctx context.Context) error {
	now := func() time.Time { return *d.clock.Load() }
	d.clock.Store(&d.Until)
	d.Figures.Clock = now
	var err error
	if d.server, err = New(Config{Now: now, Append: d.take, Log: d.Log, Timeout: time.Minute}, d.Figures); err != nil {
		return err
	}
	for _, round := range d.rounds() {
		if err := d.round(ctx, round); err != nil {
			return fmt.Errorf("close the months of the demo: %w", err)
		}
	}
	return nil
}

// rounds are the steps in the order in which one waits for another.
func (d *DemoClose) rounds() [][]demoStep {
	rules := d.Figures.ReturnRules()
	rounds := make([][]demoStep, 9)
	add := func(round int, id schemas.ReturnID, verb string, day schemas.Day) {
		at := day.Start().Add(9*time.Hour + time.Duration(chance(id, verb, 8))*time.Hour)
		if !at.Add(time.Hour).After(d.Until) {
			rounds[round] = append(rounds[round], demoStep{id, at, verb})
		}
	}
	open := d.unfinished(rules)
	for month := d.First; month < schemas.DayOf(d.Until).Month(); month++ {
		province := schemas.ReturnID{Division: schemas.Province, Month: month}
		due := func(level schemas.DivisionLevel) schemas.Day { return rules.DueDay(level, month) }
		complete := true
		for _, p := range rules.MadeOf(province) {
			finished := true
			for k, c := range rules.MadeOf(p) {
				county := due(schemas.LevelCounty)
				day := county - schemas.Day(1+chance(c, "day", 6))
				if chance(c, "late", 15) == 0 {
					day = county + 1
				}
				if p == open { // of four counties one is missing, one sent back, one to be reviewed
					finished = false
					if k%4 > 0 {
						add(0, c, "submitted", day)
					}
					if k%4 == 1 {
						add(1, c, "returned", day+1)
					}
					if k%4 == 3 {
						add(3, c, "accepted", county+1)
					}
					continue
				}
				add(0, c, "submitted", day)
				if k == 0 && chance(p, "sent back", 8) == 0 {
					add(1, c, "returned", day+1)
					add(2, c, "submitted", day+2)
				}
				add(3, c, "accepted", max(day+3, county))
				if chance(c, "amended", 12) == 0 {
					add(8, c, "amended", due(schemas.LevelProvince)+5)
				}
			}
			if complete = complete && finished; finished {
				add(4, p, "submitted", due(schemas.LevelPrefecture))
				add(5, p, "accepted", due(schemas.LevelPrefecture)+1)
			}
		}
		if complete {
			add(6, province, "submitted", due(schemas.LevelProvince)-1)
			add(7, province, "accepted", due(schemas.LevelProvince))
		}
	}
	return rounds
}

// unfinished is the return that waits for its counties: a prefecture's, of the last
// month that is due.
func (d *DemoClose) unfinished(rules *schemas.ReturnRules) schemas.ReturnID {
	month := schemas.DayOf(d.Until).Month() - 1
	for rules.DueDay(schemas.LevelProvince, month) > schemas.DayOf(d.Until) {
		month--
	}
	var most schemas.ReturnID
	for _, p := range rules.MadeOf(schemas.ReturnID{Division: schemas.Province, Month: month}) {
		if n := len(rules.MadeOf(p)); n >= 4 && (most.Division == "" || chance(p, "open", 1000) < chance(most, "open", 1000)) {
			most = p
		}
	}
	return most
}

// round takes steps, those of one moment at the same time, and waits until they
// are in the books.
func (d *DemoClose) round(ctx context.Context, steps []demoStep) error {
	slices.SortStableFunc(steps, func(a, b demoStep) int { return a.at.Compare(b.at) })
	for len(steps) > 0 {
		at := steps[0].at
		n := slices.IndexFunc(steps, func(s demoStep) bool { return s.at != at })
		if n < 0 {
			n = len(steps)
		}
		d.clock.Store(&at)
		cut, err := d.Figures.Cut(ctx, at)
		if err != nil {
			return err
		}
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(2)
		for _, s := range steps[:n] {
			g.Go(func() error { return d.step(ctx, s, cut.Offsets) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
		steps = steps[n:]
	}
	taken := d.taken
	d.taken = nil
	if len(taken) == 0 {
		return nil
	}
	slices.SortStableFunc(taken, func(a, b schemas.Envelope) int { return strings.Compare(a.RecordedTime, b.RecordedTime) })
	if err := d.Append(ctx, taken); err != nil {
		return err
	}
	return d.projected(ctx, taken)
}

// step takes one step, unless the return is beyond it.
func (d *DemoClose) step(ctx context.Context, s demoStep, cut map[int]int64) error {
	office := s.id
	if up, ok := d.Figures.ReturnRules().ReportsTo(s.id); ok && (s.verb == "accepted" || s.verb == "returned") {
		office = up
	}
	of, _ := schemas.Divisions.Get(office.Division)
	who := demoClerks[chance(schemas.ReturnID{Division: office.Division}, "", len(demoClerks))]
	ctx = access.With(ctx, access.Identity{Account: "demo-" + string(of.Code), Title: who, Role: access.Offices[of.Level], Scope: access.Scope{Division: of.Code, SmallCells: true}})
	var step returnStep
	switch s.verb {
	case "submitted":
		step = submission(who, demoReasons)
	case "returned":
		step = decision(s.verb, schemas.ReturnReturned{Signer: who, Reason: "看守所值班班次与签到簿不符，请核对"})
	case "accepted":
		step = decision(s.verb, schemas.ReturnAccepted{Signer: who})
	case "amended":
		step = amendment(who, "补录、更正上报后发现的台账")
	}
	say := step.make
	step.make = func(m report.MonthlyReturn) (any, stepDone, error) {
		if slices.ContainsFunc(m.Steps, func(x schemas.ReturnStep) bool { return x.Verb == s.verb && x.Time.Equal(s.at) }) {
			return nil, stepDone{}, schemas.Errorf(schemas.Conflict, "return %s was %s before", s.id, s.verb)
		}
		return say(m)
	}
	_, err := d.server.take(ctx, s.id, cut, step)
	if schemas.KindOf(err) == schemas.Conflict {
		return nil // it was taken before, by this or by somebody; or there is nothing to amend
	}
	return err
}

// demoReasons are given for what is not mended by the time of reporting.
var demoReasons = []schemas.ReturnOverride{
	{Blocker: string(report.UnsignedLines), Reason: "承办律师出差，下月补签"},
	{Blocker: string(report.OpenShifts), Reason: "已核对签到簿，次月补录签退"},
	{Blocker: string(report.MissingEvidence), Reason: "已函告办案机关补交凭据"},
	{Blocker: string(report.ParkedInTheWay), Reason: "已报平台处理，不影响本月"},
	{Blocker: string(report.ChildrenChanged), Reason: "已通知下级办理更正"},
}

// demoClerks are invented.
var demoClerks = []string{"赵国华", "李敏", "王春燕", "金成哲", "孙立新", "刘慧敏", "张文静", "于海涛", "朴美花", "陈志远", "杨丽娟", "周晓东"}

// take is the log of the steps until the round ends. A step has the same id
// whenever it is taken, and is recorded within the hour.
func (d *DemoClose) take(_ context.Context, events []schemas.Envelope) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range events {
		e.ID = uuid.NewSHA1(uuid.NameSpaceURL, []byte(e.Subject+" "+e.Type+" "+e.Time)).String()
		at := d.clock.Load().Add(time.Duration(chance(schemas.ReturnID{}, e.Subject+e.Time, 3600)) * time.Second)
		e.RecordedTime, e.RecordedBy = at.UTC().Format(schemas.WireTime), "demo"
		d.taken = append(d.taken, e)
	}
	return nil
}

// projected waits until events are in the books: the last of every partition.
func (d *DemoClose) projected(ctx context.Context, events []schemas.Envelope) error {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	cut, err := d.Figures.Cut(ctx, time.Time{})
	if err != nil {
		return err
	}
	seen := map[int]bool{}
	for _, e := range slices.Backward(events) {
		for {
			found, err := d.Figures.Event(ctx, access.ProvinceWide, uuid.MustParse(e.ID))
			if err == nil {
				seen[found.Partition] = true
				break
			}
			if schemas.KindOf(err) != schemas.NotFound {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-look.C:
			}
		}
		if len(seen) == len(cut.Offsets) {
			break
		}
	}
	return nil
}

// chance is a number below n that is always the same for a return and a matter.
func chance(id schemas.ReturnID, of string, n int) int {
	h := fnv.New32a()
	h.Write([]byte(id.String() + " " + of))
	return int(h.Sum32() % uint32(n))
}

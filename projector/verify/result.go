package verify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"zhiban/schemas"
)

// Result is what a verification compared and found. Its lists are bounded; More,
// MoreDamaged and MoreEvents count what they leave out.
type Result struct {
	Started     time.Time     `json:"started"`
	Ended       time.Time     `json:"ended"`
	Version     int           `json:"version"` // of the tables
	Cut         map[int]int64 `json:"cut"`     // by partition, the first offset that was not read
	Records     int64         `json:"records"` // of the log, below the cut
	Events      int64         `json:"events"`  // of them events that were counted
	Parked      int64         `json:"parked"`  // of them records that are parked
	Figures     int64         `json:"figures"` // compared
	Batches     int64         `json:"batches"` // whose rows were hashed
	Differences []Difference  `json:"differences,omitempty"`
	More        int64         `json:"more,omitempty"`
	Damaged     []Damage      `json:"damaged,omitempty"`
	MoreDamaged int64         `json:"more_damaged,omitempty"`
}

// Difference is a figure that the projection has otherwise than the recount. It
// is of a month and a place, or of a month and a lawyer. Where both numbers are
// the same, what lies below them differs: days, lawyers, modes, persons ….
type Difference struct {
	Indicator  schemas.IndicatorCode `json:"indicator"`
	Month      string                `json:"month"`
	Source     string                `json:"source,omitempty"` // station or division code
	Lawyer     string                `json:"lawyer,omitempty"` // licence
	Due        string                `json:"due,omitempty"`    // last day, of figures that fall due
	Recounted  int64                 `json:"recounted"`
	Projected  int64                 `json:"projected"`
	Events     []EventRef            `json:"events,omitempty"`
	MoreEvents int64                 `json:"more_events,omitempty"`
}

// EventRef is an event at fault: in a difference, with what it should add to the
// figure and what its postings add; in damage, with 1 and how often it stands in
// the table as it does in the log.
type EventRef struct {
	Partition int             `json:"partition"`
	Offset    int64           `json:"offset"`
	ID        schemas.EventID `json:"id"`
	Recounted int64           `json:"recounted"`
	Projected int64           `json:"projected"`
}

// Damage is a range of the log whose rows or ledger are not as they must be.
type Damage struct {
	Partition int          `json:"partition"`
	First     int64        `json:"first"`
	Last      int64        `json:"last"`
	Epoch     uint32       `json:"epoch,omitempty"` // of the ledger's row; 0 where there is none
	What      schemas.Text `json:"what"`
	Events    []EventRef   `json:"events,omitempty"`
}

func compareDamage(a, b Damage) int {
	return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.First, b.First), cmp.Compare(a.What.EN, b.What.EN))
}

func text(zh, en string) schemas.Text { return schemas.Text{ZH: zh, EN: en} }

// OK tells that everything agrees.
func (r Result) OK() bool { return len(r.Differences) == 0 && len(r.Damaged) == 0 }

// Keep adds the result to those that the warehouse keeps for the page.
func (r Result) Keep(ctx context.Context, conn driver.Conn) error {
	b, err := json.Marshal(r)
	if err == nil {
		err = conn.Exec(ctx, `INSERT INTO verifications (ended, version, ok, result) VALUES (?, ?, ?, ?)`, r.Ended, uint32(r.Version), r.OK(), string(b))
	}
	if err != nil {
		return fmt.Errorf("keep the result of the verification: %w", err)
	}
	return nil
}

// Text writes the result for the operator, in Chinese unless lang is "en".
func (r Result) Text(w io.Writer, lang string) error {
	var b strings.Builder
	say := func(zh, en string, args ...any) { fmt.Fprintf(&b, text(zh, en).In(lang)+"\n", args...) }
	say("核对：第 %d 版数据表，截至 %s", "Verification of version %d of the tables, as of %s", r.Version, cutText(r.Cut))
	say("　开始 %s，用时 %s", "  begun %s, took %s", r.Started.In(schemas.Shanghai).Format(time.DateTime), r.Ended.Sub(r.Started).Round(time.Millisecond))
	say("　日志 %d 条：事件 %d 条，待处理 %d 条", "  %d records of the log: %d events, %d parked", r.Records, r.Events, r.Parked)
	say("　比对数字 %d 个，校验批次 %d 个", "  %d figures compared, %d batches hashed", r.Figures, r.Batches)
	if r.OK() {
		say("结论：一致，未发现差异和损坏。", "Everything agrees: no difference, no damage.")
	} else {
		say("结论：不一致。数字差异 %d 处，数据损坏 %d 处。", "They do not agree: %d figures differ, %d places are damaged.",
			int64(len(r.Differences))+r.More, int64(len(r.Damaged))+r.MoreDamaged)
	}
	if len(r.Differences) > 0 {
		say("\n数字差异：", "\nFigures that differ:")
	}
	for _, d := range r.Differences {
		d.text(say, lang)
	}
	if r.More > 0 {
		say("　另有 %d 处未列出", "  %d more are not listed", r.More)
	}
	if len(r.Damaged) > 0 {
		say("\n数据损坏：", "\nDamage:")
	}
	for _, d := range r.Damaged {
		say("　分区 %d，位置 %d 至 %d，批次号 %d：%s", "  partition %d, offsets %d to %d, epoch %d: %s", d.Partition, d.First, d.Last, d.Epoch, d.What.In(lang))
		for _, e := range d.Events {
			say("　　事件 %s（%d/%d）：与日志相同的有 %d 行", "    event %s (%d/%d): %d rows as in the log", e.ID, e.Partition, e.Offset, e.Projected)
		}
	}
	if r.MoreDamaged > 0 {
		say("　另有 %d 处未列出", "  %d more are not listed", r.MoreDamaged)
	}
	if !r.OK() {
		say("\n可由日志重建数据表：zhiban rebuild", "\nThe tables can be rebuilt from the log: zhiban rebuild")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d Difference) text(say func(zh, en string, args ...any), lang string) {
	name := string(d.Indicator)
	if ind, err := schemas.Indicators.Lookup(d.Indicator); err == nil {
		name = ind.Name.In(lang)
	}
	where := []string{d.Month}
	for _, part := range []string{d.Source, d.Lawyer} {
		if part != "" {
			where = append(where, part)
		}
	}
	if d.Due != "" {
		where = append(where, text("期限 ", "due ").In(lang)+d.Due)
	}
	at := strings.Join(where, " ")
	if d.Recounted == d.Projected {
		say("　%s（%s）%s：总数同为 %d，明细不同", "  %s (%s) %s: both %d, but not in detail", name, d.Indicator, at, d.Recounted)
	} else {
		say("　%s（%s）%s：重新计数 %d，数据表 %d", "  %s (%s) %s: recounted %d, projected %d", name, d.Indicator, at, d.Recounted, d.Projected)
	}
	for _, e := range d.Events {
		say("　　事件 %s（%d/%d）：应计 %d，已计 %d", "    event %s (%d/%d): should add %d, adds %d", e.ID, e.Partition, e.Offset, e.Recounted, e.Projected)
	}
	if d.MoreEvents > 0 {
		say("　　另有 %d 条事件未列出", "    %d more events are not listed", d.MoreEvents)
	}
}

// cutText writes a cut as partition:offset.
func cutText(cut map[int]int64) string {
	var parts []string
	for _, p := range slices.Sorted(maps.Keys(cut)) {
		parts = append(parts, fmt.Sprintf("%d:%d", p, cut[p]))
	}
	return strings.Join(parts, ",")
}

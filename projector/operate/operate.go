// Package operate has what the commands for who operates the platform do:
// rebuilding, verifying, and seeing to dead letters. They report in Chinese.
package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"
	"github.com/segmentio/kafka-go"

	"zhiban/projector"
	"zhiban/projector/verify"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// Operator is who is told what is done.
type Operator struct {
	Out      io.Writer
	Err      io.Writer // of the progress
	Watching bool      // somebody sees the progress
	Log      *slog.Logger
	// Transport carries TLS and SASL to Kafka; nil is plain TCP.
	Transport *kafka.Transport
}

// bar shows progress to whoever watches.
func (o Operator) bar(doing string, options ...progressbar.Option) (set func(done, total int64), finish func()) {
	bar := progressbar.NewOptions64(-1, append(options, progressbar.OptionSetWriter(o.Err), progressbar.OptionSetVisibility(o.Watching), progressbar.OptionSetDescription(doing), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())...)
	return func(done, total int64) {
		bar.ChangeMax64(max(total, 1))
		_ = bar.Set64(done)
	}, func() { _ = bar.Finish() }
}

// Rebuilding says what a rebuild may do.
type Rebuilding struct {
	AcceptParked      bool // go past records that cannot be read, and park them
	AcceptDifferences bool // switch although the new tables say something else
}

// handOver is how long a rebuild waits for a projector to take over.
const handOver = 30 * time.Second

// Rebuild fills new tables from the log, compares, and switches when they say
// the same; switched tells whether it did.
func (o Operator) Rebuild(ctx context.Context, cfg projector.Config, conn *warehouse.Conn, may Rebuilding) (switched bool, err error) {
	cfg.Transport = o.Transport
	rebuild, err := projector.NewRebuild(ctx, cfg, conn, may.AcceptParked, o.Log)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rebuild.Close()) }()
	fmt.Fprintf(o.Out, "正在从日志重建：第 %d 版 → 第 %d 版（旧表照常提供查询）\n", rebuild.From.Version, rebuild.To.Version)
	began := time.Now()
	progress, finish := o.bar("已重建事件", progressbar.OptionShowIts())
	if err := rebuild.Fill(ctx, progress); err != nil {
		return false, err
	}
	finish()
	comparison, err := rebuild.Compare(ctx)
	if err != nil {
		return false, err
	}
	took := time.Since(began)
	fmt.Fprintf(o.Out, "重建完成：%d 个事件，%d 条分录，用时 %s（每秒 %.0f 个事件）\n", comparison.Events, comparison.Postings, took.Round(10*time.Millisecond), float64(comparison.Events)/took.Seconds())
	o.show(rebuild, comparison)
	if !comparison.Equal() && !may.AcceptDifferences {
		fmt.Fprintf(o.Out, "两版不一致，未切换。查明原因后：\n  以新表为准：zhiban rebuild --accept-differences\n  放弃新表：  zhiban rebuild --drop %d\n", rebuild.To.Version)
		return false, nil
	}
	taken, err := rebuild.Switch(ctx, handOver)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(o.Out, "已切换到第 %d 版。", rebuild.To.Version)
	if !taken {
		fmt.Fprintf(o.Out, "没有投影程序接手：新事件要等 zhiban projector 启动后才会计入。")
	}
	fmt.Fprintf(o.Out, "\n旧表仍保留，确认无误后删除：zhiban rebuild --drop %d\n", rebuild.From.Version)
	return true, nil
}

// Drop removes the tables of a version that is not in use any more.
func (o Operator) Drop(ctx context.Context, conn *warehouse.Conn, version int) error {
	if err := warehouse.Drop(ctx, conn, warehouse.Tables{Version: version}); err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "第 %d 版数据表已删除。\n", version)
	return nil
}

func (o Operator) show(rebuild *projector.Rebuild, c projector.Comparison) {
	fmt.Fprintf(o.Out, "对比（同一截止位置，%d 个分区）：%d 项数字", len(c.Cut), c.Figures)
	if c.Equal() {
		fmt.Fprintf(o.Out, "全部一致，事件逐条一致；暂存（无法读取）%d 条。\n", c.Parks)
		return
	}
	fmt.Fprintf(o.Out, "，%d 项不一致。\n", int64(len(c.Differences))+c.More)
	for _, p := range c.EventsDiffer {
		fmt.Fprintf(o.Out, "  分区 %d 的事件内容不一致（旧表共 %d 个事件，新表共 %d 个）\n", p, c.OldEvents, c.Events)
	}
	if len(c.Differences) == 0 {
		return
	}
	table := tabwriter.NewWriter(o.Out, 2, 4, 2, ' ', 0)
	fmt.Fprintf(table, "  指标\t月份\t单位\t律师\t第 %d 版\t第 %d 版\n", rebuild.From.Version, rebuild.To.Version)
	for _, d := range c.Differences {
		note := ""
		if d.Old == d.New {
			note = "\t合计相同，构成不同"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%d\t%d%s\n", d.Indicator, d.Month, d.Source, d.Lawyer, d.Old, d.New, note)
	}
	_ = table.Flush()
	if c.More > 0 {
		fmt.Fprintf(o.Out, "  另有 %d 项未列出\n", c.More)
	}
}

// Verify recounts the log independently, compares, and keeps the result for the
// page; ok tells whether everything agrees.
func (o Operator) Verify(ctx context.Context, brokers []string, conn *warehouse.Conn, lang string) (ok bool, err error) {
	progress, finish := o.bar("正在核对")
	result, err := verify.Run(ctx, verify.Config{Brokers: brokers, Transport: o.Transport, Conn: conn, Log: o.Log, Progress: progress})
	if err != nil {
		return false, err
	}
	finish()
	if err := result.Keep(ctx, conn); err != nil {
		return false, err
	}
	return result.OK(), result.Text(o.Out, lang)
}

// ListParked lists the records that could not be read; all lists those that were
// replayed, too.
func (o Operator) ListParked(ctx context.Context, conn *warehouse.Conn, all bool) error {
	parked, err := projector.ParkedRecords(ctx, conn)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(o.Out, 2, 4, 2, ' ', 0)
	fmt.Fprintln(table, "位置\t登记时间\t来源\t类型\t状态\t原因")
	shown := 0
	for _, p := range parked {
		if p.Replayed && !all {
			continue
		}
		shown++
		fmt.Fprintf(table, "%d/%d\t%s\t%s\t%s\t%s\t%s\n", p.Partition, p.Offset, p.Recorded.In(schemas.Shanghai).Format(time.DateTime), orDash(p.Source), orDash(p.Type), state(p), p.Reason)
	}
	if shown == 0 {
		fmt.Fprintln(o.Out, "没有暂存的记录。")
		return nil
	}
	return table.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

func state(p projector.ParkedRecord) string {
	if p.Replayed {
		return "已补入"
	}
	return "暂存"
}

// ShowParked shows the record that is parked at a place, partition/offset.
func (o Operator) ShowParked(ctx context.Context, conn *warehouse.Conn, place string) error {
	partition, offset, ok := strings.Cut(place, "/")
	at, err := strconv.Atoi(partition)
	number, err2 := strconv.ParseInt(offset, 10, 64)
	if !ok || err != nil || err2 != nil {
		return fmt.Errorf("%q is not a place in the log; expected partition/offset, for example 2/1041", place)
	}
	parked, err := projector.ParkedRecords(ctx, conn)
	if err != nil {
		return err
	}
	for _, p := range parked {
		if p.Partition != at || p.Offset != number {
			continue
		}
		id := "—"
		if p.ID != uuid.Nil {
			id = p.ID.String()
		}
		fmt.Fprintf(o.Out, "位置      %d/%d\n登记时间  %s\n事件编号  %s\n来源      %s\n类型      %s\n案件      %s\n状态      %s\n原因      %s\n原文\n%s\n",
			p.Partition, p.Offset, p.Recorded.In(schemas.Shanghai).Format(time.DateTime), id, orDash(p.Source), orDash(p.Type), orDash(p.Subject), state(p), p.Reason, p.Value)
		return nil
	}
	return fmt.Errorf("nothing is parked at %s; zhiban deadletter list shows what is", place)
}

// Replay appends what can be read by now to the log again; left is how many
// records still cannot.
func (o Operator) Replay(ctx context.Context, cfg projector.Config, conn *warehouse.Conn) (left int, err error) {
	cfg.Transport = o.Transport
	p, err := projector.New(cfg, conn, o.Log)
	if err != nil {
		return 0, err
	}
	done, err := p.Replay(ctx)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(o.Out, "已重新追加到日志 %d 条；仍无法读取 %d 条。\n", done.Appended, done.Left)
	if done.Left > 0 {
		fmt.Fprintf(o.Out, "例如：%v\n查看原文：zhiban deadletter list\n", done.Reason)
	}
	return done.Left, nil
}

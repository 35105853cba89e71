package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"

	"zhiban/projector"
	"zhiban/projector/verify"
	"zhiban/schemas"
	"zhiban/schemas/warehouse"
)

// This file holds the commands for who operates the platform: rebuild, verify
// and deadletter.

// operated says where the engines are: by their addresses, or by the data
// directory of a standalone that runs.
type operated struct {
	Kafka      []string `env:"ZHIBAN_KAFKA" placeholder:"HOST:PORT" help:"Kafka bootstrap addresses."`
	ClickHouse string   `name:"clickhouse" env:"ZHIBAN_CLICKHOUSE" placeholder:"DSN" help:"Warehouse, clickhouse://user:password@host:9000/zhiban."`
	Data       string   `env:"ZHIBAN_DATA" default:"data" type:"path" help:"Data directory of a running standalone, when no addresses are given."`
	Group      string   `env:"ZHIBAN_GROUP" default:"zhiban-projector" help:"Consumer group of the projectors."`
}

// connect finds the engines and opens the warehouse.
func (o *operated) connect(ctx context.Context) (engines, *warehouse.Conn, error) {
	at := engines{Kafka: o.Kafka, ClickHouse: o.ClickHouse}
	if len(at.Kafka) == 0 && at.ClickHouse == "" {
		var err error
		if at, err = runningEngines(o.Data); err != nil {
			return at, nil, err
		}
	}
	if len(at.Kafka) == 0 || at.ClickHouse == "" {
		return at, nil, errors.New("give both addresses, --kafka and --clickhouse, or neither and the --data directory of a running standalone")
	}
	conn, err := warehouse.Open(ctx, at.ClickHouse)
	return at, conn, err
}

// enginesFile is where a standalone leaves the addresses of its engines while it
// runs. They hold a password, so it is for its owner alone.
func enginesFile(data string) string { return filepath.Join(data, "engines.json") }

func announceEngines(data string, at engines) (withdraw func(), err error) {
	b, err := json.Marshal(at)
	if err == nil {
		err = os.WriteFile(enginesFile(data), b, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("tell other commands where the engines are: %w", err)
	}
	return func() { _ = os.Remove(enginesFile(data)) }, nil
}

func runningEngines(data string) (engines, error) {
	var at engines
	b, err := os.ReadFile(enginesFile(data))
	if errors.Is(err, os.ErrNotExist) {
		return at, fmt.Errorf("no standalone runs in %s; give --data of one that does, or --kafka and --clickhouse", data)
	}
	if err == nil {
		err = json.Unmarshal(b, &at)
	}
	if err != nil {
		return at, fmt.Errorf("find the engines of the standalone in %s: %w", data, err)
	}
	return at, nil
}

type rebuildCommand struct {
	operated
	AcceptParked      bool `help:"Go past records that cannot be read, and park them."`
	AcceptDifferences bool `help:"Switch although the new tables say something else than the old ones."`
	Drop              int  `placeholder:"VERSION" help:"Instead: drop the tables of a version that is not in use any more."`
}

// handOver is how long a rebuild waits for a projector to take over.
const handOver = 30 * time.Second

// Run fills new tables from the log, compares, and switches when they say the
// same. It reports in Chinese.
func (c *rebuildCommand) Run(ctx context.Context, r *run) (err error) {
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if c.Drop > 0 {
		if err := warehouse.Drop(ctx, conn, warehouse.Tables{Version: c.Drop}); err != nil {
			return err
		}
		fmt.Fprintf(r.Stdout, "第 %d 版数据表已删除。\n", c.Drop)
		return nil
	}
	rebuild, err := projector.NewRebuild(ctx, projector.Config{Brokers: at.Kafka, Group: c.Group}, conn, c.AcceptParked, r.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rebuild.Close()) }()
	fmt.Fprintf(r.Stdout, "正在从日志重建：第 %d 版 → 第 %d 版（旧表照常提供查询）\n", rebuild.From.Version, rebuild.To.Version)
	began := time.Now()
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(r.Stderr), progressbar.OptionSetVisibility(r.terminal()), progressbar.OptionSetDescription("已重建事件"), progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionClearOnFinish())
	if err := rebuild.Fill(ctx, func(done, total int64) {
		bar.ChangeMax64(max(total, 1))
		_ = bar.Set64(done)
	}); err != nil {
		return err
	}
	_ = bar.Finish()
	comparison, err := rebuild.Compare(ctx)
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(r.Stdout, "重建完成：%d 个事件，%d 条分录，用时 %s（每秒 %.0f 个事件）\n", comparison.Events, comparison.Postings, took.Round(10*time.Millisecond), float64(comparison.Events)/took.Seconds())
	r.showComparison(rebuild, comparison)
	if !comparison.Equal() && !c.AcceptDifferences {
		fmt.Fprintf(r.Stdout, "两版不一致，未切换。查明原因后：\n  以新表为准：zhiban rebuild --accept-differences\n  放弃新表：  zhiban rebuild --drop %d\n", rebuild.To.Version)
		return errInPart
	}
	taken, err := rebuild.Switch(ctx, handOver)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.Stdout, "已切换到第 %d 版。", rebuild.To.Version)
	if !taken {
		fmt.Fprintf(r.Stdout, "没有投影程序接手：新事件要等 zhiban projector 启动后才会计入。")
	}
	fmt.Fprintf(r.Stdout, "\n旧表仍保留，确认无误后删除：zhiban rebuild --drop %d\n", rebuild.From.Version)
	return nil
}

func (r *run) showComparison(rebuild *projector.Rebuild, c projector.Comparison) {
	fmt.Fprintf(r.Stdout, "对比（同一截止位置，%d 个分区）：%d 项数字", len(c.Cut), c.Figures)
	if c.Equal() {
		fmt.Fprintf(r.Stdout, "全部一致，事件逐条一致；暂存（无法读取）%d 条。\n", c.Parks)
		return
	}
	fmt.Fprintf(r.Stdout, "，%d 项不一致。\n", int64(len(c.Differences))+c.More)
	for _, p := range c.EventsDiffer {
		fmt.Fprintf(r.Stdout, "  分区 %d 的事件内容不一致（旧表共 %d 个事件，新表共 %d 个）\n", p, c.OldEvents, c.Events)
	}
	if len(c.Differences) == 0 {
		return
	}
	table := tabwriter.NewWriter(r.Stdout, 2, 4, 2, ' ', 0)
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
		fmt.Fprintf(r.Stdout, "  另有 %d 项未列出\n", c.More)
	}
}

type verifyCommand struct {
	operated
	Lang string `default:"zh" enum:"zh,en" help:"Language of the report."`
}

// Run recounts the log independently and compares. The exit status is 0 when
// everything agrees, 2 when something does not, 1 when it could not be done. The
// result is kept for the page.
func (c *verifyCommand) Run(ctx context.Context, r *run) error {
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(r.Stderr), progressbar.OptionSetVisibility(r.terminal()), progressbar.OptionSetDescription("正在核对"), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	result, err := verify.Run(ctx, verify.Config{Brokers: at.Kafka, Conn: conn, Log: r.log, Progress: func(done, total int64) {
		bar.ChangeMax64(max(total, 1))
		_ = bar.Set64(done)
	}})
	if err != nil {
		return err
	}
	_ = bar.Finish()
	if err := result.Keep(ctx, conn); err != nil {
		return err
	}
	if err := result.Text(r.Stdout, c.Lang); err != nil {
		return err
	}
	if !result.OK() {
		return errInPart
	}
	return nil
}

type deadletterCommand struct {
	List   deadletterListCommand   `cmd:"" help:"List the records that could not be read."`
	Show   deadletterShowCommand   `cmd:"" help:"Show one of them whole."`
	Replay deadletterReplayCommand `cmd:"" help:"Append those that can be read by now to the log again."`
}

type deadletterListCommand struct {
	operated
	All bool `help:"List those that were replayed, too."`
}

// Run lists what is parked.
func (c *deadletterListCommand) Run(ctx context.Context, r *run) error {
	_, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	parked, err := projector.ParkedRecords(ctx, conn)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(r.Stdout, 2, 4, 2, ' ', 0)
	fmt.Fprintln(table, "位置\t登记时间\t来源\t类型\t状态\t原因")
	shown := 0
	for _, p := range parked {
		if p.Replayed && !c.All {
			continue
		}
		shown++
		fmt.Fprintf(table, "%d/%d\t%s\t%s\t%s\t%s\t%s\n", p.Partition, p.Offset, p.Recorded.In(schemas.Shanghai).Format(time.DateTime), orDash(p.Source), orDash(p.Type), parkedState(p), p.Reason)
	}
	if shown == 0 {
		fmt.Fprintln(r.Stdout, "没有暂存的记录。")
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

func parkedState(p projector.ParkedRecord) string {
	if p.Replayed {
		return "已补入"
	}
	return "暂存"
}

type deadletterShowCommand struct {
	operated
	Place string `arg:"" name:"PARTITION/OFFSET" help:"Place in the log, as list shows it."`
}

// Run shows a parked record.
func (c *deadletterShowCommand) Run(ctx context.Context, r *run) error {
	partition, offset, ok := strings.Cut(c.Place, "/")
	at, err := strconv.Atoi(partition)
	place, err2 := strconv.ParseInt(offset, 10, 64)
	if !ok || err != nil || err2 != nil {
		return fmt.Errorf("%q is not a place in the log; expected partition/offset, for example 2/1041", c.Place)
	}
	_, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	parked, err := projector.ParkedRecords(ctx, conn)
	if err != nil {
		return err
	}
	for _, p := range parked {
		if p.Partition != at || p.Offset != place {
			continue
		}
		id := "—"
		if p.ID != uuid.Nil {
			id = p.ID.String()
		}
		fmt.Fprintf(r.Stdout, "位置      %d/%d\n登记时间  %s\n事件编号  %s\n来源      %s\n类型      %s\n案件      %s\n状态      %s\n原因      %s\n原文\n%s\n",
			p.Partition, p.Offset, p.Recorded.In(schemas.Shanghai).Format(time.DateTime), id, orDash(p.Source), orDash(p.Type), orDash(p.Subject), parkedState(p), p.Reason, p.Value)
		return nil
	}
	return fmt.Errorf("nothing is parked at %s; zhiban deadletter list shows what is", c.Place)
}

type deadletterReplayCommand struct{ operated }

// Run replays what can be read by now.
func (c *deadletterReplayCommand) Run(ctx context.Context, r *run) error {
	at, conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	p, err := projector.New(projector.Config{Brokers: at.Kafka, Group: c.Group}, conn, r.log)
	if err != nil {
		return err
	}
	done, err := p.Replay(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.Stdout, "已重新追加到日志 %d 条；仍无法读取 %d 条。\n", done.Appended, done.Left)
	if done.Left > 0 {
		fmt.Fprintf(r.Stdout, "例如：%v\n查看原文：zhiban deadletter list\n", done.Reason)
		return errInPart
	}
	return nil
}

package ledger

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/width"

	"zhiban/schemas"
)

// Sent says what became of a ledger's events.
type Sent struct {
	DryRun   bool
	Server   string // where they went
	Events   int    // of the ledger; of a dry run those that would be sent
	Accepted int    // by the server
	Rejected int    // by the server
	Asked    bool   // whether the platform was asked what it holds already
	Known    int    // were there already and were not sent again
	Changed  int    // were there with another content: sent as corrections
	Copy     string // path of the marked copy; empty: there is none
	Err      error  // why not all were sent
}

// maxReported is how many rejected rows the report lists; the marked copy has
// them all.
const maxReported = 100

// Report writes what the clerk reads in the terminal.
func Report(w io.Writer, l *Ledger, s Sent) error {
	var b strings.Builder
	dry := ""
	if s.DryRun {
		dry = "（试运行，不发送）"
	}
	fmt.Fprintf(&b, "%s%s\n", l.File, dry)
	fmt.Fprintf(&b, "  工作站  %s\n", l.StationText())
	fmt.Fprintf(&b, "  月份    %s\n\n", l.MonthText().ZH)
	l.reportSheets(&b, s.DryRun || s.Err != nil)
	l.reportRejections(&b)
	if len(l.Repeats) > 0 {
		fmt.Fprintf(&b, "\n  重复 %d 行（与前面的行完全相同，只计一次）\n", len(l.Repeats))
		for i, r := range l.Repeats {
			if i == maxReported {
				fmt.Fprintf(&b, "    其余 %d 行见标注副本\n", len(l.Repeats)-i)
				break
			}
			fmt.Fprintf(&b, "    %s 第%d行 与%s相同\n", r.Sheet, r.Row, r.Of.ZH)
		}
	}
	if len(l.Gone) > 0 {
		fmt.Fprintf(&b, "\n  %s\n", l.GoneText().ZH)
		for i, g := range l.Gone {
			if i == maxReported {
				fmt.Fprintf(&b, "    其余 %d 行没有列出\n", len(l.Gone)-i)
				break
			}
			fmt.Fprintf(&b, "    %s  事件 %s\n", g.Text().ZH, g.Event)
		}
	}
	if len(l.Notices) > 0 {
		fmt.Fprintf(&b, "\n  提示\n")
		for i, n := range l.Notices {
			if i == maxReported {
				fmt.Fprintf(&b, "    其余 %d 条见标注副本\n", len(l.Notices)-i)
				break
			}
			sheet := ""
			if n.Sheet != "" {
				sheet = n.Sheet + "："
			}
			fmt.Fprintf(&b, "    %s%s%s\n", sheet, n.Text.ZH, n.Where().ZH)
		}
	}
	b.WriteString("\n")
	s.report(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// reportSheets writes the table of sheets.
func (l *Ledger) reportSheets(b *strings.Builder, unsent bool) {
	table := [][]string{{"工作表", "类别", "行数", "导入", "重复", "退回", "空行", "合计行", "其他"}}
	if unsent {
		table[0][3] = "可导入"
	}
	if len(l.Stations)+len(l.Centres) > 1 {
		table[0] = append(table[0], "工作站")
	}
	for _, s := range l.Sheets {
		if s.Skipped.ZH != "" {
			table = append(table, []string{s.Name, "没有读：" + s.Skipped.ZH})
			continue
		}
		row := []string{s.Name, s.Kind.Title()}
		for _, n := range []int{s.Rows, s.Accepted, s.Repeated, s.Rejected, s.Blank, s.Totals, s.Others} {
			row = append(row, fmt.Sprint(n))
		}
		if len(l.Stations)+len(l.Centres) > 1 {
			row = append(row, s.Source.Key())
		}
		table = append(table, row)
	}
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, c := range row {
			if len(row) > 2 || i == 0 {
				widths[i] = max(widths[i], cellWidth(c))
			}
		}
	}
	for _, row := range table {
		line := " "
		for i, c := range row {
			pad := strings.Repeat(" ", max(0, widths[i]-cellWidth(c)))
			if i >= 2 && i <= 8 { // figures to the right
				line += " " + pad + c
			} else {
				line += " " + c + pad
			}
			line += " "
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}

func (l *Ledger) reportRejections(b *strings.Builder) {
	if len(l.Rejections) == 0 {
		return
	}
	fmt.Fprintf(b, "\n  退回 %d 行（没有导入；改正后再导入一次即可，已导入的行不会重复计）\n", len(l.Rejections))
	for i, r := range l.Rejections {
		if i == maxReported {
			fmt.Fprintf(b, "    其余 %d 行见标注副本\n", len(l.Rejections)-i)
			break
		}
		fmt.Fprintf(b, "    %s 第%d行  %s\n", r.Sheet, r.Row, r.Reason.ZH)
	}
}

func (s Sent) report(b *strings.Builder) {
	switch {
	case s.DryRun:
		fmt.Fprintf(b, "  试运行：没有发送；正式导入时会发送 %d 条事件", s.Events)
		if s.Changed > 0 {
			fmt.Fprintf(b, "（其中 %d 条更正）", s.Changed)
		}
		if s.Known > 0 {
			fmt.Fprintf(b, "，此前已导入 %d 条", s.Known)
		}
		b.WriteString("\n")
	case s.Events == 0:
		fmt.Fprintf(b, "  没有可导入的行，没有发送\n")
	default:
		fmt.Fprintf(b, "  %d 条事件", s.Events)
		if s.Server != "" {
			fmt.Fprintf(b, "发往 %s", s.Server)
		}
		fmt.Fprintf(b, "：服务器收下 %d 条", s.Accepted)
		if s.Changed > 0 {
			fmt.Fprintf(b, "（其中 %d 条更正）", s.Changed)
		}
		if s.Rejected > 0 {
			fmt.Fprintf(b, "，拒收 %d 条（已列入退回）", s.Rejected)
		}
		if s.Known > 0 {
			fmt.Fprintf(b, "，此前已导入 %d 条", s.Known)
		}
		b.WriteString("\n")
		if !s.Asked {
			b.WriteString("  此前导入过的行以首次导入的内容为准；要改已导入的内容，请在平台上更正\n")
		}
	}
	if s.Err != nil {
		fmt.Fprintf(b, "  没有全部发出：%v\n  稍后把同一文件再导入一次即可，已收下的不会重复计\n", s.Err)
	}
	if s.Copy != "" {
		fmt.Fprintf(b, "  标注副本：%s\n", s.Copy)
	}
}

// StationText names the stations and centres.
func (l *Ledger) StationText() string {
	var out []string
	for _, s := range l.Stations {
		if s.Name == "" {
			out = append(out, string(s.Code))
		} else {
			out = append(out, fmt.Sprintf("%s（%s）", s.Name, s.Code))
		}
	}
	for _, c := range l.Centres {
		out = append(out, fmt.Sprintf("%s（%s）", c.Name, c.Division))
	}
	return strings.Join(out, "、")
}

// MonthText names the months that have lines.
func (l *Ledger) MonthText() schemas.Text {
	if len(l.Months) == 0 {
		return tell("（没有可导入的行）")
	}
	var out []schemas.Text
	for _, m := range l.Months {
		out = append(out, m.Title())
	}
	if len(out) > 6 {
		return tell("%s 至 %s，共 %d 个月", out[0], out[len(out)-1], len(out))
	}
	return join(out, "、", ", ")
}

// Where lists the notice's rows: （第5、8、11行）; empty when it has none.
func (n Notice) Where() schemas.Text {
	const most = 10
	if len(n.Rows) == 0 {
		return schemas.Text{}
	}
	var rows []schemas.Text
	for _, r := range n.Rows[:min(len(n.Rows), most)] {
		rows = append(rows, schemas.Text{ZH: strconv.Itoa(r), EN: strconv.Itoa(r)})
	}
	if len(n.Rows) > most {
		return tell("（第%s行等 %d 行）", join(rows, "、", ", "), len(n.Rows))
	}
	return tell("（第%s行）", join(rows, "、", ", "))
}

// Text says what it repeats.
func (r Repeat) Text() schemas.Text { return tell("与%s相同，只计一次", r.Of) }

// cellWidth is how many terminal columns a text takes: a Chinese character
// takes two.
func cellWidth(s string) int {
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

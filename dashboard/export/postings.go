package export

import (
	"fmt"
	"io"
	"time"

	"github.com/xuri/excelize/v2"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// MostPostings is how many postings a worksheet has room for.
const MostPostings = excelize.TotalRows - 1

// PostingNames are the names of stations and lawyers by code and licence.
type PostingNames struct{ Stations, Lawyers map[string]string }

// postingColumns are the headings of the list, and the widths of its columns.
var postingColumns = []struct {
	title string
	width float64
}{
	{"指标", 18}, {"计入日期", 11}, {"数量", 9}, {"单位", 9}, {"区划", 12}, {"工作站", 34}, {"工作站代码", 20}, {"律师", 9}, {"执业证号", 19}, {"值班方式", 9}, {"咨询渠道", 9},
	{"当事人身份", 11}, {"机关", 13}, {"期限", 11}, {"记录", 18}, {"发生时间", 18}, {"登记时间", 18}, {"更正", 6}, {"事件编号", 38}, {"日志分区", 9}, {"日志位置", 10},
}

// Postings writes a list of postings as a workbook, one after the other: what it
// holds in memory does not grow with them. each hands over total postings, of
// which there are at most [MostPostings].
func Postings(w io.Writer, total int64, names PostingNames, each func(do func(report.Posting) error) error) (err error) {
	f := excelize.NewFile()
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
	}()
	const sheet = "明细"
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return fmt.Errorf("list of postings: %w", err)
	}
	last, err := excelize.CoordinatesToCellName(len(postingColumns), int(total)+1)
	if err != nil {
		return fmt.Errorf("list of %d postings: %w", total, err)
	}
	if err := f.SetSheetDimension(sheet, "A1:"+last); err != nil {
		return fmt.Errorf("list of postings: %w", err)
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return fmt.Errorf("list of postings: %w", err)
	}
	s, err := f.NewStreamWriter(sheet)
	if err != nil {
		return fmt.Errorf("list of postings: %w", err)
	}
	head := make([]any, len(postingColumns))
	for i, c := range postingColumns {
		head[i] = excelize.Cell{StyleID: bold, Value: c.title}
		if err := s.SetColWidth(i+1, i+1, c.width); err != nil {
			return fmt.Errorf("list of postings: %w", err)
		}
	}
	if err := s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("list of postings: %w", err)
	}
	if err := s.SetRow("A1", head); err != nil {
		return fmt.Errorf("list of postings: %w", err)
	}
	row := 1
	if err := each(func(p report.Posting) error {
		row++
		return s.SetRow(fmt.Sprintf("A%d", row), postingRow(p, names))
	}); err != nil {
		return fmt.Errorf("posting %d of the list: %w", row, err)
	}
	if err := s.Flush(); err != nil {
		return fmt.Errorf("list of postings: %w", err)
	}
	if _, err := f.WriteTo(w); err != nil {
		return fmt.Errorf("list of postings: %w", err)
	}
	return nil
}

func postingRow(p report.Posting, names PostingNames) []any {
	ind, err := schemas.Indicators.Lookup(p.Indicator)
	if err != nil {
		ind = schemas.Indicator{Name: schemas.Text{ZH: string(p.Indicator)}}
	}
	quantity := any(p.Quantity)
	if ind.Parts > 1 {
		quantity = float64(p.Quantity) / float64(ind.Parts)
	}
	title, correction := p.Type, ""
	if t, err := schemas.Catalogue.Lookup(p.Type); err == nil {
		title = t.Title.ZH
		if t.Meta() {
			correction = "是"
		}
	}
	word := func(values []report.Value, code string) string {
		for _, v := range values {
			if v.Code == code {
				return v.Name.ZH
			}
		}
		return code
	}
	clock := func(t time.Time) string { return t.In(schemas.Shanghai).Format(time.DateTime) }
	return typed(ind.Name.ZH, p.Day.String(), quantity, ind.Unit.ZH, schemas.Divisions.Name(p.Division), names.Stations[string(p.Station)], string(p.Station),
		names.Lawyers[p.Lawyer], p.Lawyer, word(report.Modes, p.Mode), word(report.Channels, p.Channel), word(report.PersonRoles, p.PersonRole), word(report.Organs, p.Organ), p.Due,
		title, clock(p.Time), clock(p.Recorded), correction, p.Event.String(), p.Partition, p.Offset)
}

// typed are the cells of a row that is streamed, where a text is a text whatever
// it begins with: only a cell that is made as one is a formula.
func typed(cells ...any) []any {
	for i, c := range cells {
		if text, ok := c.(string); ok {
			cells[i] = clean(text)
		}
	}
	return cells
}

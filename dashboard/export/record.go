package export

import (
	"fmt"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// LawyerRecord writes a lawyer's year as a workbook of A4 landscape pages:
//
//   - 履职记录: who (rows 2 and 3), headings (rows 5 and 6), one row a month (7–18),
//     合计 (19; persons counted anew), notes, a chart of shifts and
//     consultations by month.
//   - 指标口径: definition and clause of every indicator, moment and cut.
//
// It is evidence of what was done and holds no grade.
func LawyerRecord(y report.LawyerYear) (File, error) {
	b := newWorkbook()
	recordSheet(b, y)
	b.definitions(report.RecordIndicators(), recordRunning(y), y.AsOf, y.Cut)
	return b.finish(fileName(".xlsx", "值班律师履职记录", lawyerName(y), y.Lawyer.Licence, fmt.Sprint(y.Year)), recordRunning(y), y.AsOf)
}

func recordRunning(y report.LawyerYear) string { return y.Title() + "　" + lawyerName(y) }

func lawyerName(y report.LawyerYear) string {
	if y.Lawyer.Name == "" {
		return "（未登记）"
	}
	return y.Lawyer.Name
}

func lawyerKind(kind string) string {
	switch kind {
	case "private":
		return "社会律师"
	case "legal_aid":
		return "法律援助机构律师"
	}
	return kind
}

// recordColumn is a column of 履职记录.
type recordColumn struct {
	group, name string
	width       float64
	code        schemas.IndicatorCode // the figure's, or the one it is a part of
	of          func(report.LawyerMonth) report.Figure
}

func recordColumns() []recordColumn {
	type month = report.LawyerMonth
	columns := []recordColumn{
		{"值班（人次）", "班次", 8, schemas.Shifts, func(m month) report.Figure { return m.Shifts }},
		{"值班（人次）", "未签退", 8, schemas.ShiftsOpen, func(m month) report.Figure { return m.ShiftsOpen }},
		{"值班时长（小时）", "合计", 8.5, schemas.DutyMinutes, func(m month) report.Figure { return m.MinutesAll }},
	}
	parts := func(group string, code schemas.IndicatorCode, values []report.Value, width float64, of func(month) []report.Figure) {
		for i, v := range values {
			columns = append(columns, recordColumn{group, v.Name.ZH, width, code, func(m month) report.Figure { return of(m)[i] }})
		}
	}
	parts("值班时长（小时）", schemas.DutyMinutes, report.Modes, 8.5, func(m month) []report.Figure { return m.Minutes })
	columns = append(columns,
		recordColumn{"法律咨询（人次）", "合计", 8, schemas.Consultations, func(m month) report.Figure { return m.Consultations }})
	parts("法律咨询（人次）", schemas.Consultations, report.Channels, 8, func(m month) []report.Figure { return m.Channels })
	parts("法律咨询（人次）", schemas.Consultations, report.PersonRoles, 8, func(m month) []report.Figure { return m.Roles })
	return append(columns,
		recordColumn{"法律咨询（人次）", "引导\n申请", 8, schemas.ConsultationsGuided, func(m month) report.Figure { return m.Guided }},
		recordColumn{"法律咨询（人次）", "台账\n未签字", 8, schemas.ConsultationsUnsigned, func(m month) report.Figure { return m.Unsigned }},
		recordColumn{"接受咨询\n（人）", "人数", 9.5, schemas.PersonsConsulted, func(m month) report.Figure { return m.Persons }},
		recordColumn{"法律援助申请（件）", "接收", 7.5, schemas.ApplicationsReceived, func(m month) report.Figure { return m.Received }},
		recordColumn{"法律援助申请（件）", "转交", 7.5, schemas.ApplicationsTransferred, func(m month) report.Figure { return m.Transferred }},
		recordColumn{"法律援助申请（件）", "24小时\n转交率", 9, schemas.TransferredWithin24h, func(m month) report.Figure { return m.Within24h }},
	)
}

const recordHead = 5 // and 6

func recordSheet(b *workbook, y report.LawyerYear) {
	s := b.sheet("履职记录")
	columns := recordColumns()
	last := 1 + len(columns)
	widths := []float64{8}
	for _, c := range columns {
		widths = append(widths, c.width)
	}
	s.widths(widths...)
	s.span(1, 1, last, 1, y.Title(), titleLook)
	s.height(1, 38)

	registered := ""
	if !y.Lawyer.Registered {
		registered = "（未入册）"
	}
	for i, who := range [][2]string{
		{"姓名", lawyerName(y)}, {"执业证号", y.Lawyer.Licence + registered}, {"律师类别", lawyerKind(y.Lawyer.Kind)},
		{"执业机构", y.Lawyer.Firm}, {"派出地区", y.Division}, {"统计范围", y.Within},
	} {
		row, block := 2+i/3, i%3
		from := []int{1, 8, 15}[block]
		to := []int{7, 14, last}[block]
		s.head(from, row, from+1, row, who[0])
		s.span(from+2, row, to, row, who[1], nameLook)
		s.height(row, 22)
	}
	s.height(4, 8)

	s.head(1, recordHead, 1, recordHead+1, "月份")
	for i, c := range columns {
		if i == 0 || columns[i-1].group != c.group {
			end := i
			for end+1 < len(columns) && columns[end+1].group == c.group {
				end++
			}
			s.head(2+i, recordHead, 2+end, recordHead, c.group)
		}
		s.head(2+i, recordHead+1, 2+i, recordHead+1, c.name)
	}
	s.height(recordHead, 32)
	s.height(recordHead+1, 34)
	inds := map[schemas.IndicatorCode]schemas.Indicator{}
	for _, ind := range report.RecordIndicators() {
		inds[ind.Code] = ind
	}
	write := func(row int, name string, m report.LawyerMonth, nameLook, cells look) {
		s.text(1, row, name, nameLook)
		for i, c := range columns {
			s.figure(2+i, row, c.of(m), inds[c.code], cells)
		}
		s.height(row, 19)
	}
	row := recordHead + 2
	known := 0 // months up to the last that has begun
	for i, m := range y.Months {
		write(row, fmt.Sprintf("%d月", i+1), m, midLook, look{size: 10.5, border: true})
		if m.Shifts.Status == report.Known {
			known = i + 1
		}
		row++
	}
	total := look{family: "黑体", size: 10.5, fill: "F2F2F2", border: true}
	totalName := total
	totalName.align = "center"
	write(row, "合计", y.Total, totalName, total)
	row++
	notes := append([]string{"本记录只载明工作事实，不作等次评定。人数合计为全年去重数，不等于各月之和。"}, basis(y.AsOf, y.Cut)...)
	row = s.notes(row, notes)
	if known > 0 {
		first := recordHead + 2
		c := chart{title: "各月值班班次与法律咨询", categories: s.ref(1, first, 1, first+known-1)}
		for i, col := range columns {
			if col.code == schemas.Shifts || col.code == schemas.Consultations && col.name == "合计" {
				c.names = append(c.names, s.ref(2+i, recordHead, 2+i, recordHead))
				c.values = append(c.values, s.ref(2+i, first, 2+i, first+known-1))
			}
		}
		s.chart(1, row, last, row+14, c)
		row += 15
	}
	s.printed(page{
		headFrom: recordHead, headTo: recordHead + 1, frozen: 1, lastCol: last, lastRow: row - 1,
		running: recordRunning(y), asOf: y.AsOf, cut: y.Cut,
	})
}

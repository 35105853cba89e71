package export

import (
	"fmt"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// LawyerRecord writes a lawyer's year as a workbook of A4 landscape pages:
//
//   - 年度情况: who (rows 2 and 3), headings (row 5: 指标, 单位, 全年, 基数, 基数项,
//     比率, 比率项, 县（市、区）位次, 市（州）位次, 依据), one row a figure of the evidence.
//   - 履职记录: who, headings (rows 5 and 6), one row a month (7–18), 合计 (19;
//     persons counted anew), notes, a chart of shifts and consultations by month.
//   - 法律帮助及其他: the same for the figures of help, training and opinions.
//   - 指标口径: definition and clause of every indicator, moment and cut.
//
// It is evidence of what was done and holds no grade.
func LawyerRecord(y report.LawyerYear) (File, error) {
	b := newWorkbook()
	evidenceSheet(b, y)
	recordSheet(b, y, "履职记录", dutyColumns())
	recordSheet(b, y, "法律帮助及其他", helpColumns())
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

// figureColumn is a column of an indicator.
func figureColumn(group, name string, width float64, code schemas.IndicatorCode) recordColumn {
	return recordColumn{group, name, width, code, func(m report.LawyerMonth) report.Figure { return m.Of(code) }}
}

func dutyColumns() []recordColumn {
	type month = report.LawyerMonth
	columns := []recordColumn{
		figureColumn("值班（人次）", "班次", 8, schemas.Shifts),
		figureColumn("值班（人次）", "未签退", 8, schemas.ShiftsOpen),
		figureColumn("值班（人次）", "缺岗", 8, schemas.NoShows),
		figureColumn("值班时长（小时）", "合计", 8.5, schemas.DutyMinutes),
	}
	parts := func(group string, code schemas.IndicatorCode, values []report.Value, width float64, of func(month) []report.Figure) {
		for i, v := range values {
			columns = append(columns, recordColumn{group, v.Name.ZH, width, code, func(m month) report.Figure { return of(m)[i] }})
		}
	}
	parts("值班时长（小时）", schemas.DutyMinutes, report.Modes, 8.5, func(m month) []report.Figure { return m.Minutes })
	columns = append(columns, figureColumn("法律咨询（人次）", "合计", 8, schemas.Consultations))
	parts("法律咨询（人次）", schemas.Consultations, report.Channels, 8, func(m month) []report.Figure { return m.Channels })
	parts("法律咨询（人次）", schemas.Consultations, report.PersonRoles, 8, func(m month) []report.Figure { return m.Roles })
	return append(columns,
		figureColumn("法律咨询（人次）", "引导\n申请", 8, schemas.ConsultationsGuided),
		figureColumn("法律咨询（人次）", "台账\n未签字", 8, schemas.ConsultationsUnsigned),
		figureColumn("法律咨询（人次）", "台账\n补录", 8, schemas.ConsultationsLateEntry),
		figureColumn("接受咨询\n（人）", "人数", 9.5, schemas.PersonsConsulted),
		figureColumn("法律援助申请（件）", "接收", 7.5, schemas.ApplicationsReceived),
		figureColumn("法律援助申请（件）", "转交", 7.5, schemas.ApplicationsTransferred),
		figureColumn("法律援助申请（件）", "24小时\n转交率", 9, schemas.TransferredWithin24h),
	)
}

func helpColumns() []recordColumn {
	return []recordColumn{
		figureColumn("法律帮助", "帮助人数\n（人）", 9.5, schemas.PersonsHelped),
		figureColumn("法律帮助", "认罪认罚\n（件）", 9.5, schemas.PleaAssistance),
		figureColumn("法律帮助", "见证具结\n（件）", 9.5, schemas.Affidavits),
		figureColumn("法律帮助", "会见\n（次）", 9, schemas.ClientMeetings),
		figureColumn("法律帮助", "阅卷\n（次）", 9, schemas.FileReviews),
		figureColumn("法律帮助", "书面意见\n（件）", 9.5, schemas.Opinions),
		figureColumn("法律帮助", "意见采纳\n（件）", 9.5, schemas.OpinionsAdopted),
		figureColumn("法律帮助", "变更强制\n措施（件）", 10, schemas.CoerciveMeasures),
		figureColumn("法律帮助", "程序选择\n（件）", 9.5, schemas.ProcedureChoices),
		figureColumn("其他职责", "申诉控告\n（件）", 9.5, schemas.Complaints),
		figureColumn("其他职责", "法治宣传\n（次）", 9.5, schemas.PublicitySessions),
		figureColumn("其他职责", "其他工作\n（件）", 9.5, schemas.OtherTasks),
		figureColumn("其他职责", "应通知到\n场（件）", 10, schemas.HelpRequestsDispatched),
		figureColumn("评价", "意见\n（份）", 9, schemas.FeedbackCount),
		figureColumn("评价", "满意度\n（分）", 9, schemas.Satisfaction),
		figureColumn("培训与奖惩", "培训\n（小时）", 9, schemas.TrainingHours),
		figureColumn("培训与奖惩", "违纪处理\n（件）", 9.5, schemas.ConductUpheld),
		figureColumn("培训与奖惩", "表彰\n（次）", 9, schemas.Honours),
	}
}

// who writes the two rows that say whose record it is, across the columns up to
// last.
func (s *sheet) who(y report.LawyerYear, last int) {
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
		from, to := 1+block*last/3, (block+1)*last/3
		label := from + max(0, (last-1)/12-block/2) // a heading of one or two columns
		s.head(from, row, label, row, who[0])
		s.span(label+1, row, to, row, who[1], nameLook)
		s.height(row, 22)
	}
	s.height(4, 8)
}

// evidenceSheet writes 年度情况.
func evidenceSheet(b *workbook, y report.LawyerYear) {
	const top = 5
	s := b.sheet("年度情况")
	s.widths(24, 10, 12, 12, 18, 10, 14, 17, 17, 30)
	s.who(y, 10)
	for i, h := range []string{"指标", "单位", "全年", "基数", "基数项", "比率", "比率项", "县（市、区）位次", "市（州）位次", "依据"} {
		s.head(1+i, top, 1+i, top, h)
	}
	s.height(top, 24)
	value := look{size: 10.5, border: true}
	place := func(col, row int, p report.Place) {
		text := "—"
		if p.Rank > 0 {
			text = fmt.Sprintf("第%d位，共%d人", p.Rank, p.Of)
		}
		s.text(col, row, text, midLook)
	}
	row := top + 1
	for _, e := range y.Evidence {
		s.text(1, row, e.Indicator.Name.ZH, nameLook)
		s.text(2, row, showing(e.Indicator).unit, midLook)
		s.figure(3, row, e.Year, e.Indicator, value)
		for col := 4; col <= 7; col++ {
			s.text(col, row, "", midLook)
		}
		if e.Base != nil {
			s.figure(4, row, e.Of, *e.Base, value)
			s.text(5, row, e.Base.Name.ZH, midLook)
		}
		if e.RateName.ZH != "" {
			s.figure(6, row, e.Rate, schemas.Indicator{Kind: schemas.Ratio}, value)
			s.text(7, row, e.RateName.ZH, midLook)
		}
		place(8, row, e.County)
		place(9, row, e.Whole)
		s.text(10, row, e.Indicator.Clause, nameLook)
		s.height(row, 17)
		row++
	}
	notes := append([]string{
		fmt.Sprintf("本记录只载明工作事实，不作等次评定。位次在派出地区在册值班律师中由高到低排列，数值相同者位次相同；有比率的按比率排列，台账补录率由低到高。可比律师不足%d人、基数不足%d或不宜排名的不排位次，以“—”表示。", report.LeastPeers, report.LeastBase),
		"到岗率＝1－缺岗÷排班班次；签退率＝1－未签退班次÷值班班次；台账签字率＝1－台账未签字÷法律咨询；台账补录率＝台账补录÷法律咨询；采纳率＝意见被采纳÷提出书面意见。违纪只列已查实并作出处理决定的。",
	}, basis(y.AsOf, y.Cut)...)
	row = s.notes(row, notes)
	s.printed(page{headFrom: top, headTo: top, frozen: 1, lastCol: 10, lastRow: row - 1, running: recordRunning(y), asOf: y.AsOf, cut: y.Cut})
}

const recordHead = 5 // and 6

// recordSheet writes columns of the record, one row a month.
func recordSheet(b *workbook, y report.LawyerYear, name string, columns []recordColumn) {
	s := b.sheet(name)
	last := 1 + len(columns)
	widths := []float64{8}
	for _, c := range columns {
		widths = append(widths, c.width)
	}
	s.widths(widths...)
	s.who(y, last)

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
		if m.Of(columns[0].code).Status == report.Known {
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
	if drawn := columns[0].code == schemas.Shifts; known > 0 && drawn {
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

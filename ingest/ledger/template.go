package ledger

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/xuri/excelize/v2"
)

const (
	exampleMark = "示例"   // in the number column of a row that is not imported
	notesSheet  = "填写说明" // the sheet of a template that says how to fill it in

	printedRows  = 24  // of a template, on one page
	templateRows = 500 // rows that have drop-down lists and formats
)

// templateColumn is a column of a template.
type templateColumn struct {
	field   field
	width   float64
	example string
	note    string
}

// The forms of cells that several templates have.
const (
	noteDate     = "年月日，例如 2026-09-01"
	noteClock    = "几点几分，例如 8:30"
	noteLawyer   = "律师姓名，只用于核对，不导入"
	noteLicence  = "17 位数字，本列已设为文本格式，请勿改为数字"
	noteOptional = "可不填。"
	noteRemark   = "可不填；不导入，只留在文件里"
	noteCustody  = "选 是 或 否"
)

// templates is the table of templates: the columns of each kind in order.
var templates = map[Kind][]templateColumn{
	SignInBook: {
		{colDate, 13, "2026-09-01", noteDate},
		{colLawyer, 12, "王立新", noteLawyer},
		{colLicence, 22, "12201201810123456", noteLicence},
		{colSignIn, 11, "8:30", noteClock},
		{colSignOut, 11, "16:30", noteClock + "；次日离岗写 次日8:30；还没有离岗的先空着，补填后再导入一次"},
		{colMode, 11, "现场", "从下拉列表中选"},
		{colBadge, 17, "是", noteOptional + "选 是 或 否"},
		{colRemark, 24, "", noteRemark},
	},
	ConsultationsLedger: {
		{colDate, 13, "2026-09-01", noteDate},
		{colAt, 10, "9:30", noteClock},
		{colMinutes, 10, "25", noteOptional + "分钟数"},
		{colRole, 14, "近亲属", "从下拉列表中选"},
		{colChannel, 12, "来访", "从下拉列表中选"},
		{colQuestion, 30, "取保候审条件", "问题的类别或一句话摘要，不超过 60 字；不要写姓名、身份证号和案情"},
		{colAnswer, 24, "", noteRemark},
		{colGuided, 20, "是", "选 是 或 否；空着按 否 计"},
		{colDefender, 16, "否", noteOptional + "选 是 或 否"},
		{colLawyer, 12, "王立新", noteLawyer},
		{colLicence, 22, "12201201810123456", noteLicence},
		{colSignature, 12, "王立新", "值班律师签名；空着按未签字计，未签字的行会挡住月报"},
	},
	ApplicationsRegister: {
		{colDate, 13, "2026-09-01", noteDate},
		{colAt, 11, "9:30", noteClock + "；24 小时内转交要按时刻算，所以必填"},
		{colNumber, 14, "2026-001", noteOptional + "同一时刻有几件时用来分清；不导入"},
		{colApplicant, 14, "犯罪嫌疑人", noteOptional + "不导入，只用来分清同一时刻的几件"},
		{colCustody, 11, "是", noteCustody},
		{colLawyer, 12, "王立新", noteLawyer},
		{colLicence, 22, "12201201810123456", noteLicence},
		{colThenDate, 13, "2026-09-01", noteDate + "；还没有转交的先空着，补填后再导入一次"},
		{colThenAt, 11, "14:00", noteClock + "；填了转交日期就必填"},
		{colAgency, 24, "榆树市法律援助中心", noteOptional + "申请转交给哪个法律援助机构"},
		{colRemark, 24, "", noteRemark},
	},
	NotificationsRegister: {
		{colOrgan, 16, "公安机关", "从下拉列表中选，写全称（例如 榆树市公安局）也认得"},
		{colTrigger, 18, "首次讯问", "从下拉列表中选：公安、国安选 首次讯问 或 采取强制措施，检察院选 审查起诉，法院选 受理案件 或 决定再审"},
		{colNumber, 16, "2026-001", noteOptional + "不导入；同一机关同一天有几人时，用它或被告知人分清，否则完全相同的行只计一次"},
		{colPerson, 14, "", noteOptional + "编号或姓名；不导入，只用来分清同一天的几人"},
		{colDate, 13, "2026-09-01", noteDate + "。首次讯问、采取强制措施、收到案件或决定再审的那一天"},
		{colCustody, 11, "是", noteCustody},
		{colThenDate, 13, "2026-09-01", noteDate + "；还没有告知的先空着，补填后再导入一次"},
		{colForm, 11, "书面", "从下拉列表中选；填了告知日期就必填"},
		{colEvidence, 26, "送达回执 2026-118", "口头告知填签字笔录，书面告知填送达回执；空着按无凭据计"},
		{colRemark, 24, "", noteRemark},
	},
	TrainingList: {
		{colDate, 13, "2026-09-01", noteDate},
		{colTopic, 20, "刑事诉讼法律知识", "从下拉列表中选"},
		{colCourse, 28, "", noteOptional + "不导入；同一天同一主题有几次时用它分清"},
		{colHours, 10, "3", "学时数，可以有小数，例如 1.5"},
		{colLawyer, 12, "王立新", noteLawyer},
		{colLicence, 22, "12201201810123456", noteLicence},
		{colPlace, 26, "", noteOptional + "不导入"},
		{colRemark, 24, "", noteRemark},
	},
	SubsidyList: {
		{colDate, 13, "2026-09-30", noteDate + "；按月计发的写 2026年9月，按当月 1 日计"},
		{colLawyer, 12, "王立新", noteLawyer},
		{colLicence, 22, "12201201810123456", noteLicence},
		{colAmount, 12, "600.00", "以元为单位"},
		{colPayableBy, 13, "2026-10-31", noteOptional + "定有发放期限的填写，按它统计是否逾期"},
		{colThenDate, 13, "2026-10-12", noteDate + "；还没有发放的先空着，补填后再导入一次"},
		{colPaid, 12, "600.00", "以元为单位；填了发放日期就必填"},
		{colRemark, 24, "", noteRemark},
	},
}

// needless are the columns of templates that may stay empty though they are
// imported.
var needless = []field{colSignOut, colBadge, colMinutes, colQuestion, colAnswer, colGuided, colDefender, colSignature, colApplicant, colNumber, colPerson,
	colThenDate, colThenAt, colPayableBy, colAgency, colForm, colEvidence, colPaid, colCourse, colPlace, colRemark, colLawyer}

// stationTitle and centreTitle stand above a template's table until the clerk
// writes the name there; neither names a station, so that a template that was
// left as it is says so when it is imported.
const (
	stationTitle = "（请把这里改成工作站全称和年月）"
	centreTitle  = "（请把这里改成本机构名称和年月）"
)

// TitleExample is what the clerk writes above a template's table.
func (k Kind) TitleExample() string {
	if k.row().ofCentre {
		return "榆树市法律援助中心（2026年9月）"
	}
	return "榆树市法律援助中心驻人民法院值班律师工作站（2026年9月）"
}

// Template makes an empty ledger of a kind as XLSX: headings, a row marked 示例
// that is not imported, drop-down lists where a column takes a few words, and a
// sheet 填写说明. Filled in as that sheet says it imports without rejection.
func Template(k Kind) ([]byte, error) {
	columns, row := templates[k], k.row()
	if columns == nil {
		return nil, fmt.Errorf("no template for %q", k)
	}
	f := excelize.NewFile()
	defer f.Close()
	t := &template{f: f, kind: k, columns: columns}
	if err := f.SetSheetName("Sheet1", row.ZH); err != nil {
		return nil, err
	}
	for _, step := range []func() error{t.styles, t.table, t.formats, t.page, t.notes} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("template of %s: %w", row.ZH, err)
		}
	}
	var b bytes.Buffer
	if _, err := f.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("template of %s: %w", row.ZH, err)
	}
	return b.Bytes(), nil
}

// TemplateName is the file name of a kind's template.
func TemplateName(k Kind) string { return k.Title() + "模板.xlsx" }

// template is a template that is being made.
type template struct {
	f       *excelize.File
	kind    Kind
	columns []templateColumn

	title, head, must, example, body, date, text, clock, noteHead, note, noteTitle, number int
}

func (t *template) sheet() string { return t.kind.Title() }

// last is the name of the last column.
func (t *template) last() string { return t.column(len(t.columns)) }

// column is the name of a column of the table; 0 is the row number's.
func (t *template) column(i int) string {
	name, _ := excelize.ColumnNumberToName(i + 1)
	return name
}

func (t *template) styles() (err error) {
	line := func(colour string) []excelize.Border {
		return []excelize.Border{{Type: "left", Color: colour, Style: 1}, {Type: "right", Color: colour, Style: 1}, {Type: "top", Color: colour, Style: 1}, {Type: "bottom", Color: colour, Style: 1}}
	}
	add := func(s excelize.Style) int {
		id, e := t.f.NewStyle(&s)
		if e != nil && err == nil {
			err = e
		}
		return id
	}
	fill := func(colour string) excelize.Fill {
		return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
	}
	const font = "微软雅黑"
	middle := &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}
	body := &excelize.Alignment{Vertical: "center"}
	format := func(s string) *string { return &s }
	t.title = add(excelize.Style{Font: &excelize.Font{Family: font, Bold: true, Size: 14, Color: "B3261E"}, Alignment: middle})
	t.head = add(excelize.Style{Font: &excelize.Font{Family: font, Bold: true, Size: 10, Color: "1F2933"}, Fill: fill("EEF3F9"), Border: line("8A99A8"), Alignment: middle})
	t.must = add(excelize.Style{Font: &excelize.Font{Family: font, Bold: true, Size: 10, Color: "FFFFFF"}, Fill: fill("1B4B8A"), Border: line("8A99A8"), Alignment: middle})
	t.example = add(excelize.Style{Font: &excelize.Font{Family: font, Italic: true, Size: 10, Color: "7B8794"}, Fill: fill("F6F7F9"), Border: line("D5DDE6"), Alignment: body, NumFmt: 49})
	t.body = add(excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: line("D5DDE6"), Alignment: body})
	t.date = add(excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: line("D5DDE6"), Alignment: body, CustomNumFmt: format("yyyy-mm-dd")})
	t.clock = add(excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: line("D5DDE6"), Alignment: body, CustomNumFmt: format("h:mm")})
	t.text = add(excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: line("D5DDE6"), Alignment: body, NumFmt: 49})
	t.number = add(excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: line("D5DDE6"), Alignment: middle})
	t.noteTitle = add(excelize.Style{Font: &excelize.Font{Family: font, Bold: true, Size: 14, Color: "123766"}})
	t.noteHead = add(excelize.Style{Font: &excelize.Font{Family: font, Bold: true, Size: 10}, Fill: fill("EEF3F9"), Border: line("8A99A8"), Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}})
	t.note = add(excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: line("D5DDE6"), Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}})
	return err
}

// table writes the title, the headings and the example.
func (t *template) table() error {
	s := t.sheet()
	title := stationTitle
	if t.kind.row().ofCentre {
		title = centreTitle
	}
	heads, example := []any{"序号"}, []any{exampleMark}
	for _, c := range t.columns {
		heads, example = append(heads, c.field.of(t.kind).names[0]), append(example, c.example)
	}
	for _, step := range []error{
		t.f.SetCellStr(s, "A1", title+t.kind.Title()),
		t.f.MergeCell(s, "A1", t.last()+"1"),
		t.f.SetCellStyle(s, "A1", t.last()+"1", t.title),
		t.f.SetRowHeight(s, 1, 34),
		t.f.SetSheetRow(s, "A2", &heads),
		t.f.SetRowHeight(s, 2, 34),
		t.f.SetCellStyle(s, "A2", t.last()+"2", t.head),
		t.f.SetSheetRow(s, "A3", &example),
		t.f.SetCellStyle(s, "A3", t.last()+"3", t.example),
		t.f.SetColWidth(s, "A", "A", 7),
	} {
		if step != nil {
			return step
		}
	}
	for i, c := range t.columns {
		name := t.column(i + 1)
		if err := t.f.SetColWidth(s, name, name, c.width); err != nil {
			return err
		}
		if !slices.Contains(needless, c.field) {
			if err := t.f.SetCellStyle(s, name+"2", name+"2", t.must); err != nil {
				return err
			}
		}
	}
	return nil
}

// formats gives the rows to fill in their cell formats and drop-down lists.
func (t *template) formats() error {
	s := t.sheet()
	if err := t.f.SetCellStyle(s, "A4", fmt.Sprintf("A%d", templateRows+3), t.body); err != nil {
		return err
	}
	for i, c := range t.columns {
		name := t.column(i + 1)
		area := fmt.Sprintf("%s4:%s%d", name, name, templateRows+3)
		style := t.body
		switch c.field {
		case colDate, colThenDate, colPayableBy:
			style = t.date
		case colAt, colThenAt, colSignIn, colSignOut:
			style = t.clock
		case colLicence, colNumber, colEvidence:
			style = t.text
		}
		if err := t.f.SetCellStyle(s, name+"4", fmt.Sprintf("%s%d", name, templateRows+3), style); err != nil {
			return err
		}
		list := dropDown(c.field)
		v := excelize.NewDataValidation(true)
		v.Sqref = area
		v.SetInput(c.field.of(t.kind).names[0], clip(c.note))
		switch {
		case list != nil:
			if err := v.SetDropList(list); err != nil {
				return err
			}
			// A full name or a synonym is understood as well: warn, do not refuse.
			v.SetError(excelize.DataValidationErrorStyleWarning, "不在列表中", "请尽量从下拉列表中选；写别的词可能会被退回。")
		case c.field == colLicence:
			if err := v.SetRange(17, 17, excelize.DataValidationTypeTextLength, excelize.DataValidationOperatorEqual); err != nil {
				return err
			}
			v.SetError(excelize.DataValidationErrorStyleWarning, "执业证号", "执业证号是 17 位数字。")
		default:
			continue
		}
		if err := t.f.AddDataValidation(s, v); err != nil {
			return err
		}
	}
	return nil
}

// dropDown lists what a column may say; nil for free text.
func dropDown(f field) []string {
	switch f {
	case colGuided, colBadge, colDefender, colCustody:
		return []string{"是", "否"}
	case colApplicant:
		f = colRole
	}
	var out []string
	for _, w := range words {
		if w.field == f {
			out = append(out, w.title)
		}
	}
	return out
}

// page sets how the sheet is shown and printed.
func (t *template) page() error {
	s := t.sheet()
	landscape, a4, wide, high := "landscape", 9, 1, 0
	fit := true
	for row := 3; row <= printedRows; row++ {
		if err := t.f.SetRowHeight(s, row, 20); err != nil {
			return err
		}
	}
	for _, step := range []error{
		t.f.SetPanes(s, &excelize.Panes{Freeze: true, YSplit: 2, TopLeftCell: "A3", ActivePane: "bottomLeft"}),
		t.f.SetSheetProps(s, &excelize.SheetPropsOptions{FitToPage: &fit}),
		t.f.SetPageLayout(s, &excelize.PageLayoutOptions{Size: &a4, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &high}),
		t.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: fmt.Sprintf("'%s'!$1:$2", s), Scope: s}),
		t.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Area", RefersTo: fmt.Sprintf("'%s'!$A$1:$%s$%d", s, t.last(), printedRows), Scope: s}),
	} {
		if step != nil {
			return step
		}
	}
	return nil
}

// notes writes the sheet 填写说明.
func (t *template) notes() error {
	if _, err := t.f.NewSheet(notesSheet); err != nil {
		return err
	}
	row := 1
	var first error
	put := func(style int, height float64, values ...any) {
		from := fmt.Sprintf("A%d", row)
		to, _ := excelize.CoordinatesToCellName(len(values), row)
		for _, err := range []error{t.f.SetSheetRow(notesSheet, from, &values), t.f.SetCellStyle(notesSheet, from, to, style), t.f.SetRowHeight(notesSheet, row, height)} {
			if err != nil && first == nil {
				first = err
			}
		}
		row++
	}
	put(t.noteTitle, 28, t.kind.Title()+"填写说明")
	for i, text := range []string{
		"把第 1 行改成名称和年月，例如：" + t.kind.TitleExample() + "。",
		"从第 4 行起每行填一条。第 3 行是示例，不会导入，可以留着也可以删掉。",
		"深蓝色表头的列必须填；浅色的列可以空着。列的先后可以调换，也可以加自己的列，多出的列不导入。",
		"不要在表里写当事人的身份证号。姓名、备注等不导入的内容只留在文件里。",
		"填好后在平台的“台账导入”页面上传，或运行 zhiban import。同一文件可以反复导入，已导入的行不会重复计；改正后再导入一次即可。",
	} {
		put(t.note, 30, i+1, text)
		if err := t.f.SetCellStyle(notesSheet, fmt.Sprintf("A%d", row-1), fmt.Sprintf("A%d", row-1), t.number); err != nil {
			return err
		}
		if err := t.f.MergeCell(notesSheet, fmt.Sprintf("B%d", row-1), fmt.Sprintf("D%d", row-1)); err != nil {
			return err
		}
		if err := t.f.SetCellStyle(notesSheet, fmt.Sprintf("B%d", row-1), fmt.Sprintf("D%d", row-1), t.note); err != nil {
			return err
		}
	}
	row++
	put(t.noteHead, 22, "列", "列名", "必填", "怎样填")
	for i, c := range t.columns {
		must := "必填"
		if slices.Contains(needless, c.field) {
			must = ""
		}
		text := c.note
		if list := dropDown(c.field); len(list) > 2 && c.field != colTrigger {
			text += "：" + choices(map[bool]field{true: colRole, false: c.field}[c.field == colApplicant])
		}
		height := 22.0
		if cellWidth(text) > 84 {
			height = 38
		}
		put(t.note, height, t.column(i+1), c.field.of(t.kind).names[0], must, text)
	}
	landscape, a4, wide, high := "landscape", 9, 1, 0
	fit := true
	for _, err := range []error{first, t.f.SetColWidth(notesSheet, "A", "A", 5), t.f.SetColWidth(notesSheet, "B", "B", 24), t.f.SetColWidth(notesSheet, "C", "C", 8), t.f.SetColWidth(notesSheet, "D", "D", 88),
		t.f.SetSheetProps(notesSheet, &excelize.SheetPropsOptions{FitToPage: &fit}),
		t.f.SetPageLayout(notesSheet, &excelize.PageLayoutOptions{Size: &a4, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &high})} {
		if err != nil {
			return err
		}
	}
	return nil
}

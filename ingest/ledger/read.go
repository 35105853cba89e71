package ledger

import (
	"cmp"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"zhiban/schemas"
)

// ReadOptions say what the file itself does not.
type ReadOptions struct {
	// Station is the station whose ledgers these are; empty: from the title.
	Station schemas.StationCode
	// Stop, when there is one, is asked at every row whether to give up.
	Stop func() error
	// Rows, when there is one, hears now and then how many rows were read.
	Rows func(rows int)
}

// Read reads a file, XLSX or CSV; name is what it is called in messages. Its
// errors are one line in Chinese for the clerk, of kind [schemas.Invalid].
func Read(name string, r io.Reader, o ReadOptions) (l *Ledger, err error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	if err != nil {
		return nil, errorf("%s：%v", name, errorf("读取失败：%v", err))
	}
	// The spreadsheet library may stumble over a file that was made to harm; the
	// other files still have to be read.
	defer func() {
		if p := recover(); p != nil {
			l, err = nil, unreadable(name, "文件内容已损坏（%v）。请在 Excel 中打开后另存为 .xlsx", p)
		}
	}()
	book, format, large, err := openFile(name, b)
	if err != nil {
		return nil, err
	}
	defer book.Close()
	l = &Ledger{File: name, format: format, large: large, progress: o.Rows, stop: o.Stop}
	if err := l.readBook(book, o); err != nil {
		return nil, err
	}
	return l, nil
}

// readBook reads every sheet: first the titles, for one sheet may name the
// month or the station for all, then the rows.
func (l *Ledger) readBook(book spreadsheet, o ReadOptions) error {
	var readers []*reader
	for _, name := range book.sheets() {
		r := &reader{book: book, ledger: l, name: name}
		if err := r.head(); err != nil {
			if l.stop != nil && l.stop() != nil {
				return unreadable(l.File, "读取中断，文件太大或机器太忙：%v", err)
			}
			return unreadable(l.File, "工作表「%s」读不出来：%v", name, err)
		}
		readers = append(readers, r)
	}
	if err := l.checkHeadings(readers); err != nil {
		return err
	}
	whole := l.filePeriod(readers)
	for _, r := range readers {
		if r.layout == nil {
			l.Sheets = append(l.Sheets, Sheet{Name: r.name, Skipped: r.skipped})
			continue
		}
		if r.period == (period{}) {
			r.period = cmp.Or(titlePeriod(r.name), whole)
		}
		if book.hidden(r.name) {
			l.notice(r.name, 0, tell("是隐藏的工作表，也已读入"))
		}
		if err := r.read(); err != nil {
			if l.stop != nil && l.stop() != nil {
				return unreadable(l.File, "读取中断，文件太大或机器太忙：%v", err)
			}
			return unreadable(l.File, "工作表「%s」读不出来：%v", r.name, err)
		}
	}
	return l.finish(o.Station)
}

// finish turns the lines that were read into events.
func (l *Ledger) finish(station schemas.StationCode) error {
	if err := l.findStations(station); err != nil {
		return err
	}
	l.settle()
	l.compareNames()
	l.makeEvents()
	l.sort()
	return nil
}

// checkHeadings makes the error of a file without ledgers, or with one that
// lacks a column.
func (l *Ledger) checkHeadings(readers []*reader) error {
	found := false
	for _, r := range readers {
		if r.layout == nil {
			continue
		}
		found = true
		if missing := r.layout.missing(); len(missing) > 0 {
			return unreadable(l.File, "工作表「%s」像是%s，但表头缺少 %s。请补上这一列（列的先后不限）后再导入", r.name, r.layout.kind.Title(), strings.Join(missing, "、"))
		}
	}
	if found {
		return nil
	}
	return unreadable(l.File, "没有找到台账的表头。可以导入的有：%s", wanted())
}

// filePeriod is the month for sheets whose title names none.
func (l *Ledger) filePeriod(readers []*reader) period {
	for _, r := range readers {
		if r.period.month != 0 {
			return r.period
		}
	}
	for _, r := range readers {
		if r.period.year != 0 {
			return r.period
		}
	}
	return titlePeriod(l.File)
}

// reader reads one sheet.
type reader struct {
	book   spreadsheet
	ledger *Ledger
	name   string

	period  period
	station string  // name in the title
	centre  string  // name of a legal aid centre in the title
	layout  *layout // of the table that is being read; nil: no heading was found
	skipped schemas.Text

	sheet    int // of Ledger.Sheets, the table that is being read
	merged   *merges
	previous []string // the row before, for 同上
	footers  []string // since the last line: they may be the title of a second table
}

type sheetRow struct {
	n     int
	cells []string
}

// headRows is within how many rows the heading has to stand.
const headRows = 60

// head finds the heading and reads the title above it.
func (r *reader) head() error {
	r.merged = r.book.merges(r.name)
	r.skipped = tell("空表")
	err := r.scan(func(rows []sheetRow) (used int, more bool) {
		if l, ok := r.heading(rows); ok {
			r.layout = &l
			return 1, false
		}
		for _, c := range rows[0].cells {
			if c != "" {
				r.skipped = tell("没有找到台账的表头")
				r.title(c)
			}
		}
		return 1, rows[0].n < headRows
	})
	if r.layout == nil && r.name == notesSheet { // its dates are examples
		r.period, r.station, r.centre, r.skipped = period{}, "", "", tell("模板的说明")
	}
	return err
}

// title takes the month and the station out of a cell above the heading.
func (r *reader) title(text string) {
	if p := titlePeriod(text); p != (period{}) && r.period.month == 0 {
		r.period = p
	}
	if s := titleStation(text); s != "" && r.station == "" {
		r.station = s
	}
	if s := titleCentre(text); s != "" && r.centre == "" {
		r.centre = s
	}
}

// heading tells whether a table's heading begins with the first of rows.
func (r *reader) heading(rows []sheetRow) (layout, bool) {
	if !looksLikeHeading(rows[0].cells) {
		return layout{}, false
	}
	var cells [][]string
	for i, row := range rows {
		if row.n != rows[0].n+i {
			break
		}
		cells = append(cells, row.cells)
	}
	return findLayout(cells, rows[0].n, r.merged)
}

// scan goes through the sheet's rows with a look at those that follow. use
// tells how many rows it has used up and whether to go on.
func (r *reader) scan(use func(rows []sheetRow) (used int, more bool)) error {
	var window []sheetRow
	more := true
	step := func() {
		var used int
		used, more = use(window)
		window = window[used:]
	}
	var stopped error
	err := r.book.rows(r.name, func(n int, cells []string) bool {
		if stop := r.ledger.stop; stop != nil {
			if stopped = stop(); stopped != nil {
				return false
			}
		}
		window = append(window, sheetRow{n, cells})
		for more && len(window) >= maxHeadingDepth {
			step()
		}
		return more
	})
	err = cmp.Or(stopped, err)
	for more && err == nil && len(window) > 0 {
		step()
	}
	return err
}

// read reads the sheet's lines.
func (r *reader) read() error {
	first := r.layout.row
	r.layout = nil
	return r.scan(func(rows []sheetRow) (int, bool) {
		row := rows[0]
		own := slices.Clone(row.cells)
		row.cells = r.merged.fill(row.n, row.cells)
		if row.n < first {
			return 1, true
		}
		if l, ok := r.heading(append([]sheetRow{{row.n, own}}, rows[1:]...)); ok {
			r.begin(l)
			for _, below := range rows[1:l.depth] {
				r.merged.fill(below.n, below.cells)
			}
			return l.depth, true
		}
		r.row(row, own)
		return 1, true
	})
}

// begin begins a table, or goes on with the current one when its heading is
// printed again.
func (r *reader) begin(l layout) {
	if r.layout != nil && r.layout.kind == l.kind && r.layout.col == l.col {
		s := r.current()
		s.Others += l.depth
		s.Blank += l.row - s.lastRow - 1
		s.lastRow = l.row + l.depth - 1
		return
	}
	if r.layout != nil { // a second table: rows in between may be its title
		for _, text := range r.footers {
			if p := titlePeriod(text); p != (period{}) {
				r.period = p
			}
			if s := titleStation(text); s != "" {
				r.station, r.centre = s, ""
			} else if s := titleCentre(text); s != "" {
				r.station, r.centre = "", s
			}
		}
	}
	r.layout, r.previous, r.footers = &l, nil, nil
	r.ledger.Sheets = append(r.ledger.Sheets, Sheet{Name: r.name, Kind: l.kind, stationName: r.station, centreName: r.centre, period: r.period, layout: l, lastRow: l.row + l.depth - 1, width: l.width})
	r.sheet = len(r.ledger.Sheets) - 1
	r.columnNotices()
}

func (r *reader) current() *Sheet { return &r.ledger.Sheets[r.sheet] }

// columnNotices says which columns are not imported.
func (r *reader) columnNotices() {
	l := r.layout
	var left []string
	for _, f := range []field{colAnswer, colPerson, colPersonID, colApplicant, colNumber, colCourse, colPlace, colRemark} {
		if l.has(f) {
			left = append(left, "「"+l.name(f)+"」")
		}
	}
	if len(left) > 0 {
		r.ledger.notice(r.name, 0, tell("%s不导入，只留在文件里", strings.Join(left, "")))
	}
	if len(l.unknown) > 0 {
		r.ledger.notice(r.name, 0, tell("不认识的列没有导入：「%s」", strings.Join(l.unknown, "」「")))
	}
	if l.kind == ConsultationsLedger && !l.has(colGuided) {
		r.ledger.notice(r.name, 0, tell("没有「%s」一列，全部按“未引导”计", colGuided.of(l.kind).names[0]))
	}
	if l.kind == ConsultationsLedger && !l.has(colSignature) {
		r.ledger.notice(r.name, 0, tell("没有「%s」一列，全部按“未签字”计", colSignature.of(l.kind).names[0]))
	}
	if l.kind == SignInBook && !l.has(colSignOut) && !l.has(colSpan) {
		r.ledger.notice(r.name, 0, tell("没有「离岗时间」一列，班次都会是未结束"))
	}
}

var (
	totalRow = regexp.MustCompile(`^(本?[页日周月季年]度?|本表)?(合计|总计|小计|累计|共计)`)
	footer   = regexp.MustCompile(`^(填表|填报|制表|审核|审批|负责人|经办|记录人|备注|注:|注：|说明|联系电话|单位|盖章|\(盖章|打印|第\d+页|共\d+页)`)
)

// row reads a row below a heading. own are the row's own cells, without those
// filled in from merged ranges.
func (r *reader) row(row sheetRow, own []string) {
	s := r.current()
	c := &cells{reader: r, row: row.n, cells: own}
	texts := c.texts()
	if len(texts) == 0 {
		return
	}
	s.Blank += row.n - s.lastRow - 1
	s.lastRow, s.width = row.n, max(s.width, len(own))
	switch {
	case totalRow.MatchString(squeeze(texts[0])) && !licenceLike(c.text(colLicence)):
		s.Totals++
		return
	case strings.HasPrefix(squeeze(texts[0]), exampleMark):
		s.Others++
		r.ledger.notice(r.name, row.n, tell("标为“%s”的行没有导入", exampleMark))
		return
	}
	c.cells = row.cells
	if footer.MatchString(squeeze(texts[0])) || !c.isLine(len(texts)) {
		s.Others++
		r.footers = append(r.footers, texts...)
		if titleStation(texts[0]) == "" || len(texts) != 1 { // a title printed again on each page
			r.ledger.notice(r.name, row.n, tell("不是台账记录，已跳过：%s", clip(strings.Join(texts, " "))))
		}
		return
	}
	r.ditto(c)
	r.footers = nil
	if r.ledger.rows++; r.ledger.progress != nil && r.ledger.rows%500 == 0 {
		r.ledger.progress(r.ledger.rows)
	}
	n := s.Kind.row().read(c)
	n.sheet, n.notes = r.sheet, c.notes
	s.Rows++
	s.Accepted++
	if len(c.faults) > 0 {
		r.ledger.reject(n, c.rejection())
		return
	}
	r.ledger.lines = append(r.ledger.lines, n)
}

// texts are the row's cells that hold something, apart from its number and the
// result of an earlier import.
func (c *cells) texts() []string {
	var out []string
	for i, text := range c.cells {
		if i == c.layout.col[colSeq] && len(squeeze(text)) > 0 && strings.Trim(squeeze(text), "0123456789.") == "" || i == c.layout.col[colResult] {
			continue
		}
		if text = fold(text); text != "" {
			out = append(out, text)
		}
	}
	return out
}

func licenceLike(s string) bool {
	_, err := schemas.ParseLicence(squeeze(s))
	return err == nil
}

// isLine tells whether the row speaks of a lawyer, a day or a time at all. A
// row with a single cell does so only when the cell is the date.
func (c *cells) isLine(texts int) bool {
	for _, f := range []field{colDate, colLicence, colLawyer, colSignIn, colSignOut, colSpan, colAt, colThenDate, colOrgan, colAmount} {
		text := c.text(f)
		if text == "" {
			continue
		}
		if texts > 1 {
			return true
		}
		if f == colDate {
			_, err := parseDate(text, c.period)
			return err == nil || errors.Is(err, errNoSuchDay)
		}
	}
	return false
}

// ditto fills in the cells that say 同上.
func (r *reader) ditto(c *cells) {
	for i, text := range c.cells {
		switch squeeze(text) {
		case "同上", "〃", "″", `"`, "''":
			if i < len(r.previous) {
				c.cells[i] = r.previous[i]
			}
		}
	}
	r.previous = c.cells
}

// rejection puts what is wrong with a row in one, from left to right.
func (c *cells) rejection() Rejection {
	slices.SortStableFunc(c.faults, func(a, b fault) int { return c.layout.col[a.col] - c.layout.col[b.col] })
	var reasons []schemas.Text
	for _, f := range c.faults {
		reasons = append(reasons, f.text)
	}
	first := c.faults[0]
	r := Rejection{Code: first.code, Reason: join(reasons, "；", "; "), col: c.layout.col[first.col]}
	if r.col >= 0 {
		r.Column = c.layout.name(first.col)
	}
	return r
}

// sort brings what is said about rows into the order of the file.
func (l *Ledger) sort() {
	place := map[string]int{}
	for i, s := range l.Sheets {
		if _, ok := place[s.Name]; !ok {
			place[s.Name] = i + 1
		}
	}
	slices.SortStableFunc(l.Rejections, func(a, b Rejection) int {
		return cmp.Or(place[a.Sheet]-place[b.Sheet], a.Row-b.Row)
	})
	slices.SortStableFunc(l.Repeats, func(a, b Repeat) int {
		return cmp.Or(place[a.Sheet]-place[b.Sheet], a.Row-b.Row)
	})
	for _, n := range l.Notices {
		slices.Sort(n.Rows)
	}
	slices.SortStableFunc(l.Notices, func(a, b Notice) int { return place[a.Sheet] - place[b.Sheet] })
}

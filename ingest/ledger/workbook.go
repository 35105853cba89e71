package ledger

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"zhiban/schemas"
)

// Limits of what is opened. A county's month is some hundred lines; a hundred
// thousand lines with eleven columns take 8 MiB packed and 90 MiB unpacked.
const (
	// MaxFileBytes bounds a file as it is sent or stored.
	MaxFileBytes = 64 << 20
	// maxUnpacked bounds what it unpacks to.
	maxUnpacked = 256 << 20
	// maxColumns bounds a row: what stands further to the right is not part of
	// a ledger.
	maxColumns = 64
	// maxParts bounds the files in a workbook, maxSheets its sheets, maxMerged the
	// merged ranges of a sheet.
	maxParts, maxSheets, maxMerged = 2000, 100, 50_000
	// maxLetters bounds a cell's text in bytes: a spreadsheet takes 32767 letters.
	maxLetters = 4 * 32767
	// maxSpread bounds the cells of a sheet that is held in memory, with the empty
	// ones before its last cells and rows: the library makes room for those too.
	// One with more is streamed.
	maxSpread = 2_000_000
)

// maxInMemory bounds a sheet that is held in memory as a whole; a larger one is
// streamed from a temporary file. Tests lower it.
var maxInMemory int64 = 16 << 20

// unreadable makes the one-line error of a file that cannot be read.
func unreadable(name, format string, args ...any) error {
	return schemas.Errorf(schemas.Invalid, "%w", errorf("%s：%v", name, errorf(format, args...)))
}

// spreadsheet is a file of tables as it is read: a workbook or a CSV file.
type spreadsheet interface {
	sheets() []string
	hidden(sheet string) bool
	rows(sheet string, use func(n int, cells []string) bool) error
	merges(sheet string) *merges
	isNumber(sheet string, row, col int) (number, known bool)
	dateText(s string) string
	Close() error
}

// format is what a file is, whatever it is called.
type format int

const (
	formatXLSX format = iota
	formatCSV
)

// ext is the extension of a format's files.
func (f format) ext() string {
	if f == formatCSV {
		return ".csv"
	}
	return ".xlsx"
}

// openFile finds out what a file is and opens it; its errors are one line that
// says why it cannot.
func openFile(name string, b []byte) (s spreadsheet, f format, large bool, err error) {
	if err := checkFormat(name, b); err != nil {
		return nil, 0, false, err
	}
	if !bytes.HasPrefix(b, []byte("PK")) {
		c, ok := openCSV(name, b)
		if !ok {
			return nil, 0, false, unreadable(name, "既不是 Excel 工作簿（.xlsx），也不是 CSV 文件。请在 Excel 或 WPS 中另存为 .xlsx")
		}
		return c, formatCSV, false, nil
	}
	w, err := openWorkbook(name, b)
	if err != nil {
		return nil, 0, false, err
	}
	return w, formatXLSX, w.large, nil
}

// workbook is an opened spreadsheet.
type workbook struct {
	file     *excelize.File
	large    bool                     // some sheet is streamed
	merged   map[string][]mergedRange // by sheet, from the top
	date1904 bool
}

// openWorkbook reads a spreadsheet and says in one line why it cannot.
func openWorkbook(name string, b []byte) (*workbook, error) {
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, unreadable(name, "文件不完整或已损坏，打不开。请重新复制一份，或在 Excel 中打开后另存为 .xlsx")
	}
	isWorkbook := false
	var unpacked uint64
	for _, e := range zr.File {
		isWorkbook = isWorkbook || strings.HasSuffix(strings.ToLower(e.Name), "workbook.xml")
		unpacked += min(e.UncompressedSize64, maxUnpacked+1)
	}
	if !isWorkbook {
		return nil, unreadable(name, "不是 Excel 工作簿（.xlsx）。请在 Excel 或 WPS 中另存为 .xlsx")
	}
	if len(zr.File) > maxParts {
		return nil, unreadable(name, "文件里有 %d 个部件，不像台账，不予打开。请把台账复制到新的工作簿再导入", len(zr.File))
	}
	if unpacked > maxUnpacked {
		return nil, unreadable(name, "文件解压后超过 %d MB，不像台账，不予打开。请把台账复制到新的工作簿再导入", maxUnpacked>>20)
	}
	merged, large, err := checkSheets(zr)
	if errors.Is(err, errManyMerged) {
		return nil, unreadable(name, "一张工作表里的合并单元格超过 %d 处，不像台账，不予打开。请把台账复制到新的工作簿再导入", maxMerged)
	}
	if err != nil {
		return nil, unreadable(name, "文件内容已损坏（%v）。请在 Excel 中打开后另存为 .xlsx", err)
	}
	w := &workbook{large: large, merged: map[string][]mergedRange{}}
	for sheet, part := range sheetParts(zr) {
		w.merged[sheet] = merged[part]
		slices.SortStableFunc(w.merged[sheet], func(a, b mergedRange) int { return a.top - b.top })
	}
	w.file, err = excelize.OpenReader(bytes.NewReader(b), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxInMemory})
	if err != nil {
		return nil, unreadable(name, "文件内容已损坏（%v）。请在 Excel 中打开后另存为 .xlsx", err)
	}
	if n := w.file.SheetCount; n > maxSheets {
		w.file.Close()
		return nil, unreadable(name, "文件里有 %d 张工作表，不像台账，不予打开。请分成几个文件再导入", n)
	}
	if props, err := w.file.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		w.date1904 = *props.Date1904
	}
	return w, nil
}

// checkFormat tells files that are neither XLSX nor text apart by their first
// bytes.
func checkFormat(name string, b []byte) error {
	ole := []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}
	switch {
	case len(b) == 0:
		return unreadable(name, "文件是空的")
	case len(b) > MaxFileBytes:
		return unreadable(name, "文件超过 %d MB，不像台账。请删去图片等无关内容后再导入", MaxFileBytes>>20)
	case bytes.HasPrefix(b, ole) && bytes.Contains(b, utf16("EncryptedPackage")):
		return unreadable(name, "文件设有打开密码。请在 Excel 中取消密码（文件→信息→保护工作簿）后再导入")
	case bytes.HasPrefix(b, ole):
		return unreadable(name, "是旧格式（.xls 或 .et）。请在 Excel 或 WPS 中另存为 .xlsx 后再导入")
	case bytes.HasPrefix(b, []byte("PK")):
		return nil
	case bytes.HasPrefix(b, []byte("%PDF")):
		return unreadable(name, "是 PDF 文件。请导入原来的 Excel 或 CSV 文件")
	case bytes.Contains(bytes.ToLower(b[:min(len(b), 1024)]), []byte("<html")) || bytes.Contains(bytes.ToLower(b[:min(len(b), 1024)]), []byte("<table")):
		return unreadable(name, "实际是网页而不是 Excel 文件。请在 Excel 中打开后另存为 .xlsx")
	}
	return nil
}

func utf16(s string) []byte {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r), byte(r>>8))
	}
	return out
}

// checkSheets reads the sheets once as XML: the library's row reader takes an
// error in the middle for the end, and rows would be lost silently. On the way
// it collects the merged ranges of each part. It tells whether some sheet is
// too large to be held in memory.
func checkSheets(zr *zip.Reader) (merged map[string][]mergedRange, large bool, err error) {
	merged = map[string][]mergedRange{}
	for _, e := range zr.File {
		name := partName(e.Name)
		if !strings.HasPrefix(name, "xl/worksheets/") || !strings.HasSuffix(name, ".xml") {
			continue
		}
		large = large || e.UncompressedSize64 > uint64(maxInMemory)
		r, err := e.Open()
		if err != nil {
			return nil, large, err
		}
		d := xml.NewDecoder(r)
		d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
		var of spread
		for err == nil {
			var t xml.Token
			t, err = d.RawToken()
			el, ok := t.(xml.StartElement)
			if !ok {
				continue
			}
			of.add(el)
			if el.Name.Local != "mergeCell" {
				continue
			}
			if m, ok := mergedRef(el); ok {
				merged[name] = append(merged[name], m)
			}
			if len(merged[name]) > maxMerged {
				err = errManyMerged
			}
		}
		r.Close()
		large = large || of.cells() > maxSpread
		if !errors.Is(err, io.EOF) {
			return nil, large, err
		}
	}
	return merged, large, nil
}

var errManyMerged = errors.New("too many merged ranges")

// spread is how far a sheet's cells reach.
type spread struct {
	lastRow, rows int // the number of the last row, and the cells of the rows before
	column        int // of the last cell of the row
}

func (s *spread) add(el xml.StartElement) {
	at := ""
	for _, a := range el.Attr {
		if a.Name.Local == "r" {
			at = a.Value
		}
	}
	switch el.Name.Local {
	case "row":
		s.rows, s.column = s.rows+s.column, 0
		if n, err := strconv.Atoi(at); err == nil {
			s.lastRow = max(s.lastRow, n)
		} else {
			s.lastRow++
		}
	case "c":
		column := 0
		for _, r := range strings.ToUpper(at) {
			if r < 'A' || r > 'Z' || column > 1<<20 {
				break
			}
			column = 26*column + int(r-'A') + 1
		}
		s.column = max(s.column+1, column)
	}
}

func (s *spread) cells() int { return s.lastRow + s.rows + s.column }

// partName is the name of a part of the package as it is compared.
func partName(s string) string {
	return strings.TrimPrefix(strings.ToLower(strings.ReplaceAll(s, `\`, "/")), "/")
}

// mergedRef reads <mergeCell ref="A1:B2"/>.
func mergedRef(el xml.StartElement) (mergedRange, bool) {
	for _, a := range el.Attr {
		if a.Name.Local != "ref" {
			continue
		}
		from, to, ok := strings.Cut(a.Value, ":")
		left, top, err1 := excelize.CellNameToCoordinates(from)
		right, bottom, err2 := excelize.CellNameToCoordinates(to)
		return mergedRange{top: top, left: left - 1, bottom: bottom, right: right - 1}, ok && err1 == nil && err2 == nil && left <= maxColumns
	}
	return mergedRange{}, false
}

// sheetParts says in which part of the package each sheet is.
func sheetParts(zr *zip.Reader) map[string]string {
	var book struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	var rels struct {
		Relationships []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	for _, e := range zr.File {
		var into any
		switch partName(e.Name) {
		case "xl/workbook.xml":
			into = &book
		case "xl/_rels/workbook.xml.rels":
			into = &rels
		default:
			continue
		}
		if r, err := e.Open(); err == nil {
			_ = xml.NewDecoder(r).Decode(into) // what is wrong with it the library says
			r.Close()
		}
	}
	targets := map[string]string{}
	for _, r := range rels.Relationships {
		if !strings.HasPrefix(r.Target, "/") {
			r.Target = "xl/" + r.Target
		}
		targets[r.ID] = partName(r.Target)
	}
	out := map[string]string{}
	for _, s := range book.Sheets {
		out[s.Name] = targets[s.ID]
	}
	return out
}

// sheets are the sheets' names, without that of a marked copy's summary.
func (w *workbook) sheets() []string {
	return slices.DeleteFunc(w.file.GetSheetList(), func(name string) bool { return strings.HasPrefix(name, summarySheet) })
}

func (w *workbook) hidden(sheet string) bool {
	visible, err := w.file.GetSheetVisible(sheet)
	return err == nil && !visible
}

// Close removes temporary files.
func (w *workbook) Close() error { return w.file.Close() }

// rows calls use with every row of a sheet that has cells, in order; the
// number counts from 1. It stops when use returns false.
func (w *workbook) rows(sheet string, use func(n int, cells []string) bool) error {
	rows, err := w.file.Rows(sheet)
	if err != nil {
		return err
	}
	for n := 1; rows.Next(); n++ {
		cells, err := rows.Columns()
		if err != nil {
			rows.Close()
			return errorf("第%d行：%v", n, err)
		}
		cells = cells[:min(len(cells), maxColumns)]
		if err := checkCells(n, cells); err != nil {
			rows.Close()
			return err
		}
		if len(cells) > 0 && !use(n, cells) {
			break
		}
	}
	return rows.Close()
}

// checkCells refuses texts that no spreadsheet takes.
func checkCells(row int, cells []string) error {
	for _, c := range cells {
		if len(c) > maxLetters {
			return errorf("第%d行有一格超过 32767 字，不像台账；CSV 文件请检查引号是否成对", row)
		}
	}
	return nil
}

// isNumber tells whether a cell holds a number, as opposed to text that looks
// like one. In a sheet that is streamed that is not known.
func (w *workbook) isNumber(sheet string, row, col int) (number, known bool) {
	if w.large {
		return false, false
	}
	name, err := excelize.CoordinatesToCellName(col+1, row)
	if err != nil {
		return false, false
	}
	t, err := w.file.GetCellType(sheet, name)
	return t == excelize.CellTypeUnset || t == excelize.CellTypeNumber, err == nil
}

// dateText is a cell's text with an Excel date of the 1904 system brought to
// the usual one.
func (w *workbook) dateText(s string) string {
	if !w.date1904 || !number.MatchString(s) {
		return s
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v < 1 {
		return s
	}
	return strconv.FormatFloat(v+1462, 'f', -1, 64)
}

// merges are a sheet's merged ranges.
type merges struct {
	ranges []mergedRange // from the top
	next   int           // the first range that fill has not met
	open   []mergedRange // met, and reaching below the current row
}

type mergedRange struct {
	top, left, bottom, right int // rows from 1, columns from 0
	value                    string
}

// merges are the sheet's merged ranges.
func (w *workbook) merges(sheet string) *merges {
	return &merges{ranges: w.merged[sheet]}
}

// text is what a heading cell shows: the text of the merged range it lies in.
// rows are the heading's, the first being the sheet's row number first. shared
// tells that the range spans several columns.
func (m *merges) text(rows [][]string, i, col, first int) (text string, shared bool) {
	for _, r := range m.ranges {
		if row := first + i; row >= r.top && row <= r.bottom && col >= r.left && col <= r.right {
			if top := r.top - first; top >= 0 && r.left < len(rows[top]) {
				text = rows[top][r.left]
			}
			return text, r.right > r.left
		}
	}
	return "", false
}

// fill writes the text of ranges merged downwards into the cells of row n that
// they cover. It has to be called with every row in turn.
func (m *merges) fill(n int, cells []string) []string {
	if len(m.ranges) == 0 {
		return cells
	}
	m.open = slices.DeleteFunc(m.open, func(r mergedRange) bool { return r.bottom < n })
	for ; m.next < len(m.ranges) && m.ranges[m.next].top <= n; m.next++ {
		// Ranges that do not overlap are as many as there are columns.
		if r := m.ranges[m.next]; r.top == n && r.bottom > n && r.left < len(cells) && len(m.open) < maxColumns {
			r.value = cells[r.left]
			m.open = append(m.open, r)
		}
	}
	for _, r := range m.open {
		if n == r.top {
			continue
		}
		for len(cells) <= r.left {
			cells = append(cells, "")
		}
		if cells[r.left] == "" {
			cells[r.left] = r.value
		}
	}
	return cells
}

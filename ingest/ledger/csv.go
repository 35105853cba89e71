package ledger

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// csvFile is a table kept as text: UTF-8 with or without a byte order mark,
// GB18030 (what a Chinese Excel writes as CSV), or UTF-16 (its "Unicode text");
// separated by commas, semicolons or tabs. It has one sheet, which bears the
// file's name. Rows are numbered as a spreadsheet shows them: blank lines
// count, line breaks within quotes do not.
type csvFile struct {
	name  string
	text  string
	comma rune
}

// openCSV reads a text file; ok is false when it is none.
func openCSV(name string, b []byte) (f *csvFile, ok bool) {
	text, ok := decodeText(b)
	if !ok {
		return nil, false
	}
	base := filepath.Base(name)
	f = &csvFile{name: strings.TrimSuffix(base, filepath.Ext(base)), text: text}
	f.comma = sniffComma(text)
	return f, true
}

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}

// decodeText finds the encoding of a text and brings line ends to \n.
func decodeText(b []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(b, utf8BOM):
		b = b[len(utf8BOM):]
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}), bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(b)
		if err != nil {
			return "", false
		}
		b = out
	case !utf8.Valid(b):
		out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
		if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
			return "", false
		}
		b = out
	}
	for _, r := range b { // no text has these
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != 0x1A {
			return "", false
		}
	}
	text := strings.ReplaceAll(strings.TrimRight(string(b), "\x1A"), "\r\n", "\n")
	return strings.ReplaceAll(text, "\r", "\n"), true
}

// sniffed is how much of a text is looked at for its separator.
const sniffed = 64 << 10

// sniffComma is the separator that splits the first rows into the most fields.
func sniffComma(text string) rune {
	best, most := ',', 0
	for _, comma := range []rune{',', ';', '\t'} {
		r := newCSVReader(strings.NewReader(text[:min(len(text), sniffed)]), comma)
		fields := 0
		for range headRows {
			record, err := r.Read()
			if err != nil {
				break
			}
			fields += len(record) - 1
		}
		if fields > most {
			best, most = comma, fields
		}
	}
	return best
}

func newCSVReader(text io.Reader, comma rune) *csv.Reader {
	r := csv.NewReader(text)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	return r
}

// maxRecord bounds a row in bytes, with what the reader has read ahead: a quote
// that is never closed would make one of the whole file.
const maxRecord = 2 << 20

// recordReader gives a text until a row is too long; who has read one sets left.
type recordReader struct {
	text string
	left int
}

func (r *recordReader) Read(p []byte) (int, error) {
	switch {
	case r.text == "":
		return 0, io.EOF
	case r.left <= 0:
		return 0, errorf("有一行超过 %d MB，不像台账；请检查引号是否成对", maxRecord>>20)
	}
	n := copy(p, r.text[:min(len(r.text), r.left)])
	r.text, r.left = r.text[n:], r.left-n
	return n, nil
}

// records calls use with every row that is not blank, until it returns false.
func (f *csvFile) records(use func(n int, record []string) bool) error {
	text := &recordReader{text: f.text, left: maxRecord}
	r := newCSVReader(text, f.comma)
	breaks := 0 // within quotes so far
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		text.left = maxRecord
		line, _ := r.FieldPos(0)
		n := line - breaks
		for _, field := range record {
			breaks += strings.Count(field, "\n")
		}
		if !use(n, record) {
			return nil
		}
	}
}

func (f *csvFile) sheets() []string { return []string{f.name} }

func (f *csvFile) hidden(string) bool { return false }

func (f *csvFile) rows(_ string, use func(n int, cells []string) bool) error {
	var wrong error
	err := f.records(func(n int, record []string) bool {
		cells := record[:min(len(record), maxColumns)]
		if wrong = checkCells(n, cells); wrong != nil {
			return false
		}
		for i, c := range cells {
			// ="12201201810123456" keeps a spreadsheet from taking it for a number.
			if quotedText.MatchString(c) {
				cells[i] = c[len(`="`) : len(c)-len(`"`)]
			} else if rest, ok := strings.CutPrefix(c, "'"); ok && isFormula(rest) {
				cells[i] = rest
			}
		}
		return use(n, cells)
	})
	return cmp.Or(wrong, err)
}

// isFormula tells whether a spreadsheet would compute a text of a CSV file, or run
// what it says. A number, or a text in quotes (="0431"), is only itself.
func isFormula(s string) bool {
	s = strings.TrimLeft(s, " \t\r\n\f\u00a0\u3000")
	if s == "" || !strings.ContainsRune("=+-@＝＋－＠", []rune(s)[0]) {
		return false
	}
	return !signedNumber.MatchString(s) && !quotedText.MatchString(s)
}

var (
	signedNumber = regexp.MustCompile(`^[+-][0-9]*[.]?[0-9]*$`) // and a dash alone
	quotedText   = regexp.MustCompile(`^="[^"]*"$`)
)

func (f *csvFile) merges(string) *merges { return &merges{} }

func (f *csvFile) isNumber(string, int, int) (number, known bool) { return false, false }

func (f *csvFile) dateText(s string) string { return s }

func (f *csvFile) Close() error { return nil }

// annotateCSV writes a copy with the column 导入结果, in UTF-8 with a byte order
// mark, which is what a spreadsheet opens correctly. Texts that it would take for
// formulas are marked as texts.
func (l *Ledger) annotateCSV(src []byte, w io.Writer) error {
	f, ok := openCSV(l.File, src)
	if !ok {
		return errorf("不是文本文件")
	}
	// A file has one sheet but maybe several tables: each row's result goes into
	// the column of the table that it is in.
	results := l.results()[f.name]
	if _, err := w.Write(utf8BOM); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = f.comma, true
	table, next := -1, 1
	err := f.records(func(n int, record []string) bool {
		for ; next < n; next++ {
			_ = out.Write(nil) // errors come out of Error
		}
		next = n + 1
		for table+1 < len(l.Sheets) && l.Sheets[table+1].layout.depth > 0 && n >= l.Sheets[table+1].layout.row {
			table++
		}
		if table >= 0 && l.Sheets[table].Skipped.ZH == "" {
			record = l.Sheets[table].withResult(record, n, results[n])
		}
		for i, c := range record {
			if isFormula(c) {
				record[i] = "'" + c // as which it is read again
			}
		}
		_ = out.Write(record)
		return out.Error() == nil
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

// withResult is a row with its result in the table's last column.
func (s *Sheet) withResult(record []string, n int, result string) []string {
	col := s.layout.col[colResult]
	if col < 0 {
		col = max(s.layout.width, s.width)
	}
	if n == s.layout.row {
		result = resultHeading
	}
	if result == "" && len(record) <= col {
		return record
	}
	for len(record) <= col {
		record = append(record, "")
	}
	record[col] = result
	return record
}

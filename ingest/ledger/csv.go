package ledger

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"path/filepath"
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
		r := newCSVReader(text[:min(len(text), sniffed)], comma)
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

func newCSVReader(text string, comma rune) *csv.Reader {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	return r
}

// records calls use with every row that is not blank, until it returns false.
func (f *csvFile) records(use func(n int, record []string) bool) error {
	r := newCSVReader(f.text, f.comma)
	breaks := 0 // within quotes so far
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
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
	return f.records(func(n int, record []string) bool {
		cells := record[:min(len(record), maxColumns)]
		for i, c := range cells {
			// ="12201201810123456" keeps a spreadsheet from taking it for a number.
			if rest, ok := strings.CutPrefix(c, `="`); ok {
				cells[i] = strings.TrimSuffix(rest, `"`)
			}
		}
		return use(n, cells)
	})
}

func (f *csvFile) merges(string) *merges { return &merges{} }

func (f *csvFile) isNumber(string, int, int) (number, known bool) { return false, false }

func (f *csvFile) dateText(s string) string { return s }

func (f *csvFile) Close() error { return nil }

// annotateCSV writes a copy with the column 导入结果, in UTF-8 with a byte order
// mark, which is what a spreadsheet opens correctly.
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

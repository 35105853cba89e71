package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// CSV writes a table as CSV, row by row. It begins with a byte order mark,
// without which office programs take Chinese for something else.
type CSV struct{ w *csv.Writer }

// NewCSV begins a table with its heads.
func NewCSV(to io.Writer, heads ...string) (CSV, error) {
	if _, err := io.WriteString(to, "\uFEFF"); err != nil {
		return CSV{}, err
	}
	c := CSV{csv.NewWriter(to)}
	row := make([]any, len(heads))
	for i, h := range heads {
		row[i] = h
	}
	return c, c.Row(row...)
}

// Row writes a row of texts and whole numbers. A text never becomes a formula.
func (c CSV) Row(cells ...any) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		switch cell := cell.(type) {
		case string:
			row[i] = inert(cell)
		case int:
			row[i] = strconv.Itoa(cell)
		case int64:
			row[i] = strconv.FormatInt(cell, 10)
		default:
			return fmt.Errorf("a cell of CSV is a text or a whole number, not %T", cell)
		}
	}
	return c.w.Write(row)
}

// End writes what is still held.
func (c CSV) End() error {
	c.w.Flush()
	return c.w.Error()
}

// inert is a text that no office program takes for a formula: CSV knows no types,
// so what begins like one gets an apostrophe in front (OWASP, CSV Injection).
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

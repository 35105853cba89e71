package schemas

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// The steps of a monthly return (值班律师工作统计表（月）, 三(三)4(3)). They post
// nothing: a return freezes figures, it does not make any. None of them is
// ever corrected or voided; what was frozen is amended.

// ReturnSubmitted freezes a division's month: its figures, the place in the log
// that they were counted at, the form, and the file that was filled.
type ReturnSubmitted struct {
	Division  string           `json:"division" pattern:"^([0-9]{6}|22CB[0-9]{2})$" doc:"division whose return it is, the same as in subject and source"`
	Month     string           `json:"month" pattern:"^20[0-9]{2}-(0[1-9]|1[0-2])$" doc:"month reported, the same as in subject"`
	Form      string           `json:"form" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$" doc:"version of the form"`
	Cut       map[int]int64    `json:"cut" minProperties:"1" maxProperties:"10000" doc:"by partition of the log, the offset of the first event that is not counted"`
	Figures   []FormFigure     `json:"figures" minItems:"1" maxItems:"1000" doc:"the cells of the form"`
	File      []byte           `json:"file" minLength:"4" maxLength:"450000" doc:"the form as a workbook (XLSX), in base64"`
	SHA256    string           `json:"sha256" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the file"`
	Filler    string           `json:"filler" minLength:"1" maxLength:"60" doc:"who filled the form"`
	Overrides []ReturnOverride `json:"overrides,omitempty" maxItems:"20" doc:"what stood in the way, and why it was submitted all the same"`
	Children  []string         `json:"children,omitempty" maxItems:"200" itemMaxLength:"36" doc:"ids of the events that froze the returns it is made of"`
	Divisions []FormDivision   `json:"divisions,omitempty" maxItems:"200" doc:"the sheet of divisions, of a return that has one"`
}

// ReturnReturned sends a submitted return back.
type ReturnReturned struct {
	Signer string `json:"signer" minLength:"1" maxLength:"60" doc:"who decided"`
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

// ReturnAccepted ends the close of a division's month.
type ReturnAccepted struct {
	Signer string `json:"signer" minLength:"1" maxLength:"60" doc:"who decided"`
}

// ReturnAmended changes an accepted return. What it changes stays beside what
// it was.
type ReturnAmended struct {
	Number    int            `json:"number" minimum:"1" maximum:"1000" doc:"1 for the first amendment of the return"`
	Signer    string         `json:"signer" minLength:"1" maxLength:"60" doc:"who decided"`
	Reason    string         `json:"reason" minLength:"1" maxLength:"500"`
	Form      string         `json:"form" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$" doc:"version of the form"`
	Cut       map[int]int64  `json:"cut" minProperties:"1" maxProperties:"10000" doc:"by partition of the log, the offset of the first event that is not counted"`
	Changes   []FormChange   `json:"changes" minItems:"1" maxItems:"3000" doc:"every cell that differs from what stood"`
	Divisions []FormDivision `json:"divisions,omitempty" maxItems:"200" doc:"the sheet of divisions as it is now, of a return that has one"`
	File      []byte         `json:"file" minLength:"4" maxLength:"450000" doc:"the form as a workbook (XLSX), in base64"`
	SHA256    string         `json:"sha256" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the file"`
}

// FormFigure is a row of a frozen form: the cell and its three columns, 本月,
// 本年累计, 上年同月.
type FormFigure struct {
	Cell     string    `json:"cell" pattern:"^[a-z0-9_+.]{1,200}$"`
	Month    FormValue `json:"month"`
	YTD      FormValue `json:"ytd"`
	LastYear FormValue `json:"last_year"`
}

// Value is the figure of a column.
func (f *FormFigure) Value(c FormColumn) *FormValue {
	switch c {
	case ColumnYTD:
		return &f.YTD
	case ColumnLastYear:
		return &f.LastYear
	}
	return &f.Month
}

// FormDivision is a row of the sheet of divisions (分地区): the month of a division
// below, or, under the return's own code, of its own stations.
type FormDivision struct {
	Division string               `json:"division" pattern:"^([0-9]{6}|22CB[0-9]{2})$"`
	Month    map[string]FormValue `json:"month" maxProperties:"200" doc:"figures by their cell of the form"`
}

// FormChange is one value of a form that an amendment changes.
type FormChange struct {
	Cell   string     `json:"cell" pattern:"^[a-z0-9_+.]{1,200}$"`
	Column FormColumn `json:"column" enum:"month,ytd,last_year"`
	Old    FormValue  `json:"old"`
	New    FormValue  `json:"new"`
}

// ReturnOverride is the reason for submitting in spite of a blocker.
type ReturnOverride struct {
	Blocker string `json:"blocker" pattern:"^[a-z_]{1,40}$"`
	Reason  string `json:"reason" minLength:"1" maxLength:"500"`
}

// FormColumn names a column of the form.
type FormColumn string

// The columns: 本月, 本年累计, 上年同月.
const (
	ColumnMonth    FormColumn = "month"
	ColumnYTD      FormColumn = "ytd"
	ColumnLastYear FormColumn = "last_year"
)

// FormColumns lists the columns.
var FormColumns = []FormColumn{ColumnMonth, ColumnYTD, ColumnLastYear}

// FormValue is a number, or the mark that stands in its place.
type FormValue struct {
	Number float64
	Mark   FormMark
}

// FormMark says why a cell has no number; empty: it has one, 0 for none.
type FormMark string

// The marks.
const (
	MarkNotAvailable  FormMark = "X"
	MarkNotApplicable FormMark = "N"
)

// MarshalJSON writes a number, "X" or "N".
func (v FormValue) MarshalJSON() ([]byte, error) {
	if v.Mark != "" {
		return json.Marshal(v.Mark)
	}
	return json.Marshal(v.Number)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *FormValue) UnmarshalJSON(b []byte) error {
	*v = FormValue{}
	if !bytes.HasPrefix(b, []byte(`"`)) {
		return json.Unmarshal(b, &v.Number)
	}
	if err := json.Unmarshal(b, &v.Mark); err != nil {
		return err
	}
	if v.Mark != MarkNotAvailable && v.Mark != MarkNotApplicable {
		return fmt.Errorf("%q is neither a number nor X or N", v.Mark)
	}
	return nil
}

// Schema describes the JSON.
func (FormValue) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "a number; X: not available; N: the duty did not exist", OneOf: []*huma.Schema{
		{Type: huma.TypeNumber}, {Type: huma.TypeString, Enum: []any{string(MarkNotAvailable), string(MarkNotApplicable)}}}}
}

// checkReturn checks what a step of a return says against its subject and
// itself.
func checkReturn(ev *Event, payload any, fields members, fail func(field, format string, args ...any)) {
	value := func(field string) any {
		if m := fields.find(field); m != nil {
			return m.value
		}
		return nil
	}
	text := func(field string) string { v, _ := value(field).(string); return v }
	items := func(field string) []any { v, _ := value(field).([]any); return v }
	cut, _ := value("cut").(map[string]any)
	for partition := range cut {
		if !isOffset(partition) {
			fail("cut", "%q is not the number of a partition", shorten(partition))
		}
	}
	if file, sum := text("file"), text("sha256"); file != "" && sum != "" {
		if raw, err := base64.StdEncoding.Strict().DecodeString(file); err != nil {
			fail("file", "is not base64: %s", err)
		} else if got := SHA256(raw); got != sum {
			fail("sha256", "is %s, and that of the file is %s", sum, got)
		}
	}
	twice := func(list string, names ...string) {
		var seen []string
		for _, item := range items(list) {
			object, _ := item.(map[string]any)
			key := ""
			for _, name := range names {
				key += fmt.Sprint(object[name]) + " "
			}
			if slices.Contains(seen, key) {
				fail(list, "%sstands twice", key)
			}
			seen = append(seen, key)
		}
	}
	switch payload.(type) {
	case *ReturnSubmitted:
		if id, err := ParseReturnID(ev.Case.Key); err == nil {
			if d := text("division"); d != "" && DivisionCode(d) != id.Division {
				fail("division", "%q is not that of the subject, %s", d, id.Division)
			}
			if m := text("month"); m != "" && m != id.Month.String() {
				fail("month", "%q is not that of the subject, %s", m, id.Month)
			}
		}
		twice("figures", "cell")
		twice("overrides", "blocker")
		twice("divisions", "division")
		for _, child := range items("children") {
			if s, ok := child.(string); ok {
				if _, ok := parseUUID(s); !ok {
					fail("children", "%q is not the id of an event, a UUID of 36 characters", shorten(s))
				}
			}
		}
	case *ReturnAmended:
		twice("changes", "cell", "column")
		twice("divisions", "division")
		for _, item := range items("changes") {
			if c, ok := item.(map[string]any); ok && c["old"] != nil && c["old"] == c["new"] {
				fail("changes", "%v is the same before and after in %v", c["column"], c["cell"])
			}
		}
	}
}

// isOffset tells whether s is a whole number in its shortest form.
func isOffset(s string) bool {
	if s == "" || len(s) > 9 || len(s) > 1 && s[0] == '0' {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// SHA256 is the checksum of a frozen file, in hex.
func SHA256(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

package ledger

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/xuri/excelize/v2"

	"zhiban/schemas"
)

// sheet is a sheet of a workbook made in a test. Texts are written as texts,
// numbers and times as Excel does.
type sheet struct {
	name   string
	rows   [][]any
	merged []string // A1:B2
}

// book makes a workbook.
func book(t testing.TB, sheets ...sheet) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	check := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	for i, s := range sheets {
		if i == 0 {
			check(f.SetSheetName("Sheet1", s.name))
		} else if _, err := f.NewSheet(s.name); err != nil {
			t.Fatal(err)
		}
		for r, row := range s.rows {
			cell, _ := excelize.CoordinatesToCellName(1, r+1)
			check(f.SetSheetRow(s.name, cell, &row))
		}
		for _, m := range s.merged {
			from, to, _ := bytes.Cut([]byte(m), []byte(":"))
			check(f.MergeCell(s.name, string(from), string(to)))
		}
	}
	return bytesOf(t, f)
}

func bytesOf(t testing.TB, f *excelize.File, o ...excelize.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := f.WriteTo(&b, o...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The titles and headings of the plainest ledgers there are.
var (
	courtTitle   = []any{"榆树市法律援助中心驻人民法院值班律师工作站（2026年9月）"}
	shiftHead    = []any{"序号", "日期", "值班律师", "执业证号", "到岗时间", "离岗时间", "值班方式", "备注"}
	consultHead  = []any{"序号", "日期", "时间", "咨询人身份", "咨询方式", "咨询问题", "解答意见", "是否引导申请法律援助", "值班律师", "执业证号", "律师签字"}
	shiftLine    = []any{1, "2026-09-01", "王立新", "12201201810123456", "8:30", "16:30", "现场", ""}
	consultLine  = []any{1, "2026-09-01", "9:30", "近亲属", "来访", "取保候审条件咨询", "已解答", "是", "王立新", "12201201810123456", "王立新"}
	wang, li     = "12201201810123456", "12201201511234567"
	court        = ReadOptions{Station: "220182-court"}
	signInSheet  = func(lines ...[]any) sheet { return table("签到簿", shiftHead, lines...) }
	consultSheet = func(lines ...[]any) sheet { return table("咨询台账", consultHead, lines...) }
)

func table(name string, head []any, lines ...[]any) sheet {
	return sheet{name: name, rows: append([][]any{courtTitle, head}, lines...)}
}

// with is a line with one cell changed.
func with(line []any, col int, value any) []any {
	line = slices.Clone(line)
	line[col] = value
	return line
}

func read(t testing.TB, b []byte, o ReadOptions) *Ledger {
	t.Helper()
	l, err := Read("台账.xlsx", bytes.NewReader(b), o)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, l.Events)
	return l
}

// validate checks that ingest would accept the events.
func validate(t testing.TB, events []schemas.Envelope) {
	t.Helper()
	for _, e := range events {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, errs := schemas.Validate(b); len(errs) > 0 {
			t.Fatalf("event is not valid: %v\n%s", errs, b)
		}
	}
}

// figures are what a ledger's events amount to, counted here from the events
// alone.
type figures struct {
	Shifts         int                      `json:"shifts"`
	DutyMinutes    int                      `json:"duty_minutes"`
	OpenShifts     int                      `json:"open_shifts"`
	ShiftsByMode   map[string]int           `json:"shifts_by_mode"`
	Consultations  int                      `json:"consultations"`
	ByRole         map[string]int           `json:"consultations_by_role"`
	ByChannel      map[string]int           `json:"consultations_by_channel"`
	Unsigned       int                      `json:"unsigned"`
	GuidedToApply  int                      `json:"guided_to_apply"`
	ByLawyer       map[string]lawyerFigures `json:"by_lawyer"`
	caseOfEvent    map[string]string
	personsCounted map[string]bool
}

type lawyerFigures struct {
	Shifts        int `json:"shifts"`
	DutyMinutes   int `json:"duty_minutes"`
	Consultations int `json:"consultations"`
}

func count(t testing.TB, events []schemas.Envelope) figures {
	t.Helper()
	f := figures{ShiftsByMode: map[string]int{}, ByRole: map[string]int{}, ByChannel: map[string]int{}, ByLawyer: map[string]lawyerFigures{},
		caseOfEvent: map[string]string{}, personsCounted: map[string]bool{}}
	in := map[string]schemas.Event{}
	out, signed := map[string]schemas.Event{}, map[string]bool{}
	var consultations []string
	for _, env := range events {
		e, err := env.Parse()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := f.caseOfEvent[env.ID]; ok {
			t.Fatalf("event id %s stands twice", env.ID)
		}
		f.caseOfEvent[env.ID] = env.Subject
		p, err := e.Type.Decode(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		switch p := p.(type) {
		case *schemas.ShiftSignedIn:
			if _, ok := in[env.Subject]; ok {
				t.Fatalf("two sign-ins in %s", env.Subject)
			}
			in[env.Subject] = e
			f.Shifts++
			f.ShiftsByMode[titleOf(colMode, p.Mode)]++
			n := f.ByLawyer[p.Lawyer]
			n.Shifts++
			f.ByLawyer[p.Lawyer] = n
		case *schemas.ShiftSignedOut:
			out[env.Subject] = e
			minutes := int(e.Time.Sub(in[env.Subject].Time).Minutes())
			f.DutyMinutes += minutes
			n := f.ByLawyer[p.Lawyer]
			n.DutyMinutes += minutes
			f.ByLawyer[p.Lawyer] = n
		case *schemas.ConsultationRecorded:
			consultations = append(consultations, env.Subject)
			f.ByRole[titleOf(colRole, p.PersonRole)]++
			f.ByChannel[titleOf(colChannel, p.Channel)]++
			if p.GuidedToApply {
				f.GuidedToApply++
			}
			n := f.ByLawyer[p.Lawyer]
			n.Consultations++
			f.ByLawyer[p.Lawyer] = n
			f.personsCounted[p.Person] = true
		case *schemas.ConsultationSigned:
			signed[env.Subject] = true
		}
	}
	f.OpenShifts = len(in) - len(out)
	f.Consultations = len(consultations)
	for _, c := range consultations {
		if !signed[c] {
			f.Unsigned++
		}
	}
	return f
}

// ids are the events' ids, sorted.
func ids(events []schemas.Envelope) []string {
	set := map[string]bool{}
	for _, e := range events {
		set[e.ID] = true
	}
	return slices.Sorted(maps.Keys(set))
}

package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"zhiban/schemas"
)

// countyLedgers are the ledgers of two counties; beside each stands what a
// person counted in it.
var countyLedgers = []string{"yushu-court-2026-09", "yanji-detention-2026-09"}

func readCounty(t testing.TB, name string) *Ledger {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".xlsx")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read(name+".xlsx", bytes.NewReader(b), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	validate(t, l.Events)
	return l
}

func TestACountysLedgerGivesExactlyWhatAPersonCounted(t *testing.T) {
	for _, name := range countyLedgers {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile("testdata/" + name + ".truth.json")
			if err != nil {
				t.Fatal(err)
			}
			var truth struct {
				figures
				Station      string `json:"station"`
				StationName  string `json:"station_name"`
				Month        string `json:"month"`
				RepeatedRows int    `json:"repeated_rows"`
				RejectedRows []struct {
					Sheet string `json:"sheet"`
					Row   int    `json:"row"`
					Why   string `json:"why"`
				} `json:"rejected_rows"`
			}
			if err := json.Unmarshal(b, &truth); err != nil {
				t.Fatal(err)
			}
			l := readCounty(t, name)
			if diff := cmp.Diff(truth.figures, count(t, l.Events), cmpopts.IgnoreUnexported(figures{})); diff != "" {
				t.Errorf("figures (-truth +read):\n%s", diff)
			}
			if diff := cmp.Diff([]Station{{schemas.StationCode(truth.Station), truth.StationName}}, l.Stations); diff != "" {
				t.Error(diff)
			}
			if got := fmt.Sprint(l.Months); got != "["+truth.Month+"]" {
				t.Errorf("months %s, want %s", got, truth.Month)
			}
			if len(l.Repeats) != truth.RepeatedRows {
				t.Errorf("%d repeated rows, want %d", len(l.Repeats), truth.RepeatedRows)
			}
			if len(l.Rejections) != len(truth.RejectedRows) {
				t.Fatalf("rejected %v, want %v", l.Rejections, truth.RejectedRows)
			}
			for i, want := range truth.RejectedRows {
				if got := l.Rejections[i]; got.Sheet != want.Sheet || got.Row != want.Row || string(got.Code) != want.Why {
					t.Errorf("rejected %+v, want %+v", got, want)
				}
			}
			for _, s := range l.Sheets {
				if s.Rows != s.Accepted+s.Repeated+s.Rejected {
					t.Errorf("%s: %d rows are not %d + %d + %d", s.Name, s.Rows, s.Accepted, s.Repeated, s.Rejected)
				}
			}
		})
	}
}

func TestImportingTwiceCountsOnce(t *testing.T) {
	for _, name := range countyLedgers {
		if diff := cmp.Diff(readCounty(t, name).Events, readCounty(t, name).Events); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTheSameLinesInAnotherFileRowOrderAndStyleCountOnce(t *testing.T) {
	one := read(t, book(t,
		signInSheet(shiftLine, []any{2, "2026-09-02", "李春梅", li, "8:45", "16:15", "网络", ""}),
		consultSheet(consultLine, []any{2, "2026-09-01", "9:30", "近亲属", "来访", "上诉期限咨询", "", "否", "王立新", wang, ""})), ReadOptions{})
	two := read(t, book(t,
		sheet{name: "九月咨询", rows: [][]any{
			{"（2026年9月）"}, {"律师签名", "律师执业证号码", "接待律师", "是否引导", "咨询内容", "形式", "身份", "咨询时间", "咨询日期"},
			{"", "１２２０１２０１８１０１２３４５６", "王立新", "×", "上诉期限咨询", "现场", "家属", "９时３０分", "9月1日"},
			{"王立新", wang, "王立新", "√", "取保候审条件咨询", "面谈", "亲属", 0.395833333333333, "2026年9月1日"},
		}},
		sheet{name: "签到", rows: [][]any{
			courtTitle, {"值班形式", "签退时间", "签到时间", "证号", "姓名", "时间"},
			{"线上", "下午4:15", "上午8:45", li, "李春梅", 46267},
			{"现场值班", "１６：３０", "8点半", wang, "王立新", "2026/9/1"},
		}}), ReadOptions{})
	if diff := cmp.Diff(ids(one.Events), ids(two.Events)); diff != "" {
		t.Error(diff)
	}
	if len(one.Events) != 7 {
		t.Errorf("%d events, want 7", len(one.Events))
	}
}

// The ids are a format: were they to change, every ledger imported before
// would count a second time.
func TestIdsNeverChange(t *testing.T) {
	start := time.Date(2026, 9, 1, 8, 30, 0, 0, schemas.Shanghai)
	shift := caseID(SignInBook, "220182-court", wang, start, 0)
	consultation := caseID(ConsultationsLedger, "220182-court", wang, start, 1)
	for _, c := range []struct {
		got  uuid.UUID
		want string
	}{
		{shift, "4224b4f6-eb28-5771-806e-2f531b2a3c6d"},
		{consultation, "bdf5db1d-a99f-5d13-b1ab-544675067ae4"},
		{eventID(shift, "zhiban.shift.signed_in.v1"), "7440d5df-9d58-5033-bd62-c68a61e101aa"},
	} {
		if c.got.String() != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
		if c.got.Version() != 5 {
			t.Errorf("%s is of version %d", c.got, c.got.Version())
		}
	}
	if got, want := pseudonym(consultation), "ledger-89f0e0e6-ce37-5615-a7ff-5c4b5838d8c7"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTwoPeopleInTheSameMinuteAreTwoConsultations(t *testing.T) {
	other := with(consultLine, 5, "缓刑适用咨询")
	l := read(t, book(t, consultSheet(consultLine, other)), ReadOptions{})
	if f := count(t, l.Events); f.Consultations != 2 || f.Unsigned != 0 || len(f.personsCounted) != 2 {
		t.Errorf("%+v", f)
	}
	back := read(t, book(t, consultSheet(other, consultLine)), ReadOptions{})
	sameEvents(t, l.Events, back.Events)
}

// sameEvents compares events whatever their order.
func sameEvents(t *testing.T, a, b []schemas.Envelope) {
	t.Helper()
	byID := cmpopts.SortSlices(func(a, b schemas.Envelope) bool { return a.ID < b.ID })
	if diff := cmp.Diff(a, b, byID); diff != "" {
		t.Error(diff)
	}
}

func TestALineWhoseTypoWasMendedKeepsItsIdentity(t *testing.T) {
	before := read(t, book(t, signInSheet(shiftLine), consultSheet(consultLine)), ReadOptions{})
	for name, after := range map[string][]byte{
		"mode":     book(t, signInSheet(with(shiftLine, 6, "电话")), consultSheet(consultLine)),
		"sign-out": book(t, signInSheet(with(shiftLine, 5, "17:00")), consultSheet(consultLine)),
		"question": book(t, signInSheet(shiftLine), consultSheet(with(consultLine, 5, "取保侯审"))),
		"role":     book(t, signInSheet(shiftLine), consultSheet(with(consultLine, 3, "被告人"))),
		"guided":   book(t, signInSheet(shiftLine), consultSheet(with(consultLine, 7, "否"))),
		"name":     book(t, signInSheet(with(shiftLine, 2, "王立心")), consultSheet(consultLine)),
	} {
		if diff := cmp.Diff(ids(before.Events), ids(read(t, after, ReadOptions{}).Events)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAShiftWithoutSignOutIsOpenAndCompletedLater(t *testing.T) {
	open := read(t, book(t, signInSheet(with(shiftLine, 5, ""))), ReadOptions{})
	if f := count(t, open.Events); f.Shifts != 1 || f.OpenShifts != 1 || f.DutyMinutes != 0 {
		t.Errorf("%+v", f)
	}
	if !hasNotice(open, "没有离岗时间", 3) {
		t.Errorf("no notice of the open shift: %v", open.Notices)
	}
	closed := read(t, book(t, signInSheet(shiftLine)), ReadOptions{})
	if len(closed.Events) != 2 || closed.Events[0].ID != open.Events[0].ID {
		t.Errorf("the sign-out does not complete the same shift: %v, %v", open.Events, closed.Events)
	}
}

func hasNotice(l *Ledger, text string, rows ...int) bool {
	for _, n := range l.Notices {
		if strings.Contains(n.Text.ZH, text) && (len(rows) == 0 || fmt.Sprint(n.Rows) == fmt.Sprint(rows)) {
			return true
		}
	}
	return false
}

func TestARowThatCannotBeReadIsRejectedWithItsReason(t *testing.T) {
	for _, c := range []struct {
		sheet  sheet
		code   Code
		column string
		reason string
	}{
		{signInSheet(with(shiftLine, 3, "1220120181012345")), BadLicence, "执业证号", "执业证号「1220120181012345」不是 17 位数字（是 16 位）"},
		{signInSheet(with(shiftLine, 3, "1220120181O123456")), BadLicence, "执业证号", "执业证号「1220120181O123456」不是 17 位数字"},
		{signInSheet(with(shiftLine, 3, "")), BadLicence, "执业证号", "没有填执业证号"},
		{signInSheet(with(shiftLine, 3, 12201201810123400)), BadLicence, "执业证号", "执业证号「12201201810123400」是按数字保存的，Excel 只保留 15 位，末两位已丢失；请把该列设为文本格式后重新填写"},
		{signInSheet(with(shiftLine, 3, "1.22012018101234E+16")), BadLicence, "执业证号", "执业证号「1.22012018101234E+16」是按数字保存的，Excel 只保留 15 位，末两位已丢失；请把该列设为文本格式后重新填写"},
		{signInSheet(with(with(shiftLine, 3, ""), 2, "")), NoLawyer, "值班律师", "没有填值班律师和执业证号"},
		{signInSheet(with(shiftLine, 1, "")), BadDate, "日期", "没有填日期"},
		{signInSheet(with(shiftLine, 1, "2026-09-31")), BadDate, "日期", "日期「2026-09-31」不存在"},
		{signInSheet(with(shiftLine, 1, "九月某日")), BadDate, "日期", "日期「九月某日」看不懂，请写成 2026-09-01 的样子"},
		{signInSheet(with(shiftLine, 1, 9.1)), BadDate, "日期", "日期「9.1」是按数字保存的，分不清 1 日和 10 日，请写成 2026-09-01 的样子"},
		{signInSheet(with(shiftLine, 1, "#N/A")), BadDate, "日期", "日期「#N/A」看不懂，请写成 2026-09-01 的样子"},
		{signInSheet(with(shiftLine, 4, "")), BadTime, "到岗时间", "没有填到岗时间"},
		{signInSheet(with(shiftLine, 4, "上午")), BadTime, "到岗时间", "到岗时间「上午」看不懂，请写成 8:30 的样子"},
		{signInSheet(with(shiftLine, 4, 8.5)), BadTime, "到岗时间", "到岗时间「8.5」看不懂，请写成 8:30 的样子"},
		{signInSheet(with(shiftLine, 5, "25:00")), BadTime, "离岗时间", "离岗时间「25:00」不存在"},
		{signInSheet(with(shiftLine, 5, "8:29")), BadOrder, "离岗时间", "离岗时间 8:29 早于到岗时间 8:30（如是次日离岗，请写“次日8:29”）"},
		{signInSheet(with(shiftLine, 6, "在家")), BadMode, "值班方式", "值班方式「在家」不认识，应为 现场、电话、网络"},
		{signInSheet(with(shiftLine, 6, "")), BadMode, "值班方式", "没有填值班方式"},
		{signInSheet(with(with(with(shiftLine, 1, "13月1日"), 3, "1"), 6, "?")), BadDate, "日期", "日期「13月1日」不存在；执业证号「1」不是 17 位数字（是 1 位）；值班方式「?」不认识，应为 现场、电话、网络"},
		{signInSheet(with(shiftLine, 4, "2026-09-02 8:30")), BadDate, "到岗时间", "到岗时间与日期不是同一天"},
		{consultSheet(with(consultLine, 3, "路人")), BadRole, "咨询人身份", "咨询人身份「路人」不认识，应为 犯罪嫌疑人、被告人、近亲属、其他"},
		{consultSheet(with(consultLine, 4, "书信")), BadChannel, "咨询方式", "咨询方式「书信」不认识，应为 来访、来电、网络、在押会见"},
		{consultSheet(with(consultLine, 7, "也许")), BadGuided, "是否引导申请法律援助", "是否引导申请法律援助「也许」不认识，应为 是 或 否"},
		{consultSheet(with(consultLine, 2, "")), BadTime, "时间", "没有填时间"},
		{consultSheet(with(consultLine, 1, "")), BadDate, "日期", "没有填日期"},
	} {
		l := read(t, book(t, c.sheet), ReadOptions{})
		if len(l.Rejections) != 1 || len(l.Events) != 0 {
			t.Errorf("want %s: rejected %+v, %d events", c.reason, l.Rejections, len(l.Events))
			continue
		}
		if r := l.Rejections[0]; r.Code != c.code || r.Column != c.column || r.Reason.ZH != c.reason || r.Row != 3 || r.Sheet != c.sheet.name {
			t.Errorf("rejected %+v, want %s %s %s", r, c.code, c.column, c.reason)
		}
	}
}

func TestTwoLinesThatContradictEachOtherAboutAShift(t *testing.T) {
	l := read(t, book(t, signInSheet(shiftLine, with(shiftLine, 5, "12:00"))), ReadOptions{})
	if len(l.Rejections) != 1 || l.Rejections[0].Code != Conflict || l.Rejections[0].Reason.ZH != "与第3行是同一律师同一到岗时间，但离岗时间不同；请核对后只留一行" {
		t.Errorf("%+v", l.Rejections)
	}
	if f := count(t, l.Events); f.Shifts != 1 || f.DutyMinutes != 480 {
		t.Errorf("%+v", f)
	}
}

func TestWordsOfTheLedgersAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		col        field
		says, word string
	}{
		{colMode, "onsite", "现场"}, {colMode, "phone", "电话"}, {colMode, "online", "网络"}, {colMode, "online", "线上"}, {colMode, "online", "视 频"},
		{colChannel, "visit", "来访"}, {colChannel, "phone", "来电"}, {colChannel, "online", "网络"}, {colChannel, "in_custody", "在押会见"},
		{colChannel, "in_custody", "会见"}, {colChannel, "in_custody", "看守所会见"},
		{colRole, "suspect", "犯罪嫌疑人"}, {colRole, "suspect", "嫌疑人"}, {colRole, "defendant", "被告人"}, {colRole, "relative", "近亲属"},
		{colRole, "relative", "家属"}, {colRole, "other", "其他"}, {colRole, "other", "其它"},
	} {
		if got, ok := say(c.col, c.word); !ok || got != c.says {
			t.Errorf("%s is %q, want %s", c.word, got, c.says)
		}
	}
	for _, w := range []string{"是", "√", "✓", "有", "1", "Y", "Ｙ", " 是 ", "已引导", "是（已填申请表）"} {
		if yes, ok := yesNo(w); !ok || !yes {
			t.Errorf("%q is not yes", w)
		}
	}
	for _, w := range []string{"", "否", "×", "无", "0", "N", "未引导", "不需要", "否（已有律师）"} {
		if yes, ok := yesNo(w); !ok || yes {
			t.Errorf("%q is not no", w)
		}
	}
	for _, w := range []string{"也许", "2", "？"} {
		if _, ok := yesNo(w); ok {
			t.Errorf("%q is taken for yes or no", w)
		}
	}
}

func TestOnlyTheLawyersOwnSignatureSignsALine(t *testing.T) {
	for sign, signed := range map[string]bool{"王立新": true, "王 立 新": true, "√": true, "王立新2026.9.1": true, "已签": true, "": false, "×": false, "李春梅": false, "王立": false, "未签": false} {
		l := read(t, book(t, consultSheet(with(consultLine, 10, sign))), ReadOptions{})
		if got := count(t, l.Events).Unsigned == 0; got != signed {
			t.Errorf("%q: signed %v", sign, got)
		}
		if strange := sign == "李春梅" || sign == "王立"; hasNotice(l, "不是值班律师 王立新，按未签字计", 3) != strange {
			t.Errorf("%q: notices %v", sign, l.Notices)
		}
	}
}

func TestNothingThatNamesAPersonLeavesTheFile(t *testing.T) {
	head := []any{"日期", "时间", "咨询人", nil, nil, "咨询方式", "咨询内容", "解答意见", "值班律师", "执业证号"}
	sub := []any{nil, nil, "姓名", "身份", "身份证号", nil, nil, nil, nil, nil}
	long := strings.Repeat("张某询问取保候审的条件和期限", 6)
	l := read(t, book(t, sheet{name: "台账", merged: []string{"C2:E2"}, rows: [][]any{courtTitle, head, sub,
		{"2026-09-01", "9:30", "刘德柱", "家属", "220182198001011234", "来访", "刘德柱（220182198001011234，13804310000）咨询其子取保候审", "刘德柱可以申请", "王立新", wang},
		{"2026-09-02", "9:30", "", "家属", "", "来访", long, "", "王立新", wang}}}), ReadOptions{})
	b, _ := json.Marshal(l.Events)
	for _, secret := range []string{"刘德柱", "220182198001011234", "13804310000", "可以申请", "王立新"} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s is in the events: %s", secret, b)
		}
	}
	var p schemas.ConsultationRecorded
	if err := json.Unmarshal(l.Events[0].Data, &p); err != nil || len(p.Topics) != 1 || p.Topics[0] != "某某（***,***）咨询其子取保候审" && p.Topics[0] != "某某(***,***)咨询其子取保候审" {
		t.Errorf("%v %q", err, p.Topics)
	}
	if err := json.Unmarshal(l.Events[1].Data, &p); err != nil || len([]rune(p.Topics[0])) != 60 {
		t.Errorf("%v %q", err, p.Topics)
	}
	for _, want := range []string{"「解答意见」「姓名」「身份证号」不导入", "遮盖", "超过 60 字"} {
		if !hasNotice(l, want) {
			t.Errorf("no notice %q: %v", want, l.Notices)
		}
	}
}

func TestALicenceWithTwoNamesIsPointedOut(t *testing.T) {
	l := read(t, book(t, signInSheet(shiftLine, []any{2, "2026-09-02", "李春梅", wang, "8:30", "16:30", "现场", ""}, []any{3, "2026-09-03", "王立新", li, "8:30", "16:30", "现场", ""})), ReadOptions{})
	if !hasNotice(l, "执业证号 "+wang+" 对应了不同姓名：王立新（签到簿 第3行）、李春梅（签到簿 第4行）") || !hasNotice(l, "律师 王立新 有不同的执业证号") {
		t.Errorf("%v", l.Notices)
	}
}

func TestADateOutsideTheTitlesMonthIsPointedOut(t *testing.T) {
	l := read(t, book(t, signInSheet(with(shiftLine, 1, "2025-09-01"))), ReadOptions{})
	if !hasNotice(l, "日期不在标题所写的 2026年9月内", 3) {
		t.Errorf("%v", l.Notices)
	}
}

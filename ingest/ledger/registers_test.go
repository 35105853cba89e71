package ledger

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"zhiban/schemas"
)

// The plainest registers there are.
var (
	centreTitleRow  = []any{"2026年度榆树市法律援助中心值班律师名单（2026年9月）"}
	applyHead       = []any{"序号", "接收日期", "接收时间", "申请人姓名", "申请人身份", "是否在押", "接收律师", "执业证号", "转交日期", "转交时间", "转交机构", "备注"}
	applyLine       = []any{1, "2026-09-01", "9:30", "张三", "犯罪嫌疑人", "是", "王立新", wang, "2026-09-01", "14:00", "榆树市法律援助中心", ""}
	notifyHead      = []any{"序号", "办案机关", "告知事由", "被告知人", "发生时间", "是否在押", "告知时间", "告知方式", "凭据"}
	notifyLine      = []any{1, "榆树市公安局", "首次讯问", "张三", "2026-09-01 10:00", "在押", "2026-09-01 15:00", "书面", "送达回执 2026-118"}
	trainingHead    = []any{"序号", "培训日期", "培训主题", "课程名称", "学时", "律师姓名", "执业证号", "签字"}
	trainingLine    = []any{1, "2026-09-05", "职责", "新任值班律师培训", "3学时", "王立新", wang, "王立新"}
	subsidyHead     = []any{"序号", "姓名", "执业证号", "应发日期", "应发金额（元）", "发放日期", "实发金额（元）", "领取人签字"}
	subsidyLine     = []any{1, "王立新", wang, "2026-09-30", 600, "2026-10-12", "600.00", ""}
	applySheet      = func(lines ...[]any) sheet { return table("申请登记", applyHead, lines...) }
	notifySheet     = func(lines ...[]any) sheet { return table("告知登记", notifyHead, lines...) }
	trainingSheet   = func(lines ...[]any) sheet { return ofCentre("培训", trainingHead, lines...) }
	subsidySheet    = func(lines ...[]any) sheet { return ofCentre("补贴", subsidyHead, lines...) }
	registerSheets  = []sheet{applySheet(applyLine), notifySheet(notifyLine), trainingSheet(trainingLine), subsidySheet(subsidyLine)}
	registerFigures = `/stations/220182-court application.received 2026-09-01T09:30:00+08:00 {"lawyer":"12201201810123456","person":"…","in_custody":true}
/stations/220182-court application.transferred 2026-09-01T14:00:00+08:00 {"lawyer":"12201201810123456","agency":"榆树市法律援助中心"}
/stations/220182-court notification.triggered 2026-09-01T10:00:00+08:00 {"organ":"police","trigger":"interrogation","person":"…","in_custody":true}
/stations/220182-court notification.given 2026-09-01T15:00:00+08:00 {"form":"written","evidence":"送达回执 2026-118"}
/divisions/220182 training.attended 2026-09-05T00:00:00+08:00 {"lawyer":"12201201810123456","topic":"duties","hours":3}
/divisions/220182 subsidy.accrued 2026-09-30T00:00:00+08:00 {"lawyer":"12201201810123456","fen":60000}
/divisions/220182 subsidy.paid 2026-10-12T00:00:00+08:00 {"lawyer":"12201201810123456","fen":60000}
`
)

func ofCentre(name string, head []any, lines ...[]any) sheet {
	s := table(name, head, lines...)
	s.rows[0] = centreTitleRow
	return s
}

// said is what a ledger's events say, one a line.
func said(l *Ledger) string {
	var b strings.Builder
	for _, e := range l.Events {
		data := string(e.Data)
		if i := strings.Index(data, `"ledger-`); i >= 0 {
			data = data[:i+1] + "…" + data[i+1+len("ledger-")+36:]
		}
		fmt.Fprintf(&b, "%s %s %s %s\n", e.Source, strings.TrimSuffix(strings.TrimPrefix(e.Type, "zhiban."), ".v1"), e.Time, data)
	}
	return b.String()
}

func TestEachRegisterBecomesItsEvents(t *testing.T) {
	l := read(t, book(t, registerSheets...), ReadOptions{})
	if diff := cmp.Diff(registerFigures, said(l)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	var got []string
	for _, s := range l.Sheets {
		got = append(got, fmt.Sprint(s.Name, s.Kind.Title(), s.Accepted))
	}
	if want := "[申请登记法律援助申请登记簿1 告知登记告知登记簿1 培训培训名单1 补贴补贴发放表1]"; fmt.Sprint(got) != want {
		t.Errorf("sheets %v, want %s", got, want)
	}
	if len(l.Rejections) > 0 || l.StationText() != "榆树市法律援助中心驻人民法院值班律师工作站（220182-court）、榆树市法律援助中心（220182）" {
		t.Errorf("%+v %s", l.Rejections, l.StationText())
	}
	for _, name := range []string{"张三", "王立新"} {
		for _, e := range l.Events {
			if strings.Contains(string(e.Data), name) {
				t.Errorf("a name leaves the file: %s", e.Data)
			}
		}
	}
}

func TestWhatIsWrongWithALineOfARegisterIsSaid(t *testing.T) {
	for _, c := range []struct {
		sheet sheet
		code  Code
		want  string
	}{
		{applySheet(with(applyLine, 2, "")), BadTime, "没有填接收时间"},
		{applySheet(with(applyLine, 1, "")), BadDate, "没有填接收日期"},
		{applySheet(with(applyLine, 5, "")), BadCustody, "没有填是否在押"},
		{applySheet(with(applyLine, 5, "未被羁押")), "", ""},
		{applySheet(with(applyLine, 5, "不详")), BadCustody, "是否在押「不详」不认识，应为 是 或 否"},
		{applySheet(with(applyLine, 5, "待查")), BadCustody, "是否在押「待查」不认识，应为 是 或 否"},
		{applySheet(with(applyLine, 7, "123")), BadLicence, "执业证号「123」不是 17 位数字（是 3 位）"},
		{applySheet(with(applyLine, 9, "")), BadTime, "没有填转交时间"},
		{applySheet(with(applyLine, 8, "2026-08-31")), BadOrder, "转交日期 2026-08-31 14:00 早于接收日期 2026-09-01 09:30"},
		{notifySheet(with(notifyLine, 1, "城管局")), BadOrgan, "办案机关「城管局」不认识，应为 国家安全机关、公安机关、检察院、法院"},
		{notifySheet(with(notifyLine, 1, "公安局与检察院")), BadOrgan, "办案机关「公安局与检察院」不认识，应为 国家安全机关、公安机关、检察院、法院"},
		{notifySheet(with(notifyLine, 2, "其他")), BadTrigger, "告知事由「其他」不认识，应为 首次讯问、采取强制措施、审查起诉、受理案件、决定再审"},
		{notifySheet(with(notifyLine, 1, "榆树市人民检察院")), BadTrigger, "检察院的告知事由应为 审查起诉，不是 首次讯问"},
		{notifySheet(with(notifyLine, 7, "微信")), BadForm, "告知方式「微信」不认识，应为 口头、书面、电话"},
		{notifySheet(with(notifyLine, 6, "")), BadDate, "填了告知方式或凭据，但没有填告知时间"},
		{notifySheet(with(notifyLine, 4, "2026-09-31")), BadTime, "发生时间「2026-09-31」看不懂，请写成 8:30 的样子"},
		{trainingSheet(with(trainingLine, 2, "太极拳")), BadTopic, "培训主题「太极拳」不认识，应为 职责、服务内容、执业纪律、刑事诉讼法律知识、其他"},
		{trainingSheet(with(trainingLine, 4, "半天")), BadHours, "学时「半天」不是 0.5 至 200 的学时数，请写成 3 或 1.5 的样子"},
		{subsidySheet(with(subsidyLine, 4, "六百")), BadAmount, "应发金额(元)「六百」看不懂，请以元为单位写成 200 或 200.50 的样子"},
		{subsidySheet(with(subsidyLine, 4, "-5")), BadAmount, "应发金额(元)「-5」看不懂，请以元为单位写成 200 或 200.50 的样子"},
		{subsidySheet(with(subsidyLine, 4, "0.005")), BadAmount, "应发金额(元)「0.005」不足一分"},
		{subsidySheet(with(subsidyLine, 5, "")), BadDate, "填了实发金额(元)，但没有填发放日期"},
		{subsidySheet(with(subsidyLine, 6, "")), BadAmount, "填了发放日期，但没有填实发金额(元)"},
		{subsidySheet(with(subsidyLine, 5, "2026-09-01")), BadOrder, "发放日期 2026-09-01 早于应发日期 2026-09-30"},
	} {
		l := read(t, book(t, c.sheet), ReadOptions{})
		switch {
		case c.code == "":
			if len(l.Rejections) > 0 {
				t.Errorf("rejected %+v", l.Rejections)
			}
		case len(l.Rejections) != 1:
			t.Errorf("want %s: rejected %+v, events\n%s", c.want, l.Rejections, said(l))
		case l.Rejections[0].Code != c.code || l.Rejections[0].Reason.ZH != c.want || l.Rejections[0].Row != 3 || l.Rejections[0].Sheet != c.sheet.name:
			t.Errorf("rejected %+v, want %s %s", l.Rejections[0], c.code, c.want)
		}
	}
}

func TestAmountsInYuanBecomeFen(t *testing.T) {
	for text, want := range map[any]string{600: "60000", 0.01: "1", "1,234.56": "123456", "¥200": "20000", "200元": "20000", "２００．５": "20050", 199.99: "19999", 1000000: "100000000"} {
		l := read(t, book(t, subsidySheet(with(subsidyLine, 4, text))), ReadOptions{})
		if !strings.Contains(said(l), `"fen":`+want+"}") {
			t.Errorf("%v: %v\n%s", text, l.Rejections, said(l))
		}
	}
	l := read(t, book(t, ofCentre("补贴", with(subsidyHead, 4, "应发金额（万元）"), subsidyLine)), ReadOptions{})
	if len(l.Rejections) != 1 {
		t.Errorf("ten thousands are taken for yuan:\n%s", said(l))
	}
}

func TestASubsidyHasALastDayWhereOneIsWritten(t *testing.T) {
	head := append([]any{"发放期限"}, subsidyHead...)
	for text, want := range map[string]string{"": `"fen":60000}`, "2026-10-31": `"fen":60000,"payable_by":"2026-10-31"}`, "2026年11月5日": `"fen":60000,"payable_by":"2026-11-05"}`} {
		if l := read(t, book(t, ofCentre("补贴", head, append([]any{text}, subsidyLine...))), ReadOptions{}); !strings.Contains(said(l), want) || len(l.Rejections) > 0 {
			t.Errorf("%q: %s%+v", text, said(l), l.Rejections)
		}
	}
	l := read(t, book(t, ofCentre("补贴", head, append([]any{"月底"}, subsidyLine...))), ReadOptions{})
	if len(l.Rejections) != 1 || l.Rejections[0].Code != BadDate || l.Rejections[0].Column != "发放期限" {
		t.Errorf("%+v", l.Rejections)
	}
}

func TestASubsidyOfAMonthIsOfItsFirstDay(t *testing.T) {
	for _, line := range [][]any{with(subsidyLine, 3, "2026年9月"), with(subsidyLine, 3, ""), with(subsidyLine, 3, "9月")} {
		l := read(t, book(t, subsidySheet(line)), ReadOptions{})
		if !strings.Contains(said(l), "subsidy.accrued 2026-09-01T00:00:00+08:00") || !hasNotice(l, "只有月份没有日期，按当月 1 日计", 3) {
			t.Errorf("%v %v %v\n%s", line, l.Rejections, l.Notices, said(l))
		}
	}
}

func TestWhatComesLaterCompletesTheLine(t *testing.T) {
	before := read(t, book(t, applySheet(with(with(applyLine, 8, ""), 9, "")), notifySheet(notifyLine[:6])), ReadOptions{})
	after := read(t, book(t, applySheet(applyLine), notifySheet(notifyLine)), ReadOptions{})
	if len(before.Events) != 2 || len(after.Events) != 4 || before.Events[0].ID != after.Events[0].ID || before.Events[1].ID != after.Events[2].ID {
		t.Errorf("%s\n%s", said(before), said(after))
	}
	if !hasNotice(before, "没有转交日期，只导入接收；转交后补填再导入一次即可", 3) || !hasNotice(before, "没有告知时间，只导入告知义务，记为尚未告知；告知后补填再导入一次即可", 3) {
		t.Errorf("%+v", before.Notices)
	}
}

func TestPeopleOfOneDayAreToldApartByNameAndOtherwiseCountOnce(t *testing.T) {
	day := with(with(notifyLine, 4, "2026-09-01"), 6, "2026-09-01")
	l := read(t, book(t, notifySheet(day, with(day, 3, "李四"), day)), ReadOptions{})
	if len(l.Events) != 4 || len(l.Repeats) != 1 || l.Repeats[0].Row != 5 || l.Repeats[0].Of.ZH != "第3行" {
		t.Errorf("%+v\n%s", l.Repeats, said(l))
	}
	persons := map[string]bool{}
	for _, e := range l.Events {
		if e.Type == "zhiban.notification.triggered.v1" {
			persons[string(e.Data)] = true
		}
	}
	if len(persons) != 2 {
		t.Errorf("%d persons", len(persons))
	}
}

func TestIdsOfRegistersNeverChange(t *testing.T) {
	// A format, like those in TestIdsNeverChange.
	want := map[Kind]string{
		ApplicationsRegister: "4ad3402b-e937-52ff-8f6c-878160a0ccb8", NotificationsRegister: "d28961da-8b31-5c75-8cb5-99bae9ecfb7f",
		TrainingList: "6acd6c68-b1a4-510f-83fd-ffe0d977ef4f", SubsidyList: "c92e9bf4-8197-5fb3-afea-f790c4316854",
	}
	l := read(t, book(t, registerSheets...), ReadOptions{})
	for i, n := range l.lines {
		s := l.Sheets[n.sheet]
		if got := s.caseOf(n); got != uuid.MustParse(want[s.Kind]) {
			t.Errorf("line %d, %s: %s, want %s", i, s.Kind, got, want[s.Kind])
		}
	}
}

func TestKindsAreKnownByChineseAndEnglishNames(t *testing.T) {
	for name, want := range map[string]Kind{"签到簿": SignInBook, "shift": SignInBook, "sign-in-book": SignInBook, "咨询台账": ConsultationsLedger, "申请登记簿": ApplicationsRegister,
		"Application register": ApplicationsRegister, "notifications": NotificationsRegister, "告知登记簿": NotificationsRegister, "培训名单": TrainingList, "subsidy": SubsidyList} {
		if got, err := ParseKind(name); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if _, err := ParseKind("花名册"); schemas.KindOf(err) != schemas.Invalid || !strings.Contains(err.Error(), "签到簿（shift）") {
		t.Error(err)
	}
}

package ledger

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"zhiban/schemas"
)

// one reads a book that has to hold exactly one good line of each sheet given.
func one(t *testing.T, o ReadOptions, sheets ...sheet) *Ledger {
	t.Helper()
	l := read(t, book(t, sheets...), o)
	if len(l.Rejections) > 0 {
		t.Errorf("rejected %+v", l.Rejections)
	}
	return l
}

// The sign-in 8:30–16:30 on site and the signed consultation of 9:30 that the
// layouts below all say in their own way.
func wantBoth(t *testing.T, l *Ledger) {
	t.Helper()
	plain := read(t, book(t, signInSheet(shiftLine), consultSheet(consultLine)), ReadOptions{})
	sameEvents(t, plain.Events, l.Events)
}

func TestColumnsMayStandInAnyOrderUnderAnySynonym(t *testing.T) {
	wantBoth(t, one(t, court,
		sheet{name: "Sheet1", rows: [][]any{
			{"咨询形式", "律师签名", "律师执业证编号", "是否引导申请法律援助（是/否）", "民族", "咨询时间", "咨询内容摘要", "与当事人关系", "律师姓名", "年月日"},
			{"面谈", "王立新", wang, "√", "汉", "9:30", "取保候审条件咨询", "家属", "王立新", "2026/9/1"},
		}},
		sheet{name: "Sheet2", rows: [][]any{
			{"序 号", "*签退时间：", "*签到时间：", "值班 形式", "备注", "执业证号码（17位）", "值班人员", "值班\n日期"},
			{"1", "16时30分", "8时30分", "驻点", "无", wang, "王立新", "2026年9月1日"},
		}}))
}

func TestHeadingsMayHaveTwoLines(t *testing.T) {
	wantBoth(t, one(t, ReadOptions{},
		sheet{name: "签到", merged: []string{"A1:H1", "A2:A3", "B2:B3", "C2:D2", "E2:F2", "G2:G3"}, rows: [][]any{
			courtTitle,
			{"序号", "日期", "值班律师", nil, "值班时间", nil, "值班方式"},
			{nil, nil, "姓名", "执业证号", "到岗", "离岗", nil},
			{1, "9月1日", "王立新", wang, "8:30", "16:30", "现场"},
		}},
		sheet{name: "咨询", merged: []string{"B2:C2", "D2:F2", "A2:A3", "G2:I2", "J2:J3"}, rows: [][]any{
			courtTitle,
			{"日期", "咨询人", nil, "咨询", nil, nil, "律师", nil, nil, "是否引导申请法律援助"},
			{nil, "身份", "联系电话", "时间", "方式", "内容", "姓名", "执业证号", "律师签字", nil},
			{"1日", "近亲属", "13804310000", "9:30", "来访", "取保候审条件咨询", "王立新", wang, "√", "有"},
		}}))
}

func TestOneCellMayHoldBothTimes(t *testing.T) {
	wantBoth(t, one(t, court,
		sheet{name: "签到簿", rows: [][]any{
			{"日期", "值班时段", "值班律师", "执业证号", "值班方式"},
			{"2026.9.1", "8:30—16:30", "王立新", wang, "现场"},
		}},
		sheet{name: "台账", rows: [][]any{
			{"咨询时间", "身份", "咨询方式", "咨询问题", "值班律师", "执业证号", "引导申请", "签字"},
			{"2026年9月1日 9时30分", "近亲属", "来访", "取保候审条件咨询", "王立新", wang, "是", "王立新"},
		}}))
}

func TestADateMergedOverItsRowsHoldsForAllOfThem(t *testing.T) {
	l := one(t, court, sheet{name: "签到簿", merged: []string{"A2:A3", "E2:E3"}, rows: [][]any{
		{"日期", "值班律师", "执业证号", "签到时间", "签退时间", "值班方式"},
		{"2026-09-01", "王立新", wang, "8:30", "16:30", "现场"},
		{nil, "李春梅", li, "8:40", nil, "现场"},
		{"2026-09-02", "李春梅", li, "同上", "16:00", "〃"},
	}})
	if f := count(t, l.Events); f.Shifts != 3 || f.DutyMinutes != 480+470+440 {
		t.Errorf("%+v", f)
	}
}

func TestRowsThatAreNotLinesAreCountedApart(t *testing.T) {
	l := one(t, ReadOptions{}, table("签到簿", shiftHead,
		shiftLine,
		[]any{2, "", "", "", "", "", "", ""}, // numbered in advance
		[]any{"小计", "", "1班次"},
		nil,
		courtTitle, shiftHead, // the second printed page
		with(with(shiftLine, 0, 3), 1, "2026-09-02"),
		[]any{"", "本月合计", "2班次"},
		[]any{"填表人：张三", "", "", "", "审核人：李四"},
		[]any{"注：本表一式两份"},
	))
	s := l.Sheets[0]
	if s.Rows != 2 || s.Accepted != 2 || s.Totals != 2 || s.Blank != 2 || s.Others != 4 {
		t.Errorf("%+v", s)
	}
	if !hasNotice(l, "不是台账记录，已跳过：填表人:张三 审核人:李四", 11) {
		t.Errorf("%v", l.Notices)
	}
}

func TestBothLedgersMayStandOnOneSheet(t *testing.T) {
	l := one(t, ReadOptions{}, sheet{name: "九月", rows: [][]any{
		courtTitle, shiftHead, shiftLine, {"合计", "", "1"}, nil, courtTitle, consultHead, consultLine}})
	wantBoth(t, l)
	if len(l.Sheets) != 2 || l.Sheets[0].Kind != SignInBook || l.Sheets[1].Kind != ConsultationsLedger {
		t.Errorf("%+v", l.Sheets)
	}
}

func TestAFileMayHoldSeveralStations(t *testing.T) {
	jail := table("看守所签到", shiftHead, shiftLine)
	jail.rows[0] = []any{"榆树市法律援助中心驻看守所值班律师工作站 2026年9月"}
	l := one(t, ReadOptions{}, signInSheet(shiftLine), jail)
	if len(l.Stations) != 2 || l.Sheets[0].Source.Station != "220182-court" || l.Sheets[1].Source.Station != "220182-detention" || count(t, l.Events).Shifts != 2 {
		t.Errorf("%+v %+v", l.Stations, l.Sheets)
	}
	untitled := sheet{name: "咨询", rows: [][]any{consultHead, consultLine}}
	_, err := Read("a.xlsx", bytes.NewReader(book(t, signInSheet(shiftLine), jail, untitled)), ReadOptions{})
	if err == nil || !strings.Contains(err.Error(), "工作表「咨询」没有写是哪个工作站") {
		t.Error(err)
	}
	_, err = Read("a.xlsx", bytes.NewReader(book(t, signInSheet(shiftLine), jail)), court)
	if err == nil || !strings.Contains(err.Error(), "不能都按 --station 220182-court 导入") {
		t.Error(err)
	}
}

func TestASheetThatIsNeitherIsNamed(t *testing.T) {
	l := one(t, ReadOptions{}, signInSheet(shiftLine), sheet{name: "通讯录", rows: [][]any{{"姓名", "电话"}, {"张三", "13804310000"}}}, sheet{name: "空白"})
	var skipped []string
	for _, s := range l.Sheets {
		if s.Skipped.ZH != "" {
			skipped = append(skipped, s.Name+"："+s.Skipped.ZH)
		}
	}
	if got := strings.Join(skipped, "；"); got != "通讯录：没有找到台账的表头；空白：空表" {
		t.Error(got)
	}
}

func TestTheTitleMayStandOnAnotherSheetOrInTheFilesName(t *testing.T) {
	cover := sheet{name: "封面", rows: [][]any{{"单位：榆树市法律援助中心驻榆树市人民法院值班律师工作站"}, {"二〇二六年九月"}}}
	bare := sheet{name: "签到簿", rows: [][]any{shiftHead, with(shiftLine, 1, "9月1日")}}
	l := one(t, ReadOptions{}, cover, bare, consultSheet(consultLine))
	wantBoth(t, l)
	l, err := Read("2026年9月/榆树法院.xlsx", bytes.NewReader(book(t, bare)), court)
	if err != nil || len(l.Events) != 2 || l.Events[0].Time != "2026-09-01T08:30:00+08:00" {
		t.Errorf("%v %+v", err, l)
	}
}

func TestTimesOfExcelsOtherDateSystem(t *testing.T) {
	f, err := excelize.OpenReader(bytes.NewReader(book(t, signInSheet(with(with(shiftLine, 1, 46266-1462), 4, 0.354166666666667)))))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	yes := true
	if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}); err != nil {
		t.Fatal(err)
	}
	if l := read(t, bytesOf(t, f), ReadOptions{}); l.Events[0].Time != "2026-09-01T08:30:00+08:00" {
		t.Error(l.Events[0])
	}
}

func TestANightShiftEndsTheNextDay(t *testing.T) {
	for _, end := range []string{"次日8:30", "2026-09-02 08:30", "46267.354166666667"} {
		l := one(t, ReadOptions{}, signInSheet(with(with(shiftLine, 4, "20:30"), 5, end)))
		if f := count(t, l.Events); f.DutyMinutes != 720 {
			t.Errorf("%s: %+v", end, f)
		}
	}
}

func TestOptionalColumnsAreRead(t *testing.T) {
	l := one(t, court,
		sheet{name: "签到簿", rows: [][]any{append(shiftHead[:8:8], "是否佩戴工作牌"), append(shiftLine[:8:8], "√")}},
		sheet{name: "台账", rows: [][]any{append(consultHead[:11:11], "时长（分钟）", "是否有辩护人"), append(consultLine[:11:11], "25", "无")}},
	)
	var badge schemas.ShiftSignedIn
	var consultation schemas.ConsultationRecorded
	for _, e := range l.Events {
		ev, err := e.Parse()
		if err != nil {
			t.Fatal(err)
		}
		p, _ := ev.Type.Decode(e.Data)
		switch p := p.(type) {
		case *schemas.ShiftSignedIn:
			badge = *p
		case *schemas.ConsultationRecorded:
			consultation = *p
		}
	}
	if badge.Badge == nil || !*badge.Badge || consultation.Minutes == nil || *consultation.Minutes != 25 || consultation.HasDefender == nil || *consultation.HasDefender {
		t.Errorf("%+v %+v", badge, consultation)
	}
	l = one(t, court, sheet{name: "台账", rows: [][]any{{"日期", "时间", "身份", "方式", "执业证号"}, {"2026-09-01", "9:30-9:55", "家属", "来电", wang}}})
	if !strings.Contains(string(l.Events[0].Data), `"minutes":25`) || !hasNotice(l, "没有「律师签字」一列") {
		t.Errorf("%s %v", l.Events[0].Data, l.Notices)
	}
}

func TestTheStationIsDerivedFromItsName(t *testing.T) {
	day := func(s string) schemas.Day { d, _ := schemas.ParseDay(s); return d }
	for _, c := range []struct{ name, on, want string }{
		{"榆树市法律援助中心驻人民法院值班律师工作站", "2026-09-01", "220182-court"},
		{"延吉市法律援助中心驻看守所值班律师工作站", "2026-09-01", "222401-detention"},
		{"朝阳区法律援助中心驻人民检察院值班律师工作站", "2026-09-01", "220104-procuratorate"},
		{"长春市朝阳区法律援助中心驻人民检察院值班律师工作站", "2026-09-01", "220104-procuratorate"},
		{"吉林省长春市法律援助中心驻人民法院值班律师工作站", "2026-09-01", "220100-court"},
		{"四平市铁西区法律援助中心驻铁西区人民法院值班律师工作站", "2026-09-01", "220302-court"},
		{"榆树市法律援助中心驻榆树市看守所法律援助值班律师工作站", "2026-09-01", "220182-detention"},
		{"公主岭市法律援助中心驻看守所值班律师工作站", "2019-09-01", "220381-detention"},
		{"公主岭市法律援助中心驻看守所值班律师工作站", "2026-09-01", "220184-detention"},
		{"前郭县法律援助中心驻人民法院值班律师工作站", "2026-09-01", "220721-court"},
		{"前郭尔罗斯蒙古族自治县法律援助中心驻人民法院值班律师工作站", "2026-09-01", "220721-court"},
		{"长白县法律援助中心驻人民法院值班律师工作站", "2026-09-01", "220623-court"},
		{"延边州法律援助中心驻人民检察院值班律师工作站", "2026-09-01", "222400-procuratorate"},
		{"榆树法律援助中心驻法院值班律师工作站", "2026-09-01", "220182-court"},
		{"池北区法律援助中心驻人民法院值班律师工作站", "2026-09-01", "22CB01-court"},
		{"榆树市人民法院法律援助工作站", "2026-09-01", "220182-court"},

		{"通化法律援助中心驻人民法院值班律师工作站", "2026-09-01", "「通化」可以是 通化市（220500）、通化县（220521）"},
		{"净月开发区法律援助中心驻人民法院值班律师工作站", "2026-09-01", "区划名册中没有「净月开发区」，名称相近的有 长春净月高新技术产业开发区（220172）"},
		{"北京市法律援助中心驻人民法院值班律师工作站", "2026-09-01", "区划名册中没有「北京市」"},
		{"吉林市朝阳区法律援助中心驻人民法院值班律师工作站", "2026-09-01", "区划名册中没有「吉林市朝阳区」，名称相近的有 朝阳区（220104）"},
		{"长春市法律援助中心驻第二看守所值班律师工作站", "2026-09-01", "「第二看守所」在 长春市 不止一个，要指明是哪一个（例如 220100-detention-2）"},
	} {
		name := titleStation("2026年9月 " + c.name + "（签到簿）")
		code, err := stationCode(name, day(c.on))
		got := string(code)
		if err != nil {
			got = err.Error()
		}
		if name != c.name || got != c.want {
			t.Errorf("%s: read %q, %s; want %s", c.name, name, got, c.want)
		}
	}
}

func TestATitlesMonthIsReadInEveryStyle(t *testing.T) {
	for title, want := range map[string]period{
		"值班律师签到簿（2026年9月）":    {2026, 9},
		"２０２６年９月份咨询台账":        {2026, 9},
		"二〇二六年十一月签到簿":         {2026, 11},
		"2026 年 09 月":         {2026, 9},
		"2026年度咨询台账":          {2026, 0},
		"2026年7月—9月签到簿":       {2026, 0},
		"签到簿2026.09":          {2026, 9},
		"榆树2026-9":            {2026, 9},
		"签到簿":                 {},
		"吉司联发[2018]2号":        {},
		"联系电话0431-88882026.9": {},
	} {
		if got := titlePeriod(title); got != want {
			t.Errorf("%s: %v, want %v", title, got, want)
		}
	}
}

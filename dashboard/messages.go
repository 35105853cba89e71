package dashboard

import (
	"fmt"
	"slices"
	"strings"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// The languages of the interface; the first is the default.
const (
	chinese = "zh"
	english = "en"
)

var languages = []string{chinese, english}

// message is a phrase in every language.
type message struct{ zh, en string }

func (m message) in(p phrases) string {
	if p == english {
		return m.en
	}
	return m.zh
}

// messages is the catalogue of every phrase of the interface. A test reads the
// templates and the code, and fails when a phrase is missing or unused.
var messages = map[string]message{
	"site":       {"吉林省法律援助值班律师工作统计平台", "Jilin Duty Lawyer Statistics"},
	"site.short": {"值班律师统计", "Duty lawyers"},
	"skip":       {"跳到主要内容", "Skip to content"},
	"nav":        {"主导航", "Main menu"},
	"nav.home":   {"总览", "Overview"},
	"nav.people": {"值班律师", "Lawyers"},
	"nav.detail": {"数据明细", "Postings"},
	"nav.terms":  {"指标口径", "Definitions"},
	"language":   {"English", "中文"},
	"place":      {"当前位置", "Location"},
	"footer":     {"每个数字都可以打开到原始记录；口径见", "Every figure opens down to its records; see the"},
	"footer.api": {"数据接口", "API"},
	"or":         {"、", ", "},

	"fresh":         {"数据截至 %s（北京时间）", "Data up to %s (Beijing time)"},
	"fresh.none":    {"尚无数据", "No data yet"},
	"fresh.parked":  {"%s 条事件待处理", "%s events parked"},
	"fresh.events":  {"已入账 %s 条事件", "%s events in the books"},
	"fresh.updated": {"页面已更新为最新数据", "The page now shows the latest data"},
	"fresh.new":     {"有新数据，点击刷新", "New data: refresh"},

	"filter":            {"筛选条件", "Filters"},
	"filter.month":      {"报告期", "Month"},
	"filter.year":       {"年度", "Year"},
	"filter.figure":     {"主要指标", "Main figure"},
	"filter.view":       {"行政区划", "Divisions"},
	"filter.view.then":  {"按当时区划", "As then"},
	"filter.view.now":   {"按现行区划", "As now"},
	"filter.as_of":      {"数据时点", "As of"},
	"filter.as_of.hint": {"留空为最新数据", "Leave empty for the latest"},
	"filter.division":   {"地区", "Division"},
	"filter.search":     {"姓名、律所或执业证号", "Name, firm or licence"},
	"filter.from":       {"起始日", "From"},
	"filter.to":         {"截止日", "To"},
	"filter.apply":      {"查询", "Show"},
	"filter.previous":   {"上月", "Previous month"},
	"filter.next":       {"下月", "Next month"},
	"year":              {"%d年", "%d"},
	"download":          {"下载", "Download"},
	"download.return":   {"月报表（XLSX）", "Monthly return (XLSX)"},
	"download.slides":   {"联席会议幻灯片（PPTX）", "Meeting slides (PPTX)"},
	"download.record":   {"履职记录（XLSX）", "Record of the year (XLSX)"},
	"download.csv":      {"导出 CSV", "Download CSV"},

	"note.unfinished": {"本月尚未结束：同比、环比均按相同天数（1日至%d日）比较。", "The month is not over: it is compared with the same days (1 to %d) of the other months."},
	"note.as_of":      {"历史时点：以下为 %s 已经入账的数据。", "A past moment: the figures as they stood in the books at %s."},
	"note.as_of.back": {"回到最新数据", "Back to the latest data"},
	"note.empty":      {"%s没有数据。", "There is no data for %s."},
	"note.empty.last": {"最近有数据的月份：%s", "The last month with data: %s"},
	"note.moved":      {"%s（%s）自 %s 起改为 %s（%s）。", "%s (%s) goes on since %s as %s (%s)."},
	"note.unknown":    {"本站尚未登记设立，按代码归入%s。", "This station has not been registered; by its code it reports to %s."},
	"note.unenrolled": {"该执业证号尚未入册。", "This licence is not on the roster."},

	"figures":       {"主要数据", "Key figures"},
	"figure.same":   {"同比", "vs last year"},
	"figure.prev":   {"环比", "vs last month"},
	"figure.year":   {"本年累计", "Year to date"},
	"figure.of":     {"占应告知 %s%%", "%s%% of those due"},
	"figure.open":   {"查看%s的明细", "Open the postings of %s"},
	"figure.none":   {"—", "—"},
	"figure.absent": {"无可比数据", "no base"},
	"change.up":     {"上升", "up"},
	"change.down":   {"下降", "down"},
	"change.points": {"%s个百分点", "%s pp"},
	"unit.hours":    {"小时", "hours"},
	"unit.paren":    {"%s（%s）", "%s (%s)"},
	"duty.hours":    {"值班时长", "Duty time"},

	"map.title":         {"%s各地%s分布", "%[2]s across %[1]s"},
	"map.label":         {"%s地图，各地数据见排名表，可从表中进入下级地区", "Map of %s; the ranking table has the same figures and leads to the divisions"},
	"rank.title":        {"各地情况", "Divisions"},
	"rank.stations":     {"各工作站情况", "Stations"},
	"rank.own":          {"本级直属工作站", "Stations of its own"},
	"rank.caption":      {"%s，按%s排序", "%s, by %s"},
	"rank.label":        {"%s排名条形图，数据见排名表", "Bar chart of %s; the ranking table has the same figures"},
	"rank.place":        {"序", "No."},
	"rank.name":         {"地区", "Division"},
	"rank.station":      {"工作站", "Station"},
	"rank.total":        {"合计", "Total"},
	"rank.own.name":     {"%s（本级）", "%s (own)"},
	"trend.title":       {"%s月度趋势", "%s by month"},
	"trend.label":       {"%s月度折线图，本年与上年对照，未结束月份为虚线，数据见旁边的表", "Line chart of %s by month, this year and the year before; the table beside it has the same figures"},
	"trend.month":       {"月份", "Month"},
	"trend.so.far":      {"（未结束）", " (so far)"},
	"month.number":      {"%d月", "%d"},
	"mode.title":        {"值班方式", "Mode of duty"},
	"channel.title":     {"咨询渠道", "Channels of consultation"},
	"role.title":        {"咨询人身份", "Who was consulted"},
	"organ.title":       {"告知义务履行", "Duties to notify"},
	"split.label":       {"%s构成图，数据见下表", "Chart of %s; the table below has the same figures"},
	"split.share":       {"占比", "Share"},
	"split.none":        {"本期无数据", "No data in this period"},
	"calendar.title":    {"值班日历", "Duty calendar"},
	"calendar.caption":  {"%s每日值班班次、时长和咨询；休息日以底色标出", "Shifts, hours and consultations by day of %s; days off are shaded"},
	"calendar.rest":     {"休", "off"},
	"calendar.shifts":   {"%s班", "%s shifts"},
	"calendar.hours":    {"%s小时", "%s h"},
	"calendar.consults": {"咨询%s", "%s cons."},
	"calendar.none":     {"无值班", "no duty"},
	"station.lawyers":   {"本期值班律师", "Lawyers on duty"},
	"station.kind":      {"类别", "Kind"},
	"station.reporting": {"统计归属", "Reports to"},
	"station.location":  {"所在地", "Location"},
	"station.code":      {"工作站代码", "Station code"},

	"lawyers.title":      {"值班律师履职情况", "Duty lawyers"},
	"lawyers.caption":    {"%s%d年值班律师，共 %s 人，按%s排序", "Duty lawyers of %s in %d: %s, by %s"},
	"lawyers.name":       {"姓名", "Name"},
	"lawyers.licence":    {"执业证号", "Licence"},
	"lawyers.kind":       {"类别", "Kind"},
	"lawyers.firm":       {"执业机构", "Firm"},
	"lawyers.division":   {"派驻地区", "Division"},
	"lawyers.none":       {"没有符合条件的律师", "No lawyer matches"},
	"lawyers.unknown":    {"未入册", "not enrolled"},
	"lawyer.title":       {"%s %d年履职情况", "%s in %d"},
	"lawyer.year":        {"%d年", "%d"},
	"lawyer.months":      {"逐月履职情况", "Month by month"},
	"lawyer.chart":       {"逐月班次与咨询柱形图，数据见下表", "Bar chart of shifts and consultations by month; the table below has the same figures"},
	"lawyer.total":       {"全年", "Year"},
	"lawyer.modes":       {"值班时长（小时）", "Duty time (hours)"},
	"lawyer.channels":    {"咨询渠道（人次）", "Consultations by channel"},
	"lawyer.roles":       {"咨询人身份（人次）", "Consultations by role"},
	"lawyer.na":          {"X", "X"},
	"lawyer.notapply":    {"N", "N"},
	"lawyer.legend":      {"X：无法计算；N：当时尚无此项要求。本表为履职证据，不是考核等次。", "X: not available; N: the duty did not exist yet. This is evidence, not a grade."},
	"lawyer.all":         {"合计", "All"},
	"details.title":      {"数据明细", "Postings"},
	"details.intro":      {"一个数字由哪些记录构成：逐笔列出，更正以差额入账。", "Which records make up a figure, line by line; a correction posts the difference."},
	"details.count":      {"共 %s 笔，数量合计 %s %s", "%s postings, adding up to %s %s"},
	"details.hours":      {"（%s 小时）", " (%s h)"},
	"details.several":    {"%d 项指标", "%d figures"},
	"details.page":       {"第 %s–%s 笔", "Postings %s to %s"},
	"details.distinct":   {"%s按不同的人计数，下面是构成它的咨询记录，笔数可能多于人数。", "%s counts different persons; below are the consultations behind it, which may be more."},
	"details.ratio":      {"%s是两项之比，下面列出分子与分母的记录。", "%s is a ratio; below are the postings of both its parts."},
	"details.none":       {"没有符合条件的记录", "No posting matches"},
	"details.previous":   {"上一页", "Previous page"},
	"details.next":       {"下一页", "Next page"},
	"details.pages":      {"分页", "Pages"},
	"details.filters":    {"条件", "Filters"},
	"details.range":      {"%s 至 %s", "%s to %s"},
	"details.caption":    {"构成该数字的记录", "The postings behind the figure"},
	"posting.day":        {"计入日", "Day"},
	"posting.indicator":  {"指标", "Figure"},
	"posting.quantity":   {"数量", "Quantity"},
	"posting.where":      {"工作站或地区", "Station or division"},
	"posting.lawyer":     {"律师", "Lawyer"},
	"posting.attributes": {"属性", "Attributes"},
	"posting.due":        {"期限 %s", "due %s"},
	"posting.event":      {"事件", "Event"},
	"posting.time":       {"发生时间", "Happened"},
	"posting.recorded":   {"登记时间", "Recorded"},
	"posting.place":      {"日志位置", "Log place"},

	"event.title":      {"事件：%s", "Event: %s"},
	"event.status":     {"状态", "Status"},
	"event.effective":  {"有效", "Effective"},
	"event.amended":    {"已更正", "Corrected"},
	"event.void":       {"已作废", "Voided"},
	"event.corrected":  {"更正记录", "A correction"},
	"event.voided":     {"作废记录", "A void"},
	"event.id":         {"事件编号", "Event id"},
	"event.type":       {"类型", "Type"},
	"event.source":     {"来源", "Source"},
	"event.case":       {"案卷", "Case"},
	"event.time":       {"发生时间", "Happened"},
	"event.recorded":   {"登记时间", "Recorded"},
	"event.by":         {"登记者", "Recorded by"},
	"event.place":      {"分区 %d，位置 %d", "partition %d, offset %d"},
	"event.places":     {"日志中有 %d 份，只计一次", "in the log %d times, counted once"},
	"event.facts":      {"登记内容", "Contents"},
	"event.about":      {"事件信息", "About the event"},
	"event.history":    {"案卷经过", "History of the case"},
	"event.history.of": {"同一案卷的全部事件，按日志顺序", "All events of the case, in the order of the log"},
	"event.postings":   {"由此产生的分录", "Postings it made"},
	"event.noposting":  {"该事件没有产生分录", "The event made no posting"},
	"event.sealed":     {"（内容保密，不予显示）", "(sealed)"},
	"event.this":       {"本事件", "this event"},
	"event.new":        {"更正后内容", "New contents"},
	"event.clause":     {"依据", "Clause"},

	"terms.title":   {"指标口径", "Definitions"},
	"terms.caption": {"全部指标，页面、报表和接口使用同一口径", "All figures; pages, forms and the API use the same definitions"},
	"terms.name":    {"指标", "Figure"},
	"terms.code":    {"代码", "Code"},
	"terms.unit":    {"单位", "Unit"},
	"terms.kind":    {"计数方式", "Kind"},
	"terms.def":     {"口径", "Definition"},
	"terms.clause":  {"依据", "Clause"},
	"terms.since":   {"自 %s 起", "since %s"},
	"kind.additive": {"可相加", "additive"},
	"kind.distinct": {"去重人数", "distinct"},
	"kind.ratio":    {"比率", "ratio"},
	"kind.stock":    {"期末数", "stock"},
	"kind.overdue":  {"查询时点数", "at the moment asked"},

	"error.404":         {"没有找到这个页面或对象", "Not found"},
	"error.422":         {"查询条件有误", "The request cannot be answered"},
	"error.413":         {"查询范围过大", "The request is too large"},
	"error.405":         {"不支持这种请求方式", "Method not allowed"},
	"error.500":         {"系统出错，已经记录", "Something went wrong; it has been logged"},
	"error.503":         {"统计库暂不可用，请稍后再试", "The warehouse is not available; please try again"},
	"error.503.hint":    {"数据没有丢失：新的登记照常写入日志，统计库恢复后自动补齐。", "No data is lost: records go on into the log and are counted when the warehouse is back."},
	"error.home":        {"返回总览", "Back to the overview"},
	"error.list":        {"需要改正的条件", "What is wrong"},
	"error.retry":       {"重试", "Try again"},
	"problem.unknown":   {"没有这个参数，可用的参数：%s", "there is no such parameter; allowed: %s"},
	"problem.repeated":  {"参数只能出现一次；多个值用逗号分开", "the parameter stands more than once; separate values by commas"},
	"problem.day":       {"不是日期，应如 2026-09-01", "not a day such as 2026-09-01"},
	"problem.month":     {"不是月份，应如 2026-09", "not a month such as 2026-09"},
	"problem.year":      {"不是年度，应为 2000 至 2100", "not a year from 2000 to 2100"},
	"problem.moment":    {"不是时点，应为日期 2026-03-20（当日结束时）或 2026-03-20T12:00:00+08:00", "not a moment: a day such as 2026-03-20 (its end) or RFC 3339 such as 2026-03-20T12:00:00+08:00"},
	"problem.order":     {"起始日 %s 晚于截止日 %s", "from %s is after to %s"},
	"problem.span":      {"日期应在 2000-01-01 至 2100-12-31 之间", "days lie between 2000-01-01 and 2100-12-31"},
	"problem.division":  {"不是本省的行政区划代码", "not a division of the province"},
	"problem.indicator": {"不是指标代码，可用的代码：%s", "not an indicator; allowed: %s"},
	"problem.choice":    {"不可用，可用的值：%s", "not allowed; allowed: %s"},
	"problem.twice":     {"重复出现", "stands twice"},
	"problem.station":   {"不是工作站代码，应如 220182-court", "not a station code such as 220182-court"},
	"problem.licence":   {"不是执业证号，应为17位数字", "not a licence number of 17 digits"},
	"problem.event":     {"不是事件编号（UUID）", "not the id of an event (a UUID)"},
	"problem.number":    {"应为 %d 至 %d 之间的整数", "not a whole number from %d to %d"},
	"problem.text":      {"过长，最多 %d 字节", "too long: at most %d bytes"},

	"trigger.interrogation":     {"首次讯问", "First interrogation"},
	"trigger.coercive_measure":  {"采取强制措施", "Coercive measure"},
	"trigger.review":            {"审查起诉", "Prosecution review"},
	"trigger.accepted":          {"受理案件", "Case accepted"},
	"trigger.retrial":           {"决定再审", "Retrial decided"},
	"form.oral":                 {"口头", "Oral"},
	"form.written":              {"书面", "Written"},
	"form.phone":                {"电话", "Phone"},
	"lawyer_kind.private":       {"社会律师", "Private"},
	"lawyer_kind.legal_aid":     {"法援机构律师", "Legal aid"},
	"value.true":                {"是", "yes"},
	"value.false":               {"否", "no"},
	"value.none":                {"未填", "not given"},
	"field.code":                {"工作站代码", "Station code"},
	"field.kind":                {"类别", "Kind"},
	"field.name":                {"名称", "Name"},
	"field.location":            {"所在地", "Location"},
	"field.reporting":           {"统计归属", "Reports to"},
	"field.hosts":               {"派驻机关", "Hosts"},
	"field.licence":             {"执业证号", "Licence"},
	"field.firm":                {"执业机构", "Firm"},
	"field.division":            {"派驻地区", "Division"},
	"field.lawyer":              {"律师", "Lawyer"},
	"field.mode":                {"值班方式", "Mode"},
	"field.badge":               {"佩戴工牌", "Badge worn"},
	"field.channel":             {"咨询渠道", "Channel"},
	"field.person":              {"当事人（化名）", "Person (pseudonym)"},
	"field.person_role":         {"当事人身份", "Person's role"},
	"field.shift":               {"所属班次", "Shift"},
	"field.topics":              {"咨询事项", "Topics"},
	"field.minutes":             {"咨询时长（分钟）", "Minutes"},
	"field.guided_to_apply":     {"引导申请法律援助", "Guided to apply"},
	"field.has_defender":        {"已有辩护人", "Has a defender"},
	"field.question":            {"咨询问题", "Question"},
	"field.answer":              {"解答意见", "Answer"},
	"field.in_custody":          {"在押", "In custody"},
	"field.agency":              {"转交机构", "Passed to"},
	"field.organ":               {"办案机关", "Organ"},
	"field.trigger":             {"告知情形", "Trigger"},
	"field.form":                {"告知形式", "Form"},
	"field.evidence":            {"凭据", "Evidence"},
	"field.target":              {"针对事件", "Target event"},
	"field.time":                {"更正后时间", "New time"},
	"field.reason":              {"原因", "Reason"},
	"dimension.division":        {"地区", "Division"},
	"dimension.station":         {"工作站", "Station"},
	"dimension.station_kind":    {"工作站类别", "Kind of station"},
	"dimension.lawyer":          {"律师", "Lawyer"},
	"dimension.firm":            {"执业机构", "Firm"},
	"dimension.mode":            {"值班方式", "Mode"},
	"dimension.channel":         {"咨询渠道", "Channel"},
	"dimension.person_role":     {"当事人身份", "Person's role"},
	"dimension.organ":           {"办案机关", "Organ"},
	"weekday.1":                 {"一", "Mon"},
	"weekday.2":                 {"二", "Tue"},
	"weekday.3":                 {"三", "Wed"},
	"weekday.4":                 {"四", "Thu"},
	"weekday.5":                 {"五", "Fri"},
	"weekday.6":                 {"六", "Sat"},
	"weekday.7":                 {"日", "Sun"},
	"case.station":              {"工作站", "Station"},
	"case.lawyer":               {"律师", "Lawyer"},
	"case.shift":                {"班次", "Shift"},
	"case.consultation":         {"咨询", "Consultation"},
	"case.application":          {"申请", "Application"},
	"case.notification":         {"告知", "Notification"},
	"lawyers.sort":              {"按%s排序", "Sort by %s"},
	"station_kind.unregistered": {"未登记", "unregistered"},
}

// phrases speaks one language.
type phrases string

// t is the phrase of a key, filled in with args.
func (p phrases) t(key string, args ...any) string {
	m, ok := messages[key]
	if !ok {
		return key
	}
	s := m.in(p)
	if len(args) > 0 {
		s = fmt.Sprintf(s, args...)
	}
	return s
}

// value is the name of a code of a closed set, such as onsite of mode; the code
// itself when the set has grown since.
func (p phrases) value(set, code string) string {
	if code == "" {
		return p.t("value.none")
	}
	for _, v := range closed[set] {
		if v.Code == code {
			return v.Name.In(string(p))
		}
	}
	if m, ok := messages[set+"."+code]; ok {
		return m.in(p)
	}
	return code
}

// enumerate joins words as the language does.
func (p phrases) enumerate(words []string) string { return strings.Join(words, p.t("or")) }

// closed are the dimensions with a closed set of values, in the order of the
// forms.
var closed = map[string][]report.Value{
	string(report.ByMode): report.Modes, string(report.ByChannel): report.Channels,
	string(report.ByPersonRole): report.PersonRoles, string(report.ByOrgan): report.Organs,
	string(report.ByStationKind): stationKinds(),
}

func stationKinds() []report.Value {
	var out []report.Value
	for _, k := range schemas.StationKinds {
		out = append(out, report.Value{Code: string(k), Name: k.Title()})
	}
	return out
}

// language is the language asked for; ok is false when there is no such.
func language(asked string) (lang string, ok bool) {
	if asked == "" {
		return chinese, true
	}
	return asked, slices.Contains(languages, asked)
}

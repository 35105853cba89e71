package desk

import (
	"fmt"

	"zhiban/schemas"
)

const (
	chinese = "zh"
	english = "en"
)

var (
	languages = []string{chinese, english}
	htmlLang  = map[string]string{chinese: "zh-CN", english: "en"}
)

// phrases are the messages in one language.
type phrases string

// t is a phrase. A key without a phrase is a fault of the program, which the
// tests find.
func (p phrases) t(key string) (string, error) {
	m, ok := messages[key]
	if !ok {
		return "", fmt.Errorf("no message %q", key)
	}
	return m.In(string(p)), nil
}

// all are the phrases for the script.
func (p phrases) all() map[string]string {
	out := map[string]string{}
	for key, m := range messages {
		out[key] = m.In(string(p))
	}
	return out
}

// messages is the catalogue of every phrase of the desk, but for those of the
// forms, which stand in [forms]. A test fails when one is missing or unused.
var messages = map[string]schemas.Text{
	"site":           {ZH: "值班律师工作站登记台", EN: "Duty lawyers' station desk"},
	"site.short":     {ZH: "值班登记台", EN: "Station desk"},
	"skip":           {ZH: "跳到主要内容", EN: "Skip to content"},
	"language":       {ZH: "English", EN: "中文"},
	"language.code":  {ZH: "en", EN: "zh-CN"},
	"loading":        {ZH: "正在打开登记台……如一直停在这里，请使用较新的浏览器（Chrome、Edge 等）。", EN: "Opening the desk… If it stays like this, use a newer browser (Chrome, Edge …)."},
	"noscript.title": {ZH: "登记需要启用脚本", EN: "Entering needs script"},
	"noscript":       {ZH: "登记台要在本机保存尚未送达的登记，因此需要浏览器启用 JavaScript。请启用后刷新，或换用允许脚本的浏览器。", EN: "The desk keeps on this device what could not be sent yet, and needs JavaScript for it. Enable it and reload, or use a browser that allows it."},
	"noscript.api":   {ZH: "工作站软件也可以直接通过数据接口报送：接口说明", EN: "Station software can also send events directly: API documentation"},
	"change":         {ZH: "换人或换站", EN: "Change"},
	"cancel":         {ZH: "取消", EN: "Cancel"},
	"failed.store":   {ZH: "本浏览器不允许保存数据（可能是无痕模式或空间已满），登记无法保证不丢失，已停用。请用普通窗口打开，或清理空间后刷新。", EN: "This browser does not let the desk keep data (a private window, or no space left), so entries could be lost and are switched off. Use a normal window, or make room, and reload."},
	"failed.keep":    {ZH: "没有保存成功，请再试一次。", EN: "It could not be kept. Try again."},

	"setup.title":       {ZH: "选择工作站和值班律师", EN: "Station and lawyer"},
	"setup.intro":       {ZH: "只需选择一次，本机会记住。", EN: "Choose once; this device remembers."},
	"setup.prefecture":  {ZH: "市（州）", EN: "Prefecture"},
	"setup.county":      {ZH: "县（市、区）", EN: "County"},
	"setup.choose":      {ZH: "请选择", EN: "Choose"},
	"setup.own":         {ZH: "%s本级", EN: "%s itself"},
	"setup.kind":        {ZH: "工作站设在", EN: "The station is in a"},
	"setup.code":        {ZH: "工作站代码（选择后自动填写，也可直接输入）", EN: "Station code (made from the choice, or typed)"},
	"setup.lawyer":      {ZH: "执业证号", EN: "Licence number"},
	"setup.lawyer.hint": {ZH: "17 位数字", EN: "17 digits"},
	"setup.name":        {ZH: "称呼（选填，只存本机）", EN: "Name (optional, stays here)"},
	"setup.name.hint":   {ZH: "例如 王律师", EN: "for example Ms Wang"},
	"setup.begin":       {ZH: "开始登记", EN: "Begin"},
	"setup.known":       {ZH: "本机登记过的律师", EN: "Lawyers known on this device"},

	"kind.court":               {ZH: "法院值班律师工作站", EN: "court station"},
	"kind.procuratorate":       {ZH: "检察院值班律师工作站", EN: "procuratorate station"},
	"kind.detention":           {ZH: "看守所值班律师工作站", EN: "detention centre station"},
	"kind.short.court":         {ZH: "法院", EN: "Court"},
	"kind.short.procuratorate": {ZH: "检察院", EN: "Procuratorate"},
	"kind.short.detention":     {ZH: "看守所", EN: "Detention centre"},

	"shift":        {ZH: "值班", EN: "Shift"},
	"shift.in":     {ZH: "签到", EN: "Sign in"},
	"shift.out":    {ZH: "签退", EN: "Sign out"},
	"shift.since":  {ZH: "%s值班中，%s 签到", EN: "%s, signed in at %s"},
	"shift.others": {ZH: "本站另有值班中：%s", EN: "Also on duty at this station: %s"},
	"span.minutes": {ZH: "%s 分钟", EN: "%s min"},
	"span.hours":   {ZH: "%s 小时 %s 分", EN: "%s h %s min"},

	"enter":            {ZH: "登记", EN: "Enter"},
	"tab.consultation": {ZH: "咨询", EN: "Consultation"},
	"tab.application":  {ZH: "援助申请", EN: "Application"},
	"tab.notification": {ZH: "告知", EN: "Notification"},
	"tab.assistance":   {ZH: "法律帮助", EN: "Assistance"},
	"tab.complaint":    {ZH: "申诉控告", EN: "Complaint"},
	"tab.activity":     {ZH: "宣传等", EN: "Activity"},
	"enter.sign":       {ZH: "登记并签字", EN: "Record and sign"},
	"enter.only":       {ZH: "仅登记", EN: "Record only"},
	"enter.save":       {ZH: "登记", EN: "Record"},
	"when":             {ZH: "发生时间", EN: "Time"},
	"when.other":       {ZH: "补登时间", EN: "It happened earlier"},

	"person.hint":      {ZH: "自动编码，勿填姓名或身份证号。", EN: "A code is made for you; no names or identity numbers."},
	"person.another":   {ZH: "换一个", EN: "Another"},
	"person.again":     {ZH: "与今日登记的同一人", EN: "Same person as today"},
	"person.new":       {ZH: "新的人员", EN: "A new person"},
	"minutes":          {ZH: "%s 分钟", EN: "%s min"},
	"people":           {ZH: "%s 人", EN: "%s people"},
	"minutes.quick":    {ZH: "填入", EN: "Set to"},
	"defender":         {ZH: "已有辩护人", EN: "has a defender"},
	"defender.none":    {ZH: "无辩护人", EN: "no defender"},
	"defender.warning": {ZH: "已有辩护人：值班律师的法律帮助面向没有辩护人的人，请确认后再登记。", EN: "Has a defender: duty lawyers help people who have none. Make sure before you record it."},

	"applications":         {ZH: "待转交的申请", EN: "Applications to transfer"},
	"application.transfer": {ZH: "转交", EN: "Transfer"},
	"application.left":     {ZH: "24 小时内转交，还剩 %s", EN: "To be transferred within 24 hours; %s left"},
	"application.late":     {ZH: "已超过 24 小时 %s", EN: "Over 24 hours by %s"},
	"notifications":        {ZH: "待履行的告知", EN: "Notifications to give"},
	"duty.given":           {ZH: "已告知", EN: "Was given"},
	"duty.last":            {ZH: "最后期限 %s", EN: "Last day %s"},
	"duty.overdue":         {ZH: "已逾期，最后期限 %s", EN: "Overdue since %s"},
	"requests":             {ZH: "等待派律师的请求", EN: "Requests for a lawyer"},
	"request.dispatched":   {ZH: "本人应召", EN: "I am going"},
	"request.waits":        {ZH: "已等待 %s", EN: "Waiting for %s"},
	"unsigned.elsewhere":   {ZH: "其他设备上待签字的咨询", EN: "Consultations to sign from other devices"},
	"elsewhere.mark":       {ZH: "其他设备登记", EN: "another device"},
	"elsewhere.more":       {ZH: "另有 %s 件未列出，办结上面的后会继续列出。", EN: "%s more are not listed; they follow as those above are done."},
	"elsewhere.seen":       {ZH: "本站其他设备的未办结事项：%s 已核对。", EN: "Open cases of the station's other devices: as of %s."},
	"elsewhere.old":        {ZH: "暂时连不上，本站其他设备的未办结事项是 %s 所见。", EN: "No answer now; open cases of the station's other devices are those seen at %s."},
	"elsewhere.never":      {ZH: "暂时连不上，看不到本站其他设备的未办结事项。", EN: "No answer now; open cases of the station's other devices are not known."},
	"elsewhere.alone":      {ZH: "此地址只收登记：只列出本机登记的未办结事项。", EN: "This address only takes entries: open cases are those of this device."},
	"elsewhere.login":      {ZH: "登录后才能看到本站其他设备的未办结事项。", EN: "Log in to see the open cases of the station's other devices."},
	"elsewhere.total":      {ZH: "共 %s 件，这里是最近的 %s 件。", EN: " Of %s, the newest %s are here."},
	"weekday.0":            {ZH: "周日", EN: "Sun"},
	"weekday.1":            {ZH: "周一", EN: "Mon"},
	"weekday.2":            {ZH: "周二", EN: "Tue"},
	"weekday.3":            {ZH: "周三", EN: "Wed"},
	"weekday.4":            {ZH: "周四", EN: "Thu"},
	"weekday.5":            {ZH: "周五", EN: "Fri"},
	"weekday.6":            {ZH: "周六", EN: "Sat"},

	"today":            {ZH: "今日登记", EN: "Entered today"},
	"today.count":      {ZH: "%s 条", EN: "%s"},
	"today.none":       {ZH: "今天还没有登记。", EN: "Nothing has been entered today."},
	"today.kept":       {ZH: "登记先存本机，联网后自动送达；关闭页面也不会丢失。", EN: "Entries are kept on this device and sent by themselves; closing the page loses nothing."},
	"unreadable":       {ZH: "本机有 %s 条保存的内容读不出来，没有显示，也没有发送；其他登记不受影响。请不要清除浏览器数据，并告知管理员。", EN: "%s records kept on this device cannot be read: they are neither shown nor sent. All others are safe. Do not clear the browser's data, and tell the administrator."},
	"state.sent":       {ZH: "已送达", EN: "Sent"},
	"state.waiting":    {ZH: "待发送", EN: "To be sent"},
	"state.rejected":   {ZH: "被退回", EN: "Refused"},
	"voided":           {ZH: "已作废", EN: "Voided"},
	"corrected":        {ZH: "已更正", EN: "Corrected"},
	"unsigned":         {ZH: "未签字", EN: "Unsigned"},
	"change.corrected": {ZH: "更正：%s", EN: "Corrected: %s"},
	"change.voided":    {ZH: "作废：%s", EN: "Voided: %s"},
	"sign":             {ZH: "签字", EN: "Sign"},
	"correct":          {ZH: "更正", EN: "Correct"},
	"void":             {ZH: "作废", EN: "Void"},
	"mend":             {ZH: "修改后重发", EN: "Mend"},
	"discard":          {ZH: "放弃", EN: "Discard"},
	"discard.ask":      {ZH: "放弃这条登记？它没有被服务器接收，放弃后无法恢复。", EN: "Discard this entry? The server does not have it, and it cannot be brought back."},
	"discard.ask.more": {ZH: "放弃这条登记？同一件事后面尚未送达的 %s 条也会一并放弃，无法恢复。", EN: "Discard this entry? %s more of the same case that were not sent go with it, and cannot be brought back."},
	"edit.correct":     {ZH: "更正：%s", EN: "Correct: %s"},
	"edit.void":        {ZH: "作废：%s", EN: "Void: %s"},
	"edit.mend":        {ZH: "修改被退回的登记：%s", EN: "Mend: %s"},
	"edit.send":        {ZH: "重新发送", EN: "Send again"},
	"reason":           {ZH: "理由", EN: "Reason"},
	"reason.slip":      {ZH: "登记有误", EN: "Entered wrongly"},
	"reason.twice":     {ZH: "重复登记", EN: "Entered twice"},
	"reason.late":      {ZH: "事后核实", EN: "Found out later"},

	"kept":           {ZH: "%s：已登记", EN: "%s: kept"},
	"kept.offline":   {ZH: "（已存本机，联网后送达）", EN: " (kept here, to be sent)"},
	"kept.corrected": {ZH: "已更正", EN: "Corrected"},
	"kept.voided":    {ZH: "已作废", EN: "Voided"},
	"mended":         {ZH: "已修改，重新发送", EN: "Mended; it is sent again"},
	"discarded":      {ZH: "已放弃", EN: "Discarded"},

	"unsent.none":     {ZH: "全部已送达", EN: "All sent"},
	"unsent.waiting":  {ZH: "待发送 %s", EN: "%s to send"},
	"unsent.rejected": {ZH: "被退回 %s", EN: "%s refused"},
	"unsent.offline":  {ZH: "离线", EN: "Offline"},
	"unsent.busy":     {ZH: "服务器忙，稍后重试", EN: "server busy, will try again"},
	"unsent.server":   {ZH: "服务器暂不可用，稍后重试", EN: "server not available, will try again"},
	"unsent.login":    {ZH: "需要登录", EN: "log in first"},
	"clock.fast":      {ZH: "本机时钟比服务器快 %s，登记的时间会不准，请校准。", EN: "The clock of this device is %s ahead of the server's; set it, or entries get wrong times."},
	"clock.slow":      {ZH: "本机时钟比服务器慢 %s，登记的时间会不准，请校准。", EN: "The clock of this device is %s behind the server's; set it, or entries get wrong times."},
	"login":           {ZH: "登录已失效，待发送的都保存在本机。请重新登录，登录后自动发送。", EN: "You are no longer logged in. What is to be sent is kept on this device, and is sent by itself once you have logged in."},
	"login.go":        {ZH: "去登录", EN: "Log in"},
	"unsent.send":     {ZH: "立即发送", EN: "Send now"},

	"wrong.required":      {ZH: "必填", EN: "Required"},
	"wrong.choose":        {ZH: "请选择一项", EN: "Choose one"},
	"wrong.reason":        {ZH: "请写明理由", EN: "Give a reason"},
	"wrong.person":        {ZH: "代码只能用字母、数字和 . _ : / -，以字母或数字开头，最多 64 位", EN: "A code has letters, digits and . _ : / -, begins with a letter or digit, and has at most 64"},
	"wrong.person.name":   {ZH: "不能填写姓名：请用自动生成的代码", EN: "No names: use the code that was made"},
	"wrong.person.number": {ZH: "像是身份证号码，不能填写：请用自动生成的代码", EN: "This looks like an identity number: use the code that was made"},
	"wrong.licence":       {ZH: "执业证号是 17 位数字", EN: "A licence number has 17 digits"},
	"wrong.station":       {ZH: "工作站代码的形式是“区划代码-court / procuratorate / detention”，例如 220182-court", EN: "A station code is <division>-court, -procuratorate or -detention, for example 220182-court"},
	"wrong.station.asked": {ZH: "网址中的工作站代码“%s”不存在，请重新选择", EN: "There is no station %s; choose one"},
	"wrong.division":      {ZH: "区划代码不是吉林省现行的区划", EN: "That is not a division of the province"},
	"wrong.count":         {ZH: "请填 0 到 %s 的整数", EN: "A whole number from 0 to %s"},
	"wrong.time":          {ZH: "请填完整的日期和时间", EN: "Give date and time"},
	"wrong.before":        {ZH: "不能早于签到时间 %s", EN: "Not before the sign-in at %s"},
	"wrong.forgotten":     {ZH: "签到已过 24 小时，请补登实际的签退时间", EN: "Signed in over 24 hours ago: give the time of leaving"},
	"wrong.future":        {ZH: "时间还没有到，请核对", EN: "That is in the future"},

	"problem":         {ZH: "%s：%s", EN: "%s: %s"},
	"server.required": {ZH: "缺少此项", EN: "is missing"},
	"server.choice":   {ZH: "不在可选范围内", EN: "is not one of the choices"},
	"server.trigger":  {ZH: "不是该机关的告知事由", EN: "is no duty of that organ"},
	"server.range":    {ZH: "超出允许的范围", EN: "is out of range"},
	"server.years":    {ZH: "年份不对，请核对本机时钟", EN: "has an impossible year; check the clock of this device"},
	"server.length":   {ZH: "长度不对", EN: "has the wrong length"},
	"server.type":     {ZH: "服务器的版本较旧，还不认识这类登记，请联系管理员", EN: "The server is older and does not know this kind of entry; tell the administrator"},
	"server.field":    {ZH: "服务器不认识此项，请刷新页面后再试", EN: "is not known to the server; reload the page"},
	"server.account":  {ZH: "当前账号没有这项登记的权限，或这里不是该账号的工作站。请换用本站账号登录后重发", EN: "This account may not enter this, or this is not its station. Log in with the station's account and send it again"},
	"server.sealed":   {ZH: "这段文字是为另一人或另一记录加密的，请重新填写", EN: "This text was sealed for another person or record; enter it anew"},
	"server.unsaid":   {ZH: "服务器没有说明原因，可以修改后重发", EN: "The server gave no reason; mend it and send it again"},
	"server.other":    {ZH: "服务器说明：%s", EN: "the server says: %s"},
	"place.source":    {ZH: "工作站", EN: "Station"},
	"place.time":      {ZH: "发生时间", EN: "Time"},
	"place.lawyer":    {ZH: "执业证号", EN: "Licence number"},
	"place.reason":    {ZH: "理由", EN: "Reason"},
	"place.target":    {ZH: "被更正的登记", EN: "Entry it is about"},
	"place.subject":   {ZH: "所属事项", EN: "Case"},
}

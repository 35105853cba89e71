package upload

import "zhiban/schemas"

const (
	chinese = "zh"
	english = "en"
)

// phrases are the messages in one language.
type phrases string

// t is a message; a key without one is shown as it is, which a test finds.
func (lang phrases) t(key string) string {
	if m, ok := messages[key]; ok {
		return m.In(string(lang))
	}
	return key
}

var messages = map[string]schemas.Text{
	"site":          {ZH: "值班律师工作站统计分析平台", EN: "Duty Lawyer Stations: Statistics"},
	"title":         {ZH: "台账导入", EN: "Import ledgers"},
	"skip":          {ZH: "跳到正文", EN: "Skip to content"},
	"language":      {ZH: "English", EN: "中文"},
	"language.code": {ZH: "en", EN: "zh-CN"},

	"intro":         {ZH: "先试运行：读出每一行、列出问题，什么也不发送；看过结果再确认导入。同一文件可以反复导入，已导入的行不会重复计。", EN: "First a dry run: every line is read and problems are listed, nothing is sent; you confirm after looking. A file may be imported any number of times, each line counts once."},
	"drop.title":    {ZH: "选择台账文件", EN: "Choose ledgers"},
	"drop.hint":     {ZH: "可以把文件拖到这里", EN: "Files may be dropped here"},
	"drop.files":    {ZH: "文件（XLSX 或 CSV，可多选，合计不超过 %d MB）", EN: "Files (XLSX or CSV, several at once, up to %d MB together)"},
	"station":       {ZH: "工作站代码", EN: "Station code"},
	"station.hint":  {ZH: "台账标题里没有工作站名称时才填，例如 220182-court", EN: "only when the ledger's title names no station, for example 220182-court"},
	"check":         {ZH: "试运行", EN: "Dry run"},
	"working":       {ZH: "正在上传并读取…", EN: "Uploading and reading…"},
	"sending":       {ZH: "正在导入…", EN: "Importing…"},
	"broken":        {ZH: "没有连上服务器，请重试。", EN: "The server could not be reached; try again."},
	"templates":     {ZH: "空白模板", EN: "Templates"},
	"templates.for": {ZH: "每个模板都有示例行、下拉列表和填写说明。现有的台账不必改成模板的样子：按表头识别，列的先后和叫法不限。", EN: "Each has an example row, drop-down lists and notes. Ledgers that you keep already need not look like them: sheets are known by their headings, in any order and under many names."},
	"kinds":         {ZH: "能识别的台账", EN: "Kinds of ledgers"},

	"report.dry":      {ZH: "试运行结果", EN: "Dry run"},
	"report.sent":     {ZH: "导入结果", EN: "Import"},
	"report.failed":   {ZH: "没有全部发出", EN: "Not all was sent"},
	"report.failed.2": {ZH: "请稍后再按一次“继续导入”，已收下的不会重复计。", EN: "Press “Go on” in a while; what was taken counts once."},
	"lines.accepted":  {ZH: "可导入", EN: "Can be imported"},
	"lines.imported":  {ZH: "已导入", EN: "Imported"},
	"lines.repeated":  {ZH: "重复", EN: "Repeated"},
	"lines.rejected":  {ZH: "退回", EN: "Rejected"},
	"lines.gone":      {ZH: "曾导入、本次文件中没有", EN: "Imported before, not in this file"},
	"files.unread":    {ZH: "读不出的文件", EN: "Unreadable files"},
	"unit.lines":      {ZH: "行", EN: "lines"},
	"unit.files":      {ZH: "个", EN: "files"},
	"events":          {ZH: "条事件", EN: "events"},
	"events.would":    {ZH: "确认后将发送", EN: "To be sent when confirmed:"},
	"confirm":         {ZH: "确认导入", EN: "Confirm the import"},
	"confirm.again":   {ZH: "继续导入", EN: "Go on"},
	"confirm.nothing": {ZH: "没有可导入的行。", EN: "There is nothing to import."},
	"confirm.known":   {ZH: "这些行此前都已导入，没有要发送的。", EN: "All these lines were imported before; there is nothing to send."},
	"again":           {ZH: "换文件", EN: "Choose other files"},
	"another":         {ZH: "再导入别的文件", EN: "Import other files"},
	"expires":         {ZH: "上传的文件只在内存里保留十五分钟，不存盘。", EN: "Uploaded files stay in memory for a quarter of an hour and are not stored."},

	"file.station":   {ZH: "工作站", EN: "Station"},
	"file.months":    {ZH: "月份", EN: "Months"},
	"file.sent":      {ZH: "服务器收下", EN: "Taken by the server"},
	"file.would":     {ZH: "将发送", EN: "To be sent"},
	"file.changed":   {ZH: "其中更正", EN: "of these corrections"},
	"file.known":     {ZH: "此前已导入", EN: "Imported before"},
	"file.refused":   {ZH: "拒收", EN: "Refused"},
	"file.copy":      {ZH: "下载标注副本", EN: "Download the marked copy"},
	"file.copy.hint": {ZH: "每行的结果写在最后一列「导入结果」，改正后可直接再导入。", EN: "Each line's result stands in the last column 导入结果; mend it and import it again."},
	"copy.failed":    {ZH: "标注副本没有做成：%v", EN: "The marked copy could not be made: %v"},
	"file.unread":    {ZH: "没有读", EN: "Not read"},
	"file.more":      {ZH: "没有列全，退回和重复的行在标注副本中都有。", EN: "Not all is listed; the marked copy has all rejected and repeated lines."},

	"col.sheet":    {ZH: "工作表", EN: "Sheet"},
	"col.kind":     {ZH: "类别", EN: "Kind"},
	"col.station":  {ZH: "代码", EN: "Code"},
	"col.rows":     {ZH: "行数", EN: "Lines"},
	"col.repeated": {ZH: "重复", EN: "Repeated"},
	"col.rejected": {ZH: "退回", EN: "Rejected"},
	"col.blank":    {ZH: "空行", EN: "Blank"},
	"col.totals":   {ZH: "合计行", EN: "Totals"},
	"col.others":   {ZH: "其他", EN: "Others"},
	"col.row":      {ZH: "行", EN: "Row"},
	"col.reason":   {ZH: "原因", EN: "Reason"},
	"col.of":       {ZH: "说明", EN: "What of"},
	"notices":      {ZH: "提示", EN: "Notices"},

	"error.origin":  {ZH: "这个请求来自别的网站，没有处理。", EN: "This request came from another site and was refused."},
	"error.login":   {ZH: "登录已失效，没有处理。请重新登录后再试。", EN: "You are no longer logged in, and nothing was done. Log in and try again."},
	"login":         {ZH: "去登录", EN: "Log in"},
	"error.large":   {ZH: "文件合计超过 20 MB，没有处理。请分几次上传，或删去图片等无关内容。", EN: "The files exceed 20 MB together. Upload them in parts, or remove pictures."},
	"error.form":    {ZH: "上传没有完成，请重试。", EN: "The upload is not complete; try again."},
	"error.none":    {ZH: "没有选择文件。", EN: "No file was chosen."},
	"error.many":    {ZH: "一次最多 20 个文件。", EN: "At most 20 files at once."},
	"error.station": {ZH: "工作站代码不对，应像 220182-court：", EN: "That is no station code such as 220182-court:"},
	"error.full":    {ZH: "正在处理的文件太多，请过一会儿再试。", EN: "Too much is being imported at the moment; try again in a while."},
	"error.gone":    {ZH: "这次上传已过期或不存在，请重新选择文件。", EN: "This upload has expired or does not exist; choose the files again."},
	"error.kind":    {ZH: "没有这种台账的模板。", EN: "There is no template of that kind."},
}

package ledger

import (
	"errors"
	"fmt"
	"strings"

	"zhiban/schemas"
)

// english is the table of everything that is said about a file and its rows: the
// Chinese stands where it is said, and is the key here. Headings, and the words
// that a column may hold, are those of the ledger in both languages. The test of
// this table finds what is missing.
var english = map[string]string{
	// Files.
	"%s：%v":      "%s: %v",
	"没有这个文件":     "there is no such file",
	"没有读这个文件的权限": "there is no permission to read it",
	"打不开：%v":     "cannot be opened: %v",
	"是文件夹，请给出文件": "is a folder; give files",
	"读取失败：%v":    "cannot be read: %v",
	"读取中断，文件太大或机器太忙：%v":                                             "reading was broken off, the file is too large or the machine too busy: %v",
	"文件内容已损坏（%v）。请在 Excel 中打开后另存为 .xlsx":                            "the content is damaged (%v). Open it in Excel and save it as .xlsx",
	"文件不完整或已损坏，打不开。请重新复制一份，或在 Excel 中打开后另存为 .xlsx":                  "the file is incomplete or damaged. Copy it anew, or open it in Excel and save it as .xlsx",
	"既不是 Excel 工作簿（.xlsx），也不是 CSV 文件。请在 Excel 或 WPS 中另存为 .xlsx":     "is neither an Excel workbook (.xlsx) nor a CSV file. Save it as .xlsx in Excel or WPS",
	"不是 Excel 工作簿（.xlsx）。请在 Excel 或 WPS 中另存为 .xlsx":                 "is no Excel workbook (.xlsx). Save it as .xlsx in Excel or WPS",
	"文件解压后超过 %d MB，不像台账，不予打开。请把台账复制到新的工作簿再导入":                       "holds more than %d MB, which no ledger does, and is not opened. Copy the ledger into a new workbook",
	"文件里有 %d 个部件，不像台账，不予打开。请把台账复制到新的工作簿再导入":                         "has %d parts, which no ledger has, and is not opened. Copy the ledger into a new workbook",
	"文件里有 %d 张工作表，不像台账，不予打开。请分成几个文件再导入":                             "has %d sheets, which no ledger has, and is not opened. Split it",
	"一张工作表里的合并单元格超过 %d 处，不像台账，不予打开。请把台账复制到新的工作簿再导入":                 "has more than %d merged ranges in a sheet, which no ledger has, and is not opened. Copy the ledger into a new workbook",
	"第%d行有一格超过 32767 字，不像台账；CSV 文件请检查引号是否成对":                        "row %d has a cell of more than 32767 letters, which no ledger has; in a CSV file see whether quotes are in pairs",
	"有一行超过 %d MB，不像台账；请检查引号是否成对":                                    "a row is longer than %d MB, which none of a ledger is; see whether quotes are in pairs",
	"没有登录，或登录、令牌已失效：请重新登录后再试；命令行请用 --token 或环境变量 ZHIBAN_TOKEN 给出令牌": "you are not logged in, or the login or token is no longer good: log in again; on the command line give a token with --token or ZHIBAN_TOKEN",
	"您的账号无权为该工作站或区划登记这类事项":                                          "your account may not enter such things for this station or division",
	"您的账号没有这项权限；如需导入，请联系上级管理员":                                      "your account may not do this; ask the office above you",
	"文件是空的": "the file is empty",
	"文件超过 %d MB，不像台账。请删去图片等无关内容后再导入":                  "is larger than %d MB, which no ledger is. Remove pictures and the like",
	"文件设有打开密码。请在 Excel 中取消密码（文件→信息→保护工作簿）后再导入":        "needs a password to open. Remove it in Excel (File, Info, Protect Workbook)",
	"是旧格式（.xls 或 .et）。请在 Excel 或 WPS 中另存为 .xlsx 后再导入": "is of the old format (.xls or .et). Save it as .xlsx in Excel or WPS",
	"是 PDF 文件。请导入原来的 Excel 或 CSV 文件":                  "is a PDF. Import the Excel or CSV file that it was made from",
	"实际是网页而不是 Excel 文件。请在 Excel 中打开后另存为 .xlsx":        "is a web page, not an Excel file. Open it in Excel and save it as .xlsx",
	"不是文本文件":         "is no text file",
	"第%d行：%v":        "row %d: %v",
	"工作表「%s」读不出来：%v": "sheet “%s” cannot be read: %v",

	// Tables and titles.
	"没有找到台账的表头":           "no heading of a ledger was found",
	"没有找到台账的表头。可以导入的有：%s": "no heading of a ledger was found. What can be imported: %s",
	"工作表「%s」像是%s，但表头缺少 %s。请补上这一列（列的先后不限）后再导入": "sheet “%s” looks like a ledger (%s) but its heading lacks %s. Add the column, anywhere",
	"空表":                  "empty",
	"模板的说明":               "the notes of a template",
	"是隐藏的工作表，也已读入":        "is a hidden sheet; it was read too",
	"%s不导入，只留在文件里":        "%s: not imported, left in the file",
	"不认识的列没有导入：「%s」":      "columns that are not known were not imported: “%s”",
	"没有「%s」一列，全部按“未引导”计":  "there is no column “%s”; all count as not guided",
	"没有「%s」一列，全部按“未签字”计":  "there is no column “%s”; all count as unsigned",
	"没有「离岗时间」一列，班次都会是未结束": "there is no column 离岗时间; all shifts will be open",
	"标为“%s”的行没有导入":        "rows marked “%s” were not imported",
	"不是台账记录，已跳过：%s":       "is no line of the ledger and was left out: %s",
	"工作站「%s」认不出来：%v。请用 --station 代码 指定，例如 --station 220182-court":                                   "station “%s” is not known: %v. Name it by its code, for example 220182-court",
	"文件里有 %d 个工作站（%s），不能都按 --station %s 导入。请分成几个文件":                                                 "the file has %d stations (%s), which cannot all be imported as %s. Split it",
	"标题写的是 %s（%s），按 --station 指定的 %s 导入":                                                            "the title says %s (%s); imported as %s, as asked",
	"标题里的法律援助中心「%s」认不出来：%v":                                                                         "legal aid centre “%s” of the title is not known: %v",
	"标题里没有法律援助中心或工作站的名称。请在「%s」上方补上标题，例如 榆树市法律援助中心%s":                                                "the title names neither a legal aid centre nor a station. Add one above “%s”, for example 榆树市法律援助中心%s",
	"标题里没有工作站名称（XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站）。请补上标题，或用 --station 代码 指定，例如 --station 220182-court": "the title names no station (XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站). Add it, or give the station's code, for example 220182-court",
	"工作表「%s」没有写是哪个工作站，而文件里有 %d 个（%s）。请在该表上方补上标题":                                                    "sheet “%s” does not say of which station it is, and the file has %d (%s). Add a title above the table",
	"读不出工作站名称「%s」的所在地和所驻机关":                                                                         "the place and the organ cannot be read from the station's name “%s”",
	"「第%s%s」在 %s 不止一个，要指明是哪一个（例如 %s-%s）":                                                            "there are several “第%s%s” in %s; say which one (for example %s-%s)",
	"区划名册中没有「%s」":           "the register of divisions has no “%s”",
	"区划名册中没有「%s」，名称相近的有 %s": "the register of divisions has no “%s”; similar names are %s",
	"「%s」可以是 %s":            "“%s” can be %s",

	// Cells.
	"没有填%s":    "%s is blank",
	"没有填%s和%s": "%s and %s are blank",
	"%s「%s」不认识，应为 是 或 否": "%s “%s” is not known; it should be 是 (yes) or 否 (no)",
	"%s「%s」不认识，应为 %s":    "%s “%s” is not known; it should be one of %s",
	"%s「%s」不认识，这一项没有导入":  "%s “%s” is not known; the item was not imported",
	"%s「%s」是按数字保存的，Excel 只保留 15 位，末两位已丢失；请把该列设为文本格式后重新填写": "%s “%s” is kept as a number, of which Excel keeps 15 digits: the last two are lost. Make the column text and fill it in again",
	"%s「%s」不是 17 位数字":         "%s “%s” is not 17 digits",
	"%s「%s」不是 17 位数字（是 %d 位）": "%s “%s” is not 17 digits (it has %d)",
	"%s「%s」%v": "%s “%s” %v",
	"%s「%s」%v，请写成 2026-09-01 的样子":                      "%s “%s” %v; write it as 2026-09-01",
	"%s「%s」%v，请写成 8:30 的样子":                            "%s “%s” %v; write it as 8:30",
	"%s「%s」是按数字保存的，分不清 %s 日和 %s0 日，请写成 2026-09-01 的样子": "%s “%s” is kept as a number, which may mean day %s or day %s0; write it as 2026-09-01",
	"%s「%s」没有时刻，请写成 2026-09-01 9:30 的样子":               "%s “%s” has no time of day; write it as 2026-09-01 9:30",
	"%s「%s」没有时刻，请写成 2026-09-01 9:30 的样子，或加一列「%s」":      "%s “%s” has no time of day; write it as 2026-09-01 9:30, or add a column “%s”",
	"看不懂": "cannot be read",
	"不存在": "does not exist",
	"没有年份，表的标题里也没有":                           "has no year, nor has the table's title",
	"没有月份，表的标题里也没有":                           "has no month, nor has the table's title",
	"%s %s 早于%s %s":                           "%s %s is before %s %s",
	"%s %s 早于%s %s（如是次日离岗，请写“次日%s”）":          "%s %s is before %s %s (when it was on the next day, write 次日%s)",
	"%s与%s不是同一天":                              "%s and %s are not the same day",
	"填了告知方式或凭据，但没有填%s":                        "the form or the evidence is filled in, but not %s",
	"填了%s，但没有填%s":                             "%s is filled in, but not %s",
	"%s的告知事由应为 %s，不是 %s":                      "of the organ %s the duty arises from %s, not %s",
	"没有填%s，表的标题里也没有月份":                        "%s is blank, and the table's title has no month",
	"%s「%s」不是 0.5 至 200 的学时数，请写成 3 或 1.5 的样子": "%s “%s” is not from 0.5 to 200 hours; write it as 3 or 1.5",
	"%s「%s」看不懂，请以元为单位写成 200 或 200.50 的样子":     "%s “%s” cannot be read; write it in yuan, as 200 or 200.50",
	"%s「%s」超过 %d 元，请核对":                       "%s “%s” is more than %d yuan; check it",
	"%s「%s」不足一分":                              "%s “%s” is less than a fen",
	"%s是 0":                                   "%s is 0",

	// What is imported with a remark.
	"没有离岗时间，只导入签到，班次记为未结束；补填后再导入一次即可":    "no time of leaving: only the sign-in was imported and the shift is open; fill it in and import again",
	"到岗与离岗是同一时刻，值班时长为 0":                 "came and left at the same moment: the shift has 0 minutes",
	"日期不在标题所写的 %d年%d月内，请核对":              "the date is outside the title's month %d-%02d; check it",
	"没有填值班律师姓名，按执业证号计":                   "no name of the lawyer; it counts by the licence",
	"%s「%s」看不懂，时长没有导入":                   "%s “%s” cannot be read; the length was not imported",
	"结束时间「%s」看不懂或早于开始时间，时长没有导入":          "the end “%s” cannot be read or is before the beginning; the length was not imported",
	"%s中的姓名、长号码已遮盖后导入":                   "names and long numbers in %s were covered before the import",
	"%s中的姓名已遮盖后导入":                       "names in %s were covered before the import",
	"%s超过 %d 字，只导入前 %d 字":                "%s has more than %d characters; the first %d were imported",
	"签字「%s」不是值班律师 %s，按未签字计":              "the signature “%s” is not that of lawyer %s; it counts as unsigned",
	"没有律师签字，导入后显示为未签字":                   "not signed by the lawyer; it is shown as unsigned",
	"没有转交日期，只导入接收；转交后补填再导入一次即可":          "no date of transfer: only the receipt was imported; fill it in after the transfer and import again",
	"没有告知时间，只导入告知义务，记为尚未告知；告知后补填再导入一次即可": "no time of notice: only the duty was imported, as not yet given; fill it in when it was and import again",
	"没有凭据，导入后显示为已告知但无凭据":                 "no evidence; it is shown as given without evidence",
	"只有月份没有日期，按当月 1 日计":                  "a month without a day counts on its first",
	"没有发放日期，只导入应发，记为尚未发放；发放后补填再导入一次即可":   "no date of payment: only what is due was imported; fill it in after the payment and import again",
	"%s是 0，只导入应发，记为尚未发放":                 "%s is 0: only what is due was imported, as not yet paid",

	// Lines against each other, and against what the platform holds.
	"第%d行":         "row %d",
	"%s 第%d行":      "%s row %d",
	"%s 的 %s 第%d行": "%s, %s row %d",
	"与%s相同，只计一次":   "the same as %s, counts once",
	"与%s是同一律师同一到岗时间，但%s；请核对后只留一行": "the same lawyer and time as %s, but %s; check it and leave one",
	"%s不同": "not the same %s",
	"与%s是同一%s同一时间，但内容不同；请核对后只留一行，确是两次的请放在同一个文件里": "the same %[2]s and time as %[1]s, but with another content; check it and leave one, or put both into one file when it was twice",
	"律师":     "lawyer",
	"机关同一事由": "organ and trigger",
	"执业证号 %s 对应了不同姓名：%s，请核对":           "licence %s has several names: %s; check it",
	"律师 %s 有不同的执业证号：%s，请核对；如是同名的两人则无妨": "lawyer %s has several licences: %s; check it, unless they are two people of one name",
	"与此前导入的内容不同，作为更正导入":                "not the same as when it was imported before: imported as a correction",
	"没有问到平台上已有哪些记录：%v":                 "the platform did not say what it holds: %v",
	"查询已导入的记录：%v":                      "ask what was imported before: %v",
	"服务器对 %d 条事件只答复了 %d 条":             "the server answered for %[2]d of %[1]d events",
	"服务器拒收：%s":                         "refused by the server: %s",
	"服务器拒收，没有说明原因":                     "refused by the server, which gave no reason",
	"标注副本没有写成：%v":                      "the marked copy could not be written: %v",

	"%s %s":         "%s %s",
	"%s %s，执业证号 %s": "%s %s, licence %s",
	"%d 行曾导入、本次文件中没有。它们仍在计数：确已删除的，或改了日期、时间、律师的，请把旧记录在平台上作废；在同月另一份台账里的不用管": "%d lines were imported before and are not in this file. They still count: void those that were deleted, or whose date, time or lawyer was changed; leave those that stand in another file of the month",
	"没有问到此前导入过、本次没有的行：%v": "the platform did not say which lines were imported before: %v",

	// Rows and months.
	"（第%s行）":          " (rows %s)",
	"（第%s行等 %d 行）":    " (rows %s and others, %d in all)",
	"（没有可导入的行）":       "(no line can be imported)",
	"%s 至 %s，共 %d 个月": "%s to %s, %d months",
}

// tell says something in both languages. Args that know both, such as another
// text or an error of this package, are said in each.
func tell(format string, args ...any) schemas.Text {
	in, ok := english[format]
	if !ok {
		in = format
	}
	said := func(format, lang string) string {
		if len(args) == 0 {
			return format
		}
		own := make([]any, len(args))
		for i, a := range args {
			own[i] = a
			var e *textError
			switch t := a.(type) {
			case schemas.Text:
				own[i] = t.In(lang)
			case error:
				if errors.As(t, &e) {
					own[i] = e.text.In(lang)
				}
			}
		}
		return fmt.Sprintf(format, own...)
	}
	return schemas.Text{ZH: said(format, "zh"), EN: said(in, "en")}
}

// join puts texts in a row.
func join(texts []schemas.Text, zh, en string) schemas.Text {
	var a, b []string
	for _, t := range texts {
		a, b = append(a, t.ZH), append(b, t.EN)
	}
	return schemas.Text{ZH: strings.Join(a, zh), EN: strings.Join(b, en)}
}

// textError is an error in both languages; as an error it is Chinese, which the
// terminal shows.
type textError struct {
	text  schemas.Text
	cause error // the last of its args that is one
}

func (e *textError) Error() string { return e.text.ZH }
func (e *textError) Unwrap() error { return e.cause }

func errorf(format string, args ...any) error {
	e := &textError{text: tell(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			e.cause = err
		}
	}
	return e
}

// ErrorText is an error of this package in both languages; of any other it is
// what it says.
func ErrorText(err error) schemas.Text {
	var e *textError
	if errors.As(err, &e) {
		return e.text
	}
	switch schemas.KindOf(err) {
	case schemas.Unauthenticated:
		return tell("没有登录，或登录、令牌已失效：请重新登录后再试；命令行请用 --token 或环境变量 ZHIBAN_TOKEN 给出令牌")
	case schemas.Forbidden:
		return tell("您的账号没有这项权限；如需导入，请联系上级管理员")
	}
	return schemas.Text{ZH: err.Error(), EN: err.Error()}
}

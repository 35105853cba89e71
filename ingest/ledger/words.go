package ledger

import (
	"slices"
	"strings"
)

// word is a row of the table of words: how ledgers say it, and how events do.
type word struct {
	field field
	says  string // the value in the event
	title string
	words []string // further words; compared without blanks
}

// words are the values of the columns that hold one of a few.
var words = []word{
	{colMode, "onsite", "现场", []string{"现场值班", "驻点", "到岗", "坐班", "线下"}},
	{colMode, "phone", "电话", []string{"电话值班", "电话咨询"}},
	{colMode, "online", "网络", []string{"网络值班", "线上", "视频", "网上", "远程", "在线"}},

	{colChannel, "visit", "来访", []string{"现场", "面谈", "当面", "现场咨询", "来访咨询", "接待来访"}},
	{colChannel, "phone", "来电", []string{"电话", "电话咨询", "来电咨询"}},
	{colChannel, "online", "网络", []string{"线上", "视频", "网上", "远程", "在线", "网络咨询", "视频咨询"}},
	{colChannel, "in_custody", "在押会见", []string{"会见", "看守所会见", "在押", "提讯会见", "监所会见"}},

	{colRole, "suspect", "犯罪嫌疑人", []string{"嫌疑人", "疑犯", "犯罪嫌疑人本人"}},
	{colRole, "defendant", "被告人", []string{"被告", "刑事被告人"}},
	{colRole, "relative", "近亲属", []string{"家属", "亲属", "当事人家属", "犯罪嫌疑人近亲属", "被告人近亲属", "嫌疑人家属", "被告人家属", "配偶", "父母", "子女"}},
	{colRole, "other", "其他", []string{"其他人员", "其它", "群众", "被害人", "证人"}},
}

// say finds a word's value in events.
func say(f field, text string) (string, bool) {
	text = strings.TrimRight(squeeze(text), "。.")
	for _, w := range words {
		if w.field == f && (w.title == text || slices.Contains(w.words, text)) {
			return w.says, true
		}
	}
	return "", false
}

// titleOf is the Chinese word for a value in events.
func titleOf(f field, says string) string {
	for _, w := range words {
		if w.field == f && w.says == says {
			return w.title
		}
	}
	return says
}

// choices lists what a column may say.
func choices(f field) string {
	var out []string
	for _, w := range words {
		if w.field == f {
			out = append(out, w.title)
		}
	}
	return strings.Join(out, "、")
}

// yesNo reads a mark: blank is no.
func yesNo(s string) (yes, ok bool) {
	s = strings.ToLower(squeeze(s))
	switch s {
	case "是", "√", "✓", "✔", "☑", "有", "1", "y", "yes", "true", "v", "对", "已":
		return true, true
	case "", "否", "×", "✗", "✘", "x", "无", "0", "n", "no", "false", "-", "/", "—", "没有", "□":
		return false, true
	}
	for _, w := range []string{"是(", "是,", "已引导", "有(", "已签", "已佩戴"} {
		if strings.HasPrefix(s, w) {
			return true, true
		}
	}
	for _, w := range []string{"未", "不", "否(", "否,", "无(", "没"} {
		if strings.HasPrefix(s, w) {
			return false, true
		}
	}
	return false, false
}

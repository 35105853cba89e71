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
	parts []string // a text that holds one of these says it too, if it holds none of another value
}

// words are the values of the columns that hold one of a few.
var words = []word{
	{colMode, "onsite", "现场", []string{"现场值班", "驻点", "到岗", "坐班", "线下"}, nil},
	{colMode, "phone", "电话", []string{"电话值班", "电话咨询"}, nil},
	{colMode, "online", "网络", []string{"网络值班", "线上", "视频", "网上", "远程", "在线"}, nil},

	{colChannel, "visit", "来访", []string{"现场", "面谈", "当面", "现场咨询", "来访咨询", "接待来访"}, nil},
	{colChannel, "phone", "来电", []string{"电话", "电话咨询", "来电咨询"}, nil},
	{colChannel, "online", "网络", []string{"线上", "视频", "网上", "远程", "在线", "网络咨询", "视频咨询"}, nil},
	{colChannel, "in_custody", "在押会见", []string{"会见", "看守所会见", "在押", "提讯会见", "监所会见"}, nil},

	{colRole, "suspect", "犯罪嫌疑人", []string{"嫌疑人", "疑犯", "犯罪嫌疑人本人"}, nil},
	{colRole, "defendant", "被告人", []string{"被告", "刑事被告人"}, nil},
	{colRole, "relative", "近亲属", []string{"家属", "亲属", "当事人家属", "犯罪嫌疑人近亲属", "被告人近亲属", "嫌疑人家属", "被告人家属", "配偶", "父母", "子女"}, nil},
	{colRole, "other", "其他", []string{"其他人员", "其它", "群众", "被害人", "证人"}, nil},

	{colOrgan, "state_security", "国家安全机关", []string{"国安"}, []string{"国家安全", "国安局"}},
	{colOrgan, "police", "公安机关", []string{"公安", "侦查机关"}, []string{"公安", "派出所"}},
	{colOrgan, "procuratorate", "检察院", []string{"检察机关", "检察"}, []string{"检察院"}},
	{colOrgan, "court", "法院", []string{"审判机关"}, []string{"法院"}},

	{colTrigger, "interrogation", "首次讯问", []string{"第一次讯问", "初次讯问", "讯问"}, []string{"次讯问"}},
	{colTrigger, "coercive_measure", "采取强制措施", []string{"强制措施", "拘留", "刑事拘留", "逮捕", "取保候审", "监视居住", "执行逮捕"}, []string{"强制措施"}},
	{colTrigger, "review", "审查起诉", []string{"移送审查起诉", "受理审查起诉"}, []string{"审查起诉"}},
	{colTrigger, "accepted", "受理案件", []string{"受理", "案件受理", "收案", "立案", "立案受理"}, nil},
	{colTrigger, "retrial", "决定再审", []string{"再审", "再审决定"}, []string{"再审"}},

	{colForm, "oral", "口头", []string{"口头告知", "当面", "当面告知"}, nil},
	{colForm, "written", "书面", []string{"书面告知", "告知书", "送达", "文书"}, nil},
	{colForm, "phone", "电话", []string{"电话告知"}, nil},

	{colTopic, "duties", "职责", []string{"值班律师职责", "工作职责"}, []string{"职责"}},
	{colTopic, "services", "服务内容", []string{"服务", "业务", "法律帮助"}, []string{"服务", "法律帮助"}},
	{colTopic, "discipline", "执业纪律", []string{"纪律", "职业道德"}, []string{"纪律", "职业道德"}},
	{colTopic, "procedure", "刑事诉讼法律知识", []string{"刑诉", "法律知识"}, []string{"刑事诉讼", "刑诉", "法律知识"}},
	{colTopic, "other", "其他", []string{"其它"}, nil},
}

// say finds a word's value in events.
func say(f field, text string) (string, bool) {
	text = strings.TrimRight(squeeze(text), "。.")
	for _, w := range words {
		if w.field == f && (w.title == text || slices.Contains(w.words, text)) {
			return w.says, true
		}
	}
	var says []string
	for _, w := range words {
		if w.field == f && slices.ContainsFunc(w.parts, func(part string) bool { return strings.Contains(text, part) }) {
			says = append(says, w.says)
		}
	}
	if len(says) != 1 {
		return "", false
	}
	return says[0], true
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

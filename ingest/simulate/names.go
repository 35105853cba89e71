package simulate

import (
	"fmt"
	"strconv"
	"strings"

	"zhiban/schemas"
)

// Invented people and firms. Surnames come up about as often as they do in the
// province; in 延边 every third lawyer is Korean-Chinese.

var hanSurnames = weighted("王102 李94 张90 刘76 陈33 杨31 赵41 孙38 于30 徐22 高20 马18 周17 吴15 姜14 宋14 郭13 韩13 林11 朱11 胡10 " +
	"丁9 董9 曲8 孟8 冯8 许8 何7 迟4 尹4 范7 邹5 吕7 崔7 田7 程6 付6 杜6 魏7 谭5 关5 佟2 那1 付4 葛4 邵4 庞3 石5 鞠2 初1 栾2 战1 欧阳1")

var koreanSurnames = weighted("金210 朴90 李140 崔80 郑50 姜30 韩28 尹22 全20 许18 林18 玄9 文10 南8 方6 池6 严5 千3 洪6 安10 申7 吴7 黄7 白5 元3 车4 太2")

var (
	hanMale    = strings.Fields("伟 强 磊 军 洋 勇 杰 涛 超 明 刚 平 辉 鹏 健 志远 建国 立新 文斌 国栋 海涛 晓东 春雷 宏伟 大鹏 振宇 子轩 浩然 俊峰 德胜 永刚 景明 一鸣 宝林 长山 铁军 玉林 忠诚 学武 世杰 立军 东升 庆海 成林")
	hanFemale  = strings.Fields("芳 娜 敏 静 丽 艳 娟 霞 红 梅 雪 丹 莹 颖 倩 晓梅 丽华 玉兰 雅琴 淑珍 春燕 秀英 海燕 晶晶 思雨 雨桐 欣怡 佳琪 冬梅 凤霞 桂荣 婷婷 立红 文静 晓光 丽娟 慧敏 莉莉 雪松 冰洁")
	koreanMale = strings.Fields("哲 浩 龙 成哲 京浩 永哲 光洙 哲洙 明哲 虎男 龙哲 学哲 东日 永男 成日 仁哲 昌浩 相龙 光浩 镇宇 泰植 万石 顺哲 钟赫")
	koreanLady = strings.Fields("花 美花 顺姬 英姬 春花 海兰 莲花 香兰 京玉 明玉 银姬 美兰 贞淑 善女 英兰 玉花 松子 美京 红梅 香淑 恩珠 智慧")
)

var (
	firmFirst  = strings.Fields("正 恒 信 明 德 衡 鼎 言 诚 致 博 维 昊 宏 众 同 天 华 金 泽 松 启 北 东 弘 法 义 公 君 善")
	firmSecond = strings.Fields("阳 平 达 远 理 方 和 泰 成 立 权 源 衡 安 辰 律 宇 晖 言 朗 信 正 道 航 民 峰 业 铭 润 舟")
)

// topics are what people ask about, by kind of station.
var topics = map[schemas.StationKind][]string{
	schemas.DetentionCentre: {"认罪认罚从宽", "取保候审条件", "羁押期限", "申请法律援助", "委托辩护人", "会见与通信", "量刑情节", "自首与立功", "变更强制措施", "讯问中的权利", "速裁程序", "退赃退赔"},
	schemas.Court:           {"法律援助条件", "诉讼程序", "上诉期限", "认罪认罚从宽", "刑事附带民事", "缓刑适用", "量刑情节", "申诉与再审", "证据材料", "庭审权利", "简易程序", "诉讼风险", "减刑假释", "财产刑执行"},
	schemas.Procuratorate:   {"认罪认罚具结", "审查起诉期限", "不起诉", "量刑建议", "羁押必要性审查", "申请法律援助", "阅卷与会见", "刑事和解", "被害人权利", "申诉控告"},
}

// questions and answers are what is written down of some consultations, about a
// topic. They tell of nobody.
var (
	questions = []string{"询问%s的有关规定和办理程序。", "想了解%s需要满足哪些条件。", "就%s应当准备哪些材料？", "%s一般要多长时间？"}
	answers   = []string{"说明%s的法律规定、条件和期限，告知权利义务。", "解答%s的办理程序，建议以书面形式提出。", "释明%s的法律后果，提示诉讼风险，并说明法律援助的条件和范围。"}
)

// spoken is a question about a topic and its answer.
func spoken(d dice, topic string) (question, answer string) {
	return fmt.Sprintf(pick(d, questions), topic), fmt.Sprintf(pick(d, answers), topic)
}

// weighted reads "王102 李94": a value and its weight.
func weighted(s string) []choice[string] {
	var out []choice[string]
	for _, f := range strings.Fields(s) {
		i := strings.IndexAny(f, "0123456789")
		w, err := strconv.ParseFloat(f[i:], 64)
		if err != nil {
			panic(fmt.Sprintf("weight of %s: %v", f, err)) // a slip in the lists above
		}
		out = append(out, choice[string]{w, f[:i]})
	}
	return out
}

// personName makes a name; korean is how likely it is a Korean-Chinese one.
func personName(d dice, korean float64, woman bool) string {
	surnames, given := hanSurnames, hanMale
	if woman {
		given = hanFemale
	}
	if d.chance(korean) {
		surnames, given = koreanSurnames, koreanMale
		if woman {
			given = koreanLady
		}
	}
	return choose(d, surnames) + pick(d, given)
}

// firmNames makes n different law firms.
func firmNames(d dice, n int, used map[string]bool) []string {
	var out []string
	for len(out) < n {
		name := "吉林" + pick(d, firmFirst) + pick(d, firmSecond) + "律师事务所"
		if r := []rune(name); r[2] != r[3] && !used[name] {
			used[name] = true
			out = append(out, name)
		}
	}
	return out
}

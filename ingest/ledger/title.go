package ledger

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
)

var (
	titleMonth = regexp.MustCompile(`(20\d{2})年(\d{1,2})月(?:份)?([-—–~～至到、]+(?:20\d{2}年)?\d{1,2}月)?`)
	titleShort = regexp.MustCompile(`(?:^|[^\d.-])(20\d{2})[-./](\d{1,2})(?:\D|$)`)
	titleYear  = regexp.MustCompile(`(20\d{2})年`)
)

// titlePeriod reads the month, or the year alone, that a title names.
func titlePeriod(title string) period {
	title = arabic(squeeze(title))
	if m := titleMonth.FindStringSubmatch(title); m != nil && m[3] == "" && atoi(m[2]) >= 1 && atoi(m[2]) <= 12 {
		return period{atoi(m[1]), atoi(m[2])}
	}
	if m := titleYear.FindStringSubmatch(title); m != nil {
		return period{year: atoi(m[1])}
	}
	if m := titleShort.FindStringSubmatch(title); m != nil && atoi(m[2]) >= 1 && atoi(m[2]) <= 12 {
		return period{atoi(m[1]), atoi(m[2])}
	}
	return period{}
}

// day is some day of the period, for asking which divisions there were.
func (p period) day() schemas.Day {
	switch {
	case p.year == 0:
		return 0
	case p.month == 0:
		return schemas.Date(p.year, 12, 31)
	}
	return schemas.Date(p.year, time.Month(p.month), 1)
}

var (
	stationName  = regexp.MustCompile(`([^\s(《【:]{2,40}?)法律援助(?:中心|机构|处|局)?(?:派?驻)([^\s(]{0,40}?)(人民法院|人民检察院|法院|检察院|看守所)[^\s(]{0,10}?工作站`)
	stationGuess = regexp.MustCompile(`([^\s(《【:]{2,40}?)(人民法院|人民检察院|法院|检察院|看守所)[^\s(]{0,10}?工作站`)
	numbered     = regexp.MustCompile(`第([二三四五六七八九2-9])$`)
)

// titleStation finds a station's name in a title: 三(一)2 asks for
// XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站.
func titleStation(title string) (name string) {
	title = squeeze(title)
	for _, date := range []*regexp.Regexp{titleMonth, titleYear} {
		title = date.ReplaceAllString(title, "")
	}
	if m := stationName.FindString(title); m != "" {
		return m
	}
	return stationGuess.FindString(title)
}

// stationCode derives a station's code from its name: the county by its name
// on the ledger's day, the kind by the organ.
func stationCode(name string, on schemas.Day) (schemas.StationCode, error) {
	m := stationName.FindStringSubmatch(name)
	var place, host, organ string
	if m != nil {
		place, host, organ = m[1], m[2], m[3]
	} else if m = stationGuess.FindStringSubmatch(name); m != nil {
		place, organ = m[1], m[2]
	} else {
		return "", errorf("读不出工作站名称「%s」的所在地和所驻机关", name)
	}
	kind := map[string]schemas.StationKind{"人民法院": schemas.Court, "法院": schemas.Court, "人民检察院": schemas.Procuratorate,
		"检察院": schemas.Procuratorate, "看守所": schemas.DetentionCentre}[organ]
	division, err := divisionByName(place, on)
	if err != nil {
		return "", err
	}
	code := string(division.Code) + "-" + kind.CodeSuffix()
	if n := numbered.FindStringSubmatch(host); n != nil {
		return "", errorf("「第%s%s」在 %s 不止一个，要指明是哪一个（例如 %s-%s）", n[1], organ, division.Name, code, arabic(n[1]))
	}
	return schemas.ParseStationCode(code)
}

// divisionByName finds the one division of a name on a day; on the zero day,
// today's. A name may have the province or the prefecture in front, and may be
// short: 榆树, 前郭县.
func divisionByName(name string, on schemas.Day) (schemas.Division, error) {
	short := name
	if rest, ok := strings.CutPrefix(name, "吉林省"); ok && rest != "" {
		short = rest
	}
	var valid []schemas.Division
	for _, d := range schemas.Divisions.All() {
		if on == 0 && d.ValidTo == 0 || on != 0 && d.Valid(on) {
			valid = append(valid, d)
		}
	}
	find := func(n string, parent schemas.DivisionCode) []schemas.Division {
		for _, same := range []func(schemas.Division) bool{
			func(d schemas.Division) bool { return d.Name == n },
			func(d schemas.Division) bool { // without its last word
				return d.Name == n+"市" || d.Name == n+"县" || d.Name == n+"区" || d.Name == n+"自治县" || d.Name == n+"自治州"
			},
			func(d schemas.Division) bool { // 前郭县, 伊通县, 延边州
				for _, w := range []string{"县", "州"} {
					if base, ok := strings.CutSuffix(n, w); ok && base != "" && strings.HasPrefix(d.Name, base) && strings.HasSuffix(d.Name, "族自治"+w) {
						return true
					}
				}
				return false
			},
		} {
			var hits []schemas.Division
			for _, d := range valid {
				if (parent == "" || d.Parent == parent) && same(d) {
					hits = append(hits, d)
				}
			}
			if len(hits) > 0 {
				return hits
			}
		}
		return nil
	}
	hits := find(short, "")
	if len(hits) == 0 {
		for _, p := range valid { // 长春市朝阳区
			if p.Level != schemas.LevelPrefecture {
				continue
			}
			if rest, ok := strings.CutPrefix(short, p.Name); ok {
				hits = append(hits, find(rest, p.Code)...)
			}
		}
	}
	switch len(hits) {
	case 0:
		if near := similar(short, valid); near != "" {
			return schemas.Division{}, errorf("区划名册中没有「%s」，名称相近的有 %s", name, near)
		}
		return schemas.Division{}, errorf("区划名册中没有「%s」", name)
	case 1:
		return hits[0], nil
	}
	var names []string
	for _, d := range hits {
		names = append(names, fmt.Sprintf("%s（%s）", d.Name, d.Code))
	}
	return schemas.Division{}, errorf("「%s」可以是 %s", name, strings.Join(names, "、"))
}

// similar names divisions that share two characters in a row with name, for
// the message that there is none of that name.
// commonPairs stand in too many names to tell anything.
var commonPairs = []string{"吉林", "长春", "经济", "开发", "技术", "产业", "高新"}

func similar(name string, valid []schemas.Division) string {
	var near []string
	r := []rune(name)
	for _, d := range valid {
		for i := 0; i+2 <= len(r); i++ {
			pair := string(r[i : i+2])
			if strings.Contains(d.Name, pair) && !strings.ContainsAny(pair, "市县区州") && !slices.Contains(commonPairs, pair) {
				near = append(near, fmt.Sprintf("%s（%s）", d.Name, d.Code))
				break
			}
		}
	}
	if len(near) == 0 || len(near) > 5 {
		return ""
	}
	return strings.Join(near, "、")
}

package simulate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"zhiban/schemas"
)

// population is that of each county in ten thousands, about that of 2020.
// Only the proportions matter: they decide how busy a county is.
var population = map[schemas.DivisionCode]float64{
	"220102": 85, "220103": 72, "220104": 86, "220105": 58, "220106": 67, "220112": 34, "220113": 60, "220122": 77,
	"220171": 30, "220172": 25, "220173": 33, "220174": 22, "220182": 84, "220183": 63, "220184": 86, "220381": 86,
	"220202": 60, "220203": 45, "220204": 48, "220211": 33, "220221": 27, "220271": 9, "220272": 16, "220281": 32, "220282": 34, "220283": 44, "220284": 38,
	"220302": 30, "220303": 35, "220322": 52, "220323": 37, "220382": 31,
	"220402": 31, "220403": 16, "220421": 28, "220422": 24,
	"220502": 31, "220503": 11, "220521": 17, "220523": 28, "220524": 26, "220581": 49, "220582": 17,
	"220602": 33, "220605": 18, "220621": 25, "220622": 10, "220623": 6, "220681": 12,
	"220702": 62, "220721": 45, "220722": 51, "220723": 21, "220781": 53,
	"220802": 46, "220821": 21, "220822": 24, "220881": 31, "220882": 29,
	"222401": 69, "222402": 9, "222403": 39, "222404": 23, "222405": 12, "222406": 13, "222424": 17, "222426": 16,
	"22CB01": 5, "22CB02": 2, "22CB03": 1,
}

// zoneCourts are the development zones with a court of their own. A zone has no
// justice bureau, so its station is served by the prefecture and counts in the
// prefecture's return (三(一)1).
var zoneCourts = []schemas.DivisionCode{"220171", "220172", "220173", "220174", "220272"}

// second are further stations of a kind in one prefecture: where they sit and
// who hosts them.
var second = []struct {
	code schemas.StationCode
	name string
	host string
}{
	{"220100-court-2", "长春铁路运输", "长春铁路运输法院"},
	{"220100-detention-2", "长春市（第二看守所）", "长春市第二看守所"},
	{"220200-court-2", "吉林铁路运输", "吉林铁路运输法院"},
	{"222400-court-2", "延边林区", "延边林区中级法院"},
}

// devZone is the register's kind of development zones.
const devZone = "nbs_devzone"

// unregistered works but was never entered in the register.
const unregistered schemas.StationCode = "220182-court-2"

// province is who and what there is.
type province struct {
	places []*place // in the register's order
	late   *place   // whose court notifies late
	own    *regular // who keeps the cases that they take
}

// regular is a lawyer who is on duty at one station more than at others.
type regular struct {
	station *station
	lawyer  *lawyer
}

// place is a county, or a prefecture for what it does itself: its stations,
// the lawyers its legal aid centre posts and the people who come.
type place struct {
	division schemas.Division
	name     string // as the names of its institutions begin
	source   string // of what the division records itself
	people   float64
	stations []*station
	team     team
	clients  clients
	centre   *place   // the prefecture's own place; nil for a prefecture
	near     []*place // whose lawyers and people are at hand: the prefecture's
	korean   float64
	utc      bool  // its software writes times in UTC
	old      bool  // its software writes old versions of events
	subsidy  int64 // for a shift, in fen
	rosters  int   // how many versions were delivered
}

// station is a duty lawyers' station.
type station struct {
	place      *place
	code       schemas.StationCode
	kind       schemas.StationKind
	source     string
	name       string
	location   schemas.DivisionCode
	reporting  schemas.DivisionCode
	hosts      []string
	founded    moment
	closed     moment // 0: never
	registered bool

	people float64    // it serves, in ten thousands
	duty   [7]float64 // expected shifts by weekday
	visits float64    // expected consultations in a whole day's shift
	remote float64    // share of shifts by telephone or network
}

// lawyer is on the roster of a place.
type lawyer struct {
	schemas.LawyerEnrolled
	enrolled   moment
	moved      moment // to another firm, perhaps another division; 0: never
	to         schemas.LawyerMoved
	left       moment // the roster; 0: never
	registered bool
	zeal       float64 // how often they take their turn
	shifts     int64   // this month
}

// there tells whether the lawyer is on the roster.
func (l *lawyer) there(m moment) bool { return l.enrolled <= m && (l.left == 0 || m < l.left) }

// open tells whether the station works on a day.
func (s *station) open(day schemas.Day) bool {
	return s.founded.day() <= day && (s.closed == 0 || day < s.closed.day())
}

// at is the place's registered station of a kind that works on a day, or nil.
func (pl *place) at(kind schemas.StationKind, day schemas.Day) *station {
	for _, s := range pl.stations {
		if s.kind == kind && s.registered && s.open(day) {
			return s
		}
	}
	return nil
}

// team is the lawyers of a place, who take turns.
type team struct {
	lawyers []*lawyer
	next    int
}

func newProvince(c Config) *province {
	d := newDice(c.Seed, 1)
	p := &province{}
	prefectures := map[schemas.DivisionCode]*place{}
	firms := map[string]bool{}
	for _, div := range schemas.Divisions.All() {
		if div.Code == schemas.Province || div.Kind == devZone || !div.Valid(c.From) {
			continue
		}
		pl := newPlace(div)
		switch div.Level {
		case schemas.LevelPrefecture:
			prefectures[div.Code] = pl
		case schemas.LevelCounty:
			pl.people = population[div.Code]
			pl.centre = prefectures[div.Parent]
			pl.centre.people += pl.people / 6
		}
		p.places = append(p.places, pl)
	}
	for _, pl := range p.places {
		pl.found(c, d)
		pl.enrol(c, d, firms)
	}
	for _, code := range zoneCourts {
		zone, _ := schemas.Divisions.Get(code)
		s := prefectures[zone.Parent].add(c, d, schemas.StationCode(code+"-court"), population[code]/2)
		s.name, s.location, s.hosts = stationName(zone.Name, s.kind), code, []string{zone.Name + "人民法院"}
		s.close(d, 0.15)
	}

	// The whole province is made, whatever is asked for, so that a county has
	// the same stations and lawyers when it is simulated alone.
	if c.Division != "" {
		p.places = slices.DeleteFunc(p.places, func(pl *place) bool { return !schemas.Divisions.Within(pl.division.Code, c.Division) })
	}
	var counties []*place
	for _, pl := range p.places {
		if pl.centre != nil && pl.people >= 30 {
			counties = append(counties, pl)
		}
		for _, other := range p.places {
			if other != pl && other.prefecture() == pl.prefecture() {
				pl.near = append(pl.near, other)
			}
		}
	}
	if len(counties) > 0 {
		p.late = counties[int(c.Seed%uint64(len(counties)))]
		pl := counties[int((c.Seed/7+1)%uint64(len(counties)))]
		for _, s := range pl.stations {
			if s.kind == schemas.DetentionCentre {
				p.own = &regular{s, pl.team.lawyers[min(1, len(pl.team.lawyers)-1)]} // the first two stay
			}
		}
	}
	return p
}

// prefecture is the place's own code or its prefecture's.
func (pl *place) prefecture() schemas.DivisionCode {
	if pl.division.Level == schemas.LevelPrefecture {
		return pl.division.Code
	}
	return pl.division.Parent
}

func newPlace(div schemas.Division) *place {
	pl := &place{division: div, name: div.Name, source: schemas.Source{Division: div.Code}.String()}
	if parent, _ := schemas.Divisions.Get(div.Parent); div.Level == schemas.LevelCounty && strings.HasSuffix(div.Name, "区") {
		pl.name = parent.Name + div.Name
	}
	switch pl.prefecture() {
	case "222400":
		pl.korean, pl.old = 0.35, true
	case "220200":
		pl.utc = true
	case "220300":
		pl.old = true
	}
	return pl
}

// found gives the place its stations: a court's and a detention centre's
// everywhere, a procuratorate's step by step (三(一)1).
func (pl *place) found(c Config, d dice) {
	code := func(k schemas.StationKind) schemas.StationCode {
		return schemas.StationCode(string(pl.division.Code) + "-" + k.CodeSuffix())
	}
	if strings.HasPrefix(string(pl.division.Code), "22CB") {
		pl.foundChangbaishan(c, d, code)
		return
	}
	pl.add(c, d, code(schemas.Court), pl.people)
	if pl.people >= 31 || pl.centre == nil {
		pl.add(c, d, code(schemas.Procuratorate), pl.people).close(d, 0.06)
	}
	pl.add(c, d, code(schemas.DetentionCentre), pl.people)
	for _, s := range second {
		if s.code.Division() == pl.division.Code {
			st := pl.add(c, d, s.code, pl.people/3)
			st.name, st.hosts = stationName(s.name, st.kind), []string{s.host}
			st.close(d, 0.15)
		}
	}
	if unregistered.Division() == pl.division.Code {
		pl.add(c, d, unregistered, pl.people/4).registered = false
	}
}

// foundChangbaishan gives the unit, which has one court and one detention
// centre at 池北区 and a procuratorate of its own, three stations.
func (pl *place) foundChangbaishan(c Config, d dice, code func(schemas.StationKind) schemas.StationCode) {
	switch pl.division.Code {
	case "22CB00":
		pl.add(c, d, code(schemas.Procuratorate), 6).location = "22CB01"
	case "22CB01":
		pl.add(c, d, code(schemas.Court), 6)
		pl.add(c, d, code(schemas.DetentionCentre), 6)
	case "22CB02":
		pl.add(c, d, code(schemas.Court), 3)
	}
}

// add opens a station that serves so many people, ten thousands.
func (pl *place) add(c Config, d dice, code schemas.StationCode, people float64) *station {
	s := &station{
		place: pl, code: code, kind: code.Kind(), source: schemas.Source{Station: code}.String(), people: people,
		location: pl.division.Code, reporting: pl.division.Code, registered: true,
	}
	s.name = stationName(pl.name, s.kind)
	host := pl.name
	shiftsAWeek := 1.05 * math.Pow(people, 0.45)
	s.visits = 1.3 + 0.19*math.Sqrt(people)
	first, last := schemas.Date(2018, time.February, 5), schemas.Date(2018, time.June, 30)
	switch s.kind {
	case schemas.Court:
		s.hosts = []string{host + "人民法院"}
		if pl.centre == nil {
			s.hosts = []string{host + "中级人民法院"}
		}
	case schemas.DetentionCentre:
		s.hosts = []string{host + "公安局", host + "看守所"}
		shiftsAWeek *= 0.8
		s.visits *= 0.85
	case schemas.Procuratorate:
		s.hosts = []string{host + "人民检察院"}
		shiftsAWeek *= 0.5
		s.visits *= 0.55
		if people >= 30 {
			first, last = schemas.Date(2018, time.September, 1), schemas.Date(2021, time.June, 30)
		} else {
			first, last = schemas.Date(2020, time.September, 1), schemas.Date(2026, time.December, 31)
		}
	}
	s.founded = officeHours(d, max(between(d, first, last), pl.division.ValidFrom))
	s.remote = 0.09
	if people < 20 {
		s.remote = 0.42 // too few lawyers: telephone and network help out (三(四)1(1))
	}
	s.duty = dutyDays(d, shiftsAWeek*c.Scale)
	pl.stations = append(pl.stations, s)
	return s
}

// close may end a station after some years, when organs are merged.
func (s *station) close(d dice, chance float64) {
	day := between(d, schemas.Date(2020, time.January, 1), schemas.Date(2026, time.December, 31))
	if d.chance(chance) && day > s.founded.day()+365 {
		s.closed = officeHours(d, day)
	}
}

// stationName is the name that the rules prescribe (三(一)2).
func stationName(of string, kind schemas.StationKind) string {
	at := map[schemas.StationKind]string{schemas.Court: "人民法院", schemas.Procuratorate: "人民检察院", schemas.DetentionCentre: "看守所"}
	return of + "法律援助中心驻" + at[kind] + "值班律师工作站"
}

// dutyDays spreads the week's shifts over as few weekdays as can hold them.
func dutyDays(d dice, week float64) (duty [7]float64) {
	days := map[int][]int{1: {1 + d.IntN(5)}, 2: {2, 4}, 3: {1, 3, 5}, 4: {1, 2, 4, 5}, 5: {1, 2, 3, 4, 5}}[min(max(int(math.Ceil(week)), 1), 5)]
	for _, w := range days {
		duty[w] = week / float64(len(days))
	}
	return duty
}

// officeHours is a moment of the day at which offices work.
func officeHours(d dice, day schemas.Day) moment {
	for {
		if m := between(d, clock(day, 8, 30), clock(day, 16, 30)); m.hourOfDay() != 12 {
			return m
		}
	}
}

// enrol puts lawyers on the place's roster: some 1 500 in the province at any
// time, of whom half came in 2018; some leave it.
func (pl *place) enrol(c Config, d dice, firms map[string]bool) {
	n := 0.45 * math.Pow(pl.people, 0.95)
	fewest := 5
	if pl.centre == nil {
		n, fewest = 2.3*pl.people, 8
	}
	n *= min(c.Scale, 1)
	fewest = int(math.Ceil(float64(fewest) * min(c.Scale*2, 1)))
	total := max(int(math.Round(n)), fewest)

	pl.subsidy = 2500 * between[int64](d, 6, 12)
	houses := firmNames(d, 1+total/9, firms)
	region := string(pl.division.Code[2:4])
	if region == "CB" {
		region = "06" // the lawyers of 长白山 are licensed in 白山
	}
	for i := range total {
		woman := d.chance(0.42)
		l := &lawyer{registered: true, zeal: 0.25 + 0.75*d.Float64()}
		l.Name, l.Kind, l.Firm, l.Division = personName(d, pl.korean, woman), "private", pick(d, houses), string(pl.division.Code)
		category, sex := 1, 0
		if d.chance(0.16) || i == 0 {
			l.Kind, l.Firm, category = "legal_aid", pl.name+"法律援助中心", 8
		}
		if woman {
			sex = 1
		}
		day := between(d, schemas.Date(2018, time.February, 5), schemas.Date(2018, time.June, 30))
		if d.chance(0.5) && i > 1 {
			day = between(d, day, schemas.Date(2026, time.December, 31))
		}
		l.enrolled = officeHours(d, max(day, pl.division.ValidFrom))
		if changed := day + 200 + schemas.Day(d.ExpFloat64()*8000); l.Kind == "private" && changed < schemas.Date(2030, time.January, 1) {
			l.moved = officeHours(d, changed)
			l.to = schemas.LawyerMoved{Firm: pick(d, houses), Division: l.Division}
			if pl.centre != nil && d.chance(0.2) {
				l.to.Division = string(pl.centre.division.Code)
			}
		}
		if gone := day + 300 + schemas.Day(d.ExpFloat64()*14000); i > 1 && gone < schemas.Date(2030, time.January, 1) {
			l.left = officeHours(d, gone)
			if l.moved >= l.left {
				l.moved = 0
			}
		}
		year := day.Year() - 1 - int(math.Min(d.ExpFloat64()*7, 30))
		// Region, year of the first licence, category, sex, serial number.
		l.Licence = fmt.Sprintf("122%s%04d%d%d%06d", region, year, category, sex, d.IntN(1_000_000))
		pl.team.lawyers = append(pl.team.lawyers, l)
	}
	if total > 12 && d.chance(0.08) {
		l := pl.team.lawyers[total-1]
		l.registered, l.left = false, 0 // works, but was never enrolled
	}
}

// turn is the next lawyer of the team who is on the roster at m.
func (t *team) turn(d dice, m moment) *lawyer {
	var l *lawyer
	for range 4 * len(t.lawyers) {
		l = t.lawyers[t.next%len(t.lawyers)]
		t.next++
		if l.there(m) && d.chance(l.zeal) {
			return l
		}
	}
	return t.lawyers[0]
}

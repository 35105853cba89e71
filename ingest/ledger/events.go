package ledger

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"zhiban/schemas"
)

// findStations gives each table its station: the one given by hand, the one in
// its title, or the only one the file names. What a legal aid centre keeps may
// be its division's instead.
func (l *Ledger) findStations(given schemas.StationCode) error {
	var names []string
	for _, s := range l.Sheets {
		if s.Skipped.ZH == "" && s.stationName != "" && !slices.Contains(names, s.stationName) {
			names = append(names, s.stationName)
		}
	}
	codes := map[string]schemas.StationCode{}
	for _, name := range names {
		code, err := stationCode(name, l.on(name))
		if err != nil && given == "" {
			return unreadable(l.File, "工作站「%s」认不出来：%v。请用 --station 代码 指定，例如 --station 220182-court", name, err)
		}
		codes[name] = code
	}
	if given != "" {
		if len(names) > 1 {
			return unreadable(l.File, "文件里有 %d 个工作站（%s），不能都按 --station %s 导入。请分成几个文件", len(names), strings.Join(names, "、"), given)
		}
		station := Station{Code: given}
		if len(names) == 1 {
			station.Name = names[0]
			if code := codes[names[0]]; code != given && code != "" {
				l.notice("", 0, tell("标题写的是 %s（%s），按 --station 指定的 %s 导入", names[0], code, given))
			}
		}
		l.Stations = []Station{station}
	} else {
		for _, name := range names {
			if !slices.ContainsFunc(l.Stations, func(s Station) bool { return s.Code == codes[name] }) {
				l.Stations = append(l.Stations, Station{codes[name], name})
			}
		}
	}
	for i := range l.Sheets {
		if s := &l.Sheets[i]; s.Skipped.ZH == "" {
			if err := l.findSource(s, given, codes, names); err != nil {
				return err
			}
		}
	}
	return nil
}

// findSource gives one table its station or division.
func (l *Ledger) findSource(s *Sheet, given schemas.StationCode, codes map[string]schemas.StationCode, names []string) error {
	station := func(code schemas.StationCode) {
		s.Source = schemas.Source{Station: code, Division: code.Division()}
	}
	switch ofCentre := s.Kind.row().ofCentre; {
	case given != "":
		station(given)
	case s.stationName != "":
		station(codes[s.stationName])
	case ofCentre && s.centreName != "":
		division, err := centreOf(s.centreName, s.period.day())
		if err != nil {
			return unreadable(l.File, "标题里的法律援助中心「%s」认不出来：%v", s.centreName, err)
		}
		s.Source = schemas.Source{Division: division}
		if c := (Centre{division, s.centreName + "法律援助中心"}); !slices.Contains(l.Centres, c) {
			l.Centres = append(l.Centres, c)
		}
	case len(l.Stations) == 1:
		station(l.Stations[0].Code)
	case len(l.Stations) == 0 && ofCentre:
		return unreadable(l.File, "标题里没有法律援助中心或工作站的名称。请在「%s」上方补上标题，例如 榆树市法律援助中心%s", s.Name, s.Kind.Title())
	case len(l.Stations) == 0:
		return unreadable(l.File, "标题里没有工作站名称（XX法律援助中心驻人民法院/人民检察院/看守所值班律师工作站）。请补上标题，或用 --station 代码 指定，例如 --station 220182-court")
	default:
		return unreadable(l.File, "工作表「%s」没有写是哪个工作站，而文件里有 %d 个（%s）。请在该表上方补上标题", s.Name, len(names), strings.Join(names, "、"))
	}
	return nil
}

// on is the day on which the divisions are asked for: of the table's title, or
// of its first line.
func (l *Ledger) on(station string) schemas.Day {
	for i, s := range l.Sheets {
		if s.stationName != station {
			continue
		}
		if day := s.period.day(); day != 0 {
			return day
		}
		for _, n := range l.lines {
			if n.sheet == i {
				return schemas.DayOf(n.start)
			}
		}
	}
	return 0
}

// lineKey is what identifies a line.
type lineKey struct {
	kind  Kind
	place string
	key   string
	start int64
}

// settle finds the lines that repeat or contradict others, and gives different
// lines with the same key, such as two consultations of a lawyer in one minute,
// their rank. What is left in
// lines is accepted.
func (l *Ledger) settle() {
	same := make(map[lineKey][]int, len(l.lines))
	keep := make([]bool, len(l.lines))
	for i, n := range l.lines {
		s := l.Sheets[n.sheet]
		kind := s.Kind.row()
		key := lineKey{s.Kind, s.Source.Key(), kind.key(n), n.start.Unix()}
		says := kind.says(n)
		repeated := slices.IndexFunc(same[key], func(j int) bool { return kind.says(l.lines[j]) == says })
		switch {
		case repeated >= 0:
			l.repeat(n, l.place(l.lines[same[key][repeated]], n.sheet))
		case kind.single && len(same[key]) > 0:
			first := l.lines[same[key][0]]
			l.reject(n, Rejection{Code: Conflict, col: -1, Reason: tell("与%s是同一律师同一到岗时间，但%s；请核对后只留一行", l.place(first, n.sheet), kind.differs(first, n))})
		default:
			same[key] = append(same[key], i)
			keep[i] = true
		}
	}
	for key, lines := range same {
		if len(lines) > 1 {
			says := key.kind.row().says
			slices.SortFunc(lines, func(a, b int) int { return strings.Compare(says(l.lines[a]), says(l.lines[b])) })
			for rank, i := range lines {
				l.lines[i].rank = rank
			}
		}
	}
	kept := l.lines[:0]
	for i, n := range l.lines {
		if !keep[i] {
			continue
		}
		for _, text := range n.notes {
			l.notice(l.Sheets[n.sheet].Name, n.row, text)
		}
		if s := l.Sheets[n.sheet]; s.Kind == ConsultationsLedger && !n.signed && s.layout.has(colSignature) {
			l.notice(s.Name, n.row, tell("没有律师签字，导入后显示为未签字"))
		}
		n.notes = nil
		kept = append(kept, n)
		if m := schemas.DayOf(n.start).Month(); !slices.Contains(l.Months, m) {
			l.Months = append(l.Months, m)
		}
	}
	l.lines = kept
	slices.Sort(l.Months)
}

// place says where a line stands, seen from a table.
func (l *Ledger) place(n line, from int) schemas.Text {
	if name := l.Sheets[n.sheet].Name; name != l.Sheets[from].Name {
		return tell("%s 第%d行", name, n.row)
	}
	return tell("第%d行", n.row)
}

// shiftsDiffer says in what two lines of one shift differ.
func shiftsDiffer(n, o line) schemas.Text {
	var out []string
	if !n.end.Equal(o.end) {
		out = append(out, "离岗时间")
	}
	if n.mode != o.mode {
		out = append(out, "值班方式")
	}
	if mark(n.badge) != mark(o.badge) {
		out = append(out, "工作牌")
	}
	return tell("%s不同", strings.Join(out, "、"))
}

// mostValues is how many names of a licence, or licences of a name, are listed.
const mostValues = 10

// compareNames looks for a licence with two names and a name with two
// licences: one of them is a slip that seventeen digits do not show.
func (l *Ledger) compareNames() {
	type use struct {
		values []string
		rows   map[string]schemas.Text // the first of each value
	}
	look := func(of func(line) (key, value string), text string) {
		var order []string
		uses := map[string]*use{}
		for _, n := range l.lines {
			key, value := of(n)
			if key == "" || value == "" {
				continue
			}
			u := uses[key]
			if u == nil {
				u = &use{rows: map[string]schemas.Text{}}
				uses[key] = u
				order = append(order, key)
			}
			if !slices.Contains(u.values, value) {
				if len(u.values) == mostValues {
					continue
				}
				u.values = append(u.values, value)
			}
			if _, ok := u.rows[value]; !ok {
				u.rows[value] = tell("%s 第%d行", l.Sheets[n.sheet].Name, n.row)
			}
		}
		for _, key := range order {
			u := uses[key]
			if len(u.values) < 2 {
				continue
			}
			var parts []schemas.Text
			for _, v := range u.values {
				parts = append(parts, schemas.Text{ZH: v + "（" + u.rows[v].ZH + "）", EN: v + " (" + u.rows[v].EN + ")"})
			}
			l.notice("", 0, tell(text, key, join(parts, "、", ", ")))
		}
	}
	look(func(n line) (string, string) { return n.licence, n.lawyer }, "执业证号 %s 对应了不同姓名：%s，请核对")
	look(func(n line) (string, string) { return n.lawyer, n.licence }, "律师 %s 有不同的执业证号：%s，请核对；如是同名的两人则无妨")
}

// makeEvents turns the lines into events.
func (l *Ledger) makeEvents() {
	l.Events = make([]schemas.Envelope, 0, 2*len(l.lines))
	l.origins = make([]int, 0, 2*len(l.lines))
	for i, n := range l.lines {
		s := l.Sheets[n.sheet]
		kind := s.Kind.row()
		c := s.caseOf(n)
		for _, e := range kind.events(n, pseudonym(c)) {
			data, err := json.Marshal(e.payload)
			if err != nil {
				panic(err) // the payloads hold texts, numbers and marks only
			}
			at := n.start
			if e.second {
				at = n.end
			}
			name := kind.eventType(e.verb)
			l.Events = append(l.Events, schemas.Envelope{
				SpecVersion: "1.0", ID: eventID(c, name).String(), Source: s.Source.String(), Type: name,
				Subject: string(s.Kind) + "/" + c.String(), Time: at.Format(time.RFC3339), DataContentType: "application/json", Data: data,
			})
			l.origins = append(l.origins, i)
		}
	}
}

// caseOf is the case of a line of the table.
func (s *Sheet) caseOf(n line) uuid.UUID {
	return caseID(s.Kind, s.Source.Key(), s.Kind.row().key(n), n.start, n.rank)
}

func shiftEvents(n line, _ string) []lineEvent {
	out := []lineEvent{{verb: "signed_in", payload: schemas.ShiftSignedIn{Lawyer: n.licence, Mode: n.mode, Badge: n.badge}}}
	if !n.end.IsZero() {
		out = append(out, lineEvent{"signed_out", true, schemas.ShiftSignedOut{Lawyer: n.licence}})
	}
	return out
}

func consultationEvents(n line, person string) []lineEvent {
	p := schemas.ConsultationRecorded{Lawyer: n.licence, Channel: n.channel, Person: person, PersonRole: n.role,
		Minutes: n.minutes, GuidedToApply: n.guided, HasDefender: n.defender}
	if n.question != "" {
		p.Topics = []string{n.question}
	}
	out := []lineEvent{{verb: "recorded", payload: p}}
	if n.signed {
		out = append(out, lineEvent{verb: "signed", payload: schemas.ConsultationSigned{Lawyer: n.licence}})
	}
	return out
}

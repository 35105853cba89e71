package simulate

import (
	"zhiban/schemas"
)

// count is the independent count: plain sums over what really happened, made
// while the simulation goes. It knows nothing of events, corrections or log
// order.
type count struct {
	events, records int // distinct events, and places in the log
	cells           map[cell]*tally
	stations        map[schemas.StationCode]*tally
	lawyers         map[string]*tally
	by              map[side]*tally
	visits          []visit
	open            []openNotice
	founded         []stock // stations
	enrolled        []stock // lawyers
}

// counted are the figures that are summed, by their place in a tally.
var counted = [...]schemas.IndicatorCode{
	schemas.Shifts, schemas.DutyMinutes, schemas.ShiftsOpen,
	schemas.Consultations, schemas.ConsultationsGuided, schemas.ConsultationsUnsigned,
	schemas.ApplicationsReceived, schemas.ApplicationsTransferred, schemas.TransferDue24h, schemas.TransferMet24h,
	schemas.NotificationsDue, schemas.NotificationsOnTime, schemas.NotificationsLate, schemas.NotificationsUnevid, schemas.NotificationsOpen,
}

const (
	shifts = iota
	dutyMinutes
	shiftsOpen
	consultations
	consultationsGuided
	consultationsUnsigned
	applicationsReceived
	applicationsTransferred
	transferDue
	transferMet
	notificationsDue
	notificationsOnTime
	notificationsLate
	notificationsUnevidenced
	notificationsOpen
)

// tally is a number for each of counted.
type tally [len(counted)]int64

// cell is a month and the division that reports it, as then.
type cell struct {
	month schemas.Month
	unit  schemas.DivisionCode
}

// side is a value of one of the dimensions mode, channel, person_role, organ.
type side struct{ dimension, value string }

// visit is a person's consultation.
type visit struct {
	cell
	person uint64
}

// openNotice is a duty to notify that nothing was done about.
type openNotice struct {
	cell
	station schemas.StationCode
	organ   string
	last    schemas.Day
}

// stock is a station or lawyer that is there from a day on.
type stock struct {
	since schemas.Day
	unit  schemas.DivisionCode // at that time or later
}

func newCount() *count {
	return &count{
		cells: map[cell]*tally{}, stations: map[schemas.StationCode]*tally{}, lawyers: map[string]*tally{}, by: map[side]*tally{},
	}
}

// sheet is where a figure is added: each of its tallies.
type sheet []*tally

func (s sheet) add(figure int, n int64) {
	for _, t := range s {
		t[figure] += n
	}
}

// sheet opens the tallies of what happened at a moment. station may be nil and
// lawyer empty.
func (c *count) sheet(at cell, s *station, lawyer string, sides ...side) sheet {
	out := sheet{tallyOf(c.cells, at)}
	if s != nil {
		out = append(out, tallyOf(c.stations, s.code))
	}
	if lawyer != "" {
		out = append(out, tallyOf(c.lawyers, lawyer))
	}
	for _, side := range sides {
		out = append(out, tallyOf(c.by, side))
	}
	return out
}

func tallyOf[K comparable](m map[K]*tally, k K) *tally {
	t := m[k]
	if t == nil {
		t = new(tally)
		m[k] = t
	}
	return t
}

// reported is the cell in which a division's work of a moment is reported.
func reported(by schemas.DivisionCode, at moment) cell {
	return cell{at.day().Month(), schemas.Divisions.On(by, at.day())}
}

func (c *count) station(s *station) {
	c.founded = append(c.founded, stock{s.founded.day(), s.reporting})
	tallyOf(c.stations, s.code)
}

func (c *count) lawyer(l *lawyer) {
	c.enrolled = append(c.enrolled, stock{l.enrolled.day(), schemas.DivisionCode(l.Division)})
	tallyOf(c.lawyers, l.Licence)
}

// shift counts a tour of duty; out is nil when nobody signed out.
func (c *count) shift(s *station, in moment, out *moment, l *lawyer, mode string) {
	sheet := c.sheet(reported(s.reporting, in), s, l.Licence, side{"mode", mode})
	sheet.add(shifts, 1)
	if out == nil {
		sheet.add(shiftsOpen, 1)
	} else {
		sheet.add(dutyMinutes, int64((*out-in)/minute))
	}
}

// consultation counts a line of the ledger.
func (c *count) consultation(s *station, is schemas.ConsultationRecorded, at moment, person uint64, signed bool) {
	where := reported(s.reporting, at)
	sheet := c.sheet(where, s, is.Lawyer, side{"channel", is.Channel}, side{"person_role", is.PersonRole})
	sheet.add(consultations, 1)
	if is.GuidedToApply {
		sheet.add(consultationsGuided, 1)
	}
	if !signed {
		sheet.add(consultationsUnsigned, 1)
	}
	c.visits = append(c.visits, visit{where, person})
}

// application counts an application received by one lawyer and, if it was,
// passed on by another or the same.
func (c *count) application(s *station, received moment, taker *lawyer, passedOn *moment, passer *lawyer) {
	receipt := c.sheet(reported(s.reporting, received), s, taker.Licence)
	receipt.add(applicationsReceived, 1)
	within := passedOn != nil && *passedOn <= received+oneDay
	if received.day() >= schemas.Date(2022, 1, 1) { // 法律援助法
		receipt.add(transferDue, 1)
		if within {
			receipt.add(transferMet, 1)
		}
	}
	if passedOn != nil {
		c.sheet(reported(s.reporting, *passedOn), s, passer.Licence).add(applicationsTransferred, 1)
	}
}

// notification counts a duty to notify by what was done about it.
func (c *count) notification(n notice, arose moment, inCustody bool, notices []given) {
	by := n.place.division.Code
	if n.station != nil {
		by = n.station.reporting
	}
	where := reported(by, arose)
	sheet := c.sheet(where, n.station, "", side{"organ", n.organ.name})
	sheet.add(notificationsDue, 1)

	last := lastDay(n.organ.name, arose.day(), inCustody)
	inTime, late := false, false
	for _, g := range notices {
		inTime = inTime || g.evidenced && g.at.day() <= last
		late = late || g.evidenced && g.at.day() > last
	}
	switch {
	case inTime:
		sheet.add(notificationsOnTime, 1)
	case late:
		sheet.add(notificationsLate, 1)
	case len(notices) > 0:
		sheet.add(notificationsUnevidenced, 1)
	default:
		sheet.add(notificationsOpen, 1)
		o := openNotice{cell: where, organ: n.organ.name, last: last}
		if n.station != nil {
			o.station = n.station.code
		}
		c.open = append(c.open, o)
	}
}

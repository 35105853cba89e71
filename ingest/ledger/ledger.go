package ledger

import (
	"zhiban/schemas"
)

// Ledger is what a file holds.
type Ledger struct {
	File       string
	Stations   []Station // usually one
	Centres    []Centre  // legal aid centres, of lists that no station keeps
	Months     []schemas.Month
	Sheets     []Sheet
	Events     []schemas.Envelope // in the order of the lines
	Rejections []Rejection
	Repeats    []Repeat
	Notices    []Notice
	Gone       []Gone // by time

	format   format
	large    bool // too large to be marked
	lines    []line
	rows     int // read so far
	progress func(rows int)
	stop     func() error
	origins  []int          // of each event the line it comes from
	noticed  map[string]int // sheet and text of each notice
}

// Station is a station as the file names it.
type Station struct {
	Code schemas.StationCode
	Name string // as read; empty when it was given by hand
}

// Centre is a legal aid centre as the file names it.
type Centre struct {
	Division schemas.DivisionCode
	Name     string
}

// Sheet is a table of the file and what became of its rows. A sheet that holds
// two tables stands twice.
type Sheet struct {
	Name    string
	Kind    Kind
	Source  schemas.Source
	Skipped schemas.Text // why the sheet was not read; empty otherwise

	Rows     int // lines of the ledger: Accepted + Repeated + Rejected
	Accepted int
	Repeated int
	Rejected int
	Blank    int // rows between them with nothing in them, or a number only
	Totals   int // 合计 and the like
	Others   int // headings repeated on each page, footers

	layout      layout
	lastRow     int    // the last row that holds something
	width       int    // columns that hold something
	period      period // of the title
	stationName string // in the title
	centreName  string // in the title, without a station
}

// Code says why a row was rejected. Codes are only ever added.
type Code string

// The reasons.
const (
	BadLicence Code = "licence"  // not 17 digits
	BadDate    Code = "date"     // missing, unreadable, or no such day
	BadTime    Code = "time"     // missing, or unreadable
	BadOrder   Code = "order"    // signed out before signed in
	BadMode    Code = "mode"     // 值班方式 is none of the words
	BadRole    Code = "role"     // 咨询人身份 is none of the words
	BadChannel Code = "channel"  // 咨询方式 is none of the words
	BadGuided  Code = "guided"   // 是否引导申请 is neither yes nor no
	NoLawyer   Code = "lawyer"   // neither name nor licence
	BadCustody Code = "custody"  // 是否在押 is neither yes nor no
	BadOrgan   Code = "organ"    // 办案机关 is none of the words
	BadTrigger Code = "trigger"  // 告知事由 is none of the words
	BadForm    Code = "form"     // 告知方式 is none of the words
	BadTopic   Code = "topic"    // no 培训主题
	BadHours   Code = "hours"    // 学时 is no number
	BadAmount  Code = "amount"   // an amount that cannot be read, or none
	Conflict   Code = "conflict" // another line says otherwise about the same shift, consultation, …
	Refused    Code = "server"   // the server rejected an event of the line
)

// Rejection is a row that was not imported.
type Rejection struct {
	Sheet  string
	Row    int
	Column string       // heading of the first cell that is wrong, as written; may be empty
	Code   Code         // of the first thing that is wrong
	Reason schemas.Text // all that is wrong

	col int // of the first cell that is wrong, from 0; -1: none
}

// Repeat is a row that says exactly what an earlier one says.
type Repeat struct {
	Sheet string
	Row   int
	Of    schemas.Text // the earlier row: 第5行, or with its sheet or file when that is another
}

// Notice is something the clerk should know about rows that were imported, or
// about the file.
type Notice struct {
	Sheet string // empty: the file
	Text  schemas.Text
	Rows  []int // may be empty
}

// notice adds a row to the notice of that text; row 0 is none.
func (l *Ledger) notice(sheet string, row int, text schemas.Text) {
	key := sheet + "\x00" + text.ZH
	i, ok := l.noticed[key]
	if !ok {
		if l.noticed == nil {
			l.noticed = map[string]int{}
		}
		i = len(l.Notices)
		l.noticed[key] = i
		l.Notices = append(l.Notices, Notice{Sheet: sheet, Text: text})
	}
	if row > 0 {
		l.Notices[i].Rows = append(l.Notices[i].Rows, row)
	}
}

// reject takes a line that had been accepted out.
func (l *Ledger) reject(n line, r Rejection) {
	r.Sheet, r.Row = l.Sheets[n.sheet].Name, n.row
	l.Rejections = append(l.Rejections, r)
	l.Sheets[n.sheet].Accepted--
	l.Sheets[n.sheet].Rejected++
}

// repeat takes a line that had been accepted out, as one that is there
// already.
func (l *Ledger) repeat(n line, of schemas.Text) {
	l.Repeats = append(l.Repeats, Repeat{l.Sheets[n.sheet].Name, n.row, of})
	l.Sheets[n.sheet].Accepted--
	l.Sheets[n.sheet].Repeated++
}

// Accepted counts the lines that were accepted.
func (l *Ledger) Accepted() int {
	n := 0
	for _, s := range l.Sheets {
		n += s.Accepted
	}
	return n
}

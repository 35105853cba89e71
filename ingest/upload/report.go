package upload

import (
	"bytes"
	"fmt"

	"zhiban/ingest/ledger"
	"zhiban/schemas"
)

// maxShown is how many lines of each sort the page lists; the marked copy has
// them all.
const maxShown = 200

// report is what the page shows of an upload.
type report struct {
	Sent   bool // else it is a dry run
	Failed bool // not all was sent
	Files  []file

	Accepted, Repeated, Rejected int // lines
	Unread                       int // files
	Events                       int // that are, or would be, sent
}

// file is what became of one file.
type file struct {
	Name     string
	Index    int
	Error    schemas.Text // why it could not be read
	Stations string
	Months   schemas.Text
	Sheets   []sheet
	Several  bool // stations
	Rejected []line
	Repeated []line
	Notices  []line
	Gone     []goneLine
	GoneText schemas.Text
	More     bool // than are listed
	Sent     ledger.Sent
	SendErr  schemas.Text
	Copy     string // name of the marked copy; empty: there is none

	copy []byte
}

type sheet struct {
	ledger.Sheet
	Kind schemas.Text
}

// goneLine is a line that was imported before and is not in the file; its
// record has a page where the dashboard is.
type goneLine struct {
	Event string
	Text  schemas.Text
}

type line struct {
	Sheet string
	Row   int
	Text  schemas.Text
}

func newReport(sources []ledger.Source, outcomes []ledger.Outcome, sent bool) *report {
	r := &report{Sent: sent}
	for i, o := range outcomes {
		f := file{Name: sources[i].Name, Index: i}
		if o.Err != nil {
			f.Error = ledger.ErrorText(o.Err)
			r.Unread++
			r.Files = append(r.Files, f)
			continue
		}
		f.fill(o)
		f.mark(sources[i].Data, o.Ledger)
		r.Failed = r.Failed || o.Sent.Err != nil
		r.Accepted += o.Ledger.Accepted()
		r.Repeated += len(o.Ledger.Repeats)
		r.Rejected += len(o.Ledger.Rejections)
		r.Events += o.Sent.Events
		r.Files = append(r.Files, f)
	}
	return r
}

func (f *file) fill(o ledger.Outcome) {
	l := o.Ledger
	f.Stations, f.Months, f.Several, f.Sent = l.StationText(), l.MonthText(), len(l.Stations)+len(l.Centres) > 1, o.Sent
	if o.Sent.Err != nil {
		f.SendErr = ledger.ErrorText(o.Sent.Err)
	}
	for _, s := range l.Sheets {
		f.Sheets = append(f.Sheets, sheet{s, s.Kind.Text()})
	}
	add := func(to *[]line, n line) {
		if len(*to) == maxShown {
			f.More = true
			return
		}
		*to = append(*to, n)
	}
	for _, r := range l.Rejections {
		add(&f.Rejected, line{r.Sheet, r.Row, r.Reason})
	}
	for _, r := range l.Repeats {
		add(&f.Repeated, line{r.Sheet, r.Row, r.Text()})
	}
	if len(l.Gone) > 0 {
		f.GoneText = l.GoneText()
	}
	for _, g := range l.Gone {
		if len(f.Gone) == maxShown {
			f.More = true
			break
		}
		f.Gone = append(f.Gone, goneLine{g.Event, g.Text()})
	}
	for _, n := range l.Notices {
		add(&f.Notices, line{n.Sheet, 0, schemas.Text{ZH: n.Text.ZH + n.Where().ZH, EN: n.Text.EN + n.Where().EN}})
	}
}

// mark makes the marked copy; that it cannot be made does not stop the import.
func (f *file) mark(src []byte, l *ledger.Ledger) {
	if !l.Marked() {
		return
	}
	var b bytes.Buffer
	if err := ledger.Annotate(src, l, &b); err != nil {
		f.Notices = append(f.Notices, line{Text: schemas.Text{ZH: fmt.Sprintf(messages["copy.failed"].ZH, err), EN: fmt.Sprintf(messages["copy.failed"].EN, err)}})
		return
	}
	f.Copy, f.copy = l.CopyName(), b.Bytes()
}

package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"zhiban/schemas"
)

// cell names a figure that is compared. Of source, lawyer and due those are set
// that it is told apart by.
type cell struct {
	indicator schemas.IndicatorCode
	month     schemas.Month
	source    string
	lawyer    schemas.Licence
	due       schemas.Day // of figures of kind Overdue
}

func compareCells(a, b cell) int {
	return cmp.Or(
		// by place before by lawyer: the same wrong posting shows up in both
		cmp.Compare(b.source, "")-cmp.Compare(a.source, ""),
		cmp.Compare(a.indicator, b.indicator), cmp.Compare(a.month, b.month), cmp.Compare(a.source, b.source),
		cmp.Compare(a.lawyer, b.lawyer), cmp.Compare(a.due, b.due),
	)
}

// figure is the sum in a cell, and the fingerprint of what is below it.
type figure struct {
	sum    int64
	detail uint64
}

func (f *figure) add(g figure) { f.sum, f.detail = f.sum+g.sum, f.detail+g.detail }

// books are all figures that are compared.
type books struct {
	figures map[cell]figure
	persons map[cell][]uint64 // by month and place of what names persons: who, with repeats
}

func newBooks() *books {
	return &books{map[cell]figure{}, map[cell][]uint64{}}
}

// derived are, by the indicators whose postings they are computed from, the
// figures of a kind. Lawyers are compared one by one: counting them adds nothing.
func derived(kind schemas.IndicatorKind) map[schemas.IndicatorCode][]schemas.IndicatorCode {
	out := map[schemas.IndicatorCode][]schemas.IndicatorCode{}
	for _, ind := range schemas.Indicators.All() {
		if ind.Kind == kind && !ind.Lawyers {
			for _, of := range ind.Sources() {
				out[of] = append(out[of], ind.Code)
			}
		}
	}
	return out
}

var (
	overdueOf  = derived(schemas.Overdue)
	distinctOf = derived(schemas.Distinct)
)

// placed is the figure by month and place.
func (e entry) placed() (cell, figure) {
	return cell{indicator: e.indicator, month: e.day.Month(), source: e.source}, figure{e.n, uint64(e.n) * e.fingerprint()}
}

// others are the further cells that an entry falls in.
func (e entry) others(do func(c cell, person uint64)) {
	c := cell{indicator: e.indicator, month: e.day.Month(), source: e.source}
	if e.lawyer != 0 {
		do(cell{indicator: c.indicator, month: c.month, lawyer: e.lawyer}, 0)
	}
	for _, code := range overdueOf[e.indicator] {
		do(cell{indicator: code, month: c.month, source: c.source, due: e.due}, 0)
	}
	if e.person == 0 {
		return
	}
	for _, code := range distinctOf[e.indicator] {
		do(cell{indicator: code, month: c.month, source: c.source}, e.person)
	}
}

func (b *books) add(e entry) {
	at, f := e.placed()
	b.put(at, f)
	if e.person != 0 {
		b.persons[at] = append(b.persons[at], e.person)
	}
	e.others(func(c cell, person uint64) {
		if person == 0 { // persons are counted in the end
			b.put(c, figure{sum: e.n})
		}
	})
}

func (b *books) put(c cell, f figure) {
	old := b.figures[c]
	old.add(f)
	b.figures[c] = old
}

// merge adds the books of another partition.
func (b *books) merge(o *books) {
	for c, f := range o.figures {
		b.put(c, f)
	}
	for c, who := range o.persons {
		b.persons[c] = append(b.persons[c], who...)
	}
}

// countPersons turns the lists of persons into figures, each of several lists.
func (b *books) countPersons() {
	var who []uint64
	for at := range b.persons {
		for _, code := range distinctOf[at.indicator] {
			c := at
			c.indicator = code
			if _, counted := b.figures[c]; counted {
				continue
			}
			who = who[:0]
			for _, of := range schemas.Indicators.Posted(code) {
				listed := at
				listed.indicator = of
				who = append(who, b.persons[listed]...)
			}
			slices.Sort(who)
			b.put(c, figure{sum: int64(len(slices.Compact(who)))})
		}
	}
	b.persons = nil
}

// fingerprint hashes all that an entry says beside its cell; see the package.
func (e entry) fingerprint() uint64 {
	var room [192]byte
	b := strconv.AppendInt(room[:0], int64(e.day), 10)
	b = strconv.AppendInt(append(b, '|'), int64(e.due), 10)
	b = strconv.AppendUint(append(b, '|'), uint64(e.lawyer), 10)
	b = strconv.AppendUint(append(b, '|'), e.person, 10)
	for _, text := range []string{e.mode, e.channel, e.role, e.organ, e.trigger} {
		b = append(append(b, '|'), text...)
	}
	return xxhash.Sum64(b)
}

// fingerprintSQL is the same over a posting's columns.
const fingerprintSQL = `xxHash64(concat(toString(toUInt16(day)), '|', toString(toUInt16(due)), '|', toString(lawyer), '|', toString(person),
	'|', toString(mode), '|', toString(channel), '|', toString(person_role), '|', toString(organ), '|', toString(trigger)))`

const monthSQL = `toInt32(toYear(day) * 12 + toMonth(day) - 1)`

// projected are the books as the postings below the cut have them.
func (v *verifier) projected(ctx context.Context) (*books, error) {
	b := newBooks()
	from := ` FROM ` + v.cfg.Tables.Postings() + ` WHERE ` + v.below
	asks := []string{
		`SELECT toString(indicator), ` + monthSQL + `, toString(source), toUInt64(0), toInt32(0), sum(quantity), sum(reinterpretAsUInt64(quantity) * ` + fingerprintSQL + `)` +
			from + ` GROUP BY 1, 2, 3`,
		`SELECT toString(indicator), ` + monthSQL + `, '', lawyer, toInt32(0), sum(quantity), toUInt64(0)` + from + ` AND lawyer != 0 GROUP BY 1, 2, 4`,
	}
	for _, ind := range schemas.Indicators.All() {
		figure, among := `SELECT '`+string(ind.Code)+`', `, from+` AND indicator IN (`+quoted(ind.Sources())+`)`
		switch {
		case ind.Kind == schemas.Overdue:
			asks = append(asks, figure+monthSQL+`, toString(source), toUInt64(0), toInt32(toUInt16(due)), sum(quantity), toUInt64(0)`+among+` GROUP BY 2, 3, 5`)
		case ind.Kind == schemas.Distinct && !ind.Lawyers: // who has something left in any of the sources
			asks = append(asks, figure+`month, source, toUInt64(0), toInt32(0), toInt64(uniqExactIf(person, n > 0)), toUInt64(0) FROM (
				SELECT `+monthSQL+` AS month, toString(source) AS source, indicator, person, sum(quantity) AS n`+among+` AND person != 0 GROUP BY 1, 2, 3, 4) GROUP BY 2, 3`)
		}
	}
	for _, ask := range asks {
		rows, err := v.cfg.Conn.Query(ctx, ask)
		if err != nil {
			return nil, fmt.Errorf("sum the postings: %w", err)
		}
		for rows.Next() {
			var code, source string
			var month, due int32
			var lawyer uint64
			var f figure
			if err := rows.Scan(&code, &month, &source, &lawyer, &due, &f.sum, &f.detail); err != nil {
				rows.Close()
				return nil, fmt.Errorf("sum the postings: %w", err)
			}
			b.put(cell{schemas.IndicatorCode(code), schemas.Month(month), source, schemas.Licence(lawyer), schemas.Day(due)}, f)
		}
		err = rows.Err()
		rows.Close()
		if err != nil {
			return nil, fmt.Errorf("sum the postings: %w", err)
		}
	}
	return b, nil
}

// quoted lists codes of the catalogue for IN.
func quoted(codes []schemas.IndicatorCode) string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = "'" + string(c) + "'"
	}
	return strings.Join(out, ", ")
}

// compare counts the cells that are not empty in both books and lists those
// that differ.
func compare(recounted, projected *books) (figures int64, differing []cell) {
	for c, r := range recounted.figures {
		p := projected.figures[c]
		if r != p {
			differing = append(differing, c)
		}
		if r != (figure{}) || p != (figure{}) {
			figures++
		}
	}
	for c, p := range projected.figures {
		if _, both := recounted.figures[c]; !both && p != (figure{}) {
			differing = append(differing, c)
			figures++
		}
	}
	slices.SortFunc(differing, compareCells)
	return figures, differing
}

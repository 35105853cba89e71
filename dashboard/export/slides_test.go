package export

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dop251/goja"
	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"zhiban/dashboard/assets"
	"zhiban/dashboard/report"
	"zhiban/schemas"
)

func slides(t testing.TB) *Slides {
	t.Helper()
	s, err := NewSlides(assets.Dist)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSlidesSayHowToGetTheLibrary(t *testing.T) {
	_, err := NewSlides(fstest.MapFS{})
	if err == nil || !strings.Contains(err.Error(), "make assets") {
		t.Errorf("error %v does not name the remedy", err)
	}
}

// textOf is the text of a slide, a line a paragraph.
func textOf(t *testing.T, data []byte) string {
	t.Helper()
	var b strings.Builder
	in := false
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch e := token.(type) {
		case xml.StartElement:
			in = e.Name.Local == "t"
		case xml.CharData:
			if in {
				b.Write(e)
			}
		case xml.EndElement:
			in = false
			if e.Name.Local == "p" {
				b.WriteByte('\n')
			}
		}
	}
	return regexp.MustCompile(`\n+`).ReplaceAllString(b.String(), "\n")
}

// chartXML is what a chart draws.
type chartXML struct {
	Bars   []chartSeries `xml:"chart>plotArea>barChart>ser"`
	Lines  []chartSeries `xml:"chart>plotArea>lineChart>ser"`
	Slices []chartSeries `xml:"chart>plotArea>doughnutChart>ser"`
}

// chartSeries has a name, labels (in one of two shapes) and numbers, each with
// the cells they came from.
type chartSeries struct {
	Name   chartRef `xml:"tx>strRef"`
	Labels chartRef `xml:"cat>strRef"`
	Levels chartRef `xml:"cat>multiLvlStrRef"`
	Values chartRef `xml:"val>numRef"`
}

type chartRef struct {
	Cells   string       `xml:"f"`
	Strings []chartPoint `xml:"strCache>pt"`
	Levels  []chartPoint `xml:"multiLvlStrCache>lvl>pt"`
	Numbers []chartPoint `xml:"numCache>pt"`
}

type chartPoint struct {
	Index int    `xml:"idx,attr"`
	Value string `xml:"v"`
}

func TestDeckOfAPrefecture(t *testing.T) {
	d := sampleDeck("220100")
	f, err := slides(t).Deck(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	show(t, "deck.pptx", f)
	if f.Name != "值班律师工作情况-长春市-2026-10.pptx" || f.Type != PPTX {
		t.Errorf("file %q of type %q", f.Name, f.Type)
	}
	all := parts(t, f.Body)
	var text strings.Builder
	for n := 1; ; n++ {
		slide, ok := all[fmt.Sprintf("ppt/slides/slide%d.xml", n)]
		if !ok {
			break
		}
		fmt.Fprintf(&text, "slide %d\n%s", n, textOf(t, slide))
	}
	golden(t, "deck.txt", text.String())
	for _, part := range []string{"ppt/slideLayouts/slideLayout1.xml", "ppt/slideMasters/slideMaster1.xml", "ppt/theme/theme1.xml", "docProps/core.xml"} {
		if _, ok := all[part]; !ok {
			t.Errorf("no part %s", part)
		}
	}
	if theme := string(all["ppt/theme/theme1.xml"]); strings.Count(theme, `<a:ea typeface="微软雅黑"/>`) != 2 {
		t.Error("the theme's headings and text have no Chinese face")
	}
	checkCharts(t, all, 9)
}

// checkCharts compares what each chart shows with the workbook behind it, which
// is what people edit.
func checkCharts(t *testing.T, all map[string][]byte, want int) {
	t.Helper()
	charts := 0
	for name, data := range all {
		if !strings.HasPrefix(name, "ppt/charts/chart") || !strings.HasSuffix(name, ".xml") {
			continue
		}
		charts++
		relations := all["ppt/charts/_rels/"+strings.TrimPrefix(name, "ppt/charts/")+".rels"]
		m := regexp.MustCompile(`Target="\.\./(embeddings/[^"]+)"`).FindSubmatch(relations)
		if m == nil {
			t.Fatalf("%s has no workbook", name)
		}
		parts(t, all["ppt/"+string(m[1])])
		book := open(t, all["ppt/"+string(m[1])])
		var c chartXML
		if err := xml.Unmarshal(data, &c); err != nil {
			t.Fatal(err)
		}
		series := slices.Concat(c.Bars, c.Lines, c.Slices)
		if len(series) == 0 {
			t.Errorf("%s draws nothing", name)
		}
		for _, s := range series {
			labels := s.Labels
			if labels.Cells == "" {
				labels = s.Levels
			}
			for _, ref := range []chartRef{s.Name, labels, s.Values} {
				compareCells(t, name, book, ref)
			}
		}
	}
	if charts != want {
		t.Errorf("%d charts, want %d", charts, want)
	}
}

// compareCells checks that the cells of a reference hold its points and nothing
// where there is none.
func compareCells(t *testing.T, chart string, book *excelize.File, ref chartRef) {
	t.Helper()
	sheet, cells, _ := strings.Cut(strings.ReplaceAll(ref.Cells, "$", ""), "!")
	from, to, many := strings.Cut(cells, ":")
	if !many {
		to = from
	}
	col, first, err := excelize.CellNameToCoordinates(from)
	if err != nil {
		t.Fatal(err)
	}
	_, last, err := excelize.CellNameToCoordinates(to)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]string, last-first+1)
	for _, p := range slices.Concat(ref.Strings, ref.Levels, ref.Numbers) {
		want[p.Index] = p.Value
	}
	got := make([]string, len(want))
	for i := range got {
		if got[i], err = book.GetCellValue(sheet, cellName(col, first+i), excelize.Options{RawCellValue: true}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: cells %s (-shown +in the workbook):\n%s", chart, ref.Cells, diff)
	}
}

func TestDeckOfACounty(t *testing.T) {
	d := sampleDeck("220182")
	d.PartsAre = report.ByStation
	d.Parts = []report.DeckRow{
		{Name: "榆树市法律援助中心驻人民法院值班律师工作站", Figures: d.PartsAll},
		{Name: "榆树市法律援助中心驻看守所值班律师工作站", Figures: d.PartsAll},
		{Name: "220182-procuratorate", Figures: d.PartsAll},
	}
	f, err := slides(t).Deck(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	show(t, "deck-county.pptx", f)
	all := parts(t, f.Body)
	checkCharts(t, all, 9)
	chart := string(all["ppt/charts/chart1.xml"])
	for _, label := range []string{">人民法院<", ">看守所<", ">220182-procuratorate<"} {
		if !strings.Contains(chart, label) {
			t.Errorf("no label %s", label)
		}
	}
}

func TestDeckOfNothing(t *testing.T) {
	d := sampleDeck("220100")
	d.Parts = nil
	for i := range d.Trends {
		d.Trends[i].Year, d.Trends[i].LastYear = [12]report.Figure{}, [12]report.Figure{}
	}
	for _, s := range d.Splits {
		clear(s.Figures)
	}
	for _, n := range slices.Concat(d.Notices, d.Kinds.Rows, d.Supervision.Rows) {
		clear(n.Figures)
	}
	f, err := slides(t).Deck(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	checkCharts(t, parts(t, f.Body), 0)
}

func TestHostileTextIsDataOnly(t *testing.T) {
	const script = `</script><script>throw 1</script>${boom}\u0027;'+boom+'` + "`"
	d := sampleDeck("220100")
	d.Division.Name = hostile
	d.Unit = script
	d.Parts[0].Name, d.Parts[1].Name = hostile, script
	d.Matters.Rows[0].Name, d.Firms.Rows[0].Name = hostile, hostile
	f, err := slides(t).Deck(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	all := parts(t, f.Body)
	checkCharts(t, all, 9)
	cover := textOf(t, all["ppt/slides/slide1.xml"])
	if !strings.Contains(cover, hostileShown+"法律援助") || !strings.Contains(cover, script) {
		t.Errorf("cover:\n%s", cover)
	}
	core := string(all["docProps/core.xml"])
	if strings.Contains(core, "<script>") {
		t.Errorf("properties:\n%s", core)
	}
}

func TestAnUnfinishedMonthIsSaidToBe(t *testing.T) {
	d := sampleDeck("220100")
	d.Periods = report.PeriodsOf(sampleNow, schemas.Date(2026, 10, 12))
	data := newDeckData(d)
	for _, note := range []string{data.Key.Note, data.TrendNote} {
		if !strings.Contains(note, "1日至12日") {
			t.Errorf("note %q", note)
		}
	}
}

func TestChange(t *testing.T) {
	count, ratio := indicator(schemas.Consultations), indicator(schemas.TransferredWithin24h)
	known := func(v float64) report.Figure { return report.Figure{Value: v} }
	none := report.Figure{Status: report.NotAvailable}
	for _, c := range []struct {
		now, before report.Figure
		ind         schemas.Indicator
		want        deckCell
	}{
		{known(110), known(100), count, deckCell{"↑ 10.0%", "up"}},
		{known(0), known(100), count, deckCell{"↓ 100.0%", "down"}},
		{known(100), known(100), count, deckCell{Text: "持平"}},
		{known(0), known(0), count, deckCell{Text: "持平"}},
		{known(5), known(0), count, deckCell{Text: "X"}},
		{known(5), none, count, deckCell{Text: "X"}},
		{none, known(5), count, deckCell{Text: "X"}},
		{known(0.955), known(0.931), ratio, deckCell{"↑ 2.4个百分点", "up"}},
		{known(0.9), known(0.95), ratio, deckCell{"↓ 5.0个百分点", "down"}},
	} {
		if got := change(c.now, c.before, c.ind); got != c.want {
			t.Errorf("change(%v, %v) = %v, want %v", c.now, c.before, got, c.want)
		}
	}
}

func TestThousands(t *testing.T) {
	for want, v := range map[string]float64{"0": 0, "999": 999, "1,000": 1000, "-1,234,567": -1234567, "12,346": 12345.6} {
		if got := thousands(v, 0); got != want {
			t.Errorf("thousands(%v) = %s, want %s", v, got, want)
		}
	}
	if got := thousands(1234.56, 1); got != "1,234.6" {
		t.Error(got)
	}
}

// endless is a Slides whose script never ends.
func endless(t *testing.T) *Slides {
	s := slides(t)
	s.deck = goja.MustCompile("deck.js", "function buildDeck() { for (;;) {} }", true)
	return s
}

func TestTheEndOfTheContextEndsTheScript(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := endless(t).Deck(ctx, sampleDeck("220100"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestAtMostTwoDecksAtOnce(t *testing.T) {
	s := endless(t)
	running, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	for range deckTurns {
		go func() {
			_, err := s.Deck(running, sampleDeck("220100"))
			ended <- err
		}()
	}
	for len(s.turns) < deckTurns {
		time.Sleep(time.Millisecond)
	}
	waiting, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := s.Deck(waiting, sampleDeck("220100"))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "turn") {
		t.Errorf("the third deck did not wait for its turn: %v", err)
	}
	stop()
	for range deckTurns {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	if len(s.turns) != 0 {
		t.Error("a turn was not given back")
	}
}

func TestADeckWithoutFiguresIsStillADeck(t *testing.T) {
	d := report.Deck{Division: division("220182"), Periods: report.PeriodsOf(sampleNow, schemas.DayOf(sampleAsOf)), AsOf: sampleAsOf}
	f, err := slides(t).Deck(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	parts(t, f.Body)
}

package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"zhiban/dashboard/assets/axe"
	"zhiban/dashboard/report"
	"zhiban/schemas"
)

// serve is a dashboard over a reader on an address of its own.
func serve(t *testing.T, read Reader) string {
	t.Helper()
	srv := httptest.NewServer(handler(newServer(t, read)))
	t.Cleanup(srv.Close)
	return srv.URL
}

// fits fails when a page is wider than the window.
func (b *browser) fits(where string) {
	b.t.Helper()
	if over := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		b.t.Errorf("%s is %d px wider than the window: %s", where, over,
			eval[string](b, `[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll')).slice(0, 3).map(e => e.tagName + '#' + e.id + '.' + e.className).join(' ')`))
	}
}

// accessible fails on what axe finds serious or critical.
func (b *browser) accessible(where string) {
	b.t.Helper()
	script, err := axe.Script()
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](script))
	found := eval[string](b, `axe.run(document).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.target.join(' ') + ': ' + n.failureSummary)}))))`, chromedp.EvalAwaitPromise)
	var violations []struct {
		ID, Impact string
		Nodes      []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			b.t.Errorf("%s: %s (%s) at %d places, the first %s", where, v.ID, v.Impact, len(v.Nodes), v.Nodes[0])
		}
	}
}

func TestPagesInABrowser(t *testing.T) {
	f := newFake()
	b := newBrowser(t, serve(t, f))
	pages := sitemap(f)
	for name, path := range pages {
		b.open(path)
		b.look(name)
		b.fits(name)
		b.accessible(name)
		b.clean(name)
	}
	b.scheme("dark")
	for _, name := range []string{"province", "station", "details"} {
		b.open(pages[name])
		b.look(name + "-dark")
		b.accessible(name + " in the dark")
		b.clean(name + " in the dark")
	}
	b.scheme("light")
	b.size(360, 780, true)
	for name, path := range pages {
		b.open(path)
		b.look(name + "-360")
		b.fits(name + " on a phone")
		b.clean(name + " on a phone")
	}
}

// The first sheet has the key figures, the second the map, the ranking and the
// trend, the third what they are made of.
func TestAPageIsPrintedOnThreeSheets(t *testing.T) {
	b := newBrowser(t, serve(t, newFake()))
	b.open("/?month=2026-10")
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "province.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if sheets := strings.Count(string(pdf), "/Type /Page\n"); sheets != 3 {
		t.Errorf("%d sheets", sheets)
	}
}

// press goes with the tab key to the first link that passes a test and presses
// it.
func (b *browser) press(test, what string) {
	b.t.Helper()
	for range 300 {
		b.do(chromedp.KeyEvent("\t"))
		if eval[bool](b, `(e => e.matches('a[href]') && !!(`+test+`))(document.activeElement)`) {
			if outline := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
				b.t.Errorf("the focus on %s cannot be seen: outline %s", what, outline)
			}
			b.do(chromedp.KeyEvent("\r"))
			return
		}
	}
	b.t.Fatalf("%s was not reached by the tab key on %s", what, eval[string](b, "location.href"))
}

func (b *browser) at(prefix string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`location.pathname.startsWith(%q) && document.readyState === 'complete'`, prefix))
}

func TestFromProvinceToEventByKeyboard(t *testing.T) {
	b := newBrowser(t, serve(t, newFake()))
	b.open("/?month=2026-10")
	b.do(chromedp.KeyEvent("\t"))
	if !eval[bool](b, `document.activeElement.matches('.skip')`) {
		t.Error("the first stop is not the link that skips to the content")
	}
	b.press(`e.textContent === '长春市' && e.closest('table')`, "a prefecture")
	b.at("/divisions/220100")
	b.press(`e.textContent === '榆树市' && e.closest('table')`, "a county")
	b.at("/divisions/220182")
	b.press(`e.pathname === '/stations/220182-detention'`, "a station")
	b.at("/stations/220182-detention")
	if got := eval[string](b, `document.querySelector('select[name=month]').value`); got != "2026-10" {
		t.Errorf("the month is %s", got)
	}
	b.press(`e.pathname === '/details' && e.closest('[data-code=consultations]')`, "a figure")
	b.at("/details")
	for _, want := range []string{"榆树市法律援助中心驻看守所值班律师工作站", "2026-10-01 至 2026-10-31", "法律咨询"} {
		if !eval[bool](b, fmt.Sprintf(`document.querySelector('.facts').textContent.includes(%q)`, want)) {
			t.Errorf("the filters do not say %s", want)
		}
	}
	b.press(`e.pathname.startsWith('/events/')`, "an event")
	b.at("/events/")
	b.clean("the way down")
}

// click presses the mouse on a point of a chart, given in its coordinates.
func (b *browser) click(chart, coordinates string) {
	b.t.Helper()
	p := eval[[]float64](b, fmt.Sprintf(`(() => {
		const e = document.getElementById(%q);
		e.scrollIntoView({block: 'center'});
		const [x, y] = echarts.getInstanceByDom(e).convertToPixel(%s);
		const r = e.getBoundingClientRect();
		return [r.left + x, r.top + y];
	})()`, chart, coordinates))
	b.do(chromedp.MouseClickXY(p[0], p[1]))
}

func TestFromProvinceToStationByClick(t *testing.T) {
	b := newBrowser(t, serve(t, newFake()))
	b.open("/?month=2026-10")
	b.click("map", `{geoIndex: 0}, [125.3, 44.6]`)
	b.at("/divisions/220100")
	b.open("/divisions/220100?month=2026-10")
	b.click("map", `{geoIndex: 0}, [126.5, 44.85]`)
	b.at("/divisions/220182")
	b.open("/divisions/220182?month=2026-10")
	b.click("trend", `{gridIndex: 0}, [2, echarts.getInstanceByDom(document.getElementById('trend')).getOption().series[0].data[2].value]`)
	b.wait(`location.search.includes('month=2026-03')`)
	b.open("/divisions/220182?month=2026-10")
	b.click("bars", `{gridIndex: 0}, [1, 0]`)
	b.at("/stations/220182-")
	b.open("/?month=2026-10")
	b.click("map", `{geoIndex: 0}, [128.11, 42.47]`) // the pin stands on its place
	b.at("/divisions/22CB00")
	b.clean("the way down")
}

func TestNewDataComesIntoAnOpenPage(t *testing.T) {
	f := newFake()
	b := newBrowser(t, serve(t, f))
	b.open("/divisions/220182")
	const figure = `Number(document.querySelector('[data-code=consultations] .value a').textContent.replace(/,/g, ''))`
	before := eval[int](b, figure)
	mark := eval[string](b, `(() => {
		window.kept = 'the same page';
		const link = document.querySelector('#rank tbody a');
		link.focus();
		return link.href;
	})()`)
	f.consult("220182-court")
	b.wait(figure + " === " + strconv.Itoa(before+1))
	b.wait(`document.getElementById('notice').textContent === '页面已更新为最新数据'`)
	if eval[string](b, `window.kept`) != "the same page" {
		t.Error("the page was loaded anew")
	}
	if now := eval[string](b, `document.activeElement.href`); now != mark {
		t.Errorf("the focus went from %s to %s", mark, now)
	}
	if !eval[bool](b, `document.querySelector('[data-code=consultations]').classList.contains('changed')`) {
		t.Error("the figure that changed is not marked")
	}
	b.wait(fmt.Sprintf(`(() => {
		const s = echarts.getInstanceByDom(document.getElementById('trend')).getOption().series;
		return s[1].data[10].value === %d && document.querySelectorAll('#trend svg').length === 1;
	})()`, before+1))
	b.clean("an open page")

	// A page of a past moment stays as it is.
	b.open("/divisions/220182?as_of=2026-10-31")
	if eval[bool](b, `'cut' in document.body.dataset`) {
		t.Error("a page of the past follows new data")
	}
}

func TestNamesOfOthersAreOnlyText(t *testing.T) {
	f := newFake()
	f.audit()
	names := []string{`</script><script>window.pwned=1</script>`, `__f__(window.pwned=2)__f__`, `"'><img src=x onerror=window.pwned=3>`, "a\n-->\"'<svg onload=alert(5)>", "javascript:alert(6)", "--series-1"}
	given := 0
	name := func() string {
		given++
		return names[given%len(names)]
	}
	for i := range f.stations {
		f.stations[i].Name = name()
		if strings.HasPrefix(string(f.stations[i].Code), "220182") {
			f.stations[i].Name = names[i%3]
		}
	}
	for i := range f.lawyers {
		f.lawyers[i].Name, f.lawyers[i].Firm = name(), name()
	}
	f.postings = append(f.postings, fakePosting{Posting: report.Posting{Indicator: schemas.Shifts, Quantity: 3, Division: "220182", Station: "220182-court-2", Day: schemas.DayOf(f.now)}})
	b := newBrowser(t, serve(t, f))
	for name, path := range sitemap(f) {
		b.open(path)
		if eval[bool](b, `window.pwned !== undefined`) {
			t.Errorf("%s runs a name: %d", name, eval[int](b, `window.pwned`))
		}
		if n := eval[int](b, `[...document.querySelectorAll('script')].filter(s => s.type !== 'application/json' && !s.src.startsWith(location.origin + '/assets/')).length
			+ [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/i.test(a.name) || /^(href|src|action)$/i.test(a.name) && /^\s*javascript:/i.test(a.value))).length`); n > 0 {
			t.Errorf("%s has %d elements that a name made", name, n)
		}
		// The tooltip of every mark is made too.
		eval[int](b, `(() => {
			let shown = 0;
			for (const e of document.querySelectorAll('.chart')) {
				const c = echarts.getInstanceByDom(e);
				c.getOption().series.forEach((s, i) => s.data.forEach((_, k) => { c.dispatchAction({type: 'showTip', seriesIndex: i, dataIndex: k}); shown++; }));
			}
			return shown;
		})()`)
		if eval[bool](b, `window.pwned !== undefined`) {
			t.Errorf("%s runs a name in a tooltip: %d", name, eval[int](b, `window.pwned`))
		}
		b.clean(name)
	}
	b.open("/divisions/220182")
	if !eval[bool](b, fmt.Sprintf(`[...document.querySelectorAll('#rank tbody th a')].some(a => a.textContent === %q)`, names[0])) {
		t.Error("the name is not shown as it is")
	}
	if eval[int](b, `document.querySelectorAll('#rank tbody tr').length`) != 4 {
		t.Error("the unregistered station is not listed")
	}
}

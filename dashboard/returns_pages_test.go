package dashboard

import (
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"zhiban/dashboard/report"
	"zhiban/schemas"
)

func closingServer(t *testing.T, c *closing, timeout time.Duration) *Server {
	t.Helper()
	s, err := New(Config{Poll: 100 * time.Millisecond, Timeout: timeout, Append: c.append, Now: func() time.Time { return fakeNow }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var october = schemas.ReturnID{Division: "220182", Month: schemas.Month(2026*12 + 9)}

// sendForm posts a form.
func sendForm(t *testing.T, s *Server, path string, fields ...string) (int, http.Header, string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	handler(s).ServeHTTP(w, r)
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), string(b)
}

// cutOf is the cut that the page's form carries.
func cutOf(t *testing.T, body string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `name="cut" value="`)
	cut, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("there is no cut in\n%.3000s", body)
	}
	return cut
}

const returnPath220182 = "/returns/220182/2026-10"

func TestAReturnThatCannotBeSubmittedSaysWhatToDo(t *testing.T) {
	c := newClosing()
	c.blockers["220182"] = []report.Blocker{{Code: report.UnsignedLines, Title: schemas.Text{ZH: "咨询台账未签字", EN: "Ledger lines are not signed"}, Count: 3, Indicator: schemas.ConsultationsUnsigned}}
	s := closingServer(t, c, 0)
	_, _, body := get(t, s, returnPath220182)
	cut := cutOf(t, body)
	if !strings.Contains(body, "indicator=consultations_unsigned") {
		t.Error("the blocker leads to no records")
	}
	for _, x := range []struct {
		name   string
		fields []string
		status int
		want   string
	}{
		{"not confirmed", []string{"step", "submit", "cut", cut}, http.StatusUnprocessableEntity, "请勾选确认"},
		{"a blocker without a reason", []string{"step", "submit", "cut", cut, "confirm", "yes"}, http.StatusConflict, "逐项写明不整改而上报的理由"},
		{"too long a reason", []string{"step", "submit", "cut", cut, "reason.consultations_unsigned", strings.Repeat("李", 501), "confirm", "yes"}, http.StatusUnprocessableEntity, "过长"},
		{"no such cut", []string{"step", "submit", "cut", "x", "confirm", "yes"}, http.StatusUnprocessableEntity, "表单不完整"},
		{"no such step", []string{"step", "burn"}, http.StatusUnprocessableEntity, "表单不完整"},
		{"out of turn", []string{"step", "accept"}, http.StatusConflict, "状态已经变化"},
		{"nothing accepted to amend", []string{"step", "amend", "cut", cut, "reason", "补录", "confirm", "yes"}, http.StatusConflict, "状态已经变化"},
		{"no reason for sending back", []string{"step", "return"}, http.StatusUnprocessableEntity, "请写明原因"},
	} {
		code, _, body := sendForm(t, s, returnPath220182, x.fields...)
		if code != x.status || !strings.Contains(body, x.want) || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %d, and %q is not said", x.name, code, x.want)
		}
	}
	if n := len(c.folded(october).Steps); n != 0 {
		t.Errorf("%d steps were taken", n)
	}

	// What was entered is still there.
	_, _, body = sendForm(t, s, returnPath220182, "step", "submit", "cut", cut, "reason.consultations_unsigned", "律师出差")
	for _, want := range []string{`<b>李敏</b>`, `value="律师出差"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is lost", want)
		}
	}
	code, header, _ := sendForm(t, s, returnPath220182+"?lang=en", "step", "submit", "cut", cut, "confirm", "yes", "reason.consultations_unsigned", "律师出差")
	if code != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), returnPath220182+"?done=submitted&event=") || !strings.HasSuffix(header.Get("Location"), "lang=en") {
		t.Errorf("%d to %s", code, header.Get("Location"))
	}
	r := c.folded(october)
	if r.State != schemas.ReturnIsIn || len(r.Versions) != 1 || len(r.Versions[0].Overrides) != 1 || r.Versions[0].Overrides[0].Reason != "律师出差" {
		t.Errorf("%s, %+v", r.State, r.Versions)
	}
}

func TestAFormOfAnotherSiteChangesNothing(t *testing.T) {
	c := newClosing()
	s := closingServer(t, c, 0)
	_, _, body := get(t, s, returnPath220182)
	form := url.Values{"step": {"submit"}, "cut": {cutOf(t, body)}, "confirm": {"yes"}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, returnPath220182, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	handler(s).ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || len(c.folded(october).Steps) != 0 {
		t.Errorf("%d, %d steps", w.Code, len(c.folded(october).Steps))
	}
}

// A step that the log has and the books have not yet is not asked for again.
func TestAStepOnItsWayIsSaidToBe(t *testing.T) {
	c := newClosing()
	c.behind = true
	s := closingServer(t, c, 2*time.Second)
	_, _, body := get(t, s, returnPath220182)
	_, header, _ := sendForm(t, s, returnPath220182, "step", "submit", "cut", cutOf(t, body), "confirm", "yes")
	_, _, body = get(t, s, header.Get("Location"))
	if !strings.Contains(body, "正在入账") || strings.Contains(body, "<form method=\"post\"") || !strings.Contains(body, "data-cut") {
		t.Error("the page does not wait for the step")
	}
	c.refused = schemas.Errorf(schemas.Unavailable, "broker at a secret address")
	_, _, body = get(t, s, returnPath220182)
	code, _, body := sendForm(t, s, returnPath220182, "step", "submit", "cut", cutOf(t, body), "confirm", "yes")
	if code != http.StatusServiceUnavailable || !strings.Contains(body, "日志没有确认") || strings.Contains(body, "secret") {
		t.Errorf("%d without the log", code)
	}
}

func TestADashboardThatOnlyReadsHasNoSteps(t *testing.T) {
	s := newServer(t, newClosing())
	_, _, body := get(t, s, returnPath220182)
	if strings.Contains(body, `method="post"`) || !strings.Contains(body, "--ingest") {
		t.Error("the page has steps, or does not say how to get them")
	}
	if code, _, _ := sendForm(t, s, returnPath220182, "step", "accept"); code != http.StatusMethodNotAllowed {
		t.Errorf("a step is answered with %d", code)
	}
}

func TestReturnsThatCannotBe(t *testing.T) {
	s := closingServer(t, newClosing(), 0)
	for path, want := range map[string]int{
		"/returns/220381/2026-10":                          http.StatusNotFound, // 公主岭 moved in 2020
		"/returns/110000/2026-10":                          http.StatusNotFound,
		"/returns/220182/2026-13":                          http.StatusNotFound,
		"/returns/220184/2026-10":                          http.StatusOK,
		"/returns?month=2026-10&as_of=2026-10-01":          http.StatusUnprocessableEntity,
		"/returns?month=never":                             http.StatusUnprocessableEntity,
		"/returns/220182/2026-10?as_of=2026-10-01":         http.StatusUnprocessableEntity,
		"/returns?division=22CB00&month=2026-10":           http.StatusOK,
		"/returns/220182/2026-10?done=submitted&event=any": http.StatusOK,
	} {
		if code, _, body := get(t, s, path); code != want {
			t.Errorf("%s: %d\n%.500s", path, code, body)
		}
	}
}

// fill types into a field of a form, push clicks.
func (b *browser) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

func (b *browser) push(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// refused drops the browser's own line about an answer that is an error; a
// second one, or another, is left for clean.
func (b *browser) refused(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.IndexFunc(b.wrong, func(w string) bool { return strings.Contains(w, fmt.Sprintf("status of %d", status)) }); i >= 0 {
		b.wrong = slices.Delete(b.wrong, i, i+1)
	}
}

// stands waits until the page says where the return stands.
func (b *browser) stands(state string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`document.readyState === 'complete' && document.querySelector('h1 .badge')?.textContent === %q && document.querySelector('.told.done') !== null`, state))
}

func TestAMonthIsClosedByClicking(t *testing.T) {
	c := newClosing()
	c.blockers["220182"] = []report.Blocker{
		{Code: report.UnsignedLines, Title: schemas.Text{ZH: "咨询台账未签字", EN: "Ledger lines are not signed"}, Count: 3, Indicator: schemas.ConsultationsUnsigned},
		{Code: report.ParkedInTheWay, Title: schemas.Text{ZH: "有待处理记录未入账", EN: "Records are parked and do not count"}, Count: 1},
	}
	srv := httptest.NewServer(handler(closingServer(t, c, 0)))
	t.Cleanup(srv.Close)
	b := newBrowser(t, srv.URL)
	shown := func(name string) {
		b.look(name)
		b.fits(name)
		b.accessible(name)
		b.clean(name)
	}
	b.open("/?month=2026-10")
	b.push(`nav a[href^="/returns"]`)
	b.at("/returns")
	shown("close")
	b.push(`#grid a[href^="/returns/220182/"]`)
	b.at(returnPath220182)
	shown("open")

	// What stands in the way is said in place, and what was typed is kept.
	b.push(`#submit input[name=confirm]`)
	b.push(`#submit button`)
	b.wait(`document.readyState === 'complete' && document.querySelectorAll('[role=alert] li').length === 1 && document.querySelectorAll('#submit [aria-invalid]').length === 2`)
	b.look("blocked")
	b.accessible("blocked")
	b.refused(http.StatusConflict)
	if name := eval[string](b, `document.querySelector('#submit .signer b').textContent`); name != "李敏" {
		t.Errorf("the filler is %q", name)
	}

	// The county's clerk gives reasons for what cannot be mended, and submits.
	b.fill(`#reason-consultations_unsigned`, "承办律师出差，下月补签")
	b.fill(`#reason-parked_events`, "外县记录")
	b.push(`#submit button`)
	b.stands("已报待审")
	shown("submitted")

	// The prefecture sends it back, the county submits again.
	b.fill(`#review form + form input[name=reason]`, "咨询台账漏签三条，请补签")
	b.push(`#review button.back`)
	b.stands("已退回")
	shown("returned")
	c.blockers["220182"] = nil
	b.open(returnPath220182)
	b.push(`#submit input[name=confirm]`)
	b.push(`#submit button`)
	b.stands("已报待审")

	// It is accepted; then a consultation of October comes in late.
	b.push(`#review form button`)
	b.stands("已接收")
	if !eval[bool](b, `document.querySelector('.clear').textContent.includes('无需更正')`) {
		t.Error("there is something to amend")
	}
	const figure = `Number([...document.querySelectorAll('#form tbody tr')].find(r => r.querySelector('th[scope=row] span')?.textContent === '法律咨询').querySelector('td.num:not(.wide)').querySelector('a').textContent.replace(/,/g, ''))`
	before := eval[int](b, figure)
	c.late("220182-court", schemas.Date(2026, time.October, 20))
	b.open(returnPath220182)
	if after := eval[int](b, figure); after != before+1 {
		t.Errorf("%d consultations after %d", after, before)
	}
	if was := eval[string](b, `document.querySelector('#form td.differs .was a').textContent`); was != fmt.Sprint(before) {
		t.Errorf("%s is shown as reported, want %d", was, before)
	}
	shown("late")
	b.fill(`#amend input[name=reason]`, "十月二十日咨询补录")
	b.push(`#amend input[name=confirm]`)
	b.push(`#amend button`)
	b.stands("已更正")
	shown("amended")
	r := c.folded(october)
	if len(r.Versions) != 3 || r.Amendments() != 1 || len(r.Versions[0].Overrides) != 2 || len(r.Versions[2].Changes) == 0 {
		t.Errorf("%d versions, %d amendments, %+v", len(r.Versions), r.Amendments(), r.Versions)
	}
	for _, v := range r.Versions {
		code, _, body := get(t, closingServer(t, c, 0), returnFilePath(october, v.Version))
		if code != http.StatusOK || schemas.SHA256([]byte(body)) != v.SHA256 || !eval[bool](b, fmt.Sprintf(`document.getElementById('history').textContent.includes(%q)`, v.SHA256)) {
			t.Errorf("version %d: %d, its file or its sum on the page is another", v.Version, code)
		}
	}
	if rows := eval[int](b, `document.querySelectorAll('#history tbody tr').length`); rows != 5 {
		t.Errorf("%d steps are told", rows)
	}

	// Every figure of the month opens to its records, and what stood to those of then.
	if links := eval[int](b, `[...document.querySelectorAll('#form td.num a')].filter(a => !new URL(a.href).searchParams.get('division') || !new URL(a.href).searchParams.get('indicator')).length`); links != 0 {
		t.Errorf("%d cells open without their filter", links)
	}
	b.open("/returns/220100/2026-10")
	shown("prefecture")
	b.open("/returns/220182/2026-10?lang=en")
	shown("english")
	b.open("/returns?month=2026-10&lang=en")
	shown("close-english")
	b.scheme("dark")
	for name, path := range map[string]string{"close-dark": "/returns?month=2026-10", "return-dark": returnPath220182} {
		b.open(path)
		shown(name)
	}
	b.scheme("light")
	b.size(360, 780, true)
	c.late("220182-court", schemas.Date(2026, time.October, 21))
	for name, path := range map[string]string{"close-360": "/returns?month=2026-10", "late-360": returnPath220182, "prefecture-360": "/returns/220100/2026-10", "english-360": "/returns/220100/2026-10?lang=en"} {
		b.open(path)
		b.look(name)
		b.fits(name)
		b.clean(name)
	}
}

// On paper there is the form and nothing else; what was reported is printed,
// whatever the books say by now.
func TestAReturnPrintsAsTheForm(t *testing.T) {
	c := newClosing()
	s := closingServer(t, c, 0)
	_, _, body := get(t, s, returnPath220182)
	if code, _, _ := sendForm(t, s, returnPath220182, "step", "submit", "cut", cutOf(t, body), "confirm", "yes"); code != http.StatusSeeOther {
		t.Fatalf("submitting: %d", code)
	}
	c.late("220182-court", schemas.Date(2026, time.October, 20))
	srv := httptest.NewServer(handler(s))
	t.Cleanup(srv.Close)
	b := newBrowser(t, srv.URL)
	for name, path := range map[string]string{"form": returnPath220182, "form-english": returnPath220182 + "?lang=en", "form-prefecture": "/returns/220100/2026-10"} {
		b.open(path)
		pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		sheets, want := strings.Count(string(pdf), "/Type /Page\n"), 3
		if name == "form-prefecture" {
			want = 4 // the last is that of the divisions
		}
		if sheets != want {
			t.Errorf("%s: %d sheets", name, sheets)
		}
	}
	b.open(returnPath220182)
	figure := eval[string](b, `document.querySelector('#form td.differs .was a').textContent`)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}))
	text := eval[string](b, `document.body.innerText`)
	for _, want := range []string{"值班律师工作统计表（月）", "填报单位（盖章）：榆树市法律援助中心", "报告期：2026年10月", "统计时段：2026年10月1日至2026年10月31日（自然月）", "报送期限：2026年11月10日前", "第1版", "填表人：李敏", "单位负责人：", "审核人：", "填报日期：2026年11月24日"} {
		if !strings.Contains(text, want) {
			t.Errorf("the paper does not say %s", want)
		}
	}
	for _, unwanted := range []string{"总览", "审核通过", "退回", "上月", "办理经过", "点击数字"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("the paper says %s", unwanted)
		}
	}
	if printed := eval[string](b, `document.querySelector('#form td.differs').innerText.trim()`); printed != figure {
		t.Errorf("%q is printed, and %s was reported", printed, figure)
	}
}

func TestTheCloseSaysWhoActsNextAndWhomToRemind(t *testing.T) {
	c := newClosing()
	s := closingServer(t, c, 0)
	november := "/returns?division=220100&month=2026-11" // due in December
	_, _, body := get(t, s, november)
	for _, want := range []string{"待榆树市填报", "待长春市填报", "还有16天", "请以下单位上报2026年11月值班律师工作统计表，报送期限2026年12月10日：", `<li class="missing"><span>逾期未报</span> <b>0</b></li>`, `<li class="open"><span>待报</span> <b>12</b></li>`} {
		if !strings.Contains(body, want) {
			t.Errorf("before anyone has reported the close does not say %s", want)
		}
	}
	reminded := func(body string) string {
		_, text, _ := strings.Cut(body, `<textarea id="reminder-1"`)
		text, _, _ = strings.Cut(text, "</textarea>")
		return text
	}
	if !strings.Contains(reminded(body), "榆树市") {
		t.Error("榆树市 is not reminded")
	}
	_, _, form := get(t, s, "/returns/220182/2026-11")
	sendForm(t, s, "/returns/220182/2026-11", "step", "submit", "cut", cutOf(t, form), "confirm", "yes")
	_, _, body = get(t, s, november)
	if text := reminded(body); strings.Contains(text, "榆树市") || !strings.Contains(text, "德惠市") {
		t.Errorf("reminded are %s", text)
	}
	for _, want := range []string{"待长春市审核", "李敏", `<li class="submitted"><span>已报待审</span> <b>1</b></li>`} {
		if !strings.Contains(body, want) {
			t.Errorf("after one has reported the close does not say %s", want)
		}
	}
	if _, _, body = get(t, s, "/returns?division=220100&month=2026-10"); !strings.Contains(body, "现已逾期") || !strings.Contains(body, "逾期未报（12个单位）") {
		t.Error("who is overdue is not listed")
	}
}

// Two clerks submit at once: the second is told that it came to nothing.
func TestWhatCameTooLateIsSaidToHaveNoEffect(t *testing.T) {
	c := newClosing()
	s := closingServer(t, c, 0)
	_, _, body := get(t, s, returnPath220182)
	sendForm(t, s, returnPath220182, "step", "submit", "cut", cutOf(t, body), "confirm", "yes")
	c.again(t, october)
	steps := c.folded(october).Steps
	if len(steps) != 2 || steps[1].Ignored == (schemas.Text{}) {
		t.Fatalf("%+v", steps)
	}
	for _, lang := range languages {
		code, _, body := get(t, s, returnPath220182+"?done=submitted&event="+steps[1].Event.String()+"&lang="+lang)
		if code != http.StatusOK || !strings.Contains(body, `class="told failed"`) || !strings.Contains(body, `class="ignored"`) {
			t.Errorf("%s: %d, and the page does not say that it had no effect", lang, code)
		}
		if regexp.MustCompile(`%!|ZgotmplZ|<no value>`).MatchString(body) {
			t.Errorf("%s: a phrase or a value is broken", lang)
		}
	}
}

// A month that is not over cannot be submitted, whatever the reason.
func TestAMonthThatIsNotOverCannotBeSubmitted(t *testing.T) {
	c := newClosing()
	c.blockers["220182"] = []report.Blocker{{Code: report.PeriodRunning, Count: 7, Final: true}, {Code: report.OpenShifts, Count: 2, Indicator: schemas.ShiftsOpen}}
	s := closingServer(t, c, 0)
	_, _, body := get(t, s, "/returns/220182/2026-11")
	if !strings.Contains(body, "统计时段尚未结束，还有7天") || strings.Contains(body, `name="confirm"`) || strings.Contains(body, `name="reason.`) {
		t.Error("the page lets the month be submitted")
	}
	code, _, body := sendForm(t, s, "/returns/220182/2026-11", "step", "submit", "cut", cutOf(t, body), "confirm", "yes", "reason.period_running", "急", "reason.shifts_open", "急")
	if code != http.StatusConflict || !strings.Contains(body, "写明理由也不能上报") {
		t.Errorf("%d", code)
	}
}

// None, not available and not applicable are told apart, and every figure opens.
func TestTheFormTellsNoneFromNotAvailableFromNotApplicable(t *testing.T) {
	s := closingServer(t, newClosing(), 0)
	_, _, body := get(t, s, returnPath220182)
	for _, want := range []string{`<td class="num zero"><a href="/details\?[^"]*">0(\.0)?</a>`, `<td class="num absent"><a href="[^"]*" title="X：[^"]*">X</a>`, `<td class="num foreign"><a href="[^"]*" title="N：[^"]*">N</a>`,
		`<span class="up"><span aria-hidden="true">↑`, `<span class="down"><span aria-hidden="true">↓`, "indicator=consultations&amp;person_role=suspect&amp;to=2026-10-31", "from=2026-01-01", "from=2025-10-01", "from=2026-09-01"} {
		if !regexp.MustCompile(want).MatchString(body) {
			t.Errorf("the form has no %s", want)
		}
	}
}

// Of a return that stands the page shows the sheet of divisions that was reported,
// and what the books say now where that is another.
func TestTheSheetOfDivisionsThatWasReportedIsShown(t *testing.T) {
	c := newClosing()
	s := closingServer(t, c, 0)
	const path = "/returns/220100/2026-10"
	_, _, body := get(t, s, path)
	if !strings.Contains(body, "分地区情况（现账面）") || strings.Contains(body, "/returns/220171/") || !strings.Contains(body, "长春净月高新技术产业开发区") {
		t.Error("before it is reported the sheet is not that of the books, or a zone has a return")
	}
	fields := []string{"step", "submit", "cut", cutOf(t, body), "confirm", "yes", "reason.children_missing", "下级尚未接收"}
	if code, _, _ := sendForm(t, s, path, fields...); code != http.StatusSeeOther {
		t.Fatalf("submitting: %d", code)
	}
	c.late("220182-court", schemas.Date(2026, time.October, 20))
	for lang, want := range map[string][]string{"zh": {"分地区情况（第1版）", "现账面"}, "en": {"By division, version 1", "<small>now "}} {
		_, _, body = get(t, s, path+"?lang="+lang)
		_, below, _ := strings.Cut(body, `id="below"`)
		below, _, _ = strings.Cut(below, "</table>")
		for _, text := range want[1:] {
			// 榆树市 has one consultation more, and so has the whole, of one person more.
			if n := strings.Count(below, text); n < 2 || !strings.Contains(body, want[0]) {
				t.Errorf("%s: %q stands %d times", lang, text, n)
			}
		}
		if !strings.Contains(below, "as_of=") {
			t.Errorf("%s: the figures that were reported lead to the postings of now", lang)
		}
	}
}

// Where a division reports to another than the one above it, what stands behind
// the figures of a return is asked for by the lines of its month.
func TestWhatIsListedFollowsTheLinesOfTheReturn(t *testing.T) {
	dir := fstest.MapFS{}
	for _, name := range []string{"close.yaml", "2026-2.yaml"} {
		text, err := os.ReadFile("../schemas/forms/" + name)
		if err != nil {
			t.Fatal(err)
		}
		dir[name] = &fstest.MapFile{Data: text}
	}
	dir["close.yaml"].Data = append(dir["close.yaml"].Data, "  - {division: 220581, reports_to: 220000, from: 2026-10}\n"...)
	rules, err := schemas.ReadReturnRules(dir)
	if err != nil {
		t.Fatal(err)
	}
	opened := regexp.MustCompile(`href="(/details\?[^"]*)"`)
	for moved, rules := range map[bool]*schemas.ReturnRules{false: schemas.Returns, true: rules} {
		c := newClosing()
		c.rules = rules
		c.blockers["220500"] = []report.Blocker{{Code: report.UnsignedLines, Count: 3, Indicator: schemas.ConsultationsUnsigned}}
		s := closingServer(t, c, 0)
		_, _, body := get(t, s, "/returns/220500/2026-10")
		links := opened.FindAllStringSubmatch(body, -1)
		if len(links) < 50 {
			t.Fatalf("%d figures open", len(links))
		}
		for _, l := range links {
			if strings.Contains(l[1], "returns=2026-10") != moved {
				t.Errorf("moved %v: %s", moved, l[1])
			}
		}
		address := html.UnescapeString(links[0][1])
		_, _, body = get(t, s, address)
		if diff := cmp.Diff(rules.Elsewhere(schemas.Month(2026*12+9)), c.listed.Elsewhere, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s asks for (-want +got)\n%s", address, diff)
		}
		if strings.Contains(body, `name="returns" value="2026-10"`) != moved || strings.Contains(body, "按2026-10月报的上报关系归集") != moved {
			t.Errorf("moved %v: %.3000s", moved, body)
		}
		if status, _, _ := get(t, s, "/api/v1/postings?"+strings.TrimPrefix(address, "/details?")); status != http.StatusOK || len(c.listed.Elsewhere) > 0 != moved {
			t.Errorf("the API: %d, %v", status, c.listed.Elsewhere)
		}
	}
}

package dashboard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"zhiban/schemas"
	"zhiban/schemas/access"
)

// serveTo is a dashboard to somebody on an address of its own.
func serveTo(t *testing.T, who access.Identity, s *Server) string {
	t.Helper()
	srv := httptest.NewServer(as(who, s.Handler()))
	t.Cleanup(srv.Close)
	return srv.URL
}

// everywhere looks at a page in both widths and both lights.
func (b *browser) everywhere(name, path string) {
	b.t.Helper()
	for _, light := range []string{"light", "dark"} {
		b.scheme(light)
		for _, width := range []int64{1280, 360} {
			where := name + "-" + light + map[int64]string{1280: "", 360: "-360"}[width]
			b.size(width, 800, width == 360)
			b.open(path)
			b.look(where)
			b.fits(where)
			b.accessible(where)
			b.clean(where)
		}
	}
	b.scheme("light")
}

func TestTheHeadSaysWhoHasComeIn(t *testing.T) {
	s := newServer(t, newFake())
	county := access.Identity{Account: "yushu", Title: `榆树<中心>`, Role: access.County, Scope: access.Scope{Division: "220182", SmallCells: true}}
	for _, c := range []struct {
		name  string
		who   access.Identity
		path  string
		has   []string
		hasnt []string
	}{
		{"an office", county, "/divisions/220182?month=2026-10&lang=en", []string{`<a class="person" href="/account?lang=en">榆树&lt;中心&gt;</a>`, "data-cut=", `id="fresh"`, `href="/lawyers?`}, []string{"/audit", "本机使用"}},
		{"without a title", access.Identity{Account: "token-7", Role: access.County, Scope: county.Scope}, "/divisions/220182", []string{`<a class="person" href="/account">token-7</a>`}, nil},
		{"the one user of an unclaimed machine", anyone, "/", []string{`<a class="person" href="/login">本机使用（未设登录）</a>`, "data-cut="}, []string{"李敏"}},
		{"the administrator", administrator, "/audit", []string{`<a class="person" href="/account">周系统</a>`, `<a href="/audit" aria-current="page">审计</a>`}, []string{"data-cut", `id="fresh"`, `href="/lawyers"`, `href="/details"`, `href="/verification"`}},
		{"the auditor", auditor, "/audit", []string{`<a href="/audit" aria-current="page">审计</a>`, `id="fresh"`}, []string{"data-cut"}},
		{"nobody", access.Identity{}, "/nothing", []string{"没有找到"}, []string{"class=\"person\"", "data-cut", `id="fresh"`, "<nav aria-label=\"主导航\"><a", "/docs/", "openapi"}},
	} {
		_, _, body := asked(t, s, c.who, c.path)
		for _, want := range c.has {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %s", c.name, want)
			}
		}
		for _, not := range c.hasnt {
			if strings.Contains(body, not) {
				t.Errorf("%s: the page has %s", c.name, not)
			}
		}
	}
}

func TestTheTrailInABrowser(t *testing.T) {
	f := newFake()
	f.audit()
	s := newServer(t, f)
	newBrowser(t, serveTo(t, administrator, s)).everywhere("audit", "/audit")
	b := newBrowser(t, serveTo(t, auditor, s))
	b.everywhere("audit-english", "/audit?lang=en&action=export")
	long := access.Identity{Account: "dawn", Title: "长春市朝阳区司法局法律援助工作科值班律师管理岗位张三李四", Role: access.County, Scope: access.Scope{Division: "220182"}}
	newBrowser(t, serveTo(t, long, s)).everywhere("head", "/divisions/220182?month=2026-10")
	newBrowser(t, serveTo(t, anyone, s)).everywhere("head-sole", "/divisions/220182?month=2026-10")
}

func TestAnOpenPageSaysThatTheLoginHasExpired(t *testing.T) {
	f := newFake()
	var out atomic.Bool
	var after, pages atomic.Int64
	inside := handler(newServer(t, f))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := r.URL.Path == "/api/v1/status"
		switch {
		case out.Load() && status, pages.Load() > 0 && r.Header.Get("Sec-Fetch-Dest") == "empty" && !status:
			after.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			inside.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	const expired = `document.getElementById('notice').textContent === '登录已过期，请重新登录'`
	b := newBrowser(t, srv.URL)
	b.open("/divisions/220182?month=2026-10")
	out.Store(true)
	b.wait(expired)
	if href := eval[string](b, `document.querySelector('#notice a').getAttribute('href')`); href != "/login?next=%2Fdivisions%2F220182%3Fmonth%3D2026-10" {
		t.Error(href)
	}
	if !eval[bool](b, `document.getElementById('fresh').classList.contains('stale')`) {
		t.Error("the data still look fresh")
	}
	b.look("expired")
	// That the page asks no more is seen by one that was opened after it and does.
	asked := after.Load()
	out.Store(false)
	second := newBrowser(t, srv.URL)
	second.open("/divisions/220182?month=2026-10&lang=en")
	pages.Add(1)
	f.consult("220182-court") // the status says that there is more, and the page is refused
	second.wait(`document.getElementById('notice').textContent === 'Your login has expired: log in again'`)
	if href := eval[string](second, `document.querySelector('#notice a').getAttribute('href')`); !strings.HasSuffix(href, "lang%3Den&lang=en") {
		t.Error(href)
	}
	if n := after.Load() - asked; n != 1 {
		t.Errorf("%d more requests were refused, want the second page's one", n)
	}
}

func TestWhoMayNotIsToldSo(t *testing.T) {
	s := newServer(t, &script{Reader: newFake(), err: schemas.Errorf(schemas.Forbidden, "for justice alone")})
	if code, _, body := get(t, s, "/details?indicator=complaints"); code != http.StatusForbidden || !strings.Contains(body, "您的账号无权查看或办理") || strings.Contains(body, "别的网站") {
		t.Errorf("%d %.3000s", code, body)
	}
}

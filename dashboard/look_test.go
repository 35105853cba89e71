package dashboard

import (
	"flag"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var only = flag.String("only", "", "pages to look at")

func start(t *testing.T, read Reader) string {
	t.Helper()
	s, err := New(Config{Poll: 100 * time.Millisecond, Now: func() time.Time { return fakeNow }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, read)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestLook(t *testing.T) {
	f := newFake()
	t.Log(len(f.postings), "postings")
	b := newBrowser(t, start(t, f))
	lawyer := f.lawyers[10].Licence
	event := f.postings[5000].Event.String()
	pages := map[string]string{
		"province": "/?month=2026-10", "unfinished": "/", "prefecture": "/divisions/220100?month=2026-10&figure=shifts", "changbai": "/divisions/22CB00?month=2026-10", "county": "/divisions/220182?month=2026-10", "station": "/stations/220182-detention?month=2026-10",
		"lawyers": "/lawyers", "lawyer": "/lawyers/" + lawyer, "details": "/details?indicator=consultations&division=220182&from=2026-10-01&to=2026-10-31&channel=visit", "event": "/events/" + event,
		"indicators": "/indicators", "error404": "/nothing", "error422": "/?month=2026-13&views=then", "english": "/?month=2026-10&lang=en", "asof": "/?as_of=2026-03-20",
	}
	for name, path := range pages {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), name) {
			continue
		}
		b.open(path)
		time.Sleep(100 * time.Millisecond)
		b.look(name)
		if !strings.HasPrefix(name, "error") {
			b.clean(name)
		}
		b.wrong = nil
	}
	if *only != "" {
		return
	}
	b.scheme("dark")
	b.open(pages["province"])
	b.look("province-dark")
	b.open(pages["station"])
	b.look("station-dark")
	b.scheme("light")
	b.open(pages["province"])
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(t.ArtifactDir(), "province.pdf"), pdf, 0o600)
	b.size(390, 844, true)
	for _, name := range []string{"province", "county", "station", "lawyers", "lawyer", "details", "event"} {
		b.open(pages[name])
		time.Sleep(100 * time.Millisecond)
		b.look(name + "-390")
		b.clean(name)
	}
}

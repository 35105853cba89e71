package login

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Every page fits a desk's and a phone's window; pictures are the test's
// artifacts.
func TestThePagesInABrowser(t *testing.T) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Fatal("no Chromium on this machine: run `make chromium`, or install it (Debian: apt-get install chromium)")
	}
	p := newPlatform(t, nil)
	p.dir.tokens = []Token{{ID: "k3f9", Title: "审判管理系统接口", Role: "station", Expires: time.Now().AddDate(0, 3, 0), By: "admin"}}
	p.login("admin", password)
	secret := p.cookie()
	p.do("/tokens", url.Values{"title": {"接口"}, "role": {"station"}, "station": {"220122-court"}, "days": {"30"}})
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900))
	alloc, stopAlloc := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		stop()
		stopAlloc()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	within := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
	}
	look := func(name, page string) {
		t.Helper()
		for _, width := range []int64{1280, 360} {
			within(chromedp.EmulateViewport(width, 800), chromedp.Navigate(p.url+page))
			over, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))
			if err != nil || over > 0 {
				t.Errorf("%s at %d px is %d px too wide: %v", name, width, over, err)
			}
			png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatal(err)
			}
			file := name + map[int64]string{1280: "", 360: "-360"}[width] + ".png"
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), file), png, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	look("login", "/login?next=/details")
	look("login-en", "/login?lang=en")
	look("link", "/login/link/some-secret")
	within(chromedp.Func(func(ctx context.Context, tg *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "zhiban", Value: secret, URL: p.url})
		return err
	}))
	look("account", "/account")
	look("accounts", "/accounts")
}

package access

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zhiban/deploy/tlstest"
)

// served serves a handler for a test and returns its address, and how to end it.
func served(t *testing.T, h http.HandlerFunc, c ServeConfig) (addr string, end func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	go func() { done <- Serve(ctx, l, h, c) }()
	var ended atomic.Bool
	end = func() error {
		cancel()
		ended.Store(true)
		return <-done
	}
	t.Cleanup(func() {
		if !ended.Load() {
			if err := end(); err != nil {
				t.Error(err)
			}
		}
	})
	return l.Addr().String(), end
}

func greet(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// secureClient trusts an authority and speaks one version of TLS at most.
func secureClient(t *testing.T, a *tlstest.Authority, version uint16) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: version}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// dial is a client that does as it likes.
func dial(t *testing.T, addr, send string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, send); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestAClientThatIsSlowWithItsHeadIsCut(t *testing.T) {
	addr, _ := served(t, func(http.ResponseWriter, *http.Request) { t.Error("half a request was answered") }, ServeConfig{HeaderTimeout: 50 * time.Millisecond})
	conn := dial(t, addr, "GET / HTTP/1.1\r\nHost: zhiban\r\nX-Slow: ")
	_, _ = io.ReadAll(conn) // returns when the server ends the connection, and otherwise never
}

func TestAClientThatDoesNotTakeItsAnswerIsCut(t *testing.T) {
	failed := make(chan error)
	addr, _ := served(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				failed <- err
				return
			}
		}
	}, ServeConfig{StallTimeout: 50 * time.Millisecond})
	dial(t, addr, "GET / HTTP/1.1\r\nHost: zhiban\r\n\r\n")
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("writing ended with %v", err)
	}
}

func TestAHeadThatIsTooLargeIsRefused(t *testing.T) {
	addr, _ := served(t, greet, ServeConfig{})
	for size, want := range map[int]int{16 << 10: http.StatusOK, 64 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		conn := dial(t, addr, "GET / HTTP/1.1\r\nHost: zhiban\r\nCookie: "+strings.Repeat("a", size)+"\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != want {
			t.Errorf("a head of %d bytes: %s, want %d", size, res.Status, want)
		}
	}
}

func TestOnlyPresentTLSIsSpoken(t *testing.T) {
	authority := tlstest.New(t)
	own := authority.Issue("server")
	addr, _ := served(t, greet, ServeConfig{CertFile: own.Cert, KeyFile: own.Key})
	for version, spoken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		res, err := secureClient(t, authority, version).Get("https://" + addr)
		if (err == nil) != spoken {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err != nil {
			continue
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || string(body) != "hello" || res.TLS.Version != version || res.ProtoMajor != 2 {
			t.Errorf("%s: %q by %s %s, %v", tls.VersionName(version), body, res.Proto, tls.VersionName(res.TLS.Version), err)
		}
		if got := res.Header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") {
			t.Errorf("%s: Strict-Transport-Security is %q", tls.VersionName(version), got)
		}
	}
	res, err := http.Get("http://" + addr)
	if err != nil || res.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %v, %v", res, err)
	}
	plain, _ := served(t, greet, ServeConfig{})
	if res, err = http.Get("http://" + plain); err != nil || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("without TLS: %v, %v", res, err)
	}
}

// A certificate is replaced while the server runs; one that is half written, or
// whose key is another's, leaves the one that there was.
func TestACertificateIsReadAnew(t *testing.T) {
	authority := tlstest.New(t)
	own := authority.Issue("server")
	var clock atomic.Int64
	var logged bytes.Buffer
	addr, _ := served(t, greet, ServeConfig{CertFile: own.Cert, KeyFile: own.Key, Log: slog.New(slog.NewTextHandler(&logged, nil)),
		now: func() time.Time { return time.Unix(clock.Load(), 0) }})
	serial := func() string {
		t.Helper()
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: authority.Pool()})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	// touch is what the time of a file is when it is written later.
	touched := time.Now()
	touch := func() {
		touched = touched.Add(time.Hour)
		for _, file := range []string{own.Cert, own.Key} {
			if err := os.Chtimes(file, touched, touched); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := serial()
	key, err := os.ReadFile(own.Key)
	if err != nil {
		t.Fatal(err)
	}
	authority.Issue("server")
	touch()
	if serial() != first {
		t.Error("the files were read within the minute")
	}
	clock.Add(61)
	second := serial()
	if second == first {
		t.Error("the new certificate is not shown")
	}

	authority.Issue("server")
	renewed, err := os.ReadFile(own.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own.Key, key, 0o600); err != nil {
		t.Fatal(err)
	}
	touch()
	clock.Add(61)
	if serial() != second {
		t.Error("another certificate is shown than before")
	}
	if err := os.WriteFile(own.Key, renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	touch()
	clock.Add(61)
	if got := serial(); got == second {
		t.Error("the certificate is not shown whose key came later")
	}
	if !strings.Contains(logged.String(), "goes on") || strings.Contains(logged.String(), "PRIVATE") {
		t.Errorf("logged:\n%s", &logged)
	}
}

func TestACertificateThatIsNotThereIsAnErrorAtOnce(t *testing.T) {
	authority := tlstest.New(t)
	one, other := authority.Issue("one"), authority.Issue("other")
	for _, c := range []ServeConfig{{CertFile: one.Cert}, {KeyFile: one.Key}, {CertFile: one.Cert, KeyFile: other.Key}, {CertFile: "/nowhere/cert.pem", KeyFile: one.Key}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := Serve(t.Context(), l, http.HandlerFunc(greet), c); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s and %s: %v", c.CertFile, c.KeyFile, err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s and %s: the listener is left open", c.CertFile, c.KeyFile)
		}
	}
}

// A request in progress is answered although the end has come; one that never ends
// does not hold it up.
func TestTheEndIsOrderly(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	addr, end := served(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-release
		greet(w, r)
	}, ServeConfig{})
	answered := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + addr)
		if err != nil {
			answered <- err.Error()
			return
		}
		body, _ := io.ReadAll(res.Body)
		answered <- string(body)
	}()
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- end() }()
	for { // until nobody listens any more
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	close(release)
	if got := <-answered; got != "hello" {
		t.Errorf("the request in progress got %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestHeadersKeepBrowsersStrict(t *testing.T) {
	w := httptest.NewRecorder()
	Headers(http.HandlerFunc(greet)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	for name, part := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Permissions-Policy": "camera=()",
	} {
		if got := w.Header().Get(name); !strings.HasPrefix(got, part) {
			t.Errorf("%s is %q", name, got)
		}
	}
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "worker-src 'self'", "manifest-src 'self'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "http") {
		t.Errorf("the policy lets others in: %s", csp)
	}
}

package access

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// ServeConfig says how an address is served. Zero values take the defaults.
type ServeConfig struct {
	// CertFile and KeyFile are a certificate, with those that lead to its authority,
	// and its key, PEM. With both, only TLS of version 1.2 or later is spoken; with
	// neither, plain HTTP. Files that change are read anew within a minute.
	CertFile, KeyFile string
	// HeaderTimeout is how long a client may take to send a request's head; 10 s.
	HeaderTimeout time.Duration
	// StallTimeout is how long a client may take to receive what is written to it
	// at once, some 32 KB; one minute. How long all of an answer takes is not
	// bounded: exports are large, and lines in the counties thin.
	StallTimeout time.Duration
	// Log gets what goes wrong; slog.Default when nil.
	Log *slog.Logger

	now func() time.Time // of tests
}

const (
	maxHeader     = 32 << 10
	bodyTimeout   = time.Minute      // for a request with its body; a handler may give more
	answerTimeout = 10 * time.Minute // until something is written
	idleTimeout   = 2 * time.Minute
	endTimeout    = 2 * time.Second // for requests in progress at the end
	recheck       = time.Minute     // between two looks at the certificate's files
)

// Serve answers at a listener, which it closes, until ctx ends, and then lets
// requests in progress finish for a moment. It returns nil when ctx ended it. A
// certificate that cannot be read is an error at once.
func Serve(ctx context.Context, l net.Listener, h http.Handler, c ServeConfig) error {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	stall := cmp.Or(c.StallTimeout, time.Minute)
	s := &http.Server{
		Handler:           paced(stall, h),
		ReadHeaderTimeout: cmp.Or(c.HeaderTimeout, 10*time.Second), ReadTimeout: bodyTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		// Whoever knocks can fill it: handshakes that fail, requests that are none.
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	serve := func() error { return s.Serve(l) }
	if c.CertFile != "" || c.KeyFile != "" {
		own := &certificate{certFile: c.CertFile, keyFile: c.KeyFile, log: c.Log, now: c.now}
		if own.now == nil {
			own.now = time.Now
		}
		if _, err := own.get(nil); err != nil {
			_ = l.Close()
			return err
		}
		s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: own.get}
		s.Handler = strict(s.Handler)
		serve = func() error { return s.ServeTLS(l, "", "") }
	}
	ended := make(chan error, 1)
	go func() { ended <- serve() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if s.Shutdown(patience) != nil {
		_ = s.Close()
	}
	<-ended //nolint:errcheck // what Shutdown or Close has brought about
	return nil
}

// strict has browsers come by TLS alone from now on.
func strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// policy lets a page load from its own origin and nothing else run. The desk is
// kept by a worker for when there is no network; small images are in the styles.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
	"worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Headers sets what keeps browsers strict with every answer, whoever gives it.
func Headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// no-referrer would make a form's Origin "null", which the gate refuses.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()")
		next.ServeHTTP(w, r)
	})
}

// paced ends a connection whose client does not take what is written to it.
func paced(stall time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&pacedWriter{w, http.NewResponseController(w), stall}, r)
	})
}

type pacedWriter struct {
	http.ResponseWriter
	conn  *http.ResponseController
	stall time.Duration
}

func (w *pacedWriter) Write(b []byte) (n int, err error) {
	w.within(func() error { n, err = w.ResponseWriter.Write(b); return err })
	return n, err
}

// Flush and Unwrap are how others find what the connection can do.
func (w *pacedWriter) Flush() { w.within(w.conn.Flush) }

func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// within gives one step of writing its time, and what comes before the next step
// its own: HTTP/2 ends a stream at its deadline although nothing is being written.
func (w *pacedWriter) within(step func() error) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(w.stall)) // not every writer of a test has one
	if step() == nil {
		_ = w.conn.SetWriteDeadline(time.Now().Add(answerTimeout))
	}
}

// certificate is a certificate in files that are replaced before it expires.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	looked  time.Time
	version [2]time.Time // when the files were written
}

// get is tls.Config's GetCertificate. Files that cannot be read, as while they are
// being written, leave the certificate that there is.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.current != nil && now.Sub(c.looked) < recheck {
		return c.current, nil
	}
	c.looked = now
	if err := c.read(); err != nil {
		if c.current == nil {
			return nil, err
		}
		c.log.Error("the certificate is not read anew; the one from before goes on", "error", err)
	}
	return c.current, nil
}

func (c *certificate) read() error {
	if c.certFile == "" || c.keyFile == "" {
		return errors.New("certificate: give both files, the certificate and its key, or neither")
	}
	var version [2]time.Time
	for i, file := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		version[i] = info.ModTime()
	}
	if c.current != nil && version == c.version {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	if c.current != nil {
		c.log.Info("the certificate was read anew", "file", c.certFile, "until", pair.Leaf.NotAfter)
	}
	c.current, c.version = &pair, version
	return nil
}

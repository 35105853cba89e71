package upload

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"

	"zhiban/schemas/access"
)

// Local is a transport to a handler in this process: what is sent through it
// takes the same way as from outside, without a connection. The request's context
// goes along, with the identity in whose name it is made; a gate in front of the
// handler finds it out anew, from the credential that [access.Forward] adds, and
// sees the address of whoever asked.
func Local(h http.Handler) http.RoundTripper { return local{h} }

type local struct{ http.Handler }

// RoundTrip serves a request and returns the answer as a whole.
func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(context.WithoutCancel(r.Context())) // a batch that was begun is answered
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer in.Body.Close()
	from := cmp.Or(access.Address(r.Context()), "127.0.0.1")
	in.RequestURI, in.RemoteAddr, in.Host = r.URL.RequestURI(), net.JoinHostPort(from, "0"), r.URL.Host
	w := &localAnswer{header: http.Header{}}
	l.ServeHTTP(w, in)
	w.WriteHeader(http.StatusOK) // when nothing was
	return &http.Response{
		StatusCode: w.status, Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

type localAnswer struct {
	header, sent http.Header
	status       int
	body         bytes.Buffer
}

func (w *localAnswer) Header() http.Header { return w.header }

func (w *localAnswer) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *localAnswer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

package access

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestLocal(t *testing.T) {
	for name, c := range map[string]struct {
		from, host string
		headers    http.Header
		want       bool
	}{
		"by address":         {"127.0.0.1:4711", "127.0.0.1:8080", nil, true},
		"by name":            {"127.0.0.1:4711", "localhost:8080", nil, true},
		"without port":       {"127.0.0.1:4711", "localhost", nil, true},
		"IPv6":               {"[::1]:4711", "[::1]:8080", nil, true},
		"IPv4 in IPv6":       {"[::ffff:127.0.0.1]:4711", "127.0.0.2:8080", nil, true},
		"another machine":    {"10.0.0.7:4711", "127.0.0.1:8080", nil, false},
		"a name that leads":  {"127.0.0.1:4711", "attacker.example:8080", nil, false},
		"a name like it":     {"127.0.0.1:4711", "localhost.attacker.example", nil, false},
		"an address outside": {"127.0.0.1:4711", "192.0.2.1:8080", nil, false},
		"no host":            {"127.0.0.1:4711", "", nil, false},
		"no address":         {"", "localhost", nil, false},
		"a proxy":            {"127.0.0.1:4711", "localhost:8080", http.Header{"X-Forwarded-For": {"10.0.0.7"}}, false},
		"a silent proxy":     {"127.0.0.1:4711", "localhost:8080", http.Header{"Via": {"1.1 front"}}, false},
		"a proxy's standard": {"127.0.0.1:4711", "localhost:8080", http.Header{"Forwarded": {"for=127.0.0.1"}}, false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr, r.Host = c.from, c.host
		if c.headers != nil {
			r.Header = c.headers
		}
		if got := Local(r); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

package access

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Local tells whether a request was made on this machine by one of its users:
// from a loopback address, to a loopback name, and passed on by nobody. A proxy
// on this machine speaks for others, and a page elsewhere may have its own name
// lead here (DNS rebinding).
func Local(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	for _, passed := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
		if len(r.Header.Values(passed)) > 0 {
			return false
		}
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	to, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && to.Unmap().IsLoopback()
}

package dashboard

import (
	"net/http"

	"zhiban/schemas/access"
)

// anyone stands behind the requests of tests that are not about who asks.
var anyone = access.Identity{Account: "limin", Title: "李敏", Role: access.Province, Scope: access.ProvinceWide, Sole: true}

// handler is a dashboard to which anyone has come in.
func handler(s *Server) http.Handler { return as(anyone, s.Handler()) }

// as answers requests in somebody's name.
func as(who access.Identity, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(access.With(r.Context(), who)))
	})
}

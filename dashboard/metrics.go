package dashboard

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics counts requests and tells how far the projection is.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	handler  http.Handler
}

func newMetrics(reg *prometheus.Registry, read Reader, now func() time.Time) *metrics {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zhiban_dashboard_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "zhiban_dashboard_request_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
	}
	reg.MustRegister(m.requests, m.seconds, projection{read, now})
	m.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return m
}

// count counts what next answers.
func (m *metrics) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		rec := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		route := "unknown"
		if cur := mux.CurrentRoute(r); cur != nil {
			route, _ = cur.GetPathTemplate()
		}
		m.requests.WithLabelValues(route, strconv.Itoa(rec.status)).Inc()
		m.seconds.WithLabelValues(route).Observe(time.Since(begun).Seconds())
	})
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// projection collects the state of the projection when it is asked for.
type projection struct {
	read Reader
	now  func() time.Time
}

var (
	upDesc       = prometheus.NewDesc("zhiban_warehouse_up", "Whether the warehouse answers.", nil, nil)
	eventsDesc   = prometheus.NewDesc("zhiban_projected_events", "Events in the books.", nil, nil)
	parkedDesc   = prometheus.NewDesc("zhiban_parked_events", "Events in the dead letters.", nil, nil)
	newestDesc   = prometheus.NewDesc("zhiban_projected_recorded_timestamp_seconds", "When the newest event in the books was recorded.", nil, nil)
	lagDesc      = prometheus.NewDesc("zhiban_projection_lag_seconds", "From the recording of the newest event in the books to its projection.", nil, nil)
	verifiedDesc = prometheus.NewDesc("zhiban_verification_ok", "Whether the last verification found everything in agreement.", nil, nil)
	ageDesc      = prometheus.NewDesc("zhiban_verification_age_seconds", "Since the last verification ended.", nil, nil)
	offsetDesc   = prometheus.NewDesc("zhiban_projected_offset", "Offset of the first event that is not in the books.", []string{"partition"}, nil)
)

// Describe lists what Collect gives.
func (projection) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{upDesc, eventsDesc, parkedDesc, newestDesc, lagDesc, verifiedDesc, ageDesc, offsetDesc} {
		ch <- d
	}
}

// Collect asks the warehouse.
func (p projection) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	st, err := p.read.Status(ctx)
	if err != nil {
		gauge(upDesc, 0)
		return
	}
	verified, err := p.read.Verified(ctx, time.Time{})
	if err != nil {
		gauge(upDesc, 0)
		return
	}
	gauge(upDesc, 1)
	if !verified.Ended.IsZero() {
		ok := 0.0
		if verified.OK {
			ok = 1
		}
		gauge(verifiedDesc, ok)
		gauge(ageDesc, p.now().Sub(verified.Ended).Seconds())
	}
	gauge(eventsDesc, float64(st.Events))
	gauge(parkedDesc, float64(st.Parked))
	if !st.Recorded.IsZero() {
		gauge(newestDesc, float64(st.Recorded.UnixMilli())/1000)
		gauge(lagDesc, max(0, st.Projected.Sub(st.Recorded).Seconds()))
	}
	for part, offset := range st.Cut.Offsets {
		gauge(offsetDesc, float64(offset), strconv.Itoa(part))
	}
}

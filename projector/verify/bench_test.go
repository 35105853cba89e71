//go:build linux

package verify

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zhiban/ingest/simulate"
	"zhiban/schemas"
)

// BenchmarkVerify verifies a simulated year of about a million events in four
// partitions. One run is enough:
//
//	go test -run '^$' -bench Verify -benchtime 1x ./projector/verify
//
// Memory and processor time are those of the test, with the broker that is
// embedded in it and without ClickHouse.
func BenchmarkVerify(b *testing.B) {
	p := newProjection(b, 4)
	p.put(simulated(b, simulate.Config{From: schemas.Date(2025, 1, 1), To: schemas.Date(2025, 12, 31), Seed: 1, Scale: 2.25}))
	p.project(25_000)
	var took time.Duration
	before, spent := memory(b), cpu(b)
	for b.Loop() {
		began := time.Now()
		if r := p.verify(passRecords); !r.OK() || r.Records != p.sent {
			b.Fatal(say(r))
		}
		took += time.Since(began)
	}
	b.ReportMetric(float64(p.sent)*float64(b.N)/took.Seconds(), "events/s")
	b.ReportMetric(float64((cpu(b)-spent).Microseconds())/float64(p.sent)/float64(b.N), "cpu-µs/event")
	b.ReportMetric(float64(p.sent), "events")
	b.ReportMetric(float64(before), "MB-before")
	b.ReportMetric(float64(memory(b)), "MB-peak")
}

// cpu is the processor time that this process has spent.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is the most memory that this process has had at once since it was asked
// last, in MB.
func memory(b *testing.B) (mb int) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.Fields(kb)[0])
			if err != nil {
				b.Fatal(err)
			}
			mb = n >> 10
		}
	}
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // begins to measure anew
		b.Log(err)
	}
	return mb
}

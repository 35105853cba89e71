package embedded_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"zhiban/deploy/embedded"
)

// BenchmarkRestart is a stop and a start on existing data.
func BenchmarkRestart(b *testing.B) {
	cfg := config(b, b.TempDir())
	for b.Loop() {
		e, err := embedded.Start(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		closeEngines(b, e)
	}
}

// BenchmarkProduce is one request of n events of 500 bytes to one partition, until
// it is acknowledged and thus synced to disk.
func BenchmarkProduce(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := start(b, b.TempDir())
			client, idle := kafkaClient(e)
			defer idle()
			values := make([]string, n)
			for i := range values {
				values[i] = strings.Repeat("x", 500)
			}
			for b.Loop() {
				if err := produce(b.Context(), client, 0, values...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkCommit is one commit of an offset with metadata.
func BenchmarkCommit(b *testing.B) {
	e := start(b, b.TempDir())
	client, idle := kafkaClient(e)
	defer idle()
	for b.Loop() {
		if err := commit(b.Context(), client, -1, "", 0, int64(b.N), "7:1000-1999"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAtRest is no work at all: it reports the memory that the engines need.
func BenchmarkAtRest(b *testing.B) {
	start(b, b.TempDir())
	child, err := childPID(os.Getpid())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.ReportMetric(residentMiB(b, child), "MiB-ClickHouse")
		b.ReportMetric(residentMiB(b, os.Getpid()), "MiB-self")
	}
}

func residentMiB(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}

package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"zhiban/ingest"
	"zhiban/schemas"
)

// largeBook is a consultation ledger of n lines, every 50th without a role.
func largeBook(t testing.TB, n int) []byte {
	t.Helper()
	const answer = "已口头解答并告知权利"
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.SetRow("A1", courtTitle))
	check(w.SetRow("A2", consultHead))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at := start.Add(time.Duration(i) * time.Minute)
		role := []any{"近亲属", "被告人", "犯罪嫌疑人", "其他"}[i%4]
		if i%50 == 49 {
			role = "？"
		}
		check(w.SetRow(fmt.Sprintf("A%d", i+3), []any{i + 1, at.Format("2006.1.2"), at.Format("15:04"), role, "来访",
			"取保候审条件咨询", answer, "否", "王立新", wang, "王立新"}))
	}
	check(w.Flush())
	return bytesOf(t, f)
}

// A file is read in a time and memory that go with its lines; see the numbers
// that -bench prints. A county's month is some hundred lines.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{300, 10_000, 100_000} {
		src := largeBook(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				l, err := Read("a.xlsx", bytes.NewReader(src), ReadOptions{})
				if err != nil || l.Accepted() != n-n/50 {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAnnotate(b *testing.B) {
	for _, n := range []int{300, 10_000, 100_000} {
		src := largeBook(b, n)
		l := read(b, src, ReadOptions{})
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if err := Annotate(src, l, new(bytes.Buffer)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// An import of a large ledger: the dry run, the import, and the same file once
// more when all of it is known, against a platform on loopback that answers at
// once. cpu-s are seconds of the processor, the platform's among them, peak-MB is
// the largest heap in use, asks and posts are requests.
//
//	go test ./ingest/ledger -run ^$ -bench Import -benchtime 1x
func BenchmarkImport(b *testing.B) {
	const lines = 100_000
	path := filepath.Join(b.TempDir(), "a.xlsx")
	if err := os.WriteFile(path, largeBook(b, lines), 0o600); err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	held := map[string]json.RawMessage{}
	asks, posts := 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method == http.MethodGet:
			http.NotFound(w, r)
		case r.URL.Path == ingest.EventsPath:
			posts++
			var events []json.RawMessage
			if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
				b.Error(err)
			}
			results := make([]ingest.Result, len(events))
			for i, raw := range events {
				var e struct{ ID string }
				if err := json.Unmarshal(raw, &e); err != nil {
					b.Error(err)
				}
				held[e.ID], results[i] = raw, ingest.Result{ID: e.ID, Status: ingest.Accepted}
			}
			w.WriteHeader(http.StatusAccepted)
			_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
		default:
			asks++
			var asked struct{ IDs []string }
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
				b.Error(err)
			}
			events := []json.RawMessage{}
			for _, id := range asked.IDs {
				if raw, ok := held[id]; ok {
					events = append(events, raw)
				}
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"events": events})
		}
	}))
	defer server.Close()
	client := &ingest.Client{URL: server.URL}
	send := func(ctx context.Context, events []schemas.Envelope) ([]Result, error) {
		answers, err := client.Send(ctx, events)
		results := make([]Result, len(answers))
		for i, a := range answers {
			results[i] = Result{ID: a.ID, Accepted: a.Status == ingest.Accepted, Errors: a.Errors}
		}
		return results, err
	}
	for _, step := range []struct {
		name string
		dry  bool
	}{{"dry", true}, {"import", false}, {"again", false}} {
		b.Run(step.name, func(b *testing.B) {
			var peak uint64
			asks, posts = 0, 0
			sample := func(Progress) {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
			before := cpu(b)
			for b.Loop() {
				err := Import(b.Context(), Options{Files: []string{path}, DryRun: step.dry, Send: send, Known: client.Known, Out: io.Discard, Progress: sample})
				if !errors.Is(err, ErrRejected) { // every 50th line is wrong
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
			b.ReportMetric(float64(asks)/float64(b.N), "asks/op")
			b.ReportMetric(float64(posts)/float64(b.N), "posts/op")
		})
	}
}

// cpu is the processor's time that the program has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package ledger

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// largeBook is a consultation ledger of n lines, every 50th without a role.
func largeBook(t testing.TB, n int, answer string) []byte {
	t.Helper()
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
		src := largeBook(b, n, "已口头解答并告知权利")
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
		src := largeBook(b, n, "已口头解答并告知权利")
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

package ledger_test

import (
	"fmt"
	"os"

	"zhiban/ingest/ledger"
)

// A county's ledgers of a month become events; what cannot be read is rejected
// with its row and reason.
func ExampleRead() {
	f, err := os.Open("testdata/yanji-detention-2026-09.xlsx")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	l, err := ledger.Read("yanji-detention-2026-09.xlsx", f, ledger.ReadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l.Stations[0].Code, l.Months[0], len(l.Events))
	for _, s := range l.Sheets {
		fmt.Println(s.Name, s.Accepted, s.Repeated, s.Rejected)
	}
	for _, r := range l.Rejections {
		fmt.Println(r.Sheet, r.Row, r.Code)
	}
	// Output:
	// 222401-detention 2026-09 166
	// 签到簿 31 1 3
	// 咨询台账 54 0 0
	// 签到簿 43 licence
	// 签到簿 44 date
	// 签到簿 45 order
}

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	kafka "github.com/segmentio/kafka-go"
	"github.com/xuri/excelize/v2"

	"zhiban/deploy/embedded"
	"zhiban/ingest/simulate"
	"zhiban/schemas"
)

// binary is the program under test, built as `make build` builds it.
var binary string

func TestMain(m *testing.M) {
	embedded.ChildMain()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "zhiban")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "zhiban")
		if out, err := exec.Command("go", "build", "-trimpath", "-o", binary, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build zhiban: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// patience bounds every wait of these tests. It is long because it never
// decides anything: what is waited for either happens or the test fails.
const patience = 3 * time.Minute

// process is a running zhiban.
type process struct {
	*exec.Cmd
	out  *output
	done chan struct{}
}

// output is what a process printed so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs the real binary; it is killed at the test's end if it still runs.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{exec.Command(binary, args...), new(output), make(chan struct{})}
	library, err := embedded.FindLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	p.Env = append(os.Environ(), "ZHIBAN_CLICKHOUSE_LIB="+library, "ZHIBAN_TOKEN="+program)
	p.Stdout, p.Stderr = p.out, p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.Wait(); close(p.done) }()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("zhiban %s:\n%s", strings.Join(args, " "), p.out)
		}
	})
	return p
}

// end waits for the process to end by itself and returns its exit status.
func (p *process) end(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%v does not end; it printed:\n%s", p.Args, p.out)
	}
	return p.ProcessState.ExitCode()
}

// run runs the binary to its end.
func runCommand(t *testing.T, args ...string) (status int, output string) {
	t.Helper()
	p := start(t, args...)
	return p.end(t), p.out.String()
}

// freeAddr is an address nobody listens on.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually asks until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// ready waits until a server answers.
func ready(t testing.TB, p *process, base string) {
	t.Helper()
	eventually(t, base+" is ready", func() bool {
		select {
		case <-p.done:
			t.Fatalf("%v ended:\n%s", p.Args, p.out)
		default:
		}
		res, err := http.Get(base + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// program is the token that the tests' requests and programs show; none when
// empty.
var program string

// newToken makes a token by the command for it.
func newToken(t *testing.T, args ...string) string {
	t.Helper()
	p := start(t, append([]string{"token", "create", "test"}, args...)...)
	if status := p.end(t); status != 0 {
		t.Fatalf("token create: status %d\n%s", status, p.out)
	}
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	return lines[len(lines)-1]
}

func get(t testing.TB, address string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if program != "" {
		req.Header.Set("Authorization", "Bearer "+program)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v\n%s", address, res.Status, err, b)
	}
	return b
}

// answer is what GET /api/v1/statistics returns.
type answer struct {
	Cut  map[string]int64 `json:"cut"`
	Rows []map[string]any `json:"rows"`
}

func statistics(t testing.TB, base string, params ...string) answer {
	t.Helper()
	q := url.Values{}
	for i := 0; i < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	var a answer
	if err := json.Unmarshal(get(t, base+"/api/v1/statistics?"+q.Encode()), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// figures are a row's numbers by indicator, zeros left out.
func figures(row map[string]any, codes []schemas.IndicatorCode) map[schemas.IndicatorCode]int64 {
	out := map[schemas.IndicatorCode]int64{}
	for _, c := range codes {
		if n, _ := row[string(c)].(float64); n != 0 {
			out[c] = int64(n)
		}
	}
	return out
}

// projected is how many records of the log the projection holds.
func projected(t *testing.T, base string) int64 {
	t.Helper()
	var s struct {
		Cut map[string]int64 `json:"cut"`
	}
	if err := json.Unmarshal(get(t, base+"/api/v1/status"), &s); err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, offset := range s.Cut {
		n += offset
	}
	return n
}

// The promise, end to end: events of a simulated province come in by HTTP while
// the projector is killed over and over; in the end every figure equals the
// simulator's own count, however it is split.
func TestStatisticsEqualTheTruthWhileTheProjectorIsKilled(t *testing.T) {
	engines, err := embedded.Start(t.Context(), embedded.Config{
		Dir: t.TempDir(), Topics: map[string]int{schemas.Topic: 3, schemas.DeadLetterTopic: 1}, Log: slog.Default(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer engines.Close()
	brokers, dsn := "--kafka="+engines.Kafka(), "--clickhouse="+engines.ClickHouse().DSN()
	program = newToken(t, brokers, "--role=province", "--division=220000")
	defer func() { program = "" }()
	if status, out := runCommand(t, "migrate", dsn); status != 0 {
		t.Fatalf("migrate: status %d\n%s", status, out)
	}
	in, pages := freeAddr(t), freeAddr(t)
	ready(t, start(t, "ingest", "--listen="+in, "--keys="+filepath.Join(t.TempDir(), "keys"), brokers), "http://"+in)
	base := "http://" + pages
	ready(t, start(t, "dashboard", "--listen="+pages, brokers, dsn), base)

	projector := start(t, "projector", brokers, dsn)
	truthFile := filepath.Join(t.TempDir(), "truth.json")
	simulation := start(t, "simulate", "--from=2025-12-01", "--to=2026-01-31", "--seed=7", "--scale=1", "--to=http://"+in, "--truth="+truthFile)
	// A projector is killed each time it has the group for itself and has moved
	// the projection on. (One that is killed while it joins is a member for ever
	// to the embedded broker, which expects those who joined to synchronise.)
	kills, seen, dead := 0, int64(0), ""
	for ; kills < 4; kills++ {
		member := ""
		eventually(t, "the projector has the group", func() bool {
			member = onlyMember(t, engines.Kafka())
			return member != "" && member != dead
		})
		eventually(t, "the projection moves on, or has all there is", func() bool {
			n := projected(t, base)
			moved := n > seen
			seen = n
			select {
			case <-simulation.done:
				return true
			default:
				return moved
			}
		})
		_ = projector.Process.Kill()
		<-projector.done
		dead = member
		projector = start(t, "projector", brokers, dsn)
	}
	if status := simulation.end(t); status != 0 {
		t.Fatalf("simulate: status %d\n%s", status, simulation.out)
	}
	f, err := os.Open(truthFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	truth, err := simulate.ReadTruth(f)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "every record is projected", func() bool { return projected(t, base) == int64(truth.LogRecords) })
	t.Logf("%d events, %d records, %d kills", truth.Events, truth.LogRecords, kills)

	enteredNow(truth)
	compareWithTruth(t, base, truth)
}

// enteredNow says of a truth of long ago that all of it came in by HTTP today:
// every consultation was entered late.
func enteredNow(truth *simulate.Truth) {
	late := func(f simulate.Figures) { f[schemas.ConsultationsLateEntry] = f[schemas.Consultations] }
	late(truth.Total)
	for _, divisions := range truth.Months {
		for _, f := range divisions {
			late(f)
		}
	}
	for _, f := range truth.Stations {
		late(f)
	}
	for _, values := range truth.By {
		for _, f := range values {
			late(f)
		}
	}
}

// onlyMember is the member of the projection's group, when it has just one and
// nobody is joining.
func onlyMember(t *testing.T, kafkaAddr string) string {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(kafkaAddr)}
	res, err := client.DescribeGroups(t.Context(), &kafka.DescribeGroupsRequest{GroupIDs: []string{"zhiban-projector"}})
	if err != nil {
		t.Fatal(err)
	}
	if g := res.Groups[0]; g.GroupState == "Stable" && len(g.Members) == 1 {
		return g.Members[0].MemberID
	}
	return ""
}

// compareWithTruth asks for the figures in every way that the truth knows.
func compareWithTruth(t *testing.T, base string, truth *simulate.Truth) {
	var codes, flows []schemas.IndicatorCode
	for _, ind := range schemas.Indicators.All() {
		if ind.Divided() {
			continue // both halves are compared
		}
		codes = append(codes, ind.Code)
		if ind.Kind != schemas.Stock {
			flows = append(flows, ind.Code)
		}
	}
	list := func(codes []schemas.IndicatorCode) string {
		var s []string
		for _, c := range codes {
			s = append(s, string(c))
		}
		return strings.Join(s, ",")
	}
	from, to := truth.From.String(), truth.To.String()
	compared := 0
	compare := func(where string, want, got map[schemas.IndicatorCode]int64, codes []schemas.IndicatorCode) {
		t.Helper()
		for _, c := range codes {
			compared++
			if want[c] != got[c] {
				t.Errorf("%s: %s is %d, the truth is %d", where, c, got[c], want[c])
			}
		}
	}
	known := func(division schemas.DivisionCode, month schemas.Month, codes []schemas.IndicatorCode) map[schemas.IndicatorCode]int64 {
		out := map[schemas.IndicatorCode]int64{}
		for _, c := range codes {
			out[c] = truth.Lookup(month, division, c)
		}
		return out
	}
	if truth.Total[schemas.Consultations] == 0 || truth.Total[schemas.NotificationsOverdue] == 0 {
		t.Fatalf("the simulation did nothing: %v", truth.Total)
	}

	whole := statistics(t, base, "from", from, "to", to, "indicator", list(codes))
	compare("the province", truth.Total, figures(whole.Rows[0], codes), codes)

	divisions := []schemas.DivisionCode{schemas.Province}
	for _, d := range schemas.Divisions.Children(schemas.Province, truth.From, truth.To) {
		divisions = append(divisions, d.Code)
	}
	for _, parent := range divisions {
		children := map[schemas.DivisionCode]bool{}
		for _, d := range schemas.Divisions.Children(parent, truth.From, truth.To) {
			children[d.Code] = true
		}
		got := map[string]map[schemas.IndicatorCode]int64{}
		for _, row := range statistics(t, base, "division", string(parent), "from", from, "to", to, "by", "division,month", "indicator", list(flows)).Rows {
			got[row["division"].(string)+" "+row["month"].(string)] = figures(row, flows)
		}
		for child := range children {
			for month := truth.From.Month(); month <= truth.To.Month(); month++ {
				key := string(child) + " " + month.String()
				compare(key, known(child, month, flows), got[key], flows)
			}
		}
		for month := truth.From.Month(); month <= truth.To.Month(); month++ {
			stocks := []schemas.IndicatorCode{schemas.Stations, schemas.Lawyers}
			row := statistics(t, base, "division", string(parent), "from", month.First().String(), "to", min(month.Last(), truth.To).String(), "indicator", list(stocks)).Rows[0]
			compare(string(parent)+" at the end of "+month.String(), known(parent, month, stocks), figures(row, stocks), stocks)
		}
	}

	split := func(by string, want map[string]simulate.Figures, codes []schemas.IndicatorCode) {
		t.Helper()
		got := map[string]map[schemas.IndicatorCode]int64{}
		for _, row := range statistics(t, base, "from", from, "to", to, "by", by, "indicator", list(codes)).Rows {
			if key := row[by].(string); key != "" {
				got[key] = figures(row, codes)
			}
		}
		for key, figures := range want {
			compare(by+" "+key, figures, got[key], codes)
		}
		for key := range got {
			if _, ok := want[key]; !ok {
				t.Errorf("%s %s has figures, but not in the truth", by, key)
			}
		}
	}
	waits := 0
	for _, parent := range divisions {
		for _, row := range statistics(t, base, "division", string(parent), "from", from, "to", to, "by", "division", "indicator", list([]schemas.IndicatorCode{schemas.ResponseMedian, schemas.ResponseP90})).Rows {
			child := schemas.DivisionCode(row["division"].(string))
			if child == parent {
				continue // what it reports itself is not apart in the truth
			}
			waits++
			got := simulate.Responses{Median: row[string(schemas.ResponseMedian)].(float64), P90: row[string(schemas.ResponseP90)].(float64)}
			if want := truth.Responses[child]; math.Abs(got.Median-want.Median) > 1e-6 || math.Abs(got.P90-want.P90) > 1e-6 {
				t.Errorf("requests of %s waited %+v, the truth is %+v", child, got, want)
			}
		}
	}
	if waits == 0 {
		t.Error("no request for help was answered")
	}
	additive := slices.DeleteFunc(slices.Clone(flows), func(c schemas.IndicatorCode) bool {
		ind, err := schemas.Indicators.Lookup(c)
		return err != nil || ind.Kind == schemas.Distinct
	})
	stations := map[string]simulate.Figures{}
	for code, f := range truth.Stations {
		stations[string(code)] = f
	}
	split("station", stations, additive)
	duty := []schemas.IndicatorCode{schemas.Shifts, schemas.DutyMinutes, schemas.Consultations, schemas.ApplicationsReceived, schemas.ApplicationsTransferred}
	split("lawyer", truth.Lawyers, duty)
	for _, by := range slices.Sorted(maps.Keys(truth.By)) {
		relevant := slices.DeleteFunc(slices.Clone(additive), func(c schemas.IndicatorCode) bool {
			return !slices.ContainsFunc(slices.Collect(maps.Values(truth.By[by])), func(f simulate.Figures) bool { return f[c] != 0 })
		})
		split(by, truth.By[by], relevant)
	}
	t.Logf("%d figures compared", compared)
}

// Standalone, as a clerk's office would use it: ledgers are imported, every
// figure equals the count made by hand, and all of it is there after a kill.
func TestStandaloneHoldsTwoLedgers(t *testing.T) {
	data, addr := filepath.Join(t.TempDir(), "data"), freeAddr(t)
	base := "http://" + addr
	args := []string{"standalone", "--listen=" + addr, "--data=" + data, "--no-demo"}
	p := start(t, args...)
	ready(t, p, base)

	if status, out := runCommand(t, "standalone", "--listen="+addr, "--data="+data+"2", "--no-demo"); status != 1 || strings.Count(out, "\n") != 1 || !strings.Contains(out, addr) {
		t.Errorf("a port in use: status %d, output %q", status, out)
	}
	if status, out := runCommand(t, "standalone", "--listen="+freeAddr(t), "--data="+data, "--no-demo"); status != 1 || strings.Count(out, "\n") != 1 || !strings.Contains(out, data) {
		t.Errorf("a data directory in use: status %d, output %q", status, out)
	}

	names := []string{"yanji-detention-2026-09", "yushu-court-2026-09"}
	var moments []time.Time
	var then []answer
	records := int64(0)
	for _, name := range names {
		truth := readLedgerTruth(t, name)
		file := copyLedger(t, name)
		if status, out := runCommand(t, "import", "--dry-run", "--to="+base, file); status != 2 || !strings.Contains(out, "执业证号") {
			t.Errorf("dry run of %s: status %d\n%s", name, status, out)
		}
		if n := projected(t, base); n != records {
			t.Fatalf("a dry run sent %d records", n-records)
		}
		status, out := runCommand(t, "import", "--to="+base, file)
		if status != 2 { // some rows are to be rejected
			t.Fatalf("import of %s: status %d\n%s", name, status, out)
		}
		for _, r := range truth.Rejected {
			if !strings.Contains(out, r.Sheet) || !strings.Contains(out, fmt.Sprint(r.Row)) {
				t.Errorf("import of %s does not name %s row %d:\n%s", name, r.Sheet, r.Row, out)
			}
		}
		events := 2*truth.Shifts - truth.OpenShifts + 2*truth.Consultations - truth.Unsigned
		records += events
		eventually(t, name+" is projected", func() bool { return projected(t, base) >= records })
		truth.compare(t, base)
		moments = append(moments, time.Now())
		then = append(then, statistics(t, base, "from", "2026-09-01", "to", "2026-09-30", "by", "station,lawyer,mode,channel", "indicator", "shifts,duty_minutes,consultations,persons_consulted"))
	}

	// Importing twice counts once, and what is known is not even sent.
	for _, name := range names {
		if status, out := runCommand(t, "import", "--to="+base, copyLedger(t, name)); status != 2 {
			t.Fatalf("second import of %s: status %d\n%s", name, status, out)
		}
		readLedgerTruth(t, name).compare(t, base)
	}
	if n := projected(t, base); n != records {
		t.Errorf("the second imports sent %d records", n-records)
	}

	// A ledger that was mended posts the difference.
	if status, out := runCommand(t, "import", "--to="+base, mendLedger(t, names[1])); status != 2 || !strings.Contains(out, "更正") {
		t.Errorf("import of the mended ledger: status %d\n%s", status, out)
	}
	eventually(t, "the correction is projected", func() bool { return projected(t, base) == records+1 })
	mended := readLedgerTruth(t, names[1])
	mended.ByMode["现场"]--
	mended.ByMode["电话"]++
	mended.compare(t, base)

	// What was known then can be asked for ever.
	for i, moment := range moments {
		got := statistics(t, base, "from", "2026-09-01", "to", "2026-09-30", "by", "station,lawyer,mode,channel", "indicator", "shifts,duty_minutes,consultations,persons_consulted", "as_of", moment.Format(time.RFC3339Nano))
		if !slices.EqualFunc(got.Rows, then[i].Rows, maps.Equal) {
			t.Errorf("as of %s the answer is not what it was", moment)
		}
	}

	// Files of every kind open.
	for path, kind := range map[string]string{
		"/api/v1/lawyers/12201201810123456/record?year=2026": "xl/workbook.xml",
		"/api/v1/returns/220182/2026-09.xlsx":                "xl/workbook.xml",
		"/api/v1/slides?division=220000&period=2026-09":      "ppt/presentation.xml",
		"/api/v1/slides?division=222400&period=2026-09":      "ppt/presentation.xml",
	} {
		if b := get(t, base+path); !bytes.HasPrefix(b, []byte("PK")) || !bytes.Contains(b, []byte(kind)) {
			t.Errorf("%s is not the file it should be (%d bytes)", path, len(b))
		}
	}

	// Killed, all of it is there at the next start.
	_ = p.Process.Kill()
	<-p.done
	p = start(t, args...)
	ready(t, p, base)
	readLedgerTruth(t, names[0]).compare(t, base)
	mended.compare(t, base)
	_ = p.Process.Signal(syscall.SIGINT)
	if status := p.end(t); status != 0 {
		t.Errorf("Ctrl-C: status %d\n%s", status, p.out)
	}
}

// An open page shows a posted event by itself.
func TestAPostedEventChangesTheOpenPage(t *testing.T) {
	addr := freeAddr(t)
	base := "http://" + addr
	ready(t, start(t, "standalone", "--listen="+addr, "--data="+filepath.Join(t.TempDir(), "data"), "--no-demo"), base)
	consult := func(person string) {
		t.Helper()
		e := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/stations/220182-court","type":"zhiban.consultation.recorded.v1","subject":"consultation/%s","time":%q,
			"data":{"lawyer":"12201201810123456","channel":"visit","person":%q,"person_role":"relative"}}`, uuid.NewString(), uuid.NewString(), time.Now().Add(-time.Hour).Format(time.RFC3339), person)
		res, err := http.Post(base+"/api/v1/events", "application/cloudevents+json", strings.NewReader(e))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if b, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusAccepted {
			t.Fatalf("POST: %s\n%s", res.Status, b)
		}
	}
	consult("p-1")
	eventually(t, "the first event is projected", func() bool { return projected(t, base) == 1 })

	alloc, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.UserDataDir(t.TempDir()))...)
	defer stop()
	tab, closeTab := chromedp.NewContext(alloc)
	defer closeTab()
	// The card whose link opens the postings of consultations.
	const figure = `document.querySelector('#cards a[href*="indicator=consultations"][href^="/details"]').textContent.trim()`
	read := func() string {
		t.Helper()
		v, err := chromedp.Run(tab, chromedp.Evaluate[string](figure))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if err := chromedp.Do(tab, chromedp.Navigate(base+"/divisions/220182?month="+schemas.DayOf(time.Now().Add(-time.Hour)).Month().String())); err != nil {
		t.Fatal(err)
	}
	if got := read(); !strings.HasPrefix(got, "1") {
		t.Fatalf("one consultation was posted, the page shows %q", got)
	}
	consult("p-2")
	eventually(t, "the open page shows two consultations", func() bool { return strings.HasPrefix(read(), "2") })
}

// A platform that was just started is open to its own machine alone; from the
// first administrator on everyone is let in by what they are, programs too. What
// is said of a person is nowhere to be read, and can be destroyed, while figures
// stay.
func TestWhoMayComeIn(t *testing.T) {
	data, addr := filepath.Join(t.TempDir(), "data"), freeAddr(t)
	base := "http://" + addr
	p := start(t, "--verbose", "standalone", "--listen="+addr, "--data="+data, "--no-demo")
	ready(t, p, base)
	ask := func(method, path, token, body string, headers ...string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		res, err := http.DefaultTransport.RoundTrip(req) // follows nothing
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	want := func(what string, got int, body string, status int) {
		t.Helper()
		if got != status {
			t.Errorf("%s: %d, not %d\n%s", what, got, status, body)
		}
	}
	const figures = "/api/v1/statistics?from=2026-09-01&to=2026-09-30&indicator=consultations,persons_consulted"
	status, body := ask("GET", figures, "", "")
	want("this machine before there is an administrator", status, body, http.StatusOK)
	for _, header := range [][]string{{"X-Forwarded-For", "192.0.2.1"}, {"Via", "1.1 front"}} {
		status, body = ask("GET", figures, "", "", header...)
		want("another machine by way of a proxy, "+header[0], status, body, http.StatusUnauthorized)
	}

	link := ""
	eventually(t, "the first administrator's link is printed", func() bool {
		_, rest, _ := strings.Cut(p.out.String(), base+"/login/link/")
		link, _, _ = strings.Cut(rest, "\n")
		return strings.Contains(rest, "\n")
	})
	enter := func() (int, string) {
		t.Helper()
		return ask("POST", "/login/link/"+link, "", "", "Content-Type", "application/x-www-form-urlencoded")
	}
	status, body = enter()
	want("the first administrator's link", status, body, http.StatusSeeOther)
	status, body = enter()
	if status == http.StatusSeeOther {
		t.Errorf("the link lets in a second time\n%s", body)
	}
	status, body = ask("GET", figures, "", "")
	want("this machine since then", status, body, http.StatusUnauthorized)
	status, body = ask("GET", "/", "", "", "Accept", "text/html")
	want("a page for nobody", status, body, http.StatusSeeOther)
	status, body = ask("GET", "/nowhere", "", "", "Accept", "text/html")
	want("no page for nobody", status, body, http.StatusNotFound)
	if strings.Contains(body, "data-cut") {
		t.Error("nobody is told how far the log is")
	}

	in := "--data=" + data
	county, station := newToken(t, in, "--role=county", "--division=220182"), newToken(t, in, "--role=station", "--station=220182-court")
	auditor := newToken(t, in, "--role=auditor", "--division=220000")
	status, body = ask("GET", figures, station+"x", "")
	want("a forged token", status, body, http.StatusUnauthorized)
	status, body = ask("GET", figures+"&division=220000", county, "")
	want("another's division", status, body, http.StatusNotFound)
	status, body = ask("GET", "/metrics", county, "")
	want("what is not for the role", status, body, http.StatusForbidden)

	const secret = "他问能不能取保候审"
	consultation := func(id, station string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/stations/%s","type":"zhiban.consultation.recorded.v1","subject":"consultation/%s","time":"2026-09-01T09:00:00+08:00",
			"data":{"lawyer":"12201201810123456","channel":"visit","person":"kin-of-the-tall-one","person_role":"relative","question":%q}}`, id, station, id, secret)
	}
	post := func(token, event string) (int, string) {
		return ask("POST", "/api/v1/events", token, event, "Content-Type", "application/cloudevents+json")
	}
	id := uuid.NewString()
	status, body = post(station, consultation(uuid.NewString(), "220182-detention"))
	want("an event of another station", status, body, http.StatusUnprocessableEntity)
	status, body = post(auditor, consultation(uuid.NewString(), "220182-court"))
	want("an event of who writes none", status, body, http.StatusUnprocessableEntity)
	status, body = post("", consultation(uuid.NewString(), "220182-court"))
	want("an event of nobody", status, body, http.StatusUnauthorized)
	status, body = post(station, consultation(id, "220182-court"))
	want("an event of its own", status, body, http.StatusAccepted)
	counted := func() string {
		_, body := ask("GET", figures, county, "")
		var a answer
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(a.Rows)
	}
	eventually(t, "the consultation is counted", func() bool { return strings.Contains(counted(), "consultations:1") })
	before := counted()
	if _, body = ask("GET", "/api/v1/events/"+id, county, ""); !strings.Contains(body, id) || strings.Contains(body, secret) || strings.Contains(body, "kin-of-the-tall-one") {
		t.Errorf("the event is\n%s", body)
	}

	if status, out := runCommand(t, "erase", "--person=kin-of-the-tall-one", in); status != 0 || !strings.Contains(out, "1 个密钥") {
		t.Errorf("erase: status %d\n%s", status, out)
	}
	if after := counted(); after != before {
		t.Errorf("erased, the figures are %s, were %s", after, before)
	}
	if status, out := runCommand(t, "verify", in); status != 0 {
		t.Errorf("verify: status %d\n%s", status, out)
	}
	if status, out := runCommand(t, "token", "list", in); status != 0 || strings.Contains(out, station) {
		t.Errorf("token list: status %d\n%s", status, out)
	}
	id, _, _ = strings.Cut(strings.TrimPrefix(station, "zb_"), "_")
	if status, out := runCommand(t, "token", "revoke", id, in); status != 0 {
		t.Errorf("token revoke: status %d\n%s", status, out)
	}
	eventually(t, "the token is revoked", func() bool {
		status, _ := post(station, consultation(uuid.NewString(), "220182-court"))
		return status == http.StatusUnauthorized
	})

	_ = p.Process.Signal(syscall.SIGINT)
	if status := p.end(t); status != 0 {
		t.Errorf("Ctrl-C: status %d\n%s", status, p.out)
	}
	password, err := os.ReadFile(filepath.Join(data, "clickhouse-password"))
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"the text": secret, "the person": "kin-of-the-tall-one", "a token": county, "ClickHouse's password": strings.TrimSpace(string(password))} {
		if strings.Contains(p.out.String(), text) {
			t.Errorf("%s stands in what the program logged", what)
		}
	}
	var keys struct {
		Pseudonyms string
		Keys       []struct{ Key string }
	}
	file, err := os.ReadFile(data + ".keys")
	if err == nil {
		err = json.Unmarshal(file, &keys)
	}
	if err != nil || len(keys.Keys) == 0 || keys.Pseudonyms == "" {
		t.Fatalf("the key file: %v\n%s", err, file)
	}
	master, err := base64.StdEncoding.DecodeString(keys.Keys[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	// A copy of the data holds none of it.
	if err := filepath.WalkDir(data, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		for what, text := range map[string]string{"the text": secret, "the person": "kin-of-the-tall-one", "a token": county, "the link": link,
			"the master key": string(master), "the master key's text": keys.Keys[0].Key, "the key of pseudonyms": keys.Pseudonyms} {
			if bytes.Contains(b, []byte(text)) {
				t.Errorf("%s stands in %s", what, path)
			}
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// BenchmarkVisible posts 100 events a second, one a request, and measures the
// time from each event's acceptance to its being in the statistics:
//
//	go test -run '^$' -bench Visible -benchtime 1x .
func BenchmarkVisible(b *testing.B) {
	addr := freeAddr(b)
	base := "http://" + addr
	ready(b, start(b, "standalone", "--listen="+addr, "--data="+filepath.Join(b.TempDir(), "data"), "--no-demo"), base)
	const rate, total = 100, 2000
	stations := []string{"220182-court", "222401-detention", "220102-court", "220204-procuratorate", "220302-court", "220702-detention", "220802-court", "220581-detention"}
	var mu sync.Mutex
	var accepted []time.Time // in order of acceptance
	var posts sync.WaitGroup
	go func() {
		tick := time.NewTicker(time.Second / rate)
		defer tick.Stop()
		for i := range total {
			<-tick.C
			posts.Go(func() {
				e := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/stations/%s","type":"zhiban.consultation.recorded.v1","subject":"consultation/%s","time":"2026-09-01T09:00:00+08:00",
					"data":{"lawyer":"12201201810123456","channel":"visit","person":"p-%d","person_role":"relative"}}`, uuid.NewString(), stations[i%len(stations)], uuid.NewString(), i)
				res, err := http.Post(base+"/api/v1/events", "application/cloudevents+json", strings.NewReader(e))
				if err != nil {
					b.Error(err)
					return
				}
				if res.StatusCode != http.StatusAccepted {
					b.Error(res.Status)
				}
				res.Body.Close()
				mu.Lock()
				accepted = append(accepted, time.Now())
				mu.Unlock()
			})
		}
	}()
	var waits []time.Duration
	for len(waits) < total && !b.Failed() {
		n := 0
		if rows := statistics(b, base, "from", "2026-09-01", "to", "2026-09-30", "indicator", "consultations").Rows; len(rows) > 0 {
			f, _ := rows[0]["consultations"].(float64)
			n = int(f)
		}
		now := time.Now()
		mu.Lock()
		for i := len(waits); i < min(n, len(accepted)); i++ {
			waits = append(waits, now.Sub(accepted[i]))
		}
		mu.Unlock()
	}
	if b.Failed() {
		return
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)/2].Milliseconds()), "ms-median")
	b.ReportMetric(float64(waits[len(waits)*99/100].Milliseconds()), "ms-p99")
	b.ReportMetric(0, "ns/op")
}

// ledgerTruth is what a ledger amounts to, counted by hand.
type ledgerTruth struct {
	Station       string           `json:"station"`
	Shifts        int64            `json:"shifts"`
	DutyMinutes   int64            `json:"duty_minutes"`
	OpenShifts    int64            `json:"open_shifts"`
	ByMode        map[string]int64 `json:"shifts_by_mode"`
	Consultations int64            `json:"consultations"`
	ByRole        map[string]int64 `json:"consultations_by_role"`
	ByChannel     map[string]int64 `json:"consultations_by_channel"`
	Unsigned      int64            `json:"unsigned"`
	Guided        int64            `json:"guided_to_apply"`
	Rejected      []struct {
		Sheet string `json:"sheet"`
		Row   int    `json:"row"`
	} `json:"rejected_rows"`
	ByLawyer map[string]struct {
		Shifts        int64 `json:"shifts"`
		DutyMinutes   int64 `json:"duty_minutes"`
		Consultations int64 `json:"consultations"`
	} `json:"by_lawyer"`
}

const ledgers = "ingest/ledger/testdata/"

func readLedgerTruth(t *testing.T, name string) ledgerTruth {
	t.Helper()
	b, err := os.ReadFile(ledgers + name + ".truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var truth ledgerTruth
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	return truth
}

// copyLedger copies a ledger to where its marked copy may be written beside it.
func copyLedger(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(ledgers + name + ".xlsx")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name+".xlsx")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// mendLedger is a copy of a ledger in which one shift on site has become one by
// phone.
func mendLedger(t *testing.T, name string) string {
	t.Helper()
	file := copyLedger(t, name)
	f, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("签到簿")
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if len(row) > 6 && row[6] == "现场" {
			if err := f.SetCellStr("签到簿", fmt.Sprintf("G%d", i+1), "电话"); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	return file
}

func (l ledgerTruth) compare(t *testing.T, base string) {
	t.Helper()
	ask := func(by, indicators string) []map[string]any {
		params := []string{"from", "2026-09-01", "to", "2026-09-30", "station", l.Station, "indicator", indicators}
		if by != "" {
			params = append(params, "by", by)
		}
		return statistics(t, base, params...).Rows
	}
	equal := func(what string, got any, want int64) {
		t.Helper()
		if n, _ := got.(float64); int64(n) != want {
			t.Errorf("%s: %s is %v, by hand it is %d", l.Station, what, got, want)
		}
	}
	total := ask("", "shifts,duty_minutes,shifts_open,consultations,consultations_unsigned,consultations_guided")[0]
	equal("shifts", total["shifts"], l.Shifts)
	equal("duty minutes", total["duty_minutes"], l.DutyMinutes)
	equal("open shifts", total["shifts_open"], l.OpenShifts)
	equal("consultations", total["consultations"], l.Consultations)
	equal("unsigned", total["consultations_unsigned"], l.Unsigned)
	equal("guided", total["consultations_guided"], l.Guided)
	words := map[string]string{
		"现场": "onsite", "电话": "phone", "网络": "online", "来访": "visit", "来电": "phone", "在押会见": "in_custody",
		"犯罪嫌疑人": "suspect", "被告人": "defendant", "近亲属": "relative", "其他": "other",
	}
	for _, split := range []struct {
		by, code string
		want     map[string]int64
	}{{"mode", "shifts", l.ByMode}, {"channel", "consultations", l.ByChannel}, {"person_role", "consultations", l.ByRole}} {
		got := map[string]any{}
		for _, row := range ask(split.by, split.code) {
			got[row[split.by].(string)] = row[split.code]
		}
		for word, want := range split.want {
			equal(split.code+" "+word, got[words[word]], want)
		}
	}
	got := map[string]map[string]any{}
	for _, row := range ask("lawyer", "shifts,duty_minutes,consultations") {
		got[row["lawyer"].(string)] = row
	}
	for licence, want := range l.ByLawyer {
		equal("shifts of "+licence, got[licence]["shifts"], want.Shifts)
		equal("minutes of "+licence, got[licence]["duty_minutes"], want.DutyMinutes)
		equal("consultations of "+licence, got[licence]["consultations"], want.Consultations)
	}
}

// Packages import in one direction only, so that a reader follows an event from
// ingest to a figure without turning back.
func TestImportsFlowOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	side := func(pkg string) string { // ingest, projector, dashboard, schemas or deploy
		s, _, _ := strings.Cut(strings.TrimPrefix(pkg, "zhiban/"), "/")
		return s
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		for _, imported := range f[1:] {
			if !strings.HasPrefix(imported, "zhiban/") || f[0] == "zhiban" {
				continue
			}
			from, to := side(f[0]), side(imported)
			if from != to && (to != "schemas" || from == "deploy") {
				t.Errorf("%s imports %s: only main joins the parts", f[0], imported)
			}
		}
		if f[0] == "zhiban/dashboard/export" && slices.Contains(f, "zhiban/schemas/warehouse") {
			t.Errorf("%s is pure and must not reach the warehouse", f[0])
		}
		if side(f[0]) == "dashboard" && f[0] != "zhiban/dashboard/report" && slices.Contains(f, "zhiban/schemas/warehouse") {
			t.Errorf("%s reads the warehouse; only report may", f[0])
		}
	}
	deps, err := exec.Command("go", "list", "-deps", "zhiban/projector/posting").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, banned := range []string{"kafka-go", "clickhouse-go/v2", "zhiban/schemas/warehouse", "database/sql"} {
		if strings.Contains(string(deps), banned+"\n") {
			t.Errorf("zhiban/projector/posting depends on %s: it must stay pure", banned)
		}
	}
}

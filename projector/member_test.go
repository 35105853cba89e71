package projector

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestWhichProcessesAreGone(t *testing.T) {
	here := thisProcess()
	if here.gone(here) {
		t.Error("this process is gone")
	}
	if back, ok := parseClientID(here.clientID()); !ok || back != here {
		t.Errorf("%q is read as %+v", here.clientID(), back)
	}
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		change func(*process)
		gone   bool
	}{
		"ended":                     {func(p *process) { p.pid = ended.Process.Pid }, true},
		"an earlier one of its pid": {func(p *process) { p.start = "1" }, true},
		"of before a restart":       {func(p *process) { p.boot = "another" }, true},
		"of another machine":        {func(p *process) { p.host, p.start = "another", "1" }, false},
	} {
		other := here
		c.change(&other)
		if other.gone(here) != c.gone {
			t.Errorf("a process %s is gone: %v, want %v", what, !c.gone, c.gone)
		}
	}
	if _, ok := parseClientID("somebody else"); ok {
		t.Error("a stranger is taken for a projector")
	}
}

// A projector that was killed does not hold up the one that is started again,
// although its session has not ended.
func TestAKilledProjectorIsReplacedAtOnce(t *testing.T) {
	f := newFixtureAt(t, []string{engines.Kafka()}, 2)
	f.putProvince(provinceEvents)
	cmd := f.start(child{Step: Posted, Nth: 3})
	_ = cmd.Wait()
	if s := cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signal() != syscall.SIGKILL {
		t.Fatalf("the projector ended with %v", s)
	}
	began := time.Now()
	before := f.number(projectedSQL)
	stop := f.runWith(func(p *Projector) { p.cfg.BatchRows = 100 })
	f.atLeast(before+1, projectedSQL)
	t.Logf("recovered %s after kill -9", time.Since(began).Round(time.Millisecond))
	f.until(f.sent, projectedSQL)
	stop()
	if !f.log.has("whose process is gone") {
		t.Errorf("the dead member was waited for: %s", strings.Join(*f.log.lines.Load(), "\n"))
	}
	f.proveWhole()
	if err := (&Projector{cfg: Config{}, client: f.client, log: nil}).dismissDead(context.Background(), "no such group"); err != nil {
		t.Error(err)
	}
}

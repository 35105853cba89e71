package embedded_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	kafka "github.com/segmentio/kafka-go"

	"zhiban/deploy/embedded"
)

func TestASecondProgramIsRefused(t *testing.T) {
	dir := t.TempDir()
	start(t, dir)
	startFails(t, config(t, dir), embedded.ErrInUse, dir, fmt.Sprint("process ", os.Getpid()))
}

func TestAPortInUseIsNamed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	addr := ln.Addr().String()

	cfg := config(t, t.TempDir())
	cfg.KafkaAddr = addr
	startFails(t, cfg, embedded.ErrPortInUse, "Kafka", addr)

	cfg = config(t, t.TempDir())
	cfg.ClickHouseAddr = addr
	startFails(t, cfg, embedded.ErrPortInUse, "ClickHouse", addr)
}

func TestAnAddressThatOthersReachIsRefused(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":9092", "127.0.0.1", "example.org:9092"} {
		cfg := config(t, t.TempDir())
		cfg.KafkaAddr = addr
		if e, err := embedded.Start(t.Context(), cfg); err == nil {
			e.Close()
			t.Errorf("the broker listens on %s", addr)
		}
	}
}

func TestALibraryThatIsMissingOrBrokenIsNamed(t *testing.T) {
	cfg := config(t, t.TempDir())
	cfg.Library = filepath.Join(t.TempDir(), "libchdb.so")
	startFails(t, cfg, embedded.ErrNoLibrary, cfg.Library)
	writeFile(t, cfg.Library, []byte("half a library"))
	startFails(t, cfg, embedded.ErrNoLibrary, cfg.Library, "make engine")
}

func TestFindLibrary(t *testing.T) {
	found := func(explicit string) string {
		t.Helper()
		path, err := embedded.FindLibrary(explicit)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	var paths []string
	for _, name := range []string{"explicit.so", "env.so", "cache/clickhouse/libchdb.so", "module/.cache/clickhouse/libchdb.so", "module/a/.cache/clickhouse/libchdb.so"} {
		path := filepath.Join(t.TempDir(), name)
		writeFile(t, path, nil)
		paths = append(paths, path)
	}
	module := strings.TrimSuffix(paths[3], "/.cache/clickhouse/libchdb.so")
	writeFile(t, filepath.Join(module, "go.mod"), []byte("module m\n"))
	here := filepath.Join(module, "a", "b")
	if err := os.MkdirAll(here, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(here)
	t.Setenv("ZHIBAN_CLICKHOUSE_LIB", "")
	t.Setenv("ZHIBAN_CACHE", "")
	if got := found(""); got != paths[3] {
		t.Errorf("in a folder of a module: %s", got)
	}
	t.Chdir(strings.TrimSuffix(paths[4], "/.cache/clickhouse/libchdb.so"))
	if got := found(""); got != paths[4] {
		t.Errorf("beside the working directory: %s", got)
	}
	t.Setenv("ZHIBAN_CACHE", strings.TrimSuffix(paths[2], "/clickhouse/libchdb.so"))
	if got := found(""); got != paths[2] {
		t.Errorf("with ZHIBAN_CACHE: %s", got)
	}
	t.Setenv("ZHIBAN_CLICKHOUSE_LIB", paths[1])
	if got := found(""); got != paths[1] {
		t.Errorf("with ZHIBAN_CLICKHOUSE_LIB: %s", got)
	}
	if got := found(paths[0]); got != paths[0] {
		t.Errorf("explicit: %s", got)
	}
	t.Setenv("ZHIBAN_CLICKHOUSE_LIB", "")
	t.Setenv("ZHIBAN_CACHE", "")
	t.Chdir(t.TempDir())
	if _, err := embedded.FindLibrary(""); !errors.Is(err, embedded.ErrNoLibrary) || !strings.Contains(err.Error(), "make engine") {
		t.Errorf("nowhere: %v", err)
	}
}

// filled returns a data directory whose engines were closed after each partition
// got three events and ClickHouse a table.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	e := start(t, dir)
	client, idle := kafkaClient(e)
	defer idle()
	for p := range partitions {
		for _, value := range []string{"one", "two", "three"} {
			if err := produce(t.Context(), client, p, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := commit(t.Context(), client, -1, "", p, 3, "m"); err != nil {
			t.Fatal(err)
		}
	}
	conn := connect(t, e)
	execute(t, conn, "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
	execute(t, conn, "INSERT INTO t VALUES (1)")
	conn.Close()
	closeEngines(t, e)
	return dir
}

func TestDamageIsFoundAndNamed(t *testing.T) {
	original := filled(t)
	segment := "kafka/partitions/events-0/0.dat"
	table := find(t, original, "t.sql")
	for _, damage := range []struct {
		name    string
		mention string
		do      func(t *testing.T, dir string)
	}{
		{"log cut short", segment, edit(segment, func(b []byte) []byte { return b[:len(b)-5] })},
		{"log cut between batches", segment, edit(segment, func(b []byte) []byte { return b[:len(b)/3] })},
		{"log emptied", segment, edit(segment, func([]byte) []byte { return nil })},
		{"byte of the log changed", segment, edit(segment, func(b []byte) []byte { b[len(b)/2] ^= 1; return b })},
		{"log overwritten", segment, edit(segment, func(b []byte) []byte { return bytes.Repeat([]byte("garbage "), 100) })},
		{"log file gone", "events-0", remove(segment)},
		{"partition gone", "events/0", remove("kafka/partitions/events-0")},
		{"commits overwritten", "groups.log", edit("kafka/groups.log", func(b []byte) []byte { return bytes.Repeat([]byte("garbage "), 100) })},
		{"commit changed", "groups.log", edit("kafka/groups.log", func(b []byte) []byte { b[40] ^= 1; return b })},
		{"topics unreadable", "topics.json", edit("kafka/topics.json", func(b []byte) []byte { return b[:len(b)/2] })},
		{"topics gone", "topics.json", remove("kafka/topics.json")},
		{"meta gone", "meta.json", remove("kafka/meta.json")},
		{"producers unreadable", "seq_windows.json", edit("kafka/seq_windows.json", func([]byte) []byte { return []byte("?") })},
		{"table definition overwritten", "t.sql", edit(table, func([]byte) []byte { return []byte("garbage (((") })},
		{"table definition emptied", "t.sql", edit(table, func([]byte) []byte { return nil })},
	} {
		t.Run(damage.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			damage.do(t, dir)
			startFails(t, config(t, dir), embedded.ErrDamaged, damage.mention, "backup")
			// Nothing was cut off or repaired that a person may want to look at.
			startFails(t, config(t, dir), embedded.ErrDamaged, damage.mention)
		})
	}
	e := start(t, original)
	if got := fmt.Sprint(consume(t, e, 0)); got != "[one two three]" {
		t.Errorf("the undamaged original holds %s", got)
	}
}

func TestClickHouseIsGivenUpWhenItCannotBeStartedAgain(t *testing.T) {
	dir := t.TempDir()
	e := start(t, dir)
	conn := connect(t, e)
	execute(t, conn, "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
	edit(find(t, dir, "t.sql"), func([]byte) []byte { return []byte("garbage (((") })(t, dir)
	e.KillClickHouse()
	if err := e.WaitClickHouse(t.Context()); !errors.Is(err, embedded.ErrDamaged) {
		t.Errorf("WaitClickHouse: %v", err)
	}
	<-e.Done()
	t.Log(e.Err())
	if err := e.Err(); !errors.Is(err, embedded.ErrDamaged) {
		t.Errorf("Err: %v", err)
	}
	client, idle := kafkaClient(e)
	defer idle()
	if err := produce(t.Context(), client, 0, "the log goes on"); err != nil {
		t.Error(err)
	}
}

func TestAWriteThatWasCutShortIsDropped(t *testing.T) {
	original := filled(t)
	for _, tail := range []struct {
		name string
		cut  func([]byte) []byte // makes of a whole write what is left of it
	}{
		{"half a write", func(b []byte) []byte { return b[:len(b)/2] }},
		{"a few bytes", func(b []byte) []byte { return b[:3] }},
		{"zeros", func(b []byte) []byte { return make([]byte, len(b)) }},
	} {
		t.Run(tail.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			edit("kafka/partitions/events-0/0.dat", func(b []byte) []byte {
				return append(b, tail.cut(b[:len(b)/3])...)
			})(t, dir)
			edit("kafka/groups.log", func(b []byte) []byte {
				return append(b, tail.cut(b[:100])...)
			})(t, dir)

			e := start(t, dir)
			client, idle := kafkaClient(e)
			if err := produce(t.Context(), client, 0, "four"); err != nil {
				t.Fatal(err)
			}
			if err := commit(t.Context(), client, -1, "", 0, 4, "m4"); err != nil {
				t.Fatal(err)
			}
			idle()
			// As if it were killed now: what it has on disk, not what it would write at
			// its end.
			crashed := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(filepath.Join(crashed, "kafka"), os.DirFS(filepath.Join(dir, "kafka"))); err != nil {
				t.Fatal(err)
			}
			closeEngines(t, e)

			e = start(t, crashed)
			if got := fmt.Sprint(consume(t, e, 0)); got != "[one two three four]" {
				t.Errorf("the log holds %s", got)
			}
			client, idle = kafkaClient(e)
			defer idle()
			if offset, metadata := committed(t, client, 0); offset != 4 || metadata != "m4" {
				t.Errorf("committed %d %q", offset, metadata)
			}
		})
	}
}

func TestTheBrokerOutlivesAClientThatIsNone(t *testing.T) {
	e := start(t, t.TempDir())
	for _, nonsense := range []string{
		"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"\x00\x00\x00\x10\x7f\xff\x00\x00\x00\x00\x00\x00",
		"\x00\x00\x00\x02\x00\x00",
	} {
		conn, err := net.Dial("tcp", e.Kafka())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(nonsense)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%q was answered with %d bytes", nonsense, n)
		}
		conn.Close()
	}
	client, idle := kafkaClient(e)
	defer idle()
	if err := produce(t.Context(), client, 0, "still there"); err != nil {
		t.Error(err)
	}
}

// fillTheDisk runs in a mount namespace of its own, whose mounts end with it.
func fillTheDisk(args []string) error {
	base := args[0]
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := syscall.Mount("tmpfs", base, "tmpfs", 0, "size=24m"); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	ctx := context.Background()
	cfg := embedded.Config{
		Dir:    filepath.Join(base, "data"),
		Topics: map[string]int{topic: partitions},
		Log:    slog.New(slog.NewTextHandler(os.Stdout, nil)),
	}
	e, err := embedded.Start(ctx, cfg)
	if err != nil {
		return err
	}
	client, _ := kafkaClient(e)
	megabyte := strings.Repeat("x", 1<<20)
	acknowledged := 0
	for ; acknowledged < 64; acknowledged++ {
		if err = produce(ctx, client, 0, megabyte); err != nil {
			break
		}
	}
	fmt.Println("refused after", acknowledged, "MiB:", err)
	if err == nil {
		return errors.New("a full disk took everything")
	}
	// It goes on once there is space.
	ballast := filepath.Join(base, "ballast")
	fillUp(ballast)
	if err := produce(ctx, client, 1, "small"); err == nil {
		return errors.New("an event was acknowledged that cannot have been written")
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if err := produce(ctx, client, 1, "small"); err != nil {
		return fmt.Errorf("with free space again: %w", err)
	}

	// A commit that cannot be written is not acknowledged, and ends the broker.
	fillUp(ballast)
	for n := range 1000 {
		if err = commit(ctx, client, -1, "", 0, int64(n%2), strings.Repeat("m", 1000)); err != nil {
			break
		}
	}
	fmt.Println("commit:", err)
	if err == nil {
		return errors.New("commits were acknowledged on a full disk")
	}
	<-e.Done()
	fmt.Println("engines:", e.Err())
	if !errors.Is(e.Err(), embedded.ErrNoSpace) {
		return fmt.Errorf("the engines ended with %w", e.Err())
	}
	if err := e.Close(); err != nil {
		return err
	}

	// With data there it may start even now, and show what it has.
	fillUp(filepath.Join(base, "ballast2"))
	e, err = embedded.Start(ctx, cfg)
	fmt.Println("start with data:", err)
	if err == nil {
		err = e.Close()
	}
	if err != nil && !errors.Is(err, embedded.ErrNoSpace) {
		return fmt.Errorf("start on a full disk: %w", err)
	}
	other := cfg
	other.Dir = filepath.Join(base, "other")
	_, err = embedded.Start(ctx, other)
	fmt.Println("start without data:", err)
	if !errors.Is(err, embedded.ErrNoSpace) {
		return fmt.Errorf("start on a full disk did not say so: %w", cmp.Or(err, errors.New("it started")))
	}

	os.Remove(ballast)
	os.Remove(filepath.Join(base, "ballast2"))
	if e, err = embedded.Start(ctx, cfg); err != nil {
		return fmt.Errorf("start with free space again: %w", err)
	}
	client, _ = kafkaClient(e)
	if err := produce(ctx, client, 0, "after"); err != nil {
		return err
	}
	offsets, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0)}}})
	if err != nil {
		return err
	}
	if got := offsets.Topics[topic][0].LastOffset; got != int64(acknowledged+1) {
		return fmt.Errorf("the log ends at %d, want %d", got, acknowledged+1)
	}
	return e.Close()
}

// fillUp writes to a file until its disk is full.
func fillUp(path string) {
	f, err := os.Create(path)
	if err != nil {
		return
	}
	defer f.Close()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
}

func TestAFullDisk(t *testing.T) {
	cmd := helper("fill the disk", t.TempDir())
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	var exit *exec.ExitError
	if errors.As(err, &exit) || err != nil {
		t.Error(err)
	}
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// edit changes the content of a file in a data directory.
func edit(name string, change func([]byte) []byte) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := filepath.Join(dir, name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, change(content))
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

// find returns the path in dir of the only file with that name.
func find(t *testing.T, dir, name string) string {
	t.Helper()
	found := ""
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == name {
			found = path
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("find %s in %s: %q, %v", name, dir, found, err)
	}
	return found
}

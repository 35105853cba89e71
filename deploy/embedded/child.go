package embedded

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
)

// childArg is the hidden first argument by which the program, executed again,
// becomes the ClickHouse process: zhiban clickhouse-child LIBRARY ARGS...
const childArg = "clickhouse-child"

// ChildMain is to be called first in main and in TestMain. In a process that was
// started to be ClickHouse it runs ClickHouse and exits; in any other it returns
// at once.
//
// ClickHouse runs in a process of its own because it is not made to share one:
// it takes over signal handling, keeps global state that cannot be started
// twice, and a crash in it must not take the log with it.
func ChildMain() {
	if len(os.Args) < 3 || os.Args[1] != childArg {
		return
	}
	if err := runClickHouse(os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runClickHouse is clickhouse-local with args: it returns when the last query
// among them has ended.
func runClickHouse(library string, args []string) error {
	// A service manager signals every process of a service. This one has to outlive
	// the parts of its parent that still write to it, and its parent ends it.
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	// ClickHouse keeps state in thread-local variables.
	runtime.LockOSThread()
	handle, err := purego.Dlopen(library, purego.RTLD_NOW)
	if err != nil {
		return fmt.Errorf("%s %s: %w", cannotLoad, library, err)
	}
	var query func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	purego.RegisterLibFunc(&query, handle, "chdb_query_cmdline")
	var resultError func(result unsafe.Pointer) string
	purego.RegisterLibFunc(&resultError, handle, "chdb_result_error")

	argv := make([]*byte, 0, len(args)+2)
	for _, arg := range append([]string{"clickhouse"}, args...) {
		argv = append(argv, &append([]byte(arg), 0)[0])
	}
	argv = append(argv, nil)
	result := query(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	runtime.KeepAlive(argv)
	if result == nil {
		return nil
	}
	if text := resultError(result); text != "" {
		return fmt.Errorf("%s", text)
	}
	return nil
}

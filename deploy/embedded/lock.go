package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// lockWait is how long the ClickHouse process of a program that was killed may
// take to follow it.
const lockWait = 10 * time.Second

// lockDir takes the lock of the data directory: a flock on its file "lock", which
// holds the owner's process id for people to read. The ClickHouse process
// inherits the open file, so the lock lasts until both are gone. When the owner
// is dead, only its ClickHouse is left and about to end, so that is waited for.
func lockDir(ctx context.Context, dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", dirError(dir, err))
	}
	lock := func() (struct{}, error) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return struct{}{}, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return struct{}{}, backoff.Permanent(fmt.Errorf("lock %s: %w", path, err))
		}
		pid := readPID(path)
		err = fmt.Errorf("%w: process %d has %s: stop it, or choose another directory with --data", ErrInUse, pid, dir)
		if alive(pid) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	if _, err := backoff.Retry(ctx, lock, backoff.WithBackOff(polling()), backoff.WithMaxElapsedTime(lockWait)); err != nil {
		f.Close()
		return nil, err
	}
	if err := writePID(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("write %s: %w", path, dirError(dir, err))
	}
	return f, nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

// alive says whether pid runs. A zombie does not: it holds no files.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	// The state follows the name, which is in parentheses and may hold any byte.
	_, state, found := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
	return !found || !strings.HasPrefix(state, "Z")
}

// polling is the pace at which something that takes milliseconds is waited for.
func polling() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 5 * time.Millisecond
	b.MaxInterval = 100 * time.Millisecond
	return b
}

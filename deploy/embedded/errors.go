package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// What can be wrong with the place the engines run in. An error of Start or
// Engines.Err that wraps one of these is a single line that names the thing and
// says what to do about it.
var (
	// ErrNoLibrary: the ClickHouse library is not there.
	ErrNoLibrary = errors.New("the embedded ClickHouse is missing")
	// ErrInUse: another process has the data directory.
	ErrInUse = errors.New("data directory in use")
	// ErrPortInUse: another program listens where an engine is to listen.
	ErrPortInUse = errors.New("port in use")
	// ErrDamaged: what the data directory holds was changed or cut short by
	// something other than the engines.
	ErrDamaged = errors.New("damaged data")
	// ErrNoSpace: the disk of the data directory is full.
	ErrNoSpace = errors.New("disk full")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s: restore a backup, or choose another directory with --data", ErrDamaged, fmt.Sprintf(format, args...))
}

func portInUse(engine, addr string) error {
	return fmt.Errorf("%w: %s cannot listen on %s, another program does: stop it, or choose another port for %s", ErrPortInUse, engine, addr, engine)
}

// noSpace turns err into ErrNoSpace when it says that the disk is full, whatever
// the limit was: the device, a quota, or a limit on the size of a file.
func noSpace(dir string, err error) error {
	if !isNoSpace(err) {
		return err
	}
	return fmt.Errorf("%w: no space left for %s: free space on its disk and start again", ErrNoSpace, dir)
}

func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// dirError says what is wrong with a file or folder of the data directory.
func dirError(dir string, err error) error {
	switch {
	case isNoSpace(err):
		return noSpace(dir, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: give this user the right to write to %s, or choose another directory with --data", err, dir)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %s is on a read-only disk, choose another directory with --data", err, dir)
	default:
		return err
	}
}

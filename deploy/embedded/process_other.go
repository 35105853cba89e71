//go:build !linux

package embedded

import (
	"os"
	"syscall"
)

// The library exists for Linux alone; this lets the rest of the program be built
// and tested elsewhere.
var self, _ = os.Executable()

func childAttr() *syscall.SysProcAttr { return nil }

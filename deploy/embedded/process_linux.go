package embedded

import "syscall"

// self is this program, even when its file was replaced since it started.
const self = "/proc/self/exe"

// childAttr has the child killed when its parent dies without having closed its
// standard input in order, and keeps an interrupt typed at the terminal from it:
// it must outlive the parts of the program that still write to it.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

package apache

import (
	"fmt"
	"os"
	"syscall"
)

// brokerAttr has the broker killed when its parent dies, and keeps an interrupt
// typed at the terminal from it: tests end their brokers themselves.
func brokerAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// loopback is an address that only this process gives out. On 127.0.0.1 the kernel
// could take a killed broker's port for a connection before the broker is back.
func loopback() string {
	pid := os.Getpid()
	return fmt.Sprintf("127.%d.%d.%d", 64+pid>>16&0x3f, pid>>8&0xff, pid&0xff)
}

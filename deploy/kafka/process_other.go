//go:build !linux

package apache

import "syscall"

func brokerAttr() *syscall.SysProcAttr { return nil }

// loopback is the only loopback address that every system has.
func loopback() string { return "127.0.0.1" }

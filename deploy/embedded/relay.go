package embedded

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// relay stands between clients and the ClickHouse child. libchdb 26.7 aborts
// when a client's connection is reset, which is what the kernel does to the
// connections of a client that is killed; so the child only ever talks to the
// relay, which ends each connection in order whatever the client did. The copies
// are splices within the kernel.
type relay struct {
	net.Listener
	backend string // where the child listens

	conns sync.WaitGroup
	mu    sync.Mutex
	open  map[net.Conn]struct{} // nil once the relay is closed
}

// startRelay carries what ln accepts to the child at backend.
func startRelay(ln net.Listener, backend string) *relay {
	r := &relay{Listener: ln, backend: backend, open: map[net.Conn]struct{}{}}
	r.conns.Add(1)
	go func() {
		defer r.conns.Done()
		for {
			client, err := ln.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				time.Sleep(10 * time.Millisecond) // out of file descriptors: some may come back
				continue
			}
			if r.track(client) {
				r.conns.Add(1)
				go r.carry(client)
			}
		}
	}()
	return r
}

// Close ends the relay and every connection through it.
func (r *relay) Close() error {
	err := r.Listener.Close()
	r.mu.Lock()
	for c := range r.open {
		c.Close()
	}
	r.open = nil
	r.mu.Unlock()
	r.conns.Wait()
	return err
}

func (r *relay) track(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		c.Close()
		return false
	}
	r.open[c] = struct{}{}
	return true
}

func (r *relay) drop(c net.Conn) {
	r.mu.Lock()
	delete(r.open, c)
	r.mu.Unlock()
	c.Close()
}

// carry copies both ways until the child has ended its side. The child's side is
// closed for writing when the client is gone, and read to its end.
func (r *relay) carry(client net.Conn) {
	defer r.conns.Done()
	defer r.drop(client)
	child, err := net.Dial("tcp", r.backend)
	if err != nil {
		return
	}
	if !r.track(child) {
		return
	}
	defer r.drop(child)
	var there sync.WaitGroup
	there.Go(func() {
		_, _ = io.Copy(child, client)
		_ = child.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(client, child)
	client.Close() // ends the copy there, if the child was the one to go
	_, _ = io.Copy(io.Discard, child)
	there.Wait()
}

package embedded

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// relay stands between clients and the ClickHouse process. ClickHouse as a library
// aborts when a client's connection is reset, which is what the kernel does to the
// connections of a client that is killed. So it talks to the relay alone, which
// ends each connection in order whatever the client did. The copies are splices
// within the kernel.
//
// It aborts, too, when a client's password is wrong or what it says is no greeting.
// So the relay reads the greeting first, and lets in whom it knows (see greeting).
//
// The relay also keeps the address while ClickHouse is started again, and can end
// all connections before ClickHouse is to end, which would wait for them.
type relay struct {
	ln        net.Listener
	passwords map[string]string // by user
	conns     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	backend string // where ClickHouse listens
	clients map[net.Conn]struct{}
}

// startRelay accepts from ln, for whatever connect names, those users.
func startRelay(ln net.Listener, passwords map[string]string) *relay {
	r := &relay{ln: ln, passwords: passwords, clients: make(map[net.Conn]struct{})}
	r.conns.Go(r.accept)
	return r
}

// connect has connections from now on go to backend.
func (r *relay) connect(backend string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.backend = backend
}

func (r *relay) accept() {
	for {
		client, err := r.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of file descriptors: some may come back
			continue
		}
		r.mu.Lock()
		if r.closed {
			client.Close()
		} else {
			backend := r.backend
			r.clients[client] = struct{}{}
			r.conns.Go(func() { r.carry(client, backend) })
		}
		r.mu.Unlock()
	}
}

// carry copies both ways until ClickHouse has ended its side. That is closed for
// writing when the client is gone, and read to its end.
func (r *relay) carry(client net.Conn, backend string) {
	defer r.drop(client)
	hello, err := r.greeted(client)
	if err != nil {
		return
	}
	conn, err := net.Dial("tcp", backend)
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := conn.Write(hello); err != nil {
		return
	}
	var there sync.WaitGroup
	there.Go(func() {
		_, _ = io.Copy(conn, client)
		_ = conn.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(client, conn)
	client.Close() // ends the copy there, if ClickHouse was the one to go
	_, _ = io.Copy(io.Discard, conn)
	there.Wait()
}

func (r *relay) drop(client net.Conn) {
	r.mu.Lock()
	delete(r.clients, client)
	r.mu.Unlock()
	client.Close()
}

// shut takes no more connections and ends those of the clients; ClickHouse's side
// of them ends when it has noticed.
func (r *relay) shut() {
	r.ln.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for client := range r.clients {
		client.Close()
	}
}

// close shuts the relay and waits for its connections. ClickHouse must have ended.
func (r *relay) close() {
	r.shut()
	r.conns.Wait()
}

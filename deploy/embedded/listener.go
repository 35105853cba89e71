package embedded

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// listener is what kfake accepts connections from. It can cut them all, and it
// lets nothing through that is no Kafka request: kfake allocates whatever size a
// client states and panics at a request it does not know, so a browser or a port
// scanner would end the program.
type listener struct {
	net.Listener

	mu     sync.Mutex
	closed bool
	conns  map[*guardedConn]struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &guardedConn{Conn: c, l: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		c.Close()
		return nil, net.ErrClosed
	}
	if l.conns == nil {
		l.conns = make(map[*guardedConn]struct{})
	}
	l.conns[conn] = struct{}{}
	return conn, nil
}

// closeConns cuts the connections there are.
func (l *listener) closeConns() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		conn.Conn.Close()
	}
	clear(l.conns)
}

// shut cuts the connections there are and accepts no more.
func (l *listener) shut() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.Listener.Close()
	l.closeConns()
}

var errNoRequest = errors.New("not a Kafka request")

// guardedConn fails at a frame that is too long or holds an unknown request. A
// frame is a 4-byte size, then the request, which begins with its 2-byte key.
type guardedConn struct {
	net.Conn
	l *listener

	header [headerBytes]byte
	read   int // bytes of header read from the client
	given  int // bytes of header given to kfake
	body   int // bytes of the frame still to come after the header
}

const headerBytes = 4 + 2

// Read implements net.Conn.
func (c *guardedConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.body == 0 && c.given == headerBytes {
		c.read, c.given = 0, 0
	}
	for c.read < headerBytes {
		n, err := c.Conn.Read(c.header[c.read:])
		if err != nil {
			return 0, err
		}
		if c.read += n; c.read < headerBytes {
			continue
		}
		size := binary.BigEndian.Uint32(c.header[:])
		key := int16(binary.BigEndian.Uint16(c.header[4:]))
		if size < 8 || size > maxRequestBytes || kmsg.RequestForKey(key) == nil {
			c.Close()
			return 0, errNoRequest
		}
		c.body = int(size) - (headerBytes - 4)
	}
	if c.given < headerBytes {
		n := copy(p, c.header[c.given:])
		c.given += n
		return n, nil
	}
	n, err := c.Conn.Read(p[:min(len(p), c.body)])
	c.body -= n
	return n, err
}

// Close implements net.Conn.
func (c *guardedConn) Close() error {
	c.l.mu.Lock()
	delete(c.l.conns, c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}

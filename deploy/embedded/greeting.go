package embedded

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// A client of ClickHouse's native protocol begins with a packet of type 0:
//
//	type      varint, 0
//	client    string: varint of its length, bytes
//	version   three varints: major, minor, revision of the protocol
//	database  string
//	user      string
//	password  string
//
// and sends nothing more before it is answered. An exception is the packet of type 2
// of the server: code (int32, little endian), name, message and stack trace
// (strings), and a zero byte.
const (
	greetingType  = 0
	exceptionType = 2

	unexpectedPacket     = 101
	authenticationFailed = 516

	maxGreeting  = 8 << 10
	greetingWait = 10 * time.Second
)

// greeting is what a client says first.
type greeting struct {
	user, password string
	bytes          []byte // all that was read
}

var errNoGreeting = errors.New("it begins with something else than a greeting")

func readGreeting(from io.Reader) (greeting, error) {
	var read bytes.Buffer
	r := bufio.NewReader(io.TeeReader(io.LimitReader(from, maxGreeting), &read))
	number := func(err *error) (n uint64) {
		if *err == nil {
			n, *err = binary.ReadUvarint(r)
		}
		return n
	}
	text := func(err *error) string {
		n := number(err)
		if *err == nil && n > maxGreeting {
			*err = errNoGreeting
		}
		if *err != nil {
			return ""
		}
		b := make([]byte, n)
		_, *err = io.ReadFull(r, b)
		return string(b)
	}
	var err error
	if kind := number(&err); err == nil && kind != greetingType {
		return greeting{}, errNoGreeting
	}
	text(&err)
	for range 3 {
		number(&err)
	}
	text(&err)
	g := greeting{user: text(&err), password: text(&err)}
	g.bytes = read.Bytes()
	return g, err
}

// greeted reads a client's greeting and returns it for ClickHouse, or answers as
// ClickHouse would.
func (r *relay) greeted(client net.Conn) ([]byte, error) {
	_ = client.SetReadDeadline(time.Now().Add(greetingWait))
	g, err := readGreeting(client)
	_ = client.SetReadDeadline(time.Time{})
	password, known := r.passwords[g.user]
	switch {
	case errors.Is(err, errNoGreeting):
		_, _ = client.Write(exception(unexpectedPacket, "Unexpected packet from client"))
	case err == nil && (!known || subtle.ConstantTimeCompare([]byte(password), []byte(g.password)) != 1):
		err = fmt.Errorf("user %q: the password is wrong, or there is no such user", g.user)
		_, _ = client.Write(exception(authenticationFailed, fmt.Sprintf("%s: Authentication failed: password is incorrect, or there is no user with such name.", g.user)))
	}
	return g.bytes, err
}

func exception(code int32, message string) []byte {
	text := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	b := binary.LittleEndian.AppendUint32([]byte{exceptionType}, uint32(code))
	b = text(text(text(b, "DB::Exception"), "DB::Exception: "+message), "")
	return append(b, 0)
}

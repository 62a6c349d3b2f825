package rpcserver

import (
	"net"
	"sync"
)

// boundedListener keeps at most cap(slots) connections open; the system's queue
// holds the rest. Its connections stay TCP connections, because net/http
// needs more of them than net.Conn has: without CloseWrite a caller whose request
// was refused half way would lose the answer.
type boundedListener struct {
	*net.TCPListener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func bounded(l *net.TCPListener, connections int) *boundedListener {
	return &boundedListener{TCPListener: l, slots: make(chan struct{}, connections), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.AcceptTCP()
	if err != nil {
		<-l.slots
		return nil, err
	}
	release := sync.OnceFunc(func() { <-l.slots })
	return &boundedConn{c, release}, nil
}

// Close implements net.Listener. It also ends an Accept that waits for a connection to close.
func (l *boundedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.TCPListener.Close()
}

type boundedConn struct {
	*net.TCPConn
	release func()
}

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	defer c.release()
	return c.TCPConn.Close()
}

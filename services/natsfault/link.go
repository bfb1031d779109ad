package natsfault

import (
	"errors"
	"net"
	"sync"
	"time"
)

// Link is a way to one address, which can be cut: it listens, and passes on
// what comes to its target. A cut holds bytes back, as a network does that
// loses every packet; what was sent before the cut was healed arrives late, if
// the connection still stands.
type Link struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu     sync.Mutex
	forth  bool // bytes pass to the target
	back   bool // bytes pass from it
	delay  time.Duration
	closed bool
	moved  chan struct{} // closed and replaced whenever one of them changes
	conns  map[net.Conn]struct{}
}

// NewLink listens on an address for a target.
func NewLink(address, target string) (*Link, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	l := &Link{listener: listener, target: target, forth: true, back: true,
		moved: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	l.running.Go(l.accept)
	return l, nil
}

// Address is where the link listens.
func (l *Link) Address() string { return l.listener.Addr().String() }

// Set opens and cuts the two directions: to the target and from it.
func (l *Link) Set(forth, back bool) {
	l.change(func() { l.forth, l.back = forth, back })
}

// Delay makes each piece of data wait.
func (l *Link) Delay(d time.Duration) {
	l.change(func() { l.delay = d })
}

// Break ends every connection, in the middle of whatever it carries.
func (l *Link) Break() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.Close()
	}
}

// Close ends the link and every connection.
func (l *Link) Close() {
	l.change(func() { l.closed = true })
	_ = l.listener.Close()
	l.Break()
	l.running.Wait()
}

func (l *Link) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.moved)
	l.moved = make(chan struct{})
}

func (l *Link) accept() {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.running.Go(func() { l.carry(c) })
	}
}

func (l *Link) carry(near net.Conn) {
	defer l.forget(near)
	if !l.keep(near) {
		return
	}
	// Nobody is there while the way is cut: the caller waits, as it would.
	if !l.pass(true) {
		return
	}
	far, err := net.DialTimeout("tcp", l.target, 5*time.Second)
	if err != nil {
		return
	}
	defer l.forget(far)
	if !l.keep(far) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.copy(far, near, true) })
	both.Go(func() { l.copy(near, far, false) })
	both.Wait()
}

// copy passes bytes on until one side ends, and then ends the other.
func (l *Link) copy(to, from net.Conn, forth bool) {
	defer func() {
		_ = to.Close()
		_ = from.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if !l.pass(forth) {
			return
		}
		if _, werr := to.Write(buffer[:n]); errors.Join(err, werr) != nil {
			return
		}
	}
}

// pass returns when a direction is open, and false if the link is closed.
func (l *Link) pass(forth bool) bool {
	for {
		l.mu.Lock()
		open, delay, closed, moved := l.back, l.delay, l.closed, l.moved
		if forth {
			open = l.forth
		}
		l.mu.Unlock()
		if closed {
			return false
		}
		if open {
			time.Sleep(delay)
			return true
		}
		<-moved
	}
}

func (l *Link) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

func (l *Link) forget(c net.Conn) {
	_ = c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

package sqlite

import (
	"context"
	"errors"
	"sync"
)

// pool keeps sessions for readers: so many at most, made when they are needed.
type pool struct {
	open func() (*session, error)
	free chan *session // those that nobody uses; nil stands for one that is not made

	mu     sync.Mutex
	closed bool
}

func newPool(size int, open func() (*session, error)) *pool {
	p := &pool{open: open, free: make(chan *session, size)}
	for range size {
		p.free <- nil
	}
	return p
}

var errClosed = errors.New("the record is closed")

func (p *pool) take(ctx context.Context) (*session, error) {
	var s *session
	select {
	case s = <-p.free:
	default:
		select {
		case s = <-p.free:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		p.free <- s
		return nil, errClosed
	}
	if s != nil {
		return s, nil
	}
	s, err := p.open()
	if err != nil {
		p.free <- nil
		return nil, err
	}
	return s, nil
}

// put gives a session back; one that is not sound is closed.
func (p *pool) put(s *session, sound bool) {
	if !sound {
		_ = s.close()
		s = nil
	}
	p.free <- s
}

// close waits for the readers and closes all sessions.
func (p *pool) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	var err error
	for range cap(p.free) {
		if s := <-p.free; s != nil {
			err = errors.Join(err, s.close())
		}
	}
	for range cap(p.free) {
		p.free <- nil // who still waits is told
	}
	return err
}

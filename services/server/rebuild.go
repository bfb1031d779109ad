package server

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"setpoint.dev/services/internal/admin"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// A rebuild that is asked of one process of several is carried out by the one
// that projects: it may make tables where the others only write rows, and who
// asks elsewhere meanwhile joins the same rebuild. Where none does, because the
// projection has halted, it is one of those that could. It is asked over NATS,
// where only processes of the service are let in; what it answers is how far it
// is, at least once in beatEvery, until a word that says it ended.

const (
	beatEvery = time.Second
	// silentFor is how long nothing may be heard of who rebuilds.
	silentFor = 10 * time.Second
	// mostAskers bounds who a process tells about its rebuild at once.
	mostAskers = 16
)

// rebuildWord is what the process that rebuilds says.
type rebuildWord struct {
	Progress record.Progress `json:"progress"`
	Ended    bool            `json:"ended,omitempty"`
	Failed   *failure        `json:"failed,omitempty"` // nil: it succeeded
}

// failure is an error on its way to another process.
type failure struct {
	Kind    string `json:"kind"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func failed(err error) *failure {
	var f *fault.Error
	if !errors.As(err, &f) {
		return &failure{Kind: fault.Internal.String(), Reason: "record.rebuild_failed", Message: err.Error()}
	}
	return &failure{Kind: f.Kind.String(), Reason: f.Reason, Message: err.Error(), Hint: f.Hint}
}

func (f *failure) err() error {
	kind := fault.Internal
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		if k.String() == f.Kind {
			kind = k
		}
	}
	e := fault.New(kind, f.Reason, "%s", f.Message)
	e.Hint = f.Hint
	return e
}

// rebuildSubject is where the process that projects is asked: no subject of the
// log's or of public events, which NATS would keep.
func (s *Server) rebuildSubject() string { return "_setpoint.rebuild." + s.projecting() }

// anyRebuildSubject is where one of those that could project is asked.
func (s *Server) anyRebuildSubject() string { return s.rebuildSubject() + ".any" }

// answerRebuilds lets other processes ask this one to rebuild, on a subject and
// in a queue ("": none), until the returned function is called.
func (s *Server) answerRebuilds(ctx context.Context, subject, queue string) (stop func()) {
	answering, cancel := context.WithCancel(ctx)
	var askers sync.WaitGroup
	places := make(chan struct{}, mostAskers)
	sub, err := s.nats.QueueSubscribe(subject, queue, func(m *nats.Msg) {
		select {
		case places <- struct{}{}:
		default:
			s.say(m, rebuildWord{Ended: true, Failed: failed(fault.New(fault.Exhausted, "record.rebuild_watched",
				"too many wait for the rebuild that is under way").WithHint("setpoint projections list tells how far it is"))})
			return
		}
		askers.Go(func() {
			defer func() { <-places }()
			s.answerRebuild(answering, m)
		})
	})
	if err != nil {
		s.opts.Logger.Warn("other processes cannot ask this one to rebuild the record", "error", err)
		cancel()
		return func() {}
	}
	return func() {
		_ = sub.Unsubscribe()
		cancel()
		askers.Wait()
	}
}

// answerRebuild carries out one request, or joins the rebuild under way.
func (s *Server) answerRebuild(ctx context.Context, m *nats.Msg) {
	var mu sync.Mutex
	var at record.Progress
	s.say(m, rebuildWord{})
	done := make(chan error, 1)
	go func() {
		done <- s.projection.Rebuild(ctx, func(p record.Progress) {
			mu.Lock()
			at = p
			mu.Unlock()
			if p.Stage != record.Folding { // each of them once
				s.say(m, rebuildWord{Progress: p})
			}
		})
	}()
	beat := time.NewTicker(beatEvery / 4)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			mu.Lock()
			now := at
			mu.Unlock()
			s.say(m, rebuildWord{Progress: now})
		case err := <-done:
			word := rebuildWord{Progress: at, Ended: true}
			switch {
			case err != nil && ctx.Err() != nil:
				word.Failed = failed(rebuilderGone())
			case err != nil:
				word.Failed = failed(admin.Located(err))
			}
			s.say(m, word)
			return
		}
	}
}

func (s *Server) say(m *nats.Msg, w rebuildWord) {
	b, err := json.Marshal(w)
	if err == nil {
		err = m.Respond(b)
	}
	if err != nil {
		s.opts.Logger.Warn("who asked for a rebuild cannot be told how far it is", "error", err)
	}
}

func rebuilderGone() error {
	return fault.New(fault.Unavailable, "record.rebuilder_gone", "the process that rebuilds the record stopped, or lost its role").
		WithHint("what it has folded is kept, and the process that projects next goes on there: setpoint projections list tells how far it is")
}

// askRebuild asks the process that projects, or else one that could; asked is
// false if there is none that answers, and nothing was done.
func (s *Server) askRebuild(ctx context.Context, tell func(record.Progress)) (asked bool, err error) {
	for _, subject := range []string{s.rebuildSubject(), s.anyRebuildSubject()} {
		if s.projects.Load() {
			return false, nil // it is this one
		}
		if asked, err = s.askRebuildOn(ctx, subject, tell); asked || err != nil {
			return asked, err
		}
	}
	return false, nil
}

func (s *Server) askRebuildOn(ctx context.Context, subject string, tell func(record.Progress)) (asked bool, err error) {
	inbox := s.nats.NewRespInbox()
	answers, err := s.nats.SubscribeSync(inbox)
	if err != nil {
		return false, err
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := s.nats.PublishRequest(subject, inbox, nil); err != nil {
		return false, err
	}
	for {
		waiting, cancel := context.WithTimeout(ctx, silentFor)
		m, err := answers.NextMsgWithContext(waiting)
		cancel()
		switch {
		case errors.Is(err, nats.ErrNoResponders):
			return asked, nil
		case ctx.Err() != nil:
			return true, ctx.Err() // the rebuild goes on
		case err != nil:
			return true, rebuilderGone()
		}
		asked = true
		var w rebuildWord
		if err := json.Unmarshal(m.Data, &w); err != nil {
			return true, fault.Wrap(err, fault.Internal, "record.rebuild_word", "the process that rebuilds the record answers what this one does not understand")
		}
		if w.Progress.Stage != "" {
			tell(w.Progress)
		}
		switch {
		case w.Failed != nil:
			return true, w.Failed.err()
		case w.Ended:
			return true, nil
		}
	}
}

// forwards is who carries out the rebuilds asked of this process: nil where it
// has a record of its own.
func (s *Server) forwards() admin.Rebuilder {
	if s.leases == nil {
		return nil
	}
	return s.askRebuild
}

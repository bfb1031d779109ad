package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
)

// defaultDifferences is how many differences a verification describes.
const defaultDifferences = 20

// named is the projection of that name; "" is the only one there is.
func (s *Service) named(name string) (*record.Projection, error) {
	switch {
	case s.projection == nil:
		return nil, fault.New(fault.Unavailable, "projection.none", "this process keeps no projection")
	case name != "" && name != s.projection.Name():
		return nil, fault.New(fault.NotFound, "projection.unknown", "name: there is no projection %q", name).
			WithHint("the projections are: %s", s.projection.Name())
	}
	return s.projection, nil
}

// ListProjections implements AdminService.
func (s *Service) ListProjections(ctx context.Context, _ *adminv1.ListProjectionsRequest) (*adminv1.ListProjectionsResponse, error) {
	p, err := s.named("")
	if err != nil {
		return nil, err
	}
	m, err := s.describe(ctx, p)
	if err != nil {
		return nil, err
	}
	return &adminv1.ListProjectionsResponse{Projections: []*adminv1.Projection{m}}, nil
}

func (s *Service) describe(ctx context.Context, p *record.Projection) (*adminv1.Projection, error) {
	st, err := p.Status(ctx)
	if err != nil {
		return nil, err
	}
	info, err := s.log.Info(ctx)
	if err != nil {
		return nil, err
	}
	m := &adminv1.Projection{
		Name: p.Name(), Stream: info.Stream, State: "running",
		Revision: int64(st.Revision), LastRevision: int64(st.Last), Rate: st.Rate,
	}
	live := 0
	for _, g := range st.Generations {
		if g.Live {
			live = g.Number
		}
	}
	for _, g := range st.Generations {
		one := &adminv1.Generation{Number: int32(g.Number), Version: int32(g.Version), State: "superseded", Revision: int64(g.At.Revision)}
		switch {
		case g.Live:
			one.State = "live"
		case g.Number > live:
			one.State = "building"
		}
		m.Generations = append(m.Generations, one)
	}
	if st.Rebuilding {
		m.State = "rebuilding"
	}
	if st.Halted != nil {
		m.State, m.Halt = "halted", halt(st.Halted)
	}
	for _, k := range st.Skips {
		m.Skips = append(m.Skips, &adminv1.Skip{
			Sequence: int64(k.Sequence), Revision: int64(k.Revision), Recorded: timestamppb.New(k.Recorded),
			Principal: k.Principal, Reason: k.Reason, Problem: k.Problem,
		})
	}
	return m, nil
}

func halt(err error) *adminv1.Halt {
	h := &adminv1.Halt{Reason: fault.ReasonOf(err), Message: err.Error()}
	if at, ok := record.HaltedAt(err); ok {
		h.Sequence = int64(at)
		if h.Reason == "" {
			h.Reason = "record.event_undecodable"
		}
		h.Hint = "setpoint doctor checks the whole log, and says what to do about what it finds"
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Hint != "" {
		h.Hint = f.Hint
	}
	return h
}

// RebuildProjection implements AdminService.
func (s *Service) RebuildProjection(ctx context.Context, req *adminv1.RebuildProjectionRequest, stream *connect.ServerStream[adminv1.RebuildProjectionResponse]) error {
	p, err := s.named(req.GetName())
	if err != nil {
		return err
	}
	sender := sending{send: func(at record.Progress) error {
		return stream.Send(&adminv1.RebuildProjectionResponse{
			Stage: at.Stage, Generation: int32(at.Generation), Done: int64(at.Done), Total: int64(at.Total), Rate: at.Rate,
		})
	}}
	asked := false
	if s.rebuilder != nil {
		if asked, err = s.rebuilder(ctx, sender.tell); err != nil && !asked {
			return err
		}
	}
	if !asked {
		err = Located(p.Rebuild(ctx, sender.tell))
	}
	return errors.Join(s.owned(err), sender.failed)
}

// owned says of a rebuild that the database does not let this process do who
// can: the process that projects is one that may, as it makes the tables.
func (s *Service) owned(err error) error {
	if fault.ReasonOf(err) != "record.not_owner" {
		return err
	}
	f := fault.Wrap(err, fault.Denied, "record.not_owner", "this process may not build generations of the record: its database role only reads and writes rows")
	who, vacant := s.record.Writer()
	if who == "" || vacant != nil {
		return f.WithHint("start a process with the projector and the owner's URL (--database-owner-url), and ask it: setpoint projections rebuild --server URL")
	}
	return f.WithHint("ask the process that projects, %s (HOST/PROCESS/…): setpoint projections rebuild --server URL with its address", who)
}

// Located is an error of a fold with the message that it could not pass, of
// which clients would else learn nothing.
func Located(err error) error {
	at, ok := record.HaltedAt(err)
	if !ok {
		return err
	}
	h := halt(err)
	return fault.Wrap(err, fault.KindOf(err), h.GetReason(), "the log cannot be folded past message %d: %s", at, h.GetMessage()).
		WithHint("%s", h.GetHint())
}

// VerifyProjection implements AdminService.
func (s *Service) VerifyProjection(ctx context.Context, req *adminv1.VerifyProjectionRequest, stream *connect.ServerStream[adminv1.VerifyProjectionResponse]) error {
	p, err := s.named(req.GetName())
	if err != nil {
		return err
	}
	// Each verification has a file and a fold of its own.
	select {
	case s.verifying <- struct{}{}:
		defer func() { <-s.verifying }()
	default:
		return fault.New(fault.Exhausted, "projection.verifying", "a verification is under way").WithHint("try again when it is done")
	}
	limit := int(req.GetLimit())
	if limit == 0 {
		limit = defaultDifferences
	}
	sender := sending{send: func(at record.Progress) error {
		return stream.Send(&adminv1.VerifyProjectionResponse{Stage: at.Stage, Done: int64(at.Done), Total: int64(at.Total), Rate: at.Rate})
	}}
	found, err := p.Verify(ctx, limit, sender.tell)
	if err := errors.Join(Located(err), sender.failed); err != nil {
		return err
	}
	res := &adminv1.VerifyProjectionResponse{Stage: record.Done, Done: int64(found.Rows), Total: int64(found.Rows),
		Revision: int64(found.Revision), Rows: int64(found.Rows), Differing: int64(found.Differing)}
	for _, d := range found.Differences {
		res.Differences = append(res.Differences, &adminv1.Difference{Table: d.Table, Key: shown(d.Key), Live: shownValue(d.Live), Log: shownValue(d.Log)})
	}
	return stream.Send(res)
}

// sending sends progress, not more often than somebody can see; the last of
// each stage always.
type sending struct {
	send   func(record.Progress) error
	mu     sync.Mutex
	last   record.Progress
	at     time.Time
	failed error
}

const sendEvery = 100 * time.Millisecond

func (s *sending) tell(p record.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil || p == s.last || p.Stage == s.last.Stage && time.Since(s.at) < sendEvery && p.Done < p.Total {
		return
	}
	s.last, s.at = p, time.Now()
	s.failed = s.send(p)
}

// ResumeProjection implements AdminService.
func (s *Service) ResumeProjection(ctx context.Context, req *adminv1.ResumeProjectionRequest) (*adminv1.ResumeProjectionResponse, error) {
	p, err := s.named(req.GetName())
	if err != nil {
		return nil, err
	}
	p.Retry(ctx)
	m, err := s.describe(ctx, p)
	if err != nil {
		return nil, err
	}
	return &adminv1.ResumeProjectionResponse{Projection: m}, nil
}

// SkipEvent implements AdminService.
func (s *Service) SkipEvent(ctx context.Context, req *adminv1.SkipEventRequest) (*adminv1.SkipEventResponse, error) {
	who, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.named(req.GetName())
	if err != nil {
		return nil, err
	}
	id := req.GetRequestId()
	if id == "" {
		id = rand.Text()
	}
	done, err := p.Skip(ctx, record.SkipCommand{
		Sequence: uint64(req.GetSequence()), RequestID: id, Principal: who.ID, Reason: req.GetReason(), Unknown: req.GetUnknown(),
	})
	if err != nil {
		return nil, err
	}
	return &adminv1.SkipEventResponse{Revision: int64(done.Revision), OnRecord: done.OnRecord}, nil
}

// shown is a key or a value of a row for people: its columns apart, and cut
// where it is a whole document.
func shown(s string) string {
	s = strings.ReplaceAll(s, string(rune(record.ColumnSeparator)), " ")
	if len(s) > maxShown {
		return strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

const maxShown = 4000

func shownValue(s *string) *string {
	if s == nil {
		return nil
	}
	v := shown(*s)
	return &v
}

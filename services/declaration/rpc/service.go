// Package rpc is the declaration slice's door.
package rpc

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
)

// mostDocuments bounds what one request may name. How many of them may change
// at once is the log's to say.
const mostDocuments = 100_000

// Service implements DeclarationService.
type Service struct {
	runner *runner.Runner
	record *record.Record
	kinds  *resource.Registry
	cache  cache
	// compare is how plans tell their consequences; nil if they do not.
	compare Consequences
	// following has one place for each who follows.
	following chan struct{}
}

var _ declarationv1connect.DeclarationServiceHandler = (*Service)(nil)

// New returns the service to mount; compare says what plans would bring about, nil
// if nobody can.
func New(r *runner.Runner, rec *record.Record, kinds *resource.Registry, compare Consequences) rpc.Service {
	s := &Service{runner: r, record: rec, kinds: kinds, compare: compare, following: make(chan struct{}, mostFollow)}
	return rpc.Service{
		Name: declarationv1connect.DeclarationServiceName,
		Mount: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return declarationv1connect.NewDeclarationServiceHandler(s, opts...)
		},
	}
}

// Plan implements DeclarationService.
func (s *Service) Plan(ctx context.Context, req *declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	wish, err := s.wish(ctx, p.Org, req.GetManifests())
	if err != nil {
		return nil, err
	}
	if err := s.runner.Reach(ctx, eventlog.DeclarationGuard(p.Org), uint64(req.GetMinRevision())); err != nil {
		return nil, err
	}
	res := &declarationv1.PlanResponse{}
	err = s.record.View(ctx, func(v record.View) error {
		// Only a plan takes the time to read what was observed: an apply holds
		// up everybody else's.
		seen := newObserved(v, p.Org)
		wish.Observed = seen.points
		wish.Manager = req.GetManager()
		plan, revision, err := s.plan(v, p.Org, wish, wouldOverwrite)
		if err := cmp.Or(err, seen.err); err != nil {
			return err
		}
		res.Revision = int64(revision)
		res.Changes, res.Summary = changes(plan), summary(plan)
		res.Warnings = places(plan.Warnings)
		res.Consequences, err = s.consequences(v, p.Org, req, plan)
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// Apply implements DeclarationService.
func (s *Service) Apply(ctx context.Context, req *declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	wish, err := s.wish(ctx, p.Org, req.GetManifests())
	if err != nil {
		return nil, err
	}
	done, err := s.change(ctx, change{
		requestID: req.GetRequestId(), expected: uint64(req.GetExpectedRevision()), expectEmpty: req.GetExpectEmpty(),
		manager: req.GetManager(), reason: req.GetReason(), action: "apply", wish: wish, digest: req,
		refuseOverwrites: req.GetRefuseOverwrites(),
	})
	if err != nil {
		return nil, err
	}
	return &declarationv1.ApplyResponse{
		Revision: int64(done.revision), Changes: done.changes, Summary: done.summary, Warnings: done.warnings,
	}, nil
}

// Delete implements DeclarationService.
func (s *Service) Delete(ctx context.Context, req *declarationv1.DeleteRequest) (*declarationv1.DeleteResponse, error) {
	k, err := s.kind(req.GetKind())
	if err != nil {
		return nil, err
	}
	done, err := s.change(ctx, change{
		requestID: req.GetRequestId(), expected: uint64(req.GetExpectedRevision()),
		manager: req.GetManager(), reason: req.GetReason(), action: "delete", digest: req,
		wish: declaration.Wish{Delete: []declaration.Ref{{Kind: k.Name, Name: req.GetName()}}},
	})
	if err != nil {
		return nil, err
	}
	return &declarationv1.DeleteResponse{Revision: int64(done.revision)}, nil
}

// wish reads the manifests. Every fault of every file is reported at once, and
// with them what is wrong with the rest: nobody wants to mend in rounds.
func (s *Service) wish(ctx context.Context, org string, m *declarationv1.Manifests) (declaration.Wish, error) {
	files := make([]manifest.File, 0, len(m.GetFiles()))
	for _, f := range m.GetFiles() {
		files = append(files, manifest.File{Path: f.GetPath(), Content: f.GetContent()})
	}
	docs, faults := manifest.Parse(files, s.kinds, manifest.Limits{Documents: mostDocuments})
	more, moreFaults := manifest.FromResources(m.GetResources(), s.kinds)
	faults = append(faults, moreFaults...)
	wish := declaration.Wish{Set: m.GetSet(), Prune: m.GetPrune() && len(faults) == 0}
	for _, d := range append(docs, more...) {
		wish.Items = append(wish.Items, declaration.Item{
			Kind: d.Kind, Metadata: d.Metadata, Spec: d.Spec, Mask: d.Mask, Place: d.Place,
		})
	}
	if len(faults) > 0 {
		for _, f := range faults {
			if kind, name, ok := strings.Cut(f.Resource, "/"); ok {
				wish.Broken = append(wish.Broken, declaration.Ref{Kind: kind, Name: name})
			}
		}
		err := s.record.View(ctx, func(v record.View) error {
			_, _, err := s.plan(v, org, wish, wouldOverwrite)
			return err
		})
		var more *fault.Error
		switch {
		case errors.As(err, &more) && more.Kind == fault.Invalid:
			faults = append(faults, more.Places...)
		case err != nil:
			return wish, err
		}
		declaration.SortPlaces(faults)
		return wish, invalid(faults)
	}
	if len(wish.Items) == 0 && !wish.Prune {
		return wish, fault.New(fault.Invalid, "declaration.nothing", "the manifests declare nothing").
			WithHint("a manifest has apiVersion, kind, metadata and spec")
	}
	return wish, nil
}

func invalid(faults []fault.Place) error {
	f := fault.New(fault.Invalid, "declaration.invalid", "nothing was changed: the manifests have %d %s",
		len(faults), plural(len(faults), "fault"))
	f.Places = faults
	return f
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// plan compares a wish with what the view says is declared; it returns the
// declaration revision that the plan rests on. how is how it says of something
// that it is overwritten.
func (s *Service) plan(v record.View, org string, wish declaration.Wish, how string) (declaration.Plan, uint64, error) {
	guard := eventlog.DeclarationGuard(org)
	at, err := v.Aggregate(guard.Org, guard.Service, guard.Kind, guard.ID)
	if err != nil {
		return declaration.Plan{}, 0, err
	}
	var revision uint64
	if at != nil {
		revision = at.Revision
	}
	now, err := s.cache.get(v, s.kinds, org, revision)
	if err != nil {
		return declaration.Plan{}, 0, err
	}
	plan, faults := declaration.Make(s.kinds, now, wish)
	if len(faults) == 0 {
		if faults, err = s.personal(v, org, wish, &plan); err != nil {
			return plan, revision, err
		}
	}
	if len(faults) > 0 {
		return plan, revision, refusal(wish, faults)
	}
	// The guard's message comes before those of the resources.
	if n, most := len(plan.Changes), s.runner.MaxCommit(); n+1 > most {
		return plan, revision, fault.New(fault.Exhausted, "declaration.too_many_changes",
			"nothing was changed: %d resources would change, and at most %d can at once", n, most-1).
			WithHint("apply it in parts that are whole by themselves, what is referred to first")
	}
	if err := s.returns(v, org, wish, &plan); err != nil {
		return plan, revision, err
	}
	return plan, revision, s.overwrites(v, org, wish, now, &plan, how)
}

// returns warns where a resource takes up one that was deleted: its history
// goes on, and so does what was observed of it. That is what undoing a deletion
// needs, and what a new thing under an old name does not expect.
func (s *Service) returns(v record.View, org string, wish declaration.Wish, plan *declaration.Plan) error {
	created := map[declaration.Ref]bool{}
	for _, c := range plan.Changes {
		if c.Action != declaration.Create {
			continue
		}
		k, _ := s.kinds.Kind(c.Kind)
		before, err := v.Aggregate(org, k.Service, k.Token, c.ID)
		if err != nil {
			return err
		}
		created[c.Ref] = before != nil
	}
	for _, it := range wish.Items {
		if created[declaration.Ref{Kind: it.Kind, Name: it.Metadata.GetName()}] {
			plan.Warnings = append(plan.Warnings, it.Place("metadata.name", "declaration.returns",
				"one of this name was deleted: this takes it up again, with its history and what was observed of it",
				"take another name for another thing"))
		}
	}
	declaration.SortPlaces(plan.Warnings)
	return nil
}

// refusal picks the kind of error: what is asked for by name and missing or
// forbidden is told apart from a wrong manifest.
func refusal(wish declaration.Wish, faults []fault.Place) error {
	if len(wish.Items) > 0 || wish.Prune {
		return invalid(faults)
	}
	first := faults[0]
	if first.Reason == "declaration.not_found" {
		return &fault.Error{Kind: fault.NotFound, Reason: first.Reason, Message: first.Message, Hint: first.Hint}
	}
	return &fault.Error{Kind: fault.Rule, Reason: first.Reason, Message: "nothing was deleted", Hint: first.Hint, Places: faults}
}

type change struct {
	requestID, manager, reason, action string
	expected                           uint64
	expectEmpty, refuseOverwrites      bool
	wish                               declaration.Wish
	digest                             proto.Message
}

type done struct {
	revision uint64
	changes  []*declarationv1.Change
	summary  *declarationv1.Summary
	warnings []*commonv1.Fault
}

// change carries out a wish: all of it or nothing.
func (s *Service) change(ctx context.Context, c change) (done, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return done{}, err
	}
	digest, err := runner.Digest(c.digest)
	if err != nil {
		return done{}, err
	}
	if c.manager == "" {
		c.manager = "api"
	}
	c.wish.Manager = c.manager
	how := doesOverwrite
	if c.refuseOverwrites {
		how = wouldOverwrite
	}
	if err := s.reached(ctx, c.expected); err != nil {
		return done{}, err
	}
	guard := eventlog.DeclarationGuard(p.Org)
	var d done
	out, err := s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: c.requestID, Digest: digest, Principal: p.ID,
		Manager: c.manager, Reason: c.reason, Guards: []eventlog.Subject{guard},
	}, func(v record.View) ([]runner.Write, error) {
		plan, revision, err := s.plan(v, p.Org, c.wish, how)
		if err != nil {
			return nil, err
		}
		if err := c.still(revision); err != nil {
			return nil, err
		}
		if c.refuseOverwrites {
			if err := refuseOverwrites(plan); err != nil {
				return nil, err
			}
		}
		d = done{changes: changes(plan), summary: summary(plan), warnings: places(plan.Warnings)}
		if len(plan.Changes) == 0 {
			return nil, nil
		}
		today := s.today(v, p.Org)
		return s.writes(p.Org, guard, c, plan, today)
	})
	if err != nil {
		return done{}, s.tellWhatCameBetween(ctx, err, guard, c.expected)
	}
	if out.Replayed != nil {
		if d, err = replay(out.Replayed); err != nil {
			return done{}, err
		}
	}
	d.revision = out.Revision
	return d, nil
}

// today is the command's day in the organization's time zone.
func (s *Service) today(v record.View, org string) string {
	return record.Today(v, org, v.Revision(), s.runner.Now()).String()
}

// writes turns a plan into envelopes: the guard's first, then one for each
// changed resource.
func (s *Service) writes(org string, guard eventlog.Subject, c change, plan declaration.Plan, today string) ([]runner.Write, error) {
	changed := &declarationv1.Changed{Action: c.action, Set: c.wish.Set}
	out := make([]runner.Write, 1, len(plan.Changes)+1)
	for _, ch := range plan.Changes {
		k, _ := s.kinds.Kind(ch.Kind)
		changed.Touched = append(changed.Touched, &declarationv1.Touched{Kind: ch.Kind, Name: ch.Name, Action: string(ch.Action)})
		w := runner.Write{
			Subject:   eventlog.Subject{Org: org, Service: k.Service, Kind: k.Token, ID: ch.ID},
			Effective: ch.Effective, Mask: ch.Mask,
		}
		if w.Effective == "" {
			w.Effective = today
		}
		for _, e := range ch.Events {
			typ, payload, err := k.Encode(e)
			if err != nil {
				return nil, err
			}
			w.Events = append(w.Events, eventlog.Event{Type: typ, Payload: payload})
		}
		out = append(out, w)
	}
	payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(changed)
	if err != nil {
		return nil, err
	}
	out[0] = runner.Write{Subject: guard, Events: []eventlog.Event{{Type: record.DeclarationChanged, Payload: payload}}}
	return out, nil
}

// Package erasure makes people's data unreadable, and keeps the promise over
// crashes.
//
// An erasure is an event first and the destruction of keys after it: from the
// event on nobody reads the texts, as the record knows of it, and whatever ends
// between the two is completed by the next call or by Run. What is sealed stays
// where it is, in the log and in every copy of it, and cannot be opened.
//
// Erase says how; file.go is the backup of the keys.
package erasure

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/runner"
)

const (
	// kindName is the kind whose resources are erased.
	kindName = "Person"
	// reviewEvery is how often Run looks for what others left undone.
	reviewEvery = time.Minute
	// destroyWithin bounds the destruction of keys, which goes on when the
	// client has left.
	destroyWithin = 30 * time.Second
)

// Eraser erases people.
type Eraser struct {
	runner *runner.Runner
	record *record.Record
	kinds  *resource.Registry
	keys   *personal.Keys
	logger *slog.Logger
}

// New makes an eraser; the record must have the keys.
func New(r *runner.Runner, rec *record.Record, kinds *resource.Registry, logger *slog.Logger) *Eraser {
	return &Eraser{runner: r, record: rec, kinds: kinds, keys: rec.Personal().Keys(), logger: logger}
}

// Command is the wish to erase a person.
type Command struct {
	runner.Command
	Name     string // of the resource
	Why      string // in the clear, for ever
	Expected uint64 // the declarations must not have moved on; 0: they may
}

// Outcome tells what became of it.
type Outcome struct {
	record.Erasure
	Before bool // it had been erased before
	Epoch  int  // erasures of the organization
}

// Erase erases a person: what the resource says, in all its versions, and what
// its principals wrote. Erasing again completes what was left undone.
//
// Errors: NotFound declaration.not_found if there never was such a person;
// Aborted declaration.plan_stale; Unavailable, after which the same command may
// be given again.
func (e *Eraser) Erase(ctx context.Context, c Command) (Outcome, error) {
	k, _ := e.kinds.Kind(kindName)
	guard := eventlog.DeclarationGuard(c.Org)
	c.Guards = []eventlog.Subject{guard}
	var out Outcome
	var id string
	so := false
	done, err := e.runner.Run(ctx, c.Command, func(v record.View) ([]runner.Write, error) {
		at, err := v.Aggregate(guard.Org, guard.Service, guard.Kind, guard.ID)
		if err != nil {
			return nil, err
		}
		if at != nil && c.Expected != 0 && at.Revision > c.Expected {
			return nil, &fault.Error{Kind: fault.Aborted, Reason: "declaration.plan_stale", Revision: at.Revision,
				Message: "nothing was erased: something was declared after the revision that was expected",
				Hint:    "look at what changed, and erase again"}
		}
		r, err := named(v, k, c.Org, c.Name)
		if err != nil {
			return nil, err
		}
		if r == nil {
			return nil, fault.New(fault.NotFound, "declaration.not_found", "there is no %s/%s, and was none", k.Name, c.Name).
				WithHint("%s", resource.Suggest(c.Name, record.NewSet(v, c.Org, v.Revision()).Names(k.Name)))
		}
		id = r.ID
		before, err := find(v, c.Org, id)
		if so = before != nil; err != nil || so {
			return nil, err
		}
		all, err := e.holders(ctx, k, r)
		if err != nil {
			return nil, err
		}
		return writes(k, guard, r, all, c.Why)
	})
	if err != nil {
		return out, err
	}
	if err := e.record.Wait(ctx, done.Revision); err != nil {
		return out, err
	}
	err = e.record.View(ctx, func(v record.View) error {
		if id == "" { // the request had been carried out before
			r, err := named(v, k, c.Org, c.Name)
			if err != nil || r == nil {
				return err
			}
			id = r.ID
		}
		list, err := v.Erasures(c.Org)
		if err != nil {
			return err
		}
		out.Epoch = len(list)
		found, err := find(v, c.Org, id)
		if found != nil {
			out.Erasure = *found
			out.Before = so || found.Revision != done.Revision
		}
		return err
	})
	if err != nil {
		return out, err
	}
	// It is decided; the client's leaving does not undo it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), destroyWithin)
	defer cancel()
	return out, e.destroy(ctx, out.Erasure)
}

// named is the person of a name. Who was deleted is still in the log and may be
// erased, and who was renamed is found by the old name, too: the version is the
// newest, for its principals.
func named(v record.View, k resource.Kind, org, name string) (*record.Resource, error) {
	r, err := v.Resource(org, k.Name, name, v.Revision())
	if err != nil || r != nil {
		return r, err
	}
	if r, err = v.LastNamed(org, k.Name, name, v.Revision()); err != nil || r == nil {
		return r, err
	}
	list, err := v.Resources(org, k.Name, v.Revision(), "", 0)
	for _, now := range list {
		if now.ID == r.ID {
			return now, err
		}
	}
	return r, err
}

func find(v record.View, org, id string) (*record.Erasure, error) {
	list, err := v.Erasures(org)
	for _, e := range list {
		if e.Kind == kindName && e.ID == id {
			return &e, err
		}
	}
	return nil, err
}

// writes are the declaration guard's envelope, which numbers erasures and
// tells whoever has read the declarations that they changed, and the person's.
func writes(k resource.Kind, guard eventlog.Subject, r *record.Resource, holders []string, why string) ([]runner.Write, error) {
	changed, err := proto.MarshalOptions{Deterministic: true}.Marshal(&declarationv1.Changed{
		Action: "erase", Touched: []*declarationv1.Touched{{Kind: k.Name, Name: r.Name, Action: "erase"}},
	})
	if err != nil {
		return nil, err
	}
	typ, payload, err := k.Encode(resource.Erased{Name: r.Name, Holders: holders, Reason: why})
	if err != nil {
		return nil, err
	}
	return []runner.Write{
		{Subject: guard, Events: []eventlog.Event{{Type: record.DeclarationChanged, Payload: changed}}},
		{
			Subject: eventlog.Subject{Org: r.Org, Service: k.Service, Kind: k.Token, ID: r.ID},
			Events:  []eventlog.Event{{Type: typ, Payload: payload}},
		},
	}, nil
}

// holders are whose keys are destroyed: the person's, those of the principals that
// it acts as, and those of its answers to surveys, which it gave under its name or
// under the id of a principal.
func (e *Eraser) holders(ctx context.Context, k resource.Kind, r *record.Resource) ([]string, error) {
	out := []string{string(personal.Person(r.ID))}
	answers := []string{r.Name}
	for _, c := range k.Claims(r.Spec) {
		out = append(out, string(personal.Principal(c.Value)))
		answers = append(answers, c.Value)
	}
	for _, who := range answers {
		codes, err := e.record.Personal().Respondents(ctx, r.Org, who)
		if err != nil {
			return nil, err
		}
		for _, code := range codes {
			out = append(out, string(personal.Respondent(code)))
		}
	}
	return out, nil
}

// Unfinished are the erasures whose keys are still there.
func (e *Eraser) Unfinished(ctx context.Context) ([]record.Erasure, error) {
	list, err := e.erasures(ctx)
	if err != nil {
		return nil, err
	}
	var out []record.Erasure
	for _, x := range list {
		done, err := e.keys.Destroyed(ctx, x.Org, holdersOf(x))
		if err != nil {
			return nil, err
		}
		if !done {
			out = append(out, x)
		}
	}
	return out, nil
}

func (e *Eraser) erasures(ctx context.Context) (list []record.Erasure, err error) {
	err = e.record.View(ctx, func(v record.View) (err error) {
		list, err = v.Erasures("")
		return err
	})
	return list, err
}

func holdersOf(x record.Erasure) []personal.Holder {
	list := make([]personal.Holder, len(x.Holders))
	for i, h := range x.Holders {
		list[i] = personal.Holder(h)
	}
	return list
}

func (e *Eraser) destroy(ctx context.Context, x record.Erasure) error {
	list := holdersOf(x)
	done, err := e.keys.Destroyed(ctx, x.Org, list)
	if err != nil || done {
		return err
	}
	if err := e.keys.Destroy(ctx, x.Org, list, x.Revision); err != nil {
		return err
	}
	e.logger.Info("a person's keys are destroyed", "org", x.Org, "person", x.Name, "revision", x.Revision)
	return nil
}

// Tell logs who did something to the keys.
func (e *Eraser) Tell(what string, who principal.Principal) {
	e.logger.Info(what, "org", who.Org, "principal", who.ID)
}

// Complete destroys the keys of everybody who is erased and whose keys are
// still there.
func (e *Eraser) Complete(ctx context.Context) error {
	list, err := e.erasures(ctx)
	if err != nil {
		return err
	}
	for _, x := range list {
		if err := e.destroy(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

// Run completes what crashes left undone, now and again, until ctx ends.
func (e *Eraser) Run(ctx context.Context) {
	failing := false
	for {
		err := e.Complete(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !failing {
			e.logger.Error("erased people's keys are not destroyed yet", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-time.After(reviewEvery):
		}
	}
}

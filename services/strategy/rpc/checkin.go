package rpc

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	"setpoint.dev/services/strategy"
)

// CheckIn implements StrategyService.
func (s *Service) CheckIn(ctx context.Context, req *strategyv1.CheckInRequest) (*strategyv1.CheckInResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return nil, err
	}
	guards, err := s.guards(ctx, p.Org, "Target", "checkin", []string{req.GetTarget()})
	if err != nil {
		return nil, err
	}
	if req.Value != nil {
		metric, err := s.metricOf(ctx, p.Org, req.GetTarget())
		if err != nil {
			return nil, err
		}
		of, err := s.guards(ctx, p.Org, "Metric", "observation", []string{metric})
		if err != nil {
			return nil, err
		}
		guards = append(guards, of...)
	}
	wordless := s.status != nil && strategy.CheckIn{Note: req.GetNote(), Override: req.GetOverride()}.Wordless()
	if wordless {
		// It may be refused for its target's status, which rests on more than the
		// target: on everything that was recorded before the check-in.
		if err := s.runner.CatchUp(ctx); err != nil {
			return nil, err
		}
	}
	res := &strategyv1.CheckInResponse{}
	out, err := s.runner.Run(ctx, runner.Command{
		Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID,
		Manager: orAPI(req.GetManager()), Guards: guards,
	}, func(v record.View) ([]runner.Write, error) {
		target, err := targetAt(v, p.Org, req.GetTarget(), v.Revision())
		if err != nil {
			return nil, err
		}
		c := strategy.CheckIn{
			At: req.GetAt(), Today: record.Today(v, p.Org, v.Revision(), s.runner.Now()),
			Confidence: req.Confidence, Note: req.GetNote(), Override: req.GetOverride(), Clear: req.GetClearOverride(),
			Principal: p.ID,
		}
		day, err := c.Day()
		if err != nil {
			return nil, err
		}
		said, err := said(v, target, day, uint64(req.GetExpectedRevision()))
		if err != nil {
			return nil, err
		}
		writes, supposed, err := value(v, p.Org, target.Spec.(*strategyv1.TargetSpec).GetMetric(), day, s.runner.Now(), req)
		if err != nil {
			return nil, err
		}
		res.Recorded = len(writes) > 0
		said.Valued = res.Recorded
		if wordless {
			if said.Status, err = s.status(v, p.Org, target.Name, day, supposed...); err != nil {
				return nil, err
			}
		}
		event, err := strategy.DecideCheckIn(said, c)
		if err != nil || event == nil {
			return writes, err
		}
		payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(event)
		if err != nil {
			return nil, err
		}
		return append(writes, runner.Write{
			Subject:   subject(p.Org, "checkin", target.ID),
			Events:    []eventlog.Event{{Type: record.CheckedIn, Payload: payload}},
			Effective: event.GetAt(),
		}), nil
	})
	if err != nil {
		return nil, s.tellWhatCameBetween(ctx, err, uint64(req.GetExpectedRevision()))
	}
	if out.Replayed != nil {
		res.Recorded = out.Replayed.Recorded > 0
	}
	res.Revision = int64(out.Revision)
	return res, nil
}

// metricOf names the metric of a target, "" if there is no such target.
func (s *Service) metricOf(ctx context.Context, org, target string) (name string, err error) {
	err = s.record.Decide(ctx, func(v record.View) error {
		r, err := v.Resource(org, "Target", target, v.Revision())
		if err == nil && r != nil {
			name = r.Spec.(*strategyv1.TargetSpec).GetMetric()
		}
		return err
	})
	return name, err
}

// value decides on the value that a check-in brings along, if it does: what is
// written, and what the status is judged with.
func value(v record.View, org, metric string, day calendar.Date, now time.Time, req *strategyv1.CheckInRequest) ([]runner.Write, []record.Observation, error) {
	if req.Value == nil {
		if req.GetObservedAt()+req.GetSource() != "" {
			return nil, nil, fault.New(fault.Invalid, "strategy.checkin_value", "value: there is none, but observedAt or source say what it is of").
				WithHint("give the value too")
		}
		return nil, nil, nil
	}
	at := cmp.Or(req.GetObservedAt(), day.String())
	writes, err := decide(v, org, observation{values: []*strategyv1.Observation{
		{Metric: metric, ObservedAt: at, Value: req.Value, Source: req.GetSource()},
	}}, now, &strategyv1.RecordObservationsResponse{})
	if err != nil || len(writes) == 0 {
		return nil, nil, err
	}
	m, err := v.Resource(org, "Metric", metric, v.Revision())
	if err != nil {
		return nil, nil, err
	}
	at, err = strategy.ObservedAt(at, strategy.Calendar(m.Spec.(*strategyv1.MetricSpec), record.NewSet(v, org, v.Revision())))
	return writes, []record.Observation{{
		Org: org, MetricID: m.ID, ObservationKey: record.ObservationKey{At: at, Source: req.GetSource()}, Value: req.GetValue(), From: v.Revision() + 1,
	}}, err
}

func targetAt(v record.View, org, name string, at uint64) (*record.Resource, error) {
	r, err := v.Resource(org, "Target", name, at)
	if err != nil {
		return nil, err
	}
	if r == nil {
		set := record.NewSet(v, org, at)
		return nil, fault.New(fault.NotFound, "strategy.target_unknown", "there is no target %q", name).
			WithHint("%s", resource.Suggest(name, set.Names("Target")))
	}
	return r, nil
}

// said reads what a check-in about a day is decided on, and refuses a caller
// who has not seen the newest.
func said(v record.View, target *record.Resource, day calendar.Date, expected uint64) (strategy.Said, error) {
	list, err := v.CheckIns(target.Org, target.ID, target.Created, v.Revision(), record.CheckInKey{}, 0)
	if err != nil {
		return strategy.Said{}, err
	}
	var out strategy.Said
	var word record.Word
	newest := uint64(0)
	for i := len(list) - 1; i >= 0; i-- {
		c := list[i]
		newest = max(newest, c.Revision)
		if c.At > day.String() {
			continue
		}
		word = word.Hear(c)
		if c.At == day.String() {
			out.Latest, out.Principal = event(c), c.Principal
		}
	}
	out.Overridden = word.On(day.String()).Override != nil
	if expected != 0 && newest > expected {
		return out, changed(subject(target.Org, "checkin", target.ID), newest, "strategy.checkins_changed",
			"target %q has newer check-ins: expected_revision is %d, they stand at %d", target.Name, expected, newest)
	}
	return out, nil
}

// event is what recorded a check-in.
func event(c record.CheckIn) *strategyv1.CheckedIn {
	m := &strategyv1.CheckedIn{At: c.At, Note: c.Note, ClearOverride: c.Clear, Confidence: confidence(c)}
	if o := c.Override; o != nil {
		m.Override = &strategyv1.StatusOverride{Status: o.Status, Reason: o.Reason, Expires: o.Expires}
	}
	return m
}

func confidence(c record.CheckIn) *int32 {
	if c.Confidence == nil {
		return nil
	}
	n := int32(*c.Confidence)
	return &n
}

// ListCheckIns implements StrategyService.
func (s *Service) ListCheckIns(ctx context.Context, req *strategyv1.ListCheckInsRequest) (*strategyv1.ListCheckInsResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	page, err := rpc.PageOf(p.Org, req, 100, 2)
	if err != nil {
		return nil, err
	}
	var before record.CheckInKey
	if page.After != nil {
		before.At = page.After[0]
		if before.Revision, err = strconv.ParseUint(page.After[1], 10, 63); err != nil {
			return nil, rpc.BadPage()
		}
	}
	res := &strategyv1.ListCheckInsResponse{}
	err = s.record.At(ctx, page.Snapshot, func(v record.View, at uint64) error {
		res.Revision, res.CheckIns = int64(at), nil
		list, err := listed(v, p.Org, at, req, before, page.Size+1)
		if err != nil {
			return err
		}
		if len(list) > page.Size {
			list = list[:page.Size]
			last := list[page.Size-1]
			res.NextPageToken = rpc.NextPage(at, last.GetAt(), strconv.FormatInt(last.GetRevision(), 10))
		}
		res.CheckIns = list
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// listed reads what was said, newest first, after a place in that order.
func listed(v record.View, org string, at uint64, req *strategyv1.ListCheckInsRequest, before record.CheckInKey, most int) ([]*strategyv1.CheckInEntry, error) {
	if req.GetTarget() == "" {
		return listedOfAll(v, org, at, req, before, most)
	}
	target, err := targetAt(v, org, req.GetTarget(), at)
	if err != nil {
		return nil, err
	}
	limit := most
	if req.GetUnacknowledged() {
		limit = 0 // which ones those are is known only afterwards
	}
	list, err := v.CheckIns(org, target.ID, target.Created, at, before, limit)
	if err != nil {
		return nil, err
	}
	state := &strategyv1.CheckInAcknowledgements{}
	if _, err := record.StateOf(v, target, "strategy", acknowledgementToken, at, state); err != nil {
		return nil, err
	}
	var out []*strategyv1.CheckInEntry
	for _, c := range list {
		if m := wanted(target.Name, c, state, req); m != nil {
			out = append(out, m)
		}
	}
	return out[:min(len(out), most)], nil
}

// listedOfAll is listed of every target.
func listedOfAll(v record.View, org string, at uint64, req *strategyv1.ListCheckInsRequest, before record.CheckInKey, most int) ([]*strategyv1.CheckInEntry, error) {
	list, err := v.Resources(org, "Target", at, "", 0)
	if err != nil {
		return nil, err
	}
	targets := map[string]*record.Resource{}
	for _, r := range list {
		targets[r.ID] = r
	}
	read := map[string]*strategyv1.CheckInAcknowledgements{}
	err = v.States(org, "strategy", acknowledgementToken, at, func(have record.State) error {
		state := &strategyv1.CheckInAcknowledgements{}
		read[have.ID] = state
		return have.Into(state)
	})
	if err != nil {
		return nil, err
	}
	var out []*strategyv1.CheckInEntry
	err = v.AllCheckIns(org, at, func(c record.CheckIn) error {
		target := targets[c.TargetID]
		if target == nil || c.Revision < target.Created {
			return nil
		}
		if before.At != "" && (c.At > before.At || c.At == before.At && c.Revision >= before.Revision) {
			return nil
		}
		if m := wanted(target.Name, c, read[c.TargetID], req); m != nil {
			out = append(out, m)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b *strategyv1.CheckInEntry) int {
		return cmp.Or(strings.Compare(b.GetAt(), a.GetAt()), cmp.Compare(b.GetRevision(), a.GetRevision()))
	})
	return out[:min(len(out), most)], err
}

// wanted is the entry of a check-in, nil if it was not asked for.
func wanted(target string, c record.CheckIn, read *strategyv1.CheckInAcknowledgements, req *strategyv1.ListCheckInsRequest) *strategyv1.CheckInEntry {
	if c.At < req.GetSince() {
		return nil
	}
	m := entry(target, c)
	for _, a := range read.GetAcknowledgements() {
		if uint64(a.GetCheckIn()) == c.Revision {
			m.Acknowledgements = append(m.Acknowledgements, a)
		}
	}
	if req.GetUnacknowledged() && len(m.GetAcknowledgements()) > 0 {
		return nil
	}
	return m
}

func entry(target string, c record.CheckIn) *strategyv1.CheckInEntry {
	m := &strategyv1.CheckInEntry{
		Target: target, At: c.At, Confidence: confidence(c), Note: c.Note, ClearOverride: c.Clear,
		Revision: int64(c.Revision), Recorded: rpc.Instant(c.Recorded), Principal: c.Principal,
	}
	if o := c.Override; o != nil {
		m.Override = &strategyv1.OverrideRequest{Status: o.Status, Reason: o.Reason, Expires: o.Expires}
	}
	return m
}

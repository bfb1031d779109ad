package rpc

import (
	"context"
	"slices"
	"time"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/change"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/schedule"
)

// audience is one of a program, with its nearest ancestor in the program.
type audience struct {
	name, parent string
	spec         *changev1.AudienceSpec
}

// audiencesOf reads the audiences of a program at a revision.
func audiencesOf(v record.View, org string, spec *changev1.ChangeProgramSpec, at uint64) ([]audience, error) {
	list, err := v.Resources(org, "Audience", at, "", 0)
	if err != nil {
		return nil, err
	}
	all := map[string]*changev1.AudienceSpec{}
	for _, r := range list {
		all[r.Name] = r.Spec.(*changev1.AudienceSpec)
	}
	in := map[string]bool{}
	for _, a := range spec.GetAudiences() {
		in[a.GetAudience()] = true
	}
	var out []audience
	for _, a := range spec.GetAudiences() {
		one := audience{name: a.GetAudience(), spec: all[a.GetAudience()]}
		if one.spec == nil {
			continue // deleted since: declaring refuses that
		}
		up := one.spec.GetParent()
		for range len(all) {
			if up == "" || in[up] {
				break
			}
			up = all[up].GetParent()
		}
		if in[up] {
			one.parent = up
		}
		out = append(out, one)
	}
	return out, nil
}

// entry is a program for who reads it, as it stood at the end of a day.
func entry(v record.View, r *record.Resource, at uint64, asOf calendar.Date) (*changev1.ProgramEntry, error) {
	p, moved, err := programOf(v, r, at)
	if err != nil {
		return nil, err
	}
	p.State = schedule.ProgramOn(p.State, asOf)
	audiences, err := audiencesOf(v, r.Org, p.Spec, at)
	if err != nil {
		return nil, err
	}
	weights, parents := map[string]float64{}, map[string]string{}
	for _, a := range audiences {
		weights[a.name], parents[a.name] = change.Weight(a.spec), a.parent
	}
	e := &changev1.ProgramEntry{
		Name: r.Name, Spec: p.Spec, State: p.State, Framework: p.Framework,
		Readiness: change.ReadinessOf(p, weights, parents), Revision: int64(max(r.From, moved)),
	}
	waves, err := wavesOf(v, r, at)
	if err != nil {
		return nil, err
	}
	for _, w := range waves {
		if w.GetOpened() > asOf.String() {
			continue
		}
		x := &changev1.WaveEntry{Wave: w.GetWave(), Opened: w.GetOpened(), Closed: w.GetClosed()}
		if x.GetClosed() == "" {
			x.Elements = w.GetElements()
		}
		for _, a := range w.GetAudiences() {
			if a.GetParent() == "" {
				x.Invited += a.GetInvited()
			}
			if x.GetClosed() == "" {
				x.Audiences = append(x.Audiences, a.GetAudience())
			}
		}
		if x.GetClosed() > asOf.String() {
			x.Closed = ""
		} else if cells := w.GetResults().GetCells(); len(cells) > 0 {
			x.Respondents = cells[0].Respondents
		}
		e.Waves = append(e.Waves, x)
	}
	return e, nil
}

// GetProgram implements ChangeService.
func (s *Service) GetProgram(ctx context.Context, req *changev1.GetProgramRequest) (*changev1.GetProgramResponse, error) {
	res := &changev1.GetProgramResponse{}
	err := s.read(ctx, req, func(v record.View, org string, at uint64) error {
		res.Revision = int64(at)
		r, err := v.Resource(org, "ChangeProgram", req.GetProgram(), at)
		if err != nil {
			return err
		}
		if r == nil {
			return record.Unknown(v, org, "ChangeProgram", req.GetProgram())
		}
		asOf, err := day(v, org, at, s.runner.Now(), req.GetAsOf())
		if err != nil {
			return err
		}
		res.AsOf = asOf.String()
		if res.Program, err = entry(v, r, at, asOf); err != nil {
			return err
		}
		told, err := s.runner.Story(ctx, course(org, r.ID), at, change.Acts())
		for _, t := range told {
			act := rpc.Act(t)
			act.Summary, act.Note, act.Links = change.InWords(t.Event)
			res.Acts = append(res.Acts, act)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// ListPrograms implements ChangeService.
func (s *Service) ListPrograms(ctx context.Context, req *changev1.ListProgramsRequest) (*changev1.ListProgramsResponse, error) {
	res := &changev1.ListProgramsResponse{}
	err := s.read(ctx, req, func(v record.View, org string, at uint64) error {
		res.Revision = int64(at)
		asOf, err := day(v, org, at, s.runner.Now(), req.GetAsOf())
		if err != nil {
			return err
		}
		res.AsOf = asOf.String()
		list, err := v.Resources(org, "ChangeProgram", at, "", 0)
		if err != nil {
			return err
		}
		for _, r := range list {
			if of := r.Spec.(*changev1.ChangeProgramSpec).GetInitiative(); req.GetInitiative() != "" && of != req.GetInitiative() {
				continue
			}
			e, err := entry(v, r, at, asOf)
			if err != nil {
				return err
			}
			res.Programs = append(res.Programs, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// GetResults implements ChangeService.
func (s *Service) GetResults(ctx context.Context, req *changev1.GetResultsRequest) (*changev1.GetResultsResponse, error) {
	res := &changev1.GetResultsResponse{Program: req.GetProgram()}
	err := s.read(ctx, req, func(v record.View, org string, at uint64) error {
		res.Revision = int64(at)
		r, err := v.Resource(org, "ChangeProgram", req.GetProgram(), at)
		if err != nil {
			return err
		}
		if r == nil {
			return record.Unknown(v, org, "ChangeProgram", req.GetProgram())
		}
		waves, err := wavesOf(v, r, at)
		if err != nil {
			return err
		}
		for _, w := range waves {
			if req.GetWave() == "" && w.GetClosed() != "" || req.GetWave() == w.GetWave() {
				res.Wave = w
			}
		}
		switch {
		case res.GetWave() == nil && req.GetWave() != "":
			return missing("wave", "wave", req.GetWave())
		case res.GetWave() == nil:
			return fault.New(fault.NotFound, "change.no_closed_wave", "the program has no closed wave").
				WithHint("results exist once a wave is closed: setpoint change wave close")
		case res.GetWave().GetClosed() == "":
			return fault.New(fault.Rule, "change.wave_open", "wave: %q is still open; results exist once it is closed", req.GetWave()).
				WithHint("setpoint change wave close")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// GetLoad implements ChangeService.
func (s *Service) GetLoad(ctx context.Context, req *changev1.GetLoadRequest) (*changev1.GetLoadResponse, error) {
	res := &changev1.GetLoadResponse{}
	err := s.read(ctx, req, func(v record.View, org string, at uint64) error {
		res.Revision = int64(at)
		from, err := month("from", req.GetFrom())
		if err != nil {
			return err
		}
		to, err := month("to", req.GetTo())
		if err != nil {
			return err
		}
		asOf, err := day(v, org, at, s.runner.Now(), req.GetAsOf())
		if err != nil {
			return err
		}
		res.AsOf = asOf.String()
		programs, err := v.Resources(org, "ChangeProgram", at, "", 0)
		if err != nil {
			return err
		}
		cancelled, err := cancelledBy(v, org, at, asOf)
		if err != nil {
			return err
		}
		ended := map[string]calendar.Date{}
		specs := map[string]*changev1.ChangeProgramSpec{}
		var first, last calendar.Date
		for _, r := range programs {
			spec := r.Spec.(*changev1.ChangeProgramSpec)
			specs[r.Name] = spec
			ended[r.Name] = cancelled[spec.GetInitiative()]
			start, _ := calendar.ParseDate(spec.GetStart()) // checked when it was declared
			end, _ := calendar.ParseDate(spec.GetEnd())
			if first.IsZero() || start.Before(first) {
				first = start
			}
			last = calendar.Later(last, end)
		}
		if from.IsZero() {
			from = first
		}
		if to.IsZero() {
			to = last
		}
		if to.Before(from) {
			return fault.New(fault.Invalid, "change.load_order", "to: %s is before from, %s", req.GetTo(), req.GetFrom())
		}
		if !from.IsZero() && to.Sub(from) > 366*30 {
			return fault.New(fault.Invalid, "change.load_span", "to: more than 30 years after from").WithHint("ask for fewer months")
		}
		audiences, err := v.Resources(org, "Audience", at, "", 0)
		if err != nil {
			return err
		}
		parents := map[string]string{}
		for _, r := range audiences {
			parents[r.Name] = r.Spec.(*changev1.AudienceSpec).GetParent()
		}
		parent := func(name string) string { return parents[name] }
		demands := change.Demands(specs, ended)
		known := req.GetAudience() == ""
		for _, r := range audiences {
			if req.GetAudience() != "" && r.Name != req.GetAudience() {
				continue
			}
			known = true
			spec := r.Spec.(*changev1.AudienceSpec)
			asked := change.Asked(r.Name, parent, demands)
			if len(asked) == 0 {
				continue
			}
			res.Audiences = append(res.Audiences, &changev1.AudienceLoad{
				Audience: r.Name, Months: change.Load(change.Capacity(spec), asked, from, to),
			})
		}
		if !known {
			return record.Unknown(v, org, "Audience", req.GetAudience())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// day is the day that is looked at: today where none is asked for.
func day(v record.View, org string, at uint64, now time.Time, asked string) (calendar.Date, error) {
	if asked == "" {
		return record.Today(v, org, at, now), nil
	}
	d, err := calendar.ParseDate(asked)
	if err != nil {
		return d, fault.Wrap(err, fault.Invalid, "change.date", "asOf: not a date").WithHint("YYYY-MM-DD")
	}
	return d, nil
}

// cancelledBy is since when the initiatives that were cancelled at the end of a
// day are so, by name. States are part of the record's contract.
func cancelledBy(v record.View, org string, at uint64, asOf calendar.Date) (map[string]calendar.Date, error) {
	list, err := v.Resources(org, "Initiative", at, "", 0)
	if err != nil {
		return nil, err
	}
	out := map[string]calendar.Date{}
	for _, r := range list {
		state := &initiativev1.InitiativeState{}
		if _, err := record.StateOf(v, r, "initiative", "life", at, state); err != nil {
			return nil, err
		}
		state = schedule.On(state, asOf, func(string) calendar.Date { return calendar.Date{} })
		if state.GetStage() == "cancelled" {
			out[r.Name], _ = calendar.ParseDate(state.GetSince()) // checked when it was written
		}
	}
	return out, nil
}

// month reads YYYY-MM as its first day; empty is the zero Date.
func month(field, s string) (calendar.Date, error) {
	if s == "" {
		return calendar.Date{}, nil
	}
	d, err := calendar.ParseDate(s + "-01")
	if err != nil {
		return d, fault.Wrap(err, fault.Invalid, "change.month", "%s: %q is not a month", field, s).WithHint("YYYY-MM")
	}
	return d, nil
}

func (s *Service) read(ctx context.Context, req rpc.Moment, f func(v record.View, org string, at uint64) error) error {
	p, err := principal.From(ctx)
	if err != nil {
		return err
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return err
	}
	return s.record.At(ctx, snapshot, func(v record.View, at uint64) error { return f(v, p.Org, at) })
}

func sortBy[T any](list []T, less func(a, b T) bool) {
	slices.SortStableFunc(list, func(a, b T) int {
		switch {
		case less(a, b):
			return -1
		case less(b, a):
			return 1
		}
		return 0
	})
}

package rpc

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/gap/reconcile"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
)

// TestPolicy implements GapService.
func (s *Service) TestPolicy(ctx context.Context, req *gapv1.TestPolicyRequest) (*gapv1.TestPolicyResponse, error) {
	who, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	since, err := calendar.ParseDate(req.GetSince())
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "gap.since", "since is not a date").WithHint("YYYY-MM-DD")
	}
	var until calendar.Date
	if req.GetUntil() != "" {
		if until, err = calendar.ParseDate(req.GetUntil()); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "gap.until", "until is not a date").WithHint("YYYY-MM-DD")
		}
	}
	select {
	case s.watching.evaluating <- struct{}{}:
		defer func() { <-s.watching.evaluating }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var res *gapv1.TestPolicyResponse
	err = s.record.At(ctx, record.Snapshot{Org: who.Org}, func(v record.View, at uint64) error {
		if until.IsZero() {
			until = record.Today(v, who.Org, at, s.now())
		}
		name, spec, revision := req.GetPolicy(), req.GetSpec(), uint64(0)
		if spec == nil {
			r, err := v.Resource(who.Org, policy.Kind, name, at)
			if err != nil {
				return err
			}
			if r == nil {
				return record.Unknown(v, who.Org, policy.Kind, name)
			}
			spec, revision = r.Spec.(*policy.Spec), r.From
		} else if err := legal(v, who.Org, cmp.Or(name, "tested"), spec, at); err != nil {
			return err
		}
		res, err = reconcile.Replay(v, who.Org, cmp.Or(name, "tested"), spec, revision, since, until, req.GetHindsight(), s.reviews)
		return err
	})
	return res, err
}

// legal refuses a policy that could not be declared.
func legal(v record.View, org, name string, spec *policy.Spec, at uint64) error {
	kind := policy.Kinds()[0]
	var faults []string
	hint := ""
	for _, f := range kind.Check(name, proto.Message(spec), record.NewSet(v, org, at)) {
		if !f.Warning {
			faults = append(faults, fmt.Sprintf("%s: %s", f.Field, f.Message))
			hint = cmp.Or(hint, f.Hint)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "gap.policy_invalid", "%s", strings.Join(faults, "; ")).WithHint("%s", hint)
}

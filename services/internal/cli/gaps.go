package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func (a *app) gapsCommand() *cobra.Command {
	var s snapshotFlags
	req := &gapv1.EvaluateRequest{}
	cmd := &cobra.Command{
		Use:   "gaps",
		Short: "Compare the observed with the declared",
		Long: `Gaps evaluates every target at the end of a day and shows the worst first, then
objectives and strategies with the share of them that is known. A positive gap,
drift or share means behind. What is not known is never shown as good.`,
		Example: `  setpoint gaps --strategy gsa-2018-2022
  setpoint gaps --as-of 2018-12-31 --policy okr
  setpoint gaps --as-of 2018-12-31 --known-at 2019-02-01T00:00:00Z
  setpoint gaps --original-targets -o json`,
		Args: exactArgs(),
	}
	cmd.Flags().StringVar(&req.Strategy, "strategy", "", "only this strategy")
	cmd.Flags().StringVar(&req.AsOf, "as-of", "", "evaluate at the end of this day (YYYY-MM-DD), default today")
	cmd.Flags().StringVar(&req.Policy, "policy", "", "the policy that turns numbers into statuses: default, okr …")
	cmd.Flags().BoolVar(&req.OriginalTargets, "original-targets", false, "judge against the targets as first declared")
	s.register(cmd)
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := checkAsOf(req.AsOf); err != nil {
			return err
		}
		var err error
		if req.Snapshot, err = s.snapshot(); err != nil {
			return err
		}
		res, err := a.client().gap.Evaluate(ctx, req)
		if err != nil {
			return err
		}
		if *f != asTable {
			return a.writeMessage(*f, res)
		}
		a.printf("%s", renderGaps(res, req.OriginalTargets, a.width(), a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

func checkAsOf(s string) error {
	if s == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return usagef("--as-of: %q is not a date; legal is YYYY-MM-DD", s)
	}
	return nil
}

package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/internal/calendar"
)

func (a *app) gapsCommand() *cobra.Command {
	var s snapshotFlags
	var watch, sensitivity bool
	req := &gapv1.EvaluateRequest{}
	cmd := &cobra.Command{
		Use:   "gaps",
		Short: "Compare the observed with the declared",
		Long: `Gaps evaluates every target at the end of a day and shows the worst first, then
objectives and strategies with the share of them that is known. A positive gap,
drift or share means behind. What is not known is never shown as good.

With --sensitivity the same targets are rolled up by every method (mean, worst,
threshold) and every way of counting what has no data, side by side.

With -o json or yaml forecasts come along, and how well those of targets and periods
that have ended came true (calibration).

With --watch a terminal is redrawn; elsewhere each result follows the one
before, with -o json as one line each.`,
		Example: `  setpoint gaps --strategy gsa-2018-2022
  setpoint gaps --as-of 2018-12-31 --policy okr
  setpoint gaps --as-of 2018-12-31 --known-at 2019-02-01T00:00:00Z
  setpoint gaps --original-targets -o csv
  setpoint gaps --sensitivity                  # does the verdict rest on how it is rolled up?
  setpoint gaps --watch
  setpoint gaps --watch -o json | jq -c '[.targets[] | select(.status == "off_track").name]'`,
		Args: exactArgs(),
	}
	a.strategyFlag(cmd, &req.Strategy)
	a.asOfFlag(cmd, &req.AsOf)
	a.policyFlag(cmd, &req.Policy)
	cmd.Flags().BoolVar(&req.OriginalTargets, "original-targets", false, "judge against the targets as first declared")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show the comparison again whenever it changes, until interrupted")
	cmd.Flags().BoolVar(&sensitivity, "sensitivity", false, "show roll-ups under every way of rolling up")
	s.register(cmd)
	f := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		req.WithoutForecasts = *f != asJSON && *f != asYAML
		req.WithCalibration = !req.WithoutForecasts && !watch
		if sensitivity {
			if watch {
				return usagef("--sensitivity and --watch exclude each other")
			}
			return a.showSensitivity(ctx, req, *f)
		}
		if watch {
			if s.revision != 0 || s.knownAt != "" {
				return usagef("--watch follows what becomes known; --revision and --known-at stand still")
			}
			return a.watchGaps(ctx, req, *f)
		}
		res, err := a.client().gap.Evaluate(ctx, req)
		if err != nil {
			return err
		}
		switch *f {
		case asJSON, asYAML:
			return a.writeMessage(*f, res)
		case asCSV:
			_, err := a.out.Write(gapsCSV(res, req.GetOriginalTargets(), true))
			return err
		}
		a.printf("%s", renderGaps(res, req.OriginalTargets, a.width(), a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

func checkAsOf(s string) error { return checkDay("as-of", s) }

// checkDay refuses what is no calendar date in the words of a flag.
func checkDay(flag, s string) error {
	if s == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return usagef("--%s: %q is not a date; legal is YYYY-MM-DD", flag, s)
	}
	if _, err := calendar.ParseDate(s); err != nil {
		return usagef("--%s: %v", flag, err)
	}
	return nil
}

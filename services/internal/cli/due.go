package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// dutyKinds are those that can be asked for alone.
var dutyKinds = []string{"value", "check-in", "requested", "action", "review", "decision"}

func (a *app) dueCommand() *cobra.Command {
	req := &strategyv1.ListDutiesRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "due", Short: "What is owed: values, check-ins, actions, reviews and decisions", Args: cobra.NoArgs,
		Long: `Due lists what somebody owes at the end of a day: values of closed periods that a
target waits for, check-ins (by a target's checkInEvery, or asked for),
corrective actions, reviews that were not held, and what reviews decided. A value
is overdue after its metric's reporting lag.

What is overdue for a week is shown to the unit above its owner too, after two
weeks to the one above that, and so on: the column ESCALATED TO. --owner shows
what an owner owes and what has come up to it.`,
		Example: `  setpoint checkin due
  setpoint checkin due --owner unit/real-estate --overdue
  setpoint checkin due --as-of 2019-12-31 -o csv`,
	}
	f := cmd.Flags()
	f.StringVar(&req.Owner, "owner", "", "only those of this `OWNER` (unit/NAME or person/ID), or escalated to it")
	f.StringVar(&req.Kind, "kind", "", "only those of this `KIND`: "+listed(dutyKinds, "or"))
	f.BoolVar(&req.Overdue, "overdue", false, "only what is overdue")
	_ = cmd.RegisterFlagCompletionFunc("owner", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(dutyKinds, cobra.ShellCompDirectiveNoFileComp))
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		if req.GetKind() != "" && !strings.Contains(" "+strings.Join(dutyKinds, " ")+" ", " "+req.GetKind()+" ") {
			return usagef("--kind: %q is none; legal are %s", req.GetKind(), listed(dutyKinds, "and"))
		}
		res, err := a.client().strategy.ListDuties(ctx, req)
		if err != nil {
			return err
		}
		columns := []column{
			{Title: "DUE"}, {Title: "OVERDUE"}, {Title: "KIND"}, {Title: "NAME", Shrink: 10, Name: true}, {Title: "WHAT", Shrink: 14, Cap: longestTitle},
			{Title: "OWNER", Shrink: 8}, {Title: "ESCALATED TO", Shrink: 8}, {Title: "LAST", Right: true, Drop: 1}, {Title: "UNIT", Drop: 1}, {Title: "LAST AT", Drop: 1},
			{Title: "TARGETS", Shrink: 12, Drop: 2}, {Title: "POLICY", Drop: 2},
		}
		var rows [][]string
		for _, d := range res.GetDuties() {
			late, last := "", ""
			if d.GetOverdue() {
				late = itoa(int64(d.GetDaysOverdue()))
				if *out == asTable {
					late = "▼ " + late + "d"
				}
			}
			if d.LastValue != nil {
				last = lastValue(d.GetLastValue(), *out)
			}
			rows = append(rows, []string{d.GetDue(), late, d.GetKind(), d.GetName(), printable(d.GetWhat()), printable(d.GetOwner()),
				printable(d.GetEscalatedTo()), last, printable(d.GetUnit()), d.GetLastAt(), strings.Join(d.GetTargets(), " "), printable(d.GetPolicy())})
		}
		return a.writeTable(*out, res, columns, rows, "nothing is due as of %s\n", res.GetAsOf())
	})
	return cmd
}

func (a *app) requestCheckInCommand() *cobra.Command {
	req := &strategyv1.RequestCheckInRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "request TARGET", Short: "Ask the owner of a target for a check-in by a day", Args: exactArgs("TARGET"),
		Example:           `  setpoint checkin request vacant-space --due 2026-12-04 --reason "what happens after the leases end?"`,
		ValidArgsFunction: a.completeName("Target", true),
	}
	f := cmd.Flags()
	f.StringVar(&req.Due, "due", "", "the last `DAY` on which it is in time (YYYY-MM-DD)")
	f.StringVar(&req.Reason, "reason", "", "what is to be told; shown in lists of what is due, so name no person")
	_ = cmd.RegisterFlagCompletionFunc("due", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("reason", cobra.NoFileCompletions)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--due": req.GetDue()}); err != nil {
			return err
		}
		if req.GetDue() == "" || strings.TrimSpace(req.GetReason()) == "" {
			return &usageError{message: "a request needs --due and --reason", hint: "by when, and what is to be told"}
		}
		req.RequestId, req.Target = requestID(), targetName(args[0])
		res, err := a.client().strategy.RequestCheckIn(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, "Asked for a check-in on "+req.GetTarget()+" by "+req.GetDue()+".")
	})
	return cmd
}

// lastValue is grouped for people, and every digit of it for programs.
func lastValue(v float64, f format) string {
	if f == asTable {
		return formatNumber(v)
	}
	return exactNumber(v)
}

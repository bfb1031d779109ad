package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
)

// acted is what every act answers.
type acted interface {
	proto.Message
	GetRevision() int64
	GetChanged() bool
}

// wrote shows what became of an act.
func (a *app) wrote(ctx context.Context, f format, res acted, said string) error {
	a.settle(ctx, res.GetRevision())
	if f != asTable {
		return a.writeMessage(f, res)
	}
	if !res.GetChanged() {
		a.printf("Already so, nothing was written. Revision %d.\n", res.GetRevision())
		return nil
	}
	a.printf("%s Revision %d.\n", said, res.GetRevision())
	return nil
}

// dayFlag is a date of something that has happened.
func dayFlag(cmd *cobra.Command, day *string, what string) {
	cmd.Flags().StringVar(day, "at", "", "the `DAY` "+what+" (YYYY-MM-DD), default today")
	_ = cmd.RegisterFlagCompletionFunc("at", cobra.NoFileCompletions)
}

// checkDays refuses what is no date, by flag; empty ones are fine.
func checkDays(days map[string]string) error {
	for flag, day := range days {
		if _, err := calendar.ParseDate(day); day != "" && err != nil {
			return &usageError{message: flag + ": " + err.Error(), hint: "a calendar date, YYYY-MM-DD"}
		}
	}
	return nil
}

func (a *app) initiativeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "initiative COMMAND",
		Short: "Act: move initiatives, their milestones, money and benefits along",
		Long: `What is planned is declared in manifests (kind Initiative). What happens is said
here: stages, milestones, spend, benefits, and corrective actions against a gap.
Nothing is overwritten, and each act can be read as of any revision.

Stages: proposed, approved, active, paused, completed, cancelled.`,
		Example: `  setpoint initiative list
  setpoint initiative approve shared-platform
  setpoint initiative milestone shared-platform pilot --done --evidence "three agencies live"
  setpoint initiative spend shared-platform 120000.00 --period 2026-Q1
  setpoint initiative coverage --strategy gsa-2018-2022`,
		RunE: needsSubcommand("missing the act", "legal are list, describe, approve, start, pause, resume, complete, cancel, reopen, milestone, spend, completion, benefit, coverage, commitments and action"),
	}
	cmd.AddCommand(a.initiativeListCommand(), a.initiativeDescribeCommand())
	for _, s := range []struct{ verb, to, short, needs string }{
		{"approve", "approved", "Approve a proposed initiative", ""},
		{"start", "active", "Start an approved initiative", ""},
		{"pause", "paused", "Pause an active initiative", "--reason says why"},
		{"resume", "active", "Resume a paused initiative", ""},
		{"complete", "completed", "Complete an active initiative", "with open milestones, --reason says why"},
		{"cancel", "cancelled", "Give an initiative up", "--reason says why"},
		{"reopen", "", "Reopen a completed or cancelled initiative", "--reason says why"},
	} {
		cmd.AddCommand(a.stageCommand(s.verb, s.to, s.short, s.needs))
	}
	cmd.AddCommand(a.milestoneCommand(), a.spendCommand(), a.completionCommand(), a.benefitCommand(),
		a.coverageCommand(), a.commitmentsCommand(), a.actionCommand())
	return cmd
}

func (a *app) stageCommand(verb, to, short, needs string) *cobra.Command {
	var at, reason string
	cmd := &cobra.Command{
		Use: verb + " INITIATIVE", Short: short, Args: exactArgs("INITIATIVE"),
		Long:              strings.TrimSpace(short + ". " + needs),
		Example:           "  setpoint initiative " + verb + " shared-platform" + map[bool]string{true: ` --reason "waits for the new contract"`}[needs != ""],
		ValidArgsFunction: a.completeName("Initiative", true),
	}
	dayFlag(cmd, &at, "it counts from")
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--at": at}); err != nil {
			return err
		}
		target := to
		if verb == "reopen" {
			// A completed one goes on; one that was given up is proposed again.
			res, err := a.client().initiative.GetInitiative(ctx, &initiativev1.GetInitiativeRequest{Initiative: args[0]})
			if err != nil {
				return err
			}
			switch stage := res.GetInitiative().GetState().GetStage(); stage {
			case "completed":
				target = "active"
			case "cancelled":
				target = "proposed"
			default:
				return fmt.Errorf("%s is %s: only what is completed or cancelled can be reopened", args[0], stage)
			}
		}
		res, err := a.client().initiative.ChangeStage(ctx, &initiativev1.ChangeStageRequest{
			RequestId: requestID(), Initiative: args[0], To: target, At: at, Reason: reason, Manager: "cli",
		})
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("%s is %s.", args[0], target))
	})
	return cmd
}

func (a *app) milestoneCommand() *cobra.Command {
	var at, forecast, evidence, reason string
	var done, reopen, withdraw bool
	cmd := &cobra.Command{
		Use: "milestone INITIATIVE MILESTONE", Short: "Reach, forecast or reopen a milestone", Args: exactArgs("INITIATIVE", "MILESTONE"),
		Long: `Milestone says that a milestone is done, when it is now expected, or that it is
not done after all. A later forecast than before needs a reason, and stays
visible: setpoint initiative commitments.`,
		Example: `  setpoint initiative milestone shared-platform pilot --done --at 2026-03-31 --evidence "three agencies live"
  setpoint initiative milestone shared-platform rollout --forecast 2026-09-30 --reason "the contract is late"
  setpoint initiative milestone shared-platform pilot --reopen --reason "one agency went back"`,
		ValidArgsFunction: a.completeName("Initiative", true),
	}
	f := cmd.Flags()
	f.BoolVar(&done, "done", false, "it is reached")
	f.StringVar(&forecast, "forecast", "", "the `DAY` on which it is now expected (YYYY-MM-DD)")
	f.BoolVar(&withdraw, "withdraw-forecast", false, "back to the planned date")
	f.BoolVar(&reopen, "reopen", false, "it is not reached after all")
	f.StringVar(&evidence, "evidence", "", "what shows that it is done")
	f.StringVar(&reason, "reason", "", "why")
	dayFlag(cmd, &at, "on which it was reached")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--at": at, "--forecast": forecast}); err != nil {
			return err
		}
		chosen := 0
		for _, is := range []bool{done, forecast != "", withdraw, reopen} {
			if is {
				chosen++
			}
		}
		if chosen != 1 {
			return &usageError{message: "say one thing of the milestone", hint: "--done, --forecast DAY, --withdraw-forecast or --reopen"}
		}
		c := a.client().initiative
		var res acted
		var said string
		var err error
		switch {
		case done:
			res, err = c.ReachMilestone(ctx, &initiativev1.ReachMilestoneRequest{
				RequestId: requestID(), Initiative: args[0], Milestone: args[1], At: at, Evidence: evidence, Manager: "cli",
			})
			said = fmt.Sprintf("%s of %s is reached.", args[1], args[0])
		case reopen:
			res, err = c.ReopenMilestone(ctx, &initiativev1.ReopenMilestoneRequest{
				RequestId: requestID(), Initiative: args[0], Milestone: args[1], Reason: reason, Manager: "cli",
			})
			said = fmt.Sprintf("%s of %s is open again.", args[1], args[0])
		default:
			res, err = c.ForecastMilestone(ctx, &initiativev1.ForecastMilestoneRequest{
				RequestId: requestID(), Initiative: args[0], Milestone: args[1], Date: forecast, Reason: reason, Manager: "cli",
			})
			said = fmt.Sprintf("%s of %s is expected on %s.", args[1], args[0], forecast)
			if withdraw {
				said = fmt.Sprintf("The forecast of %s of %s is withdrawn.", args[1], args[0])
			}
		}
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, said)
	})
	return cmd
}

func (a *app) spendCommand() *cobra.Command {
	var period, currency, note string
	cmd := &cobra.Command{
		Use: "spend INITIATIVE AMOUNT", Short: "Record what was spent in a period", Args: exactArgs("INITIATIVE", "AMOUNT"),
		Long: `Spend records the whole amount spent in a period; another amount for the same
period replaces it. Periods may not overlap. There is one currency for each
initiative: its own, or the organization's.`,
		Example:           "  setpoint initiative spend shared-platform 120000.00 --period 2026-Q1",
		ValidArgsFunction: a.completeName("Initiative", true),
	}
	f := cmd.Flags()
	f.StringVar(&period, "period", "", "the `PERIOD`: FY2026, 2026-Q1 or 2026-03")
	f.StringVar(&currency, "currency", "", "the `CURRENCY`, which must be the initiative's")
	f.StringVar(&note, "note", "", "what it was for")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if period == "" {
			return &usageError{message: "missing --period", hint: "FY2026, 2026-Q1 or 2026-03"}
		}
		res, err := a.client().initiative.RecordSpend(ctx, &initiativev1.RecordSpendRequest{
			RequestId: requestID(), Initiative: args[0], Period: period, Amount: args[1], Currency: currency, Note: note, Manager: "cli",
		})
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("%s spent %s in %s.", args[0], args[1], period))
	})
	return cmd
}

func (a *app) completionCommand() *cobra.Command {
	var currency, reason string
	var periods []string
	cmd := &cobra.Command{
		Use: "completion INITIATIVE [AMOUNT]", Short: "Forecast what an initiative costs at its end", Args: betweenArgs(1, 2, "INITIATIVE and AMOUNT"),
		Long: `Completion says what an initiative is expected to cost at its end, in all or by
period. What has been spent is part of it.`,
		Example: `  setpoint initiative completion shared-platform 610000 --reason "one more release"
  setpoint initiative completion shared-platform --period FY2026=400000 --period FY2027=210000`,
		ValidArgsFunction: a.completeName("Initiative", true),
	}
	cmd.Flags().StringVar(&currency, "currency", "", "the `CURRENCY`, which must be the initiative's")
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	cmd.Flags().StringArrayVar(&periods, "period", nil, "the cost of a period, as `PERIOD=AMOUNT`; once for each")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		req := &initiativev1.ForecastCompletionRequest{RequestId: requestID(), Initiative: args[0], Currency: currency, Reason: reason, Manager: "cli"}
		said := strings.Join(periods, ", ")
		switch {
		case len(args) == 2 && len(periods) > 0:
			return usagef("AMOUNT and --period exclude each other: in all is the sum of the periods")
		case len(args) == 2:
			req.Amount, said = args[1], args[1]
		case len(periods) == 0:
			return &usageError{message: "missing AMOUNT", hint: "or the cost by period: --period FY2026=400000"}
		}
		for _, p := range periods {
			period, amount, ok := strings.Cut(p, "=")
			if !ok {
				return &usageError{message: fmt.Sprintf("--period: %q is not PERIOD=AMOUNT", p), hint: "such as FY2026=400000"}
			}
			req.Periods = append(req.Periods, &initiativev1.Spend{Period: period, Amount: amount})
		}
		res, err := a.client().initiative.ForecastCompletion(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("%s is expected to cost %s.", args[0], said))
	})
	return cmd
}

func (a *app) benefitCommand() *cobra.Command {
	var at, basis string
	cmd := &cobra.Command{
		Use: "benefit INITIATIVE TARGET AMOUNT", Short: "Record what an initiative has added to a target's metric", Args: exactArgs("INITIATIVE", "TARGET", "AMOUNT"),
		Long: `Benefit records what an initiative has added to a target's metric by a day, in
all, in the metric's unit and in the direction that is better. The initiative
must have declared a contribution to that target.`,
		Example:           `  setpoint initiative benefit shared-platform fedramp-2020 7 --at 2026-03-31 --basis "counted in the register"`,
		ValidArgsFunction: a.completeName("Initiative", true),
	}
	dayFlag(cmd, &at, "by which it was added")
	cmd.Flags().StringVar(&basis, "basis", "", "how it is known")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		amount, err := strconv.ParseFloat(args[2], 64)
		if err != nil {
			return usagef("AMOUNT: %q is not a number", args[2])
		}
		if err := checkDays(map[string]string{"--at": at}); err != nil {
			return err
		}
		res, err := a.client().initiative.RecordBenefit(ctx, &initiativev1.RecordBenefitRequest{
			RequestId: requestID(), Initiative: args[0], Target: args[1], At: at, Amount: &amount, Basis: basis, Manager: "cli",
		})
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("%s has added %s to %s.", args[0], args[2], args[1]))
	})
	return cmd
}

func (a *app) commitmentsCommand() *cobra.Command {
	var since string
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "commitments", Short: "What became of the milestones that stood when a period began", Args: cobra.NoArgs,
		Long: `Commitments compares the milestones as they were known at the end of a day with
those of now: kept, reached, pushed out, pulled in, dropped, and added since.`,
		Example: "  setpoint initiative commitments --since 2026-01-01",
	}
	cmd.Flags().StringVar(&since, "since", "", "the `DAY` on which the period began (YYYY-MM-DD)")
	s.register(cmd)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if since == "" {
			return &usageError{message: "missing --since", hint: "the day on which the period began, YYYY-MM-DD"}
		}
		if err := checkDays(map[string]string{"--since": since}); err != nil {
			return err
		}
		m, err := s.snapshot()
		if err != nil {
			return err
		}
		res, err := a.client().initiative.GetCommitments(ctx, &initiativev1.GetCommitmentsRequest{Since: since, Revision: m.GetRevision(), KnownAt: m.GetKnownAt()})
		if err != nil {
			return err
		}
		columns := []column{
			{Title: "CHANGE"}, {Title: "INITIATIVE", Shrink: 12, Name: true}, {Title: "MILESTONE", Shrink: 12, Name: true},
			{Title: "BEFORE"}, {Title: "NOW"}, {Title: "DAYS", Right: true},
		}
		var rows [][]string
		for _, c := range res.GetCommitments() {
			days := ""
			if c.GetBefore() != "" && c.GetNow() != "" {
				days = fmt.Sprintf("%+d", c.GetDays())
			}
			rows = append(rows, []string{c.GetChange(), c.GetInitiative(), c.GetMilestone(), c.GetBefore(), c.GetNow(), days})
		}
		if *out != asTable {
			return a.writeRows(*out, res, columns, rows)
		}
		if len(rows) == 0 {
			a.warnf("no initiative has milestones\n")
			return nil
		}
		a.printf("%s\nKept or reached in time: %d of %d that stood on %s (revision %d).\n",
			renderTable(columns, rows, a.width(), a.colors(a.opts.Stdout)), res.GetKept(), res.GetTotal(), since, res.GetSinceRevision())
		return nil
	})
	return cmd
}

func (a *app) actionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "action COMMAND", Short: "Corrective actions against a gap",
		Example: `  setpoint initiative action open "Sublet floor 3" --target vacant-space --owner unit/real-estate --due 2026-06-30
  setpoint initiative action list --status open`,
		RunE: needsSubcommand("missing what to do", "legal are open, list, describe, move, close, drop and reopen"),
	}
	cmd.AddCommand(a.actionOpenCommand(), a.actionListCommand(), a.actionDescribeCommand(), a.actionMoveCommand(),
		a.actionCloseCommand("close", "done", "Close an action as done", "what shows that it is done"),
		a.actionCloseCommand("drop", "dropped", "Drop an action", "why it is dropped"), a.actionReopenCommand())
	return cmd
}

func (a *app) actionOpenCommand() *cobra.Command {
	req := &initiativev1.OpenActionRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "open TITLE", Short: "Open a corrective action", Args: exactArgs("TITLE"),
		Example: `  setpoint initiative action open "Sublet floor 3" --target vacant-space --owner unit/real-estate --due 2026-06-30`,
	}
	f := cmd.Flags()
	f.StringVar(&req.Target, "target", "", "the `TARGET` whose gap it closes")
	f.StringVar(&req.Initiative, "initiative", "", "the `INITIATIVE` it is about")
	f.StringVar(&req.Owner, "owner", "", "unit/NAME or person/ID")
	f.StringVar(&req.Due, "due", "", "the `DAY` by which it is done (YYYY-MM-DD)")
	f.StringVar(&req.At, "at", "", "the `DAY` on which it was opened; default today")
	f.StringVar(&req.Note, "note", "", "what explains it")
	_ = cmd.RegisterFlagCompletionFunc("target", a.completeName("Target", true))
	_ = cmd.RegisterFlagCompletionFunc("initiative", a.completeName("Initiative", true))
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--due": req.GetDue(), "--at": req.GetAt()}); err != nil {
			return err
		}
		if req.GetDue() == "" || req.GetOwner() == "" {
			return &usageError{message: "an action needs --owner and --due", hint: "who does it, by when"}
		}
		req.RequestId, req.Title = requestID(), args[0]
		res, err := a.client().initiative.OpenAction(ctx, req)
		if err != nil {
			return err
		}
		a.settle(ctx, res.GetRevision())
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		a.printf("Opened %s. Revision %d.\n", res.GetAction(), res.GetRevision())
		return nil
	})
	return cmd
}

func (a *app) actionListCommand() *cobra.Command {
	req := &initiativev1.ListActionsRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List corrective actions, the overdue ones first", Args: cobra.NoArgs,
		Example: "  setpoint initiative action list --status open --owner unit/real-estate",
	}
	f := cmd.Flags()
	f.StringVar(&req.Target, "target", "", "only those against this `TARGET`")
	f.StringVar(&req.Initiative, "initiative", "", "only those about this `INITIATIVE`")
	f.StringVar(&req.Owner, "owner", "", "only those of this `OWNER`")
	f.StringVar(&req.Status, "status", "", "only those that are open, done or dropped")
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		if !slices.Contains([]string{"", "open", "done", "dropped"}, req.GetStatus()) {
			return usagef("--status: %q is none; legal are open, done and dropped", req.GetStatus())
		}
		res, err := a.client().initiative.ListActions(ctx, req)
		if err != nil {
			return err
		}
		columns := []column{
			{Title: "ACTION"}, {Title: "STATUS"}, {Title: "DUE"}, {Title: "TITLE", Shrink: 16, Cap: longestTitle}, {Title: "OWNER", Shrink: 10},
			{Title: "TARGET", Shrink: 12, Name: true}, {Title: "INITIATIVE", Shrink: 12, Name: true}, {Title: "OPENED BY", Drop: 1}, {Title: "CLOSED", Drop: 2},
		}
		var rows [][]string
		for _, x := range res.GetActions() {
			st := x.GetState()
			status, by := st.GetStatus(), ""
			if x.GetOverdue() {
				status = "▼ overdue"
			}
			if st.GetPolicy() != "" {
				by = "policy " + st.GetPolicy()
			}
			rows = append(rows, []string{x.GetAction(), status, st.GetDue(), printable(st.GetTitle()), printable(st.GetOwner()),
				st.GetTarget(), st.GetInitiative(), by, st.GetClosed()})
		}
		return a.writeTable(*out, res, columns, rows, "no such actions\n")
	})
	return cmd
}

func (a *app) actionDescribeCommand() *cobra.Command {
	req := &initiativev1.GetActionRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "describe ACTION", Short: "All about one action, and what happened to it", Args: exactArgs("ACTION"),
		Example: "  setpoint initiative action describe act-5k2q",
	}
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		req.Action = args[0]
		res, err := a.client().initiative.GetAction(ctx, req)
		if err != nil {
			return err
		}
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		color := a.colors(a.opts.Stdout)
		st := res.GetAction().GetState()
		status := st.GetStatus()
		if res.GetAction().GetOverdue() {
			status = "▼ overdue"
		}
		b := &block{color: color}
		b.line("Action", args[0])
		b.line("Title", printable(st.GetTitle()))
		b.line("Status", status)
		b.line("Owner", printable(st.GetOwner()))
		b.line("Due", st.GetDue())
		b.line("Target", st.GetTarget())
		b.line("Initiative", st.GetInitiative())
		b.line("Policy", st.GetPolicy())
		b.line("Opened", st.GetOpened())
		b.line("Closed", st.GetClosed())
		b.b.WriteString(actsText(res.GetActs(), a.width(), color))
		a.printf("%s", b.b.String())
		return nil
	})
	return cmd
}

func (a *app) actionMoveCommand() *cobra.Command {
	req := &initiativev1.MoveActionRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "move ACTION", Short: "Give an action another owner or due date", Args: exactArgs("ACTION"),
		Example: `  setpoint initiative action move act-5k2q --due 2026-07-31 --reason "the tenant asked for a month"`,
	}
	cmd.Flags().StringVar(&req.Owner, "owner", "", "unit/NAME or person/ID")
	cmd.Flags().StringVar(&req.Due, "due", "", "the `DAY` by which it is done (YYYY-MM-DD)")
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--due": req.GetDue()}); err != nil {
			return err
		}
		if req.GetDue() == "" && req.GetOwner() == "" {
			return &usageError{message: "nothing to move", hint: "give --owner or --due"}
		}
		req.RequestId, req.Action = requestID(), args[0]
		res, err := a.client().initiative.MoveAction(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, args[0]+" is moved.")
	})
	return cmd
}

func (a *app) actionCloseCommand(verb, outcome, short, evidence string) *cobra.Command {
	req := &initiativev1.CloseActionRequest{Manager: "cli", Outcome: outcome}
	flag := map[string]string{"done": "evidence", "dropped": "reason"}[outcome]
	cmd := &cobra.Command{
		Use: verb + " ACTION", Short: short, Args: exactArgs("ACTION"),
		Example: fmt.Sprintf("  setpoint initiative action %s act-5k2q --%s \"…\"", verb, flag),
	}
	cmd.Flags().StringVar(&req.Evidence, flag, "", evidence)
	dayFlag(cmd, &req.At, "on which it ended")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--at": req.GetAt()}); err != nil {
			return err
		}
		req.RequestId, req.Action = requestID(), args[0]
		res, err := a.client().initiative.CloseAction(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("%s is %s.", args[0], outcome))
	})
	return cmd
}

func (a *app) actionReopenCommand() *cobra.Command {
	req := &initiativev1.ReopenActionRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "reopen ACTION", Short: "Reopen an action", Args: exactArgs("ACTION"),
		Example: `  setpoint initiative action reopen act-5k2q --reason "the lease was not signed"`,
	}
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		req.RequestId, req.Action = requestID(), args[0]
		res, err := a.client().initiative.ReopenAction(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, args[0]+" is open again.")
	})
	return cmd
}

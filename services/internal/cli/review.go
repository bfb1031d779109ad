package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

func (a *app) reviewCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "review COMMAND",
		Short: "Hold reviews: open, lock a pack, decide, close",
		Long: `A review returns with its cadence: one occurrence for each period, held once the
period has ended. When is declared (kind Review); what happens is said here.

Open it, lock its pack (what was known of which day, with a hash by which it can
be made again), record decisions with an owner and a day, close it. PERIOD can be
left out: it is the occurrence that is open, else the one that is due.`,
		Example: `  setpoint review due
  setpoint review open quarterly
  setpoint review lock quarterly
  setpoint review decide quarterly --title "move the two leases to 2027" --owner unit/real-estate --due 2026-12-15 --target vacant-space
  setpoint review close quarterly --note "next one with the regions"
  setpoint review settle quarterly 2026-Q3 d1 --done --evidence "both are signed"`,
		RunE: needsSubcommand("missing the act", "legal are list, due, describe, open, lock, decide, settle, close, skip, decisions and pack"),
	}
	cmd.AddCommand(a.reviewListCommand("list", false), a.reviewListCommand("due", true), a.reviewDescribeCommand(),
		a.reviewOpenCommand(), a.reviewLockCommand(), a.reviewDecideCommand(), a.reviewSettleCommand(), a.reviewCloseCommand(), a.reviewSkipCommand(),
		a.reviewDecisionsCommand(), a.reviewPackCommand())
	return cmd
}

// reviewArgs takes REVIEW and perhaps PERIOD, also as REVIEW/PERIOD.
func reviewArgs(args []string) (review, period string) {
	review, period, _ = strings.Cut(args[0], "/")
	if len(args) > 1 {
		period = args[1]
	}
	return review, period
}

// reviewOrPeriod is the check of their number.
func reviewOrPeriod(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return usagef("missing REVIEW")
	case 1, 2:
		return nil
	}
	return usagef("%d arguments; at most REVIEW and PERIOD are legal", len(args))
}

func (a *app) reviewOpenCommand() *cobra.Command {
	req := &strategyv1.OpenReviewRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "open REVIEW [PERIOD]", Short: "Begin an occurrence", Args: reviewOrPeriod,
		Long:              "Open begins an occurrence: in its period, or later. One that was skipped can be held after all.",
		Example:           "  setpoint review open quarterly\n  setpoint review open quarterly 2026-Q3 --at 2026-10-08",
		ValidArgsFunction: a.completeName("Review", true),
	}
	dayFlag(cmd, &req.At, "on which it is held")
	noteFlag(cmd, &req.Note, "what is to be known of it")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--at": req.GetAt()}); err != nil {
			return err
		}
		req.RequestId = requestID()
		req.Review, req.Period = reviewArgs(args)
		res, err := a.client().strategy.OpenReview(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("The review %s of %s is open.", req.GetReview(), res.GetPeriod()))
	})
	return cmd
}

func noteFlag(cmd *cobra.Command, note *string, what string) {
	cmd.Flags().StringVar(note, "note", "", what)
	_ = cmd.RegisterFlagCompletionFunc("note", cobra.NoFileCompletions)
}

func (a *app) reviewLockCommand() *cobra.Command {
	req := &strategyv1.LockReviewRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "lock REVIEW [PERIOD]", Short: "Fix what the review looks at", Args: reviewOrPeriod,
		Long: `Lock evaluates the review's scope at the end of its period with what is known now,
and remembers the revision, the day, the policy and the SHA-256 of the result: the
pack. It never changes, and the log gives it again at any time.`,
		Example:           "  setpoint review lock quarterly\n  setpoint review lock quarterly 2026-Q3 --as-of 2026-10-05",
		ValidArgsFunction: a.completeName("Review", true),
	}
	a.asOfFlag(cmd, &req.AsOf)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkAsOf(req.GetAsOf()); err != nil {
			return err
		}
		req.RequestId = requestID()
		req.Review, req.Period = reviewArgs(args)
		res, err := a.client().strategy.LockReview(ctx, req)
		if err != nil {
			return err
		}
		p := res.GetPack()
		said := fmt.Sprintf("The review %s of %s is locked: %s as of %s, sha256 %.16s…", req.GetReview(), res.GetPeriod(), packWords(p), p.GetAsOf(), p.GetSha256())
		return a.wrote(ctx, *out, res, said)
	})
	return cmd
}

// packWords counts what a pack shows: 12 targets (8 on track, 4 off track).
func packWords(p *strategyv1.ReviewPack) string {
	var parts []string
	for _, s := range []string{"missed", "off_track", "at_risk", "no_data", "not_started", "on_track", "achieved"} {
		if n := p.GetStatuses()[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(s, "_", " ")))
		}
	}
	what := fmt.Sprintf("%d targets", p.GetTargets())
	if p.GetTargets() == 1 {
		what = "1 target"
	}
	if len(parts) == 0 {
		return what
	}
	return what + " (" + strings.Join(parts, ", ") + ")"
}

func (a *app) reviewDecideCommand() *cobra.Command {
	req := &strategyv1.RecordDecisionRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "decide REVIEW [PERIOD]", Short: "Record what was decided, who does it, and by when", Args: reviewOrPeriod,
		Long: `Decide records a decision of a review that is open or locked. Its owner owes it
from then on (setpoint checkin due) until it is settled. The title is shown in
lists, so name no person in it; a note is kept with the decision.`,
		Example:           `  setpoint review decide quarterly --title "move the two leases to 2027" --owner unit/real-estate --due 2026-12-15 --target vacant-space`,
		ValidArgsFunction: a.completeName("Review", true),
	}
	f := cmd.Flags()
	f.StringVar(&req.Title, "title", "", "what is to be done")
	f.StringVar(&req.Owner, "owner", "", "who does it: unit/NAME or person/ID")
	f.StringVar(&req.Due, "due", "", "the `DAY` by which it is done (YYYY-MM-DD)")
	f.StringSliceVar(&req.Targets, "target", nil, "a `TARGET` that it is about; may be repeated")
	f.StringSliceVar(&req.Initiatives, "initiative", nil, "an `INITIATIVE` that it is about; may be repeated")
	for _, name := range []string{"title", "owner", "due"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	_ = cmd.RegisterFlagCompletionFunc("target", a.completeName("Target", true))
	_ = cmd.RegisterFlagCompletionFunc("initiative", a.completeName("Initiative", true))
	noteFlag(cmd, &req.Note, "why")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--due": req.GetDue()}); err != nil {
			return err
		}
		if strings.TrimSpace(req.GetTitle()) == "" || req.GetOwner() == "" || req.GetDue() == "" {
			return &usageError{message: "a decision needs --title, --owner and --due", hint: "what is done, by whom, and by when"}
		}
		req.RequestId = requestID()
		req.Review, req.Period = reviewArgs(args)
		res, err := a.client().strategy.RecordDecision(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("Decision %s/%s/%s: %s until %s.", req.GetReview(), res.GetPeriod(), res.GetDecision(), req.GetOwner(), req.GetDue()))
	})
	return cmd
}

func (a *app) reviewSettleCommand() *cobra.Command {
	req := &strategyv1.SettleDecisionRequest{Manager: "cli"}
	var done, dropped bool
	cmd := &cobra.Command{
		Use: "settle REVIEW [PERIOD] DECISION", Short: "Say that a decision is done, or dropped",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 3 || len(args) == 1 && strings.Count(args[0], "/") != 2 {
				return &usageError{message: "settle needs REVIEW, perhaps PERIOD, and DECISION", hint: "quarterly 2026-Q3 d1, or quarterly/2026-Q3/d1"}
			}
			return nil
		},
		Long: "Settle ends what a review decided; also after the review is closed. Without PERIOD the newest occurrence that has such a decision is meant.",
		Example: `  setpoint review settle quarterly 2026-Q3 d1 --done --evidence "both are signed"
  setpoint review settle quarterly/2026-Q3/d2 --dropped --evidence "the agency moves out"`,
		ValidArgsFunction: a.completeName("Review", true),
	}
	f := cmd.Flags()
	f.BoolVar(&done, "done", false, "it is done")
	f.BoolVar(&dropped, "dropped", false, "it will not be done")
	f.StringVar(&req.Evidence, "evidence", "", "what shows that it is done, or why it is dropped")
	_ = cmd.RegisterFlagCompletionFunc("evidence", cobra.NoFileCompletions)
	dayFlag(cmd, &req.At, "on which it was")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if done == dropped {
			return &usageError{message: "say one thing of the decision", hint: "--done or --dropped"}
		}
		if err := checkDays(map[string]string{"--at": req.GetAt()}); err != nil {
			return err
		}
		req.Outcome = map[bool]string{true: "done", false: "dropped"}[done]
		parts := strings.Split(strings.Join(args, "/"), "/")
		req.RequestId, req.Review, req.Decision = requestID(), parts[0], parts[len(parts)-1]
		if len(parts) > 2 {
			req.Period = parts[1]
		}
		res, err := a.client().strategy.SettleDecision(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("%s/%s/%s is %s.", req.GetReview(), res.GetPeriod(), req.GetDecision(), req.GetOutcome()))
	})
	return cmd
}

func (a *app) reviewCloseCommand() *cobra.Command {
	req := &strategyv1.CloseReviewRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "close REVIEW [PERIOD]", Short: "End an occurrence", Args: reviewOrPeriod,
		Long: `Close ends an occurrence. One that needs a pack must have been locked; one that is
declared withoutPack can be closed at once, which is all a daily practice takes.`,
		Example:           "  setpoint review close quarterly --note \"next one with the regions\"\n  setpoint review close evening --at 2026-11-25",
		ValidArgsFunction: a.completeName("Review", true),
	}
	dayFlag(cmd, &req.At, "on which it ended")
	noteFlag(cmd, &req.Note, "what came of it")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--at": req.GetAt()}); err != nil {
			return err
		}
		req.RequestId = requestID()
		req.Review, req.Period = reviewArgs(args)
		res, err := a.client().strategy.CloseReview(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("The review %s of %s is closed.", req.GetReview(), res.GetPeriod()))
	})
	return cmd
}

func (a *app) reviewSkipCommand() *cobra.Command {
	req := &strategyv1.SkipReviewRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "skip REVIEW [PERIOD]", Short: "Say that an occurrence is not held, and why", Args: reviewOrPeriod,
		Long:              "Skip ends an occurrence that is not held, on purpose: it is neither missed nor owed any more. A coming one can be skipped in advance.",
		Example:           `  setpoint review skip quarterly 2026-Q3 --reason "the reorganization is reviewed by itself"`,
		ValidArgsFunction: a.completeName("Review", true),
	}
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why")
	_ = cmd.RegisterFlagCompletionFunc("reason", cobra.NoFileCompletions)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if strings.TrimSpace(req.GetReason()) == "" {
			return &usageError{message: "skipping a review needs --reason", hint: "why it is not held"}
		}
		req.RequestId = requestID()
		req.Review, req.Period = reviewArgs(args)
		res, err := a.client().strategy.SkipReview(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("The review %s of %s is skipped.", req.GetReview(), res.GetPeriod()))
	})
	return cmd
}

func (a *app) reviewListCommand(verb string, due bool) *cobra.Command {
	req := &strategyv1.ListReviewsRequest{Due: due}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: verb, Short: "All reviews, and when each is held next", Args: cobra.NoArgs,
		Long: `List shows each review with the occurrence that is open, due or next, how many in a
row were not held, who answers for that by now, and what is still to be done of what
it decided. The longest overdue come first.`,
		Example: "  setpoint review list\n  setpoint review list --owner unit/real-estate --as-of 2026-12-31",
	}
	if due {
		cmd.Short = "The reviews that are due, open or overdue"
		cmd.Long = "Due is list without the reviews whose next occurrence is still to come. What else is owed: setpoint checkin due."
		cmd.Example = "  setpoint review due\n  setpoint review due --owner person/ada"
	}
	cmd.Flags().StringVar(&req.Owner, "owner", "", "only those of this `OWNER` (unit/NAME or person/ID), or in which it takes part")
	_ = cmd.RegisterFlagCompletionFunc("owner", cobra.NoFileCompletions)
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		res, err := a.client().strategy.ListReviews(ctx, req)
		if err != nil {
			return err
		}
		columns, rows := reviewRows(res, *out)
		if *out != asTable {
			return a.writeRows(*out, res, columns, rows)
		}
		if len(rows) == 0 {
			a.warnf("no reviews%s as of %s\n", map[bool]string{true: " are due"}[due], res.GetAsOf())
			return nil
		}
		a.printf("As of %s, revision %d.\n\n%s", res.GetAsOf(), res.GetRevision(), renderTable(dropEmpty(columns, rows, a.width(), a.colors(a.opts.Stdout))))
		return nil
	})
	return cmd
}

func reviewRows(res *strategyv1.ListReviewsResponse, f format) ([]column, [][]string) {
	columns := []column{
		{Title: "STATUS"}, {Title: "REVIEW", Shrink: 12, Name: true}, {Title: "CADENCE", Drop: 3}, {Title: "PERIOD"}, {Title: "DUE"}, {Title: "OVERDUE"},
		{Title: "MISSED", Right: true}, {Title: "OWNER", Shrink: 10}, {Title: "ESCALATED TO", Shrink: 10}, {Title: "SCOPE", Shrink: 10, Drop: 4},
		{Title: "DECISIONS", Right: true, Drop: 2}, {Title: "LAST HELD", Drop: 1}, {Title: "TITLE", Shrink: 16, Cap: longestTitle, Drop: 5},
	}
	var rows [][]string
	for _, x := range res.GetReviews() {
		o := x.GetNext()
		status, late, missed, decisions := cmp.Or(o.GetStatus(), "over"), "", "", ""
		if d := o.GetDaysOverdue(); d > 0 {
			late = itoa(int64(d))
			if f == asTable {
				late = "▼ " + late + "d"
			}
		}
		if n := x.GetMissed(); n > 0 {
			missed = itoa(int64(n))
		}
		if n := x.GetOpenDecisions(); n > 0 {
			decisions = itoa(int64(n))
			if late := x.GetOverdueDecisions(); late > 0 && f == asTable {
				decisions += fmt.Sprintf(" (%d late)", late)
			}
		}
		rows = append(rows, []string{
			status, x.GetName(), x.GetSpec().GetCadence(), o.GetPeriod(), o.GetDue(), late, missed, printable(x.GetSpec().GetOwner()), printable(x.GetEscalatedTo()),
			scopeWords(x.GetSpec().GetScope()), decisions, x.GetLast().GetPeriod(), printable(x.GetSpec().GetTitle()),
		})
	}
	return columns, rows
}

func scopeWords(s *strategyv1.ReviewScope) string {
	switch {
	case s.GetStrategy() != "":
		return "strategy/" + s.GetStrategy()
	case s.GetObjective() != "":
		return "objective/" + s.GetObjective()
	case s.GetUnit() != "":
		return "unit/" + s.GetUnit()
	}
	return ""
}

func (a *app) reviewDescribeCommand() *cobra.Command {
	req := &strategyv1.GetReviewRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "describe REVIEW [PERIOD]", Short: "A review with its occurrences; or one of them with all that was done", Args: reviewOrPeriod,
		Long: `Describe shows when a review was held, skipped and missed, the newest first. With a
PERIOD it shows that occurrence: its pack, and how to see it again, its decisions,
and who did what.`,
		Example:           "  setpoint review describe quarterly\n  setpoint review describe quarterly 2026-Q3",
		ValidArgsFunction: a.completeName("Review", true),
	}
	cmd.Flags().Int32Var(&req.Limit, "limit", 20, "how many occurrences, at most 1000")
	_ = cmd.RegisterFlagCompletionFunc("limit", cobra.NoFileCompletions)
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if n := req.GetLimit(); n < 1 || n > 1000 {
			return usagef("--limit: %d is not from 1 to 1000", n)
		}
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		req.Review, req.Period = reviewArgs(args)
		res, err := a.client().strategy.GetReview(ctx, req)
		if err != nil {
			return err
		}
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		a.printf("%s", reviewText(res, true, req.GetPeriod() != "", a.width(), a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

// reviewText is a review with its occurrences, or with one of them; without what is
// declared where that stands above it.
func reviewText(res *strategyv1.GetReviewResponse, declared, one bool, width int, color paint) string {
	var b strings.Builder
	x := res.GetReview()
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-14s %s\n", name, value)
		}
	}
	if declared {
		declaredReview(x, line)
	}
	if n := x.GetMissed(); n > 0 {
		said := fmt.Sprintf("%d in a row, overdue since %s", n, x.GetMissedSince())
		if x.GetEscalatedTo() != "" {
			said += "; escalated to " + x.GetEscalatedTo()
		}
		line("Not held", said)
	}
	line("As of", fmt.Sprintf("%s, revision %d", res.GetAsOf(), res.GetRevision()))
	if !one {
		columns := []column{{Title: "STATUS"}, {Title: "PERIOD"}, {Title: "ENDED"}, {Title: "DUE"}, {Title: "OVERDUE"}, {Title: "HELD"}, {Title: "PACK"}, {Title: "DECISIONS", Right: true}}
		var rows [][]string
		for _, o := range res.GetOccurrences() {
			late, decisions, pack := "", "", ""
			if d := o.GetDaysOverdue(); d > 0 {
				late = fmt.Sprintf("▼ %dd", d)
			}
			if n := len(o.GetState().GetDecisions()); n > 0 {
				decisions = itoa(int64(n))
			}
			if p := o.GetState().GetPack(); p != nil {
				pack = fmt.Sprintf("%.12s as of %s", p.GetSha256(), p.GetAsOf())
			}
			rows = append(rows, []string{o.GetStatus(), o.GetPeriod(), o.GetEnd(), o.GetDue(), late, cmp.Or(o.GetState().GetEnded(), o.GetState().GetOpened()), pack, decisions})
		}
		if len(rows) > 0 {
			b.WriteString("\n" + renderTable(dropEmpty(columns, rows, width, color)))
		}
		return b.String()
	}
	o := res.GetOccurrences()[0]
	status := o.GetStatus()
	if d := o.GetDaysOverdue(); d > 0 {
		status += fmt.Sprintf(", %d days overdue", d)
	}
	line("Occurrence", fmt.Sprintf("%s (%s to %s), due %s: %s", o.GetPeriod(), o.GetStart(), o.GetEnd(), o.GetDue(), status))
	if p := o.GetState().GetPack(); p != nil {
		line("Pack", packWords(p))
		line("", fmt.Sprintf("as of %s, revision %d, known at %s, policy %s", p.GetAsOf(), p.GetRevision(), p.GetKnownAt(), p.GetPolicy()))
		line("", "sha256 "+p.GetSha256())
		line("", fmt.Sprintf("made again by: setpoint review pack %s %s", x.GetName(), o.GetPeriod()))
	}
	if list := o.GetState().GetDecisions(); len(list) > 0 {
		var entries []*strategyv1.DecisionEntry
		for _, d := range list {
			entries = append(entries, &strategyv1.DecisionEntry{Review: x.GetName(), Period: o.GetPeriod(), Decision: d, Overdue: d.GetStatus() == "open" && d.GetDue() < res.GetAsOf()})
		}
		columns, rows := decisionRows(entries, asTable)
		b.WriteString("\n" + renderTable(dropEmpty(columns[1:], cut(rows), width, color)))
	}
	b.WriteString(actsText(res.GetActs(), width, color))
	return b.String()
}

func declaredReview(x *strategyv1.ReviewEntry, line func(name, value string)) {
	spec := x.GetSpec()
	line("Review", x.GetName())
	line("Title", printable(spec.GetTitle()))
	line("Cadence", spec.GetCadence())
	line("Scope", scopeWords(spec.GetScope()))
	line("Owner", printable(spec.GetOwner()))
	line("Participants", printable(strings.Join(spec.GetParticipants(), ", ")))
	for i, item := range spec.GetAgenda() {
		line(map[bool]string{true: "Agenda"}[i == 0], fmt.Sprintf("%d. %s", i+1, printable(item)))
	}
}

// cut leaves the first cell of each row out.
func cut(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		out[i] = r[1:]
	}
	return out
}

func decisionRows(list []*strategyv1.DecisionEntry, f format) ([]column, [][]string) {
	columns := []column{
		{Title: "REVIEW", Name: true}, {Title: "DECISION"}, {Title: "STATUS"}, {Title: "DUE"}, {Title: "OVERDUE"}, {Title: "OWNER", Shrink: 10},
		{Title: "WHAT", Shrink: 16, Cap: longestTitle}, {Title: "TARGETS", Shrink: 12, Drop: 1}, {Title: "INITIATIVES", Shrink: 12, Drop: 2}, {Title: "DECIDED", Drop: 3}, {Title: "SETTLED", Drop: 4},
	}
	var rows [][]string
	for _, x := range list {
		d := x.GetDecision()
		late := ""
		if x.GetOverdue() {
			late = "yes"
			if f == asTable {
				late = "▼"
			}
		}
		rows = append(rows, []string{
			x.GetReview() + "/" + x.GetPeriod(), d.GetId(), d.GetStatus(), d.GetDue(), late, printable(d.GetOwner()), printable(d.GetTitle()),
			strings.Join(d.GetTargets(), " "), strings.Join(d.GetInitiatives(), " "), d.GetDecided(), d.GetSettled(),
		})
	}
	return columns, rows
}

func (a *app) reviewDecisionsCommand() *cobra.Command {
	req := &strategyv1.ListDecisionsRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "decisions [REVIEW]", Short: "What reviews decided, the newest first", Args: cobra.MaximumNArgs(1),
		Long:              "Decisions lists what was decided, who owes it, by when, and what became of it.",
		Example:           "  setpoint review decisions --open\n  setpoint review decisions quarterly -o csv",
		ValidArgsFunction: a.completeName("Review", true),
	}
	cmd.Flags().StringVar(&req.Owner, "owner", "", "only those of this `OWNER` (unit/NAME or person/ID)")
	cmd.Flags().BoolVar(&req.Open, "open", false, "only what is neither done nor dropped")
	_ = cmd.RegisterFlagCompletionFunc("owner", cobra.NoFileCompletions)
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		if len(args) > 0 {
			req.Review = args[0]
		}
		res, err := a.client().strategy.ListDecisions(ctx, req)
		if err != nil {
			return err
		}
		columns, rows := decisionRows(res.GetDecisions(), *out)
		return a.writeTable(*out, res, columns, rows, "no decisions as of %s\n", res.GetAsOf())
	})
	return cmd
}

func (a *app) reviewPackCommand() *cobra.Command {
	req := &strategyv1.GetPackRequest{}
	var s snapshotFlags
	var file string
	cmd := &cobra.Command{
		Use: "pack REVIEW [PERIOD]", Short: "Make a locked pack again from the log, and check its hash", Args: reviewOrPeriod,
		Long: `Pack evaluates again what a review was locked on, at the same revision, and compares
the hash. --file writes the content: the JSON form of an evaluation, whose SHA-256
is the one that was locked. Without PERIOD it is the newest pack. Exit code 1 if it
is not the same.`,
		Example:           "  setpoint review pack quarterly 2026-Q3\n  setpoint review pack quarterly --file pack.json && sha256sum pack.json",
		ValidArgsFunction: a.completeName("Review", true),
	}
	cmd.Flags().StringVar(&file, "file", "", "write the content to this `FILE`")
	s.register(cmd)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, ""); err != nil {
			return err
		}
		req.Review, req.Period = reviewArgs(args)
		res, err := a.client().strategy.GetPack(ctx, req)
		if err != nil {
			return err
		}
		if file != "" {
			if err := os.WriteFile(file, res.GetContent(), 0o644); err != nil {
				return err
			}
		}
		p := res.GetPack()
		switch {
		case *out != asTable:
			content := json.RawMessage(res.GetContent())
			res.Content = nil
			raw, err := encode(res, false)
			if err != nil {
				return err
			}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(raw, &fields); err != nil {
				return err
			}
			fields["evaluation"] = content
			if err := a.writeStructured(*out, fields); err != nil {
				return err
			}
		default:
			a.printf("%s/%s: %s\nas of %s, revision %d, known at %s, policy %s\nlocked  %s\nmade    %s\n", req.GetReview(), res.GetPeriod(), packWords(p),
				p.GetAsOf(), p.GetRevision(), p.GetKnownAt(), p.GetPolicy(), p.GetSha256(), res.GetSha256())
			if file != "" {
				a.printf("Wrote %s.\n", file)
			}
		}
		if !res.GetSame() {
			return fmt.Errorf("the pack is not the one that was locked: %s", res.GetHint())
		}
		return nil
	})
	return cmd
}

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/display"
)

func (a *app) initiativeListCommand() *cobra.Command {
	req := &initiativev1.ListInitiativesRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "list", Short: "The portfolio: where initiatives stand, and what they cost", Args: cobra.NoArgs,
		Long: `List shows every initiative with its stage, when it is now expected to end, how far
that has slipped, and its money; then budget and spend by objective, initiatives
that serve nothing and targets that nothing in progress serves. Critical ones are
those whose delay moves the end of the longest chain of dependencies.`,
		Example: "  setpoint initiative list\n  setpoint initiative list --strategy gsa-2018-2022 --stage active",
	}
	cmd.Flags().StringVar(&req.Stage, "stage", "", "only those in this `STAGE`")
	cmd.Flags().StringVar(&req.Strategy, "strategy", "", "only those that serve this `STRATEGY`")
	_ = cmd.RegisterFlagCompletionFunc("stage", cobra.FixedCompletions(stages, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("strategy", a.completeName("Strategy", true))
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if req.GetStage() != "" && !slices.Contains(stages, req.GetStage()) {
			return usagef("--stage: %q is none; legal are %s", req.GetStage(), listed(stages, "and"))
		}
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		res, err := a.client().initiative.ListInitiatives(ctx, req)
		if err != nil {
			return err
		}
		columns, rows := initiativeRows(res)
		if *out != asTable {
			return a.writeRows(*out, res, columns, rows)
		}
		if len(rows) == 0 {
			a.warnf("no initiatives\n")
			return nil
		}
		color := a.colors(a.opts.Stdout)
		a.printf("As of %s, revision %d.\n\n%s", res.GetAsOf(), res.GetRevision(), renderTable(dropEmpty(columns, rows, a.width(), color)))
		a.printf("%s", moneyTable(res, a.width(), color))
		for _, x := range []struct {
			what  string
			names []string
		}{{"Initiatives that serve nothing", res.GetServingNothing()}, {"Targets that nothing in progress serves", res.GetUnservedTargets()}} {
			if len(x.names) > 0 {
				a.printf("\n%s: %s\n", x.what, strings.Join(x.names, ", "))
			}
		}
		return nil
	})
	return cmd
}

var stages = []string{"proposed", "approved", "active", "paused", "completed", "cancelled"}

func initiativeRows(res *initiativev1.ListInitiativesResponse) ([]column, [][]string) {
	columns := []column{
		{Title: "STAGE"}, {Title: "INITIATIVE", Shrink: 12, Name: true}, {Title: "TITLE", Shrink: 16, Cap: longestTitle, Drop: 4}, {Title: "START", Drop: 3}, {Title: "END"},
		{Title: "SLIP", Right: true}, {Title: "CRITICAL", Drop: 1}, {Title: "MILESTONES", Right: true}, {Title: "BUDGET", Right: true}, {Title: "SPENT", Right: true},
		{Title: "COMPLETION", Right: true, Drop: 2}, {Title: "CURRENCY", Drop: 1},
	}
	var rows [][]string
	for _, x := range res.GetInitiatives() {
		slip, critical, milestones := "", "", ""
		if d := x.GetSlipDays(); d > 0 {
			slip = fmt.Sprintf("+%d d", d)
		}
		if x.GetCritical() {
			critical = "◆"
		}
		if n := len(x.GetMilestones()); n > 0 {
			reached := 0
			for _, m := range x.GetMilestones() {
				if m.GetReached() != "" {
					reached++
				}
			}
			milestones = fmt.Sprintf("%d/%d", reached, n)
		}
		m := x.GetMoney()
		currency := m.GetCurrency()
		if m.GetBudget() == "" && m.GetSpent() == "" && m.GetCompletion() == "" {
			currency = ""
		}
		rows = append(rows, []string{
			x.GetState().GetStage(), x.GetName(), printable(x.GetSpec().GetTitle()), x.GetExpectedStart(), x.GetExpectedEnd(), slip, critical, milestones,
			display.Money(m.GetBudget()), display.Money(m.GetSpent()), display.Money(m.GetCompletion()), currency,
		})
	}
	return columns, rows
}

func moneyTable(res *initiativev1.ListInitiativesResponse, width int, color paint) string {
	var rows [][]string
	for _, m := range res.GetMoney() {
		if m.GetBudget() == "0" && m.GetSpent() == "0" {
			continue
		}
		objective := m.GetObjective()
		if objective == "" {
			objective = "(no objective)"
		}
		rows = append(rows, []string{objective, itoa(int64(m.GetInitiatives())), display.Money(m.GetBudget()), display.Money(m.GetSpent()), m.GetCurrency()})
	}
	if len(rows) == 0 {
		return ""
	}
	return "\n" + renderTable([]column{
		{Title: "OBJECTIVE", Shrink: 12, Name: true}, {Title: "INITIATIVES", Right: true}, {Title: "BUDGET", Right: true}, {Title: "SPENT", Right: true}, {Title: "CURRENCY"},
	}, rows, width, color)
}

func (a *app) initiativeDescribeCommand() *cobra.Command {
	req := &initiativev1.GetInitiativeRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "describe INITIATIVE", Short: "All about one initiative, with its milestones on a line", Args: exactArgs("INITIATIVE"),
		Example:           "  setpoint initiative describe shared-platform --as-of 2026-06-30",
		ValidArgsFunction: a.completeName("Initiative", true),
	}
	var onlyASCII bool
	cmd.Flags().BoolVar(&onlyASCII, "ascii", false, "draw without Unicode")
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		req.Initiative = args[0]
		res, err := a.client().initiative.GetInitiative(ctx, req)
		if err != nil {
			return err
		}
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		a.printf("%s", initiativeText(res, a.width(), a.glyphs(onlyASCII) == &ascii, a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

func initiativeText(res *initiativev1.GetInitiativeResponse, width int, ascii bool, color paint) string {
	x := res.GetInitiative()
	var b strings.Builder
	line := func(label, value string) { b.WriteString(labelled(label, value, width, color)) }
	line("Initiative", x.GetName())
	line("Title", printable(x.GetSpec().GetTitle()))
	line("Owner", printable(x.GetSpec().GetOwner()))
	line("Objective", x.GetObjective())
	stage := x.GetState().GetStage()
	if since := x.GetState().GetSince(); since != "" {
		stage += " since " + since
	}
	if n := x.GetState().GetReopened(); n > 0 {
		stage += fmt.Sprintf(", reopened %d×", n)
	}
	line("Stage", stage)
	line("Planned", x.GetSpec().GetStart()+" to "+x.GetSpec().GetEnd())
	expected := x.GetExpectedStart() + " to " + x.GetExpectedEnd()
	if d := x.GetSlipDays(); d > 0 {
		expected += fmt.Sprintf(", %d days late", d)
	}
	if x.GetCritical() {
		expected += ", critical"
	}
	line("Expected", expected)
	for i, d := range x.GetSpec().GetDependsOn() {
		label := ""
		if i == 0 {
			label = "Depends on"
		}
		lag := ""
		if d.GetLagDays() != 0 {
			lag = fmt.Sprintf(" (%+d days)", d.GetLagDays())
		}
		line(label, d.GetInitiative()+lag)
	}
	line("As of", fmt.Sprintf("%s, revision %d", res.GetAsOf(), res.GetRevision()))
	if len(x.GetMilestones()) > 0 {
		fmt.Fprintf(&b, "\n%s\n%s", color.with(bold, "Milestones:"), timeline(x, res.GetAsOf(), width, ascii))
	}
	if c := x.GetSpec().GetContributions(); len(c) > 0 {
		var rows [][]string
		for _, one := range c {
			low, high := "", ""
			if one.Low != nil {
				low = formatNumber(one.GetLow())
			}
			if one.High != nil {
				high = formatNumber(one.GetHigh())
			}
			realized := ""
			for _, benefit := range x.GetState().GetBenefits() {
				if benefit.GetTarget() == one.GetTarget() && benefit.GetAt() <= res.GetAsOf() {
					realized = formatNumber(benefit.GetAmount()) + " by " + benefit.GetAt()
				}
			}
			rows = append(rows, []string{one.GetTarget(), low, formatNumber(one.GetLikely()), high, one.GetRampStart(), one.GetRampEnd(), realized, printable(one.GetBasis())})
		}
		fmt.Fprintf(&b, "\n%s\n%s", color.with(bold, "Contributions:"), renderTable(dropEmpty([]column{
			{Title: "TARGET", Shrink: 12, Name: true}, {Title: "LOW", Right: true}, {Title: "LIKELY", Right: true}, {Title: "HIGH", Right: true},
			{Title: "FROM"}, {Title: "TO"}, {Title: "REALIZED"}, {Title: "BASIS", Shrink: 12},
		}, rows, width, color)))
	}
	if m := x.GetMoney(); len(m.GetPeriods()) > 0 || m.GetCompletion() != "" {
		var rows [][]string
		for _, p := range m.GetPeriods() {
			rows = append(rows, []string{p.GetPeriod(), display.Money(p.GetBudget()), display.Money(p.GetSpent()), display.Money(p.GetForecast())})
		}
		rows = append(rows, []string{"in all", display.Money(m.GetBudget()), display.Money(m.GetSpent()), display.Money(m.GetCompletion())})
		fmt.Fprintf(&b, "\n%s\n%s", color.with(bold, "Money, "+m.GetCurrency()+":"), renderTable(dropEmpty([]column{
			{Title: "PERIOD"}, {Title: "BUDGET", Right: true}, {Title: "SPENT", Right: true}, {Title: "FORECAST", Right: true},
		}, rows, width, color)))
		if m.GetCompletion() != "" {
			over := ""
			if m.GetOverrun() != "" && !strings.HasPrefix(m.GetOverrun(), "-") && m.GetOverrun() != "0" {
				over = ", " + display.Money(m.GetOverrun()) + " over budget"
			}
			b.WriteString(flow("", "Expected at completion: "+display.Money(m.GetCompletion())+over, width))
		}
	}
	b.WriteString(actsText(res.GetActs(), width, color))
	return b.String()
}

// actsText lists what happened, the newest last.
func actsText(acts []*commonv1.Act, width int, color paint) string {
	if len(acts) == 0 {
		return ""
	}
	var rows [][]string
	for _, a := range acts {
		note := a.GetNote()
		if len(a.GetLinks()) > 0 {
			note = strings.TrimSpace(note + " " + strings.Join(a.GetLinks(), " "))
		}
		day, _, _ := strings.Cut(a.GetRecorded(), "T")
		rows = append(rows, []string{itoa(a.GetRevision()), day, printable(a.GetPrincipal()), printable(a.GetSummary()), printable(note)})
	}
	return "\n" + color.with(bold, "What happened:") + "\n" + renderTable(dropEmpty([]column{
		{Title: "REVISION", Right: true, Drop: 2}, {Title: "RECORDED"}, {Title: "BY", Shrink: 8, Drop: 1}, {Title: "WHAT", Shrink: 20}, {Title: "WHY", Shrink: 16},
	}, rows, width, color))
}

// timeline draws the milestones of an initiative on one scale of days: ● reached,
// ◇ expected, ◆ expected late, · planned; ┊ is the day evaluated.
func timeline(x *initiativev1.InitiativeEntry, asOf string, width int, ascii bool) string {
	reached, open, late, planned, now, rule := '●', '◇', '◆', '·', '┊', '─'
	if ascii {
		reached, open, late, planned, now, rule = '*', 'o', '#', '.', '|', '-'
	}
	name := 4
	for _, m := range x.GetMilestones() {
		name = max(name, utf8.RuneCountInString(m.GetName()))
	}
	name = min(name, 24)
	span := max(24, min(width, 100)-name-30)
	switch {
	case width == 0:
		span = 48
	case narrow(width, wideTimeline):
		name = min(name, 12)
		span = max(21, width-name-4)
	}
	day := func(s string) calendar.Date { d, _ := calendar.ParseDate(s); return d }
	first, last := day(x.GetSpec().GetStart()), day(x.GetSpec().GetEnd())
	for _, s := range []string{x.GetExpectedStart(), x.GetExpectedEnd()} {
		if d := day(s); !d.IsZero() {
			first, last = calendar.Earlier(first, d), calendar.Later(last, d)
		}
	}
	for _, m := range x.GetMilestones() {
		first, last = calendar.Earlier(first, day(m.GetPlanned())), calendar.Later(last, day(m.GetExpected()))
	}
	days := max(1, last.Sub(first))
	at := func(d calendar.Date) int { return min(span-1, max(0, d.Sub(first)*(span-1)/days)) }
	var b strings.Builder
	fmt.Fprintf(&b, "  %-*s  %s%s%s\n", name, "", first.Time().Format(time.DateOnly), strings.Repeat(" ", max(1, span-20)), last.Time().Format(time.DateOnly))
	today := day(asOf)
	for _, m := range x.GetMilestones() {
		line := []rune(strings.Repeat(string(rule), span))
		if !today.Before(first) && !today.After(last) {
			line[at(today)] = now
		}
		line[at(day(m.GetPlanned()))] = planned
		mark, say := open, "expected "+m.GetExpected()
		switch {
		case m.GetReached() != "":
			mark, say = reached, "reached "+m.GetReached()
		case m.GetExpected() > m.GetPlanned():
			mark = late
			say += fmt.Sprintf(" (+%d d)", day(m.GetExpected()).Sub(day(m.GetPlanned())))
		}
		if m.GetOverdue() {
			say += " overdue"
		}
		if n := m.GetPushed(); n > 0 {
			say += fmt.Sprintf(", pushed %d×", n)
		}
		line[at(day(m.GetExpected()))] = mark
		if narrow(width, wideTimeline) {
			fmt.Fprintf(&b, "  %-*s  %s\n", name, clipMiddle(m.GetName(), name), string(line))
			b.WriteString(flow(strings.Repeat(" ", name+4), say, width))
			continue
		}
		fmt.Fprintf(&b, "  %-*s  %s  %s\n", name, clipMiddle(m.GetName(), name), string(line), say)
	}
	legend := fmt.Sprintf("%c reached  %c expected  %c late  %c planned  %c %s", reached, open, late, planned, now, asOf)
	if narrow(width, wideTimeline) {
		b.WriteString(flow("  ", legend, width))
		return b.String()
	}
	fmt.Fprintf(&b, "  %-*s  %s\n", name, "", legend)
	return b.String()
}

func (a *app) coverageCommand() *cobra.Command {
	req := &gapv1.CoverRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "coverage", Short: "How much of each gap initiatives in progress are expected to close", Args: cobra.NoArgs,
		Long: `Coverage adds up what initiatives in progress are still expected to add to each
target, beside its gap: amount × what the ramp adds until due × probability of
delivery, and where people have been asked, × what they adopt. What remains is
named. Delivery and adoption are heuristics; see docs/evaluation.md.`,
		Example: "  setpoint initiative coverage --strategy gsa-2018-2022 --as-of 2018-12-31",
	}
	cmd.Flags().StringVar(&req.Strategy, "strategy", "", "only targets of this `STRATEGY`")
	_ = cmd.RegisterFlagCompletionFunc("strategy", a.completeName("Strategy", true))
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		res, err := a.client().gap.Cover(ctx, req)
		if err != nil {
			return err
		}
		formats := map[string]shown{}
		if *out == asTable {
			// Values read as in gaps, in the format of their metric.
			e, err := a.client().gap.Evaluate(ctx, &gapv1.EvaluateRequest{AsOf: res.GetAsOf(), Revision: res.GetRevision()})
			if err != nil {
				return err
			}
			for _, t := range e.GetTargets() {
				formats[t.GetName()] = shownAs(t.GetFormat())
			}
		}
		columns, rows := coverageRows(res, formats)
		if *out != asTable {
			return a.writeRows(*out, res, columns, rows)
		}
		if len(rows) == 0 {
			a.warnf("no targets\n")
			return nil
		}
		color := a.colors(a.opts.Stdout)
		a.printf("As of %s, revision %d. Delivery and adoption are heuristics.\n\n%s", res.GetAsOf(), res.GetRevision(),
			renderTable(dropEmpty(columns, rows, a.width(), color)))
		return nil
	})
	return cmd
}

// coverageRows shows amounts in the format of the target's metric where that is
// known.
func coverageRows(res *gapv1.CoverResponse, formats map[string]shown) ([]column, [][]string) {
	columns := []column{
		{Title: "TARGET", Shrink: 12, Name: true}, {Title: "GAP", Right: true}, {Title: "INITIATIVE", Shrink: 12, Name: true}, {Title: "AMOUNT", Right: true, Drop: 2},
		{Title: "RAMP", Right: true, Drop: 2}, {Title: "DELIVERY", Right: true, Drop: 2}, {Title: "ADOPTION", Right: true, Drop: 2},
		{Title: "EXPECTED", Right: true}, {Title: "PEOPLE READY", Right: true}, {Title: "COVERED", Right: true}, {Title: "RESIDUAL", Right: true},
	}
	share := func(v *float64) string {
		if v == nil {
			return ""
		}
		return fmt.Sprintf("%.1f %%", 100**v)
	}
	var rows [][]string
	for _, t := range res.GetTargets() {
		as := formats[t.GetTarget()]
		known := func(v *float64) string {
			if v == nil {
				return "?"
			}
			return as.difference(*v)
		}
		covered := share(t.ReadyShare)
		if t.ReadyShare == nil && t.Share != nil {
			covered = "≤ " + share(t.Share)
		}
		rows = append(rows, []string{t.GetTarget(), known(t.Gap), "", "", "", "", "", as.difference(t.GetExpected()), known(t.Ready), covered, known(t.Residual)})
		for _, c := range t.GetCovered() {
			adoption := share(c.Adoption)
			if c.Ready == nil {
				adoption = "unmeasured"
			}
			rows = append(rows, []string{"", "", c.GetInitiative(), as.difference(c.GetAmount()), share(&c.Ramp), share(&c.Delivery), adoption,
				as.difference(c.GetExpected()), known(c.Ready), "", ""})
		}
	}
	return columns, rows
}

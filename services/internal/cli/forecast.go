package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func (a *app) forecastCommand() *cobra.Command {
	var s snapshotFlags
	req := &gapv1.ForecastRequest{}
	cmd := &cobra.Command{
		Use: "forecast [TARGET]", Short: "Say what to expect of targets, and how likely they are reached", Args: perhaps("TARGET"),
		Long: `Forecast goes on from the last complete period as the values so far went on, up
to the target's end: what to expect of each period with 80 and 95 % intervals, the
probability that the target is reached, by when half of the courses reach it, and
the rate that is needed beside the one expected. What cannot be told from the
values is said to be unknown, with the reason.

Where initiatives in progress work on the target there are two more lines: with
what they are expected to add, and with how ready people are. Without a TARGET all
targets are shown, and of each objective and strategy how many targets are
expected to be reached, and how likely all of them are.`,
		Example: `  setpoint forecast vacant-space
  setpoint forecast vacant-space --as-of 2018-12-31 -o json
  setpoint forecast --strategy gsa-2018-2022
  setpoint forecast vacant-space --known-at 2018-06-30    # what we expected then`,
		ValidArgsFunction: a.completeName("Target", true),
	}
	s.register(cmd)
	var strategy string
	a.strategyFlag(cmd, &strategy)
	a.asOfFlag(cmd, &req.AsOf)
	cmd.Flags().BoolVar(&req.OriginalTargets, "original-targets", false, "judge against the target as first declared")
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkAsOf(req.GetAsOf()); err != nil {
			return err
		}
		m, err := s.snapshot()
		if err != nil {
			return err
		}
		if len(args) == 0 {
			return a.forecastAll(ctx, &gapv1.EvaluateRequest{
				Strategy: strategy, AsOf: req.GetAsOf(), OriginalTargets: req.GetOriginalTargets(), Revision: m.GetRevision(), KnownAt: m.GetKnownAt(),
			}, *out)
		}
		if strategy != "" {
			return usagef("--strategy goes without a TARGET")
		}
		req.Target, req.Revision, req.KnownAt = args[0], m.GetRevision(), m.GetKnownAt()
		res, err := a.client().gap.Forecast(ctx, req)
		if err != nil {
			return err
		}
		as := shownAs(res.GetTarget().GetFormat())
		if *out == asTable {
			a.printf("%s", forecastText(res, as, a.width(), a.colors(a.opts.Stdout)))
			return nil
		}
		columns, rows := forecastRows(res, exactNumber)
		return a.writeRows(*out, res, columns, rows)
	})
	return cmd
}

func forecastRows(res *gapv1.ForecastResponse, value func(float64) string) ([]column, [][]string) {
	columns := []column{
		{Title: "PERIOD"}, {Title: "END", Drop: 2}, {Title: "VALUE", Right: true}, {Title: "LOWER 80", Right: true}, {Title: "UPPER 80", Right: true},
		{Title: "LOWER 95", Right: true, Drop: 1}, {Title: "UPPER 95", Right: true, Drop: 1},
	}
	var rows [][]string
	for _, x := range res.GetCourse() {
		rows = append(rows, []string{
			x.GetPeriod(), x.GetEnd(), value(x.GetValue()), optional(x.Lower80, value), optional(x.Upper80, value), optional(x.Lower95, value), optional(x.Upper95, value),
		})
	}
	return columns, rows
}

func forecastText(res *gapv1.ForecastResponse, as shown, width int, color paint) string {
	t := res.GetTarget()
	b := &block{color: color}
	b.line("Target", printable(t.GetName()))
	b.line("Title", printable(t.GetTitle()))
	b.line("Status", statusText(t.GetStatus(), color))
	actual := optional(t.Actual, as.value)
	if actual != "" && t.GetActualAt() != "" {
		actual += " at " + t.GetActualAt()
	}
	b.line("Actual", actual)
	b.line("To reach", targetText(t))
	b.line("Due", t.GetDue())
	b.line("As of", fmt.Sprintf("%s, revision %d", res.GetAsOf(), res.GetRevision()))
	f := t.GetForecast()
	if f == nil {
		b.b.WriteString("\nThere is nothing to forecast: the target has ended, has no value yet, or says no value to reach.\n")
		return b.b.String()
	}
	for _, l := range outlookLines(t, as) {
		b.line(l[0], l[1])
	}
	if t.GetWithInitiatives() != nil {
		b.b.WriteString(strings.Join(wrapped("With work: with what initiatives in progress are expected to add. With people: the same by how ready people are (heuristic). ± is the standard error of the simulation.", inside(width)), "\n") + "\n")
	}
	columns, rows := forecastRows(res, as.value)
	if len(rows) > 0 {
		heading := "Status quo"
		if res.GetAdds() {
			heading = "Status quo, what each period adds"
		}
		b.heading(heading)
		b.indented(renderTable(dropEmpty(columns, rows, inside(width), color)))
	}
	if m := f.GetMethod(); m != "" {
		b.b.WriteString("\n" + strings.Join(wrapped(fmt.Sprintf("Method: %s, from %s up to %s; intervals by multiples pooled over series of that length.",
			m, counted(int(f.GetObservations()), "value", "values"), f.GetOrigin()), inside(width)), "\n") + "\n")
	}
	return b.b.String()
}

// outlookLines say what to expect of a target by its end: label and value.
func outlookLines(t *gapv1.TargetGap, as shown) [][2]string {
	f := t.GetForecast()
	if f == nil {
		return nil
	}
	value := optional(f.Value, as.value)
	if value != "" {
		value += " in " + f.GetPeriod()
		if f.Lower80 != nil {
			value += fmt.Sprintf(" (80 %%: %s to %s)", as.value(f.GetLower80()), as.value(f.GetUpper80()))
		}
	}
	middle := ""
	if f.Median != nil && leans(t) {
		middle = fmt.Sprintf("as likely above %s as below", as.value(f.GetMedian()))
	}
	attained := "unknown: " + printable(f.GetUnknown())
	if t.Attainment != nil {
		attained = formatPercent(t.GetAttainment())
		if f.GetStandardError() > 0 {
			attained += " ± " + formatPercent(f.GetStandardError())
		}
	} else if f.GetUnknown() == "" {
		attained = "unknown"
	}
	by := ""
	switch {
	case t.AttainmentDate != nil && t.GetAttainmentDate() == f.GetOrigin():
		by = "there since " + t.GetAttainmentDate()
	case t.AttainmentDate != nil:
		by = "by " + t.GetAttainmentDate() + " in half of the courses"
	case t.Attainment != nil:
		by = "not in half of the courses"
	}
	rate := ""
	if f.RequiredRate != nil {
		rate = as.difference(f.GetRequiredRate()) + " a period needed"
		if f.CurrentRate != nil {
			rate += ", " + as.difference(f.GetCurrentRate()) + " expected"
		}
	}
	return [][2]string{
		{"Forecast", value}, {"Middle", middle}, {"Attainment", attained}, {"Reached", by}, {"Rate", rate},
		{"With work", adjustedText(t.GetWithInitiatives(), as)}, {"With people", readyText(t, as)},
	}
}

// leans tells that what is forecast lies on one side of the target, and more than
// half of what may come on the other.
func leans(t *gapv1.TargetGap) bool {
	f := t.GetForecast()
	if t.Target == nil || t.Attainment == nil || f.Value == nil || t.GetDirection() == "" {
		return false
	}
	there := f.GetValue() >= t.GetTarget()
	if t.GetDirection() == "decrease" {
		there = f.GetValue() <= t.GetTarget()
	}
	return there != (t.GetAttainment() >= 0.5)
}

// adjustedText is a forecast with what is expected to be added, by its end.
func adjustedText(f *gapv1.AdjustedForecast, as shown) string {
	if f == nil {
		return ""
	}
	s := optional(f.Value, as.value)
	if f.Lower80 != nil {
		s += fmt.Sprintf(" (80 %%: %s to %s)", as.value(f.GetLower80()), as.value(f.GetUpper80()))
	}
	if f.Attainment == nil {
		return s + ", attainment unknown: " + printable(f.GetUnknown())
	}
	return s + fmt.Sprintf(", attained with %s ± %s", formatPercent(f.GetAttainment()), formatPercent(f.GetStandardError()))
}

// readyText is adjustedText with how ready people are, and what it lacks.
func readyText(t *gapv1.TargetGap, as shown) string {
	if t.GetWithInitiatives() != nil && t.GetWithReadiness() == nil {
		return "unknown: people whom initiatives depend on have not been measured"
	}
	return adjustedText(t.GetWithReadiness(), as)
}

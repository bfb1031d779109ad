package cli

import (
	"context"
	"fmt"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// forecastAll shows how likely each target is reached, and how likely all are.
func (a *app) forecastAll(ctx context.Context, req *gapv1.EvaluateRequest, f format) error {
	res, err := a.client().gap.Evaluate(ctx, req)
	if err != nil {
		return err
	}
	if f != asTable {
		columns, rows := outlookRows(res, false)
		return a.writeRows(f, res, columns, rows)
	}
	a.printf("%s", renderOutlooks(res, a.width(), a.colors(a.opts.Stdout)))
	return nil
}

func renderOutlooks(res *gapv1.EvaluateResponse, width int, color paint) string {
	s := fmt.Sprintf("As of %s, revision %d. How likely each target is reached by its end.\n\n", res.GetAsOf(), res.GetRevision())
	columns, rows := outlookRows(res, color)
	if len(rows) == 0 {
		return s + "There is nothing to forecast.\n"
	}
	s += renderTable(dropEmpty(columns, rows, width, color))
	columns, rows = jointRows(res)
	if len(rows) > 0 {
		s += "\n" + folded("Together, by simulation; in brackets what it is at least and at most, whatever depends on what.", width) + "\n\n" + renderTable(dropEmpty(columns, rows, width, color))
	}
	return s
}

func outlookRows(res *gapv1.EvaluateResponse, color paint) ([]column, [][]string) {
	columns := []column{
		{Title: "TARGET", Shrink: 16, Name: true}, {Title: "STATUS"}, {Title: "END", Drop: 4}, {Title: "FORECAST", Right: true, Drop: 3}, {Title: "DECLARED", Right: true, Drop: 2},
		{Title: "ATTAINED", Right: true}, {Title: "WITH INITIATIVES", Right: true}, {Title: "WITH READINESS", Right: true}, {Title: "REACHED BY", Drop: 1},
	}
	var rows [][]string
	for _, t := range res.GetTargets() {
		o := t.GetForecast()
		if o == nil {
			continue
		}
		as := shownAs(t.GetFormat())
		attained := optional(t.Attainment, formatPercent)
		if t.Attainment == nil {
			attained = "unknown"
		}
		rows = append(rows, []string{
			printable(t.GetName()), statusText(t.GetStatus(), color), o.GetAt(), optional(o.Value, as.value), targetText(t), attained,
			chance(t.GetWithInitiatives()), chance(t.GetWithReadiness()), t.GetAttainmentDate(),
		})
	}
	return columns, rows
}

func chance(f *gapv1.AdjustedForecast) string {
	if f == nil {
		return ""
	}
	return optional(f.Attainment, formatPercent)
}

func jointRows(res *gapv1.EvaluateResponse) ([]column, [][]string) {
	columns := []column{
		{Title: "ALL OF", Shrink: 16, Name: true}, {Title: "TARGETS", Right: true}, {Title: "UNKNOWN", Right: true, Drop: 1}, {Title: "EXPECTED", Right: true}, {Title: "ALL ATTAINED"},
		{Title: "WITH INITIATIVES", Drop: 3}, {Title: "WITH READINESS", Drop: 2},
	}
	var rows [][]string
	add := func(kind string, list []*gapv1.RollUp) {
		for _, r := range list {
			j := r.GetAttainment()
			if j == nil {
				continue
			}
			q := j.GetStatusQuo()
			unknown := ""
			if q.GetUnknown() > 0 {
				unknown = itoa(int64(q.GetUnknown()))
			}
			rows = append(rows, []string{
				kind + "/" + printable(r.GetName()), itoa(int64(q.GetTargets())), unknown, fmt.Sprintf("%.1f", q.GetExpected()),
				allOf(q), allOf(j.GetWithInitiatives()), allOf(j.GetWithReadiness()),
			})
		}
	}
	add("strategy", res.GetStrategies())
	add("objective", res.GetObjectives())
	return columns, rows
}

func allOf(j *gapv1.JointAttainment) string {
	if j == nil {
		return ""
	}
	s := formatPercent(j.GetAll())
	if j.GetStandardError() >= 0.0005 {
		s += " ± " + formatPercent(j.GetStandardError())
	}
	return s + " [" + formatPercent(j.GetLower()) + ", " + formatPercent(j.GetUpper()) + "]"
}

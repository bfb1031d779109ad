package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// showSensitivity shows roll-ups under every way of rolling up.
func (a *app) showSensitivity(ctx context.Context, req *gapv1.EvaluateRequest, f format) error {
	res, err := a.client().gap.Sensitivity(ctx, &gapv1.SensitivityRequest{
		Strategy: req.GetStrategy(), AsOf: req.GetAsOf(), Policy: req.GetPolicy(), OriginalTargets: req.GetOriginalTargets(),
		Revision: req.GetRevision(), KnownAt: req.GetKnownAt(),
	})
	if err != nil {
		return err
	}
	color := a.colors(a.opts.Stdout)
	if f != asTable {
		columns, rows := sensitivitySheet(res)
		return a.writeRows(f, res, columns, rows)
	}
	a.printf("%s", renderSensitivity(res, a.width(), color))
	return nil
}

// sensitivitySheet has a row for each roll-up and way, for programs.
func sensitivitySheet(res *gapv1.SensitivityResponse) (columns []column, rows [][]string) {
	for _, title := range []string{"ROLL UP", "METHOD", "MISSING", "POLICY", "STATUS", "SCORE", "KNOWN", "ROBUST"} {
		columns = append(columns, column{Title: title})
	}
	add := func(kind string, list []*gapv1.RollUpSensitivity) {
		for _, v := range list {
			for _, x := range v.GetVariants() {
				rows = append(rows, []string{
					kind + "/" + v.GetName(), x.GetMethod(), x.GetMissing(), strconv.FormatBool(x.GetPolicy()), x.GetStatus(),
					optional(x.Score, exactNumber), exactNumber(x.GetKnown()), strconv.FormatBool(v.GetRobust()),
				})
			}
		}
	}
	add("strategy", res.GetStrategies())
	add("objective", res.GetObjectives())
	add("unit", res.GetUnits())
	return columns, rows
}

// sensitivityRows has a row for each roll-up and a column for each method, with one
// way of counting what is missing.
func sensitivityRows(res *gapv1.SensitivityResponse, missing string, color paint) ([]column, [][]string) {
	var columns []column
	var rows [][]string
	add := func(kind string, list []*gapv1.RollUpSensitivity) {
		for _, v := range list {
			row := []string{kind + "/" + printable(v.GetName())}
			titles := []column{{Title: "ROLL-UP", Shrink: 16, Name: true}}
			for _, x := range v.GetVariants() {
				if x.GetMissing() != missing {
					continue
				}
				title := strings.ToUpper(x.GetMethod())
				if x.GetPolicy() {
					title += " *"
				}
				score := ""
				if x.Score != nil {
					score = fmt.Sprintf(" %.2f", x.GetScore())
				}
				titles = append(titles, column{Title: title})
				row = append(row, statusText(x.GetStatus(), color)+score)
			}
			robust := "no"
			if v.GetRobust() {
				robust = "yes"
			}
			columns = append(titles, column{Title: "ROBUST"})
			rows = append(rows, append(row, robust))
		}
	}
	add("strategy", res.GetStrategies())
	add("objective", res.GetObjectives())
	add("unit", res.GetUnits())
	return columns, rows
}

func renderSensitivity(res *gapv1.SensitivityResponse, width int, color paint) string {
	var b strings.Builder
	about := fmt.Sprintf("As of %s, revision %d, policy %s: the same targets rolled up in every way. * is the way of the policy. Robust: all nine ways give the same status.",
		res.GetAsOf(), res.GetRevision(), printable(res.GetPolicy()))
	for _, l := range wrapped(about, proseWidth(width)) {
		b.WriteString(l + "\n")
	}
	for _, m := range []struct{ missing, words string }{
		{"unknown", "What has no data lowers the known share"}, {"excluded", "What has no data is left out"}, {"failed", "What has no data counts as failed"},
	} {
		columns, rows := sensitivityRows(res, m.missing, color)
		if len(rows) == 0 {
			b.WriteString("\nThere is nothing to roll up.\n")
			break
		}
		fmt.Fprintf(&b, "\n%s\n%s", color.with(bold, m.words+":"), indent(renderTable(columns, rows, narrower(width), color)))
	}
	return b.String()
}

// proseWidth is a width that text is wrapped at, also where there is no terminal.
func proseWidth(width int) int {
	if width <= 0 {
		return widestPicture
	}
	return width
}

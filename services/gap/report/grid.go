package report

import (
	"cmp"
	"slices"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

const (
	maxColumns    = 10 // of a grid: what a landscape page holds
	futureColumns = 2  // kept of those after as-of when not all fit
)

// grids lays the periods of all targets side by side: one grid per length of
// period, since years and months share no columns. The longest comes first.
func grids(objectives []Objective, targets []Target, asOf calendar.Date) []Grid {
	index := make(map[string]int, len(targets))
	byCadence := map[string][]string{}
	for i, t := range targets {
		index[t.Name] = i
		if len(t.Periods) > 0 {
			c := cadence(t)
			byCadence[c] = append(byCadence[c], t.Name)
		}
	}
	out := []Grid{}
	for c, names := range byCadence {
		out = append(out, grid(c, names, index, objectives, targets, asOf))
	}
	slices.SortFunc(out, func(x, y Grid) int {
		return cmp.Or(cmp.Compare(cadenceRank(x.Cadence), cadenceRank(y.Cadence)), cmp.Compare(x.Cadence, y.Cadence))
	})
	return out
}

// cadence is that of the target's periods, which may be longer than the
// metric's.
func cadence(t Target) string {
	longest := 0
	for _, p := range t.Periods {
		if !p.Start.IsZero() && !p.End.IsZero() {
			longest = max(longest, p.End.Sub(p.Start)+1)
		}
	}
	switch {
	case longest == 0:
		return cmp.Or(string(t.Metric.Cadence), "other")
	case longest == 1:
		return string(calendar.Daily)
	case longest <= 7:
		return string(calendar.Weekly)
	case longest <= 35: // five weeks of a 4-4-5 year
		return string(calendar.Monthly)
	case longest <= 98:
		return string(calendar.Quarterly)
	case longest <= 371:
		return string(calendar.Yearly)
	}
	return "other"
}

func cadenceRank(c string) int {
	return slices.Index([]string{string(calendar.Yearly), string(calendar.Quarterly), string(calendar.Monthly),
		string(calendar.Weekly), string(calendar.Daily)}, c)
}

func grid(c string, names []string, index map[string]int, objectives []Objective, targets []Target, asOf calendar.Date) Grid {
	g := Grid{Cadence: c, Groups: []GridGroup{}}
	g.Columns, g.Omitted = columns(names, index, targets, asOf)
	at := make(map[Column]int, len(g.Columns))
	for i, col := range g.Columns {
		at[col] = i
	}
	in := make(map[string]bool, len(names))
	for _, n := range names {
		in[n] = true
	}
	for _, o := range objectives {
		group := GridGroup{Objective: o.Name, Title: o.Title, Rows: []GridRow{}}
		for _, name := range o.Members {
			if !in[name] {
				continue
			}
			row := GridRow{Target: name, Cells: make([]int, len(g.Columns))}
			for i := range row.Cells {
				row.Cells[i] = -1
			}
			for i, p := range targets[index[name]].Periods {
				if j, ok := at[Column{p.Period, p.End}]; ok {
					row.Cells[j] = i
				}
			}
			group.Rows = append(group.Rows, row)
		}
		if len(group.Rows) > 0 {
			g.Groups = append(g.Groups, group)
		}
	}
	return g
}

// columns lists the periods of the named targets, the latest maxColumns of
// them: up to the second after as-of, then backwards.
func columns(names []string, index map[string]int, targets []Target, asOf calendar.Date) ([]Column, int) {
	seen := map[Column]bool{}
	for _, n := range names {
		for _, p := range targets[index[n]].Periods {
			seen[Column{p.Period, p.End}] = true
		}
	}
	all := make([]Column, 0, len(seen))
	for col := range seen {
		all = append(all, col)
	}
	slices.SortFunc(all, func(x, y Column) int {
		return cmp.Or(x.End.Compare(y.End), cmp.Compare(x.Period, y.Period))
	})
	if len(all) <= maxColumns {
		return all, 0
	}
	closed, _ := slices.BinarySearchFunc(all, asOf, func(col Column, d calendar.Date) int {
		if col.End.After(d) {
			return 1
		}
		return -1
	})
	to := min(len(all), max(closed+futureColumns, maxColumns))
	return all[to-maxColumns : to], len(all) - maxColumns
}

// cell is the period of t in column i of its row, nil if it has none.
func (r GridRow) cell(t *Target, i int) *Period {
	if r.Cells[i] < 0 {
		return nil
	}
	return &t.Periods[r.Cells[i]]
}

// goal is what the period was compared with: its target, or the path.
func (p Period) goal() *float64 {
	if p.Target == nil && p.State != gap.PeriodRunning {
		return p.Expected
	}
	return p.Target
}

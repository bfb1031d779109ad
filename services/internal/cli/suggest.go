package cli

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func (a *app) suggestCommand() *cobra.Command {
	var s snapshotFlags
	var capacity float64
	req := &gapv1.SuggestRequest{}
	cmd := &cobra.Command{
		Use: "suggest", Short: "Choose proposed initiatives that close the most under a budget", Args: exactArgs(),
		Long: `Suggest chooses from the proposed initiatives those that close the most of the
gaps that nothing in progress closes, within a budget and a capacity; with what
each adds to those before it, and why others were left out. It writes nothing.`,
		Example: `  setpoint suggest --budget 250000
  setpoint suggest --budget 250000 --capacity 12 --strategy gsa-2018-2022 -o json`,
	}
	cmd.Flags().StringVar(&req.Budget, "budget", "", "what may be spent, an `AMOUNT`; default no limit")
	cmd.Flags().StringVar(&req.Currency, "currency", "", "of the budget, an ISO 4217 `CODE`; default that of the proposed initiatives")
	cmd.Flags().Float64Var(&capacity, "capacity", 0, "what capacity there is, in the unit of the initiatives; default no limit")
	a.strategyFlag(cmd, &req.Strategy)
	a.asOfFlag(cmd, &req.AsOf)
	s.register(cmd)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if !amountPattern.MatchString(req.GetBudget()) && req.GetBudget() != "" {
			return &usageError{cmd: cmd, message: fmt.Sprintf("--budget: %q is not an amount", req.GetBudget()),
				hint: "digits, and at most six decimals after a dot: 250000 or 1250.50"}
		}
		if c := cmd.Flags().Changed("capacity"); c && (math.IsNaN(capacity) || math.IsInf(capacity, 0) || capacity < 0) {
			return &usageError{cmd: cmd, message: fmt.Sprintf("--capacity: %v is no capacity", capacity), hint: "a number from 0 on, in the unit of the initiatives; without the flag there is no limit"}
		}
		if req.GetCurrency() != "" && req.GetBudget() == "" {
			return &usageError{cmd: cmd, message: "--currency belongs to --budget AMOUNT"}
		}
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		if cmd.Flags().Changed("capacity") {
			req.Capacity = &capacity
		}
		res, err := a.client().gap.Suggest(ctx, req)
		if err != nil {
			return err
		}
		columns, rows := suggestRows(res)
		if *out != asTable {
			return a.writeRows(*out, res, columns, rows)
		}
		if len(rows) == 0 {
			a.warnf("no proposed initiatives\n")
			return nil
		}
		a.printf("%s\n\n%s%s", folded(fmt.Sprintf("As of %s, revision %d. %s", res.GetAsOf(), res.GetRevision(), suggestWords(req, res)), a.width()),
			suggestTable(columns, rows, a.width(), a.colors(a.opts.Stdout)), suggestNotes(res, a.width()))
		return nil
	})
	return cmd
}

// amountPattern is what the API takes for a budget.
var amountPattern = regexp.MustCompile(`^[0-9]{1,18}([.][0-9]{1,6})?$`)

// suggestWords says what the set comes to, beside what is open and what there is.
func suggestWords(req *gapv1.SuggestRequest, res *gapv1.SuggestResponse) string {
	s := fmt.Sprintf("Closes %.2f of %.2f gaps that are open, each target's counted as one: %s. Costs %s", res.GetClosed(), res.GetResidual(), proven(res), res.GetCost())
	if req.GetBudget() != "" {
		s += " of " + req.GetBudget()
	}
	if c := res.GetCurrency(); c != "" {
		s += " " + c
	}
	if req.Capacity != nil {
		s += fmt.Sprintf(", takes %s of %s of the capacity", formatNumber(res.GetCapacity()), formatNumber(req.GetCapacity()))
	}
	return s + "."
}

// proven says how near to the best the set is known to be.
func proven(res *gapv1.SuggestResponse) string {
	if res.GetOptimal() || res.GetUpperBound() <= 0 || res.GetClosed() <= 0 {
		return "no set closes more"
	}
	return fmt.Sprintf("no set closes over %.2f %% more", 100*(res.GetUpperBound()/res.GetClosed()-1))
}

// suggestNotes names what the suggestion could not count.
func suggestNotes(res *gapv1.SuggestResponse, width int) (notes string) {
	if list := res.GetUnknown(); len(list) > 0 {
		notes += "\n" + folded("Not counted, because their gap is not known: "+several(list), width) + "\n"
	}
	var people []string
	for _, c := range res.GetChosen() {
		if c.GetUnmeasured() {
			people = append(people, c.GetInitiative())
		}
	}
	if len(people) > 0 {
		notes += "\n" + folded("As if everybody adopted it, because their readiness is not known: "+several(people), width) + "\n"
	}
	return notes
}

// suggestTable has the reasons below, where they would be cut off beside the numbers.
func suggestTable(columns []column, rows [][]string, width int, color paint) string {
	widest := 0
	for line := range strings.SplitSeq(renderTable(dropEmpty(columns, rows, 0, color)), "\n") {
		widest = max(widest, text.StringWidthWithoutEscSequences(line))
	}
	if width <= 0 || widest <= width {
		return renderTable(dropEmpty(columns, rows, width, color))
	}
	last := len(columns) - 1
	var reasons []string
	of := map[string][]string{}
	numbers := make([][]string, len(rows))
	for i, row := range rows {
		numbers[i] = row[:last]
		if why := row[last]; why != "" {
			if of[why] == nil {
				reasons = append(reasons, why)
			}
			of[why] = append(of[why], row[1])
		}
	}
	out := renderTable(dropEmpty(columns[:last], numbers, width, color))
	if len(reasons) > 0 {
		out += "\n"
	}
	for _, why := range reasons {
		out += folded("Not "+several(of[why])+": "+why, width) + "\n"
	}
	return out
}

// folded is a text in lines of a width, 0: one line.
func folded(s string, width int) string {
	if width <= 0 {
		return s
	}
	return strings.Join(wrapped(s, width), "\n")
}

// several names a few of a list.
func several(list []string) string {
	const most = 8
	s := make([]string, 0, most)
	for _, name := range list[:min(most, len(list))] {
		s = append(s, printable(name))
	}
	if more := len(list) - most; more > 0 {
		return strings.Join(s, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(s, ", ")
}

func suggestRows(res *gapv1.SuggestResponse) ([]column, [][]string) {
	columns := []column{
		{Title: "CHOSEN"}, {Title: "INITIATIVE", Shrink: 12, Name: true}, {Title: "COST", Right: true}, {Title: "CAPACITY", Right: true, Drop: 1},
		{Title: "ADDS", Right: true}, {Title: "WHY NOT", Shrink: 16},
	}
	var rows [][]string
	for _, c := range res.GetChosen() {
		rows = append(rows, []string{"yes", c.GetInitiative(), c.GetCost(), optional(c.Capacity, formatNumber), fmt.Sprintf("%.1f %%", 100*c.GetClosed()), ""})
	}
	for _, l := range res.GetLeftOut() {
		rows = append(rows, []string{"no", l.GetInitiative(), l.GetCost(), optional(l.Capacity, formatNumber), fmt.Sprintf("%.1f %%", 100*l.GetClosed()), l.GetMessage()})
	}
	return columns, rows
}

package cli

import (
	"context"
	"fmt"
	"regexp"
	"strings"

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
		a.printf("As of %s, revision %d. Closed %.1f %% of a gap in all, at most %.1f %% is possible: %s. Cost %s.\n\n%s", res.GetAsOf(), res.GetRevision(),
			100*res.GetClosed(), 100*res.GetUpperBound(), proven(res), strings.TrimSpace(res.GetCost()+" "+res.GetCurrency()), renderTable(columns, rows, a.width(), a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

// amountPattern is what the API takes for a budget.
var amountPattern = regexp.MustCompile(`^[0-9]{1,18}([.][0-9]{1,6})?$`)

// proven says how near to the best the set is known to be.
func proven(res *gapv1.SuggestResponse) string {
	if res.GetOptimal() || res.GetUpperBound() <= 0 || res.GetClosed() <= 0 {
		return "no set closes more"
	}
	return fmt.Sprintf("no set closes over %.2f %% more", 100*(res.GetUpperBound()/res.GetClosed()-1))
}

func suggestRows(res *gapv1.SuggestResponse) ([]column, [][]string) {
	columns := []column{{Title: "CHOSEN"}, {Title: "INITIATIVE", Shrink: 12, Name: true}, {Title: "COST", Right: true}, {Title: "ADDS", Right: true}, {Title: "WHY NOT", Shrink: 16}}
	var rows [][]string
	for _, c := range res.GetChosen() {
		rows = append(rows, []string{"yes", c.GetInitiative(), c.GetCost(), fmt.Sprintf("%.1f %%", 100*c.GetClosed()), ""})
	}
	for _, l := range res.GetLeftOut() {
		rows = append(rows, []string{"no", l.GetInitiative(), l.GetCost(), fmt.Sprintf("%.1f %%", 100*l.GetClosed()), l.GetMessage()})
	}
	return columns, rows
}

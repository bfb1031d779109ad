package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

func (a *app) diffCommand() *cobra.Command {
	var from, to int64
	cmd := &cobra.Command{
		Use:   "diff --from REVISION [--to REVISION]",
		Short: "Show what was declared between two revisions",
		Long: `Diff compares the declared state at two revisions, in the form of a plan.
Revision 0 is the empty state as --from, the newest as --to.

Exit codes: 0 no changes, 1 error, 2 changes.`,
		Example: `  setpoint diff --from 1290
  setpoint diff --from 1290 --to 1317 -o json`,
		Args: exactArgs(),
	}
	cmd.Flags().Int64Var(&from, "from", 0, "compare the state at this `REVISION`")
	cmd.Flags().Int64Var(&to, "to", 0, "with the one at this `REVISION`, 0 the newest")
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if !cmd.Flags().Changed("from") {
			return usagef("missing --from REVISION: compare with what?")
		}
		if from < 0 || to < 0 {
			return usagef("--from and --to are revisions: they are not negative")
		}
		res, err := a.client().declaration.Diff(ctx, &declarationv1.DiffRequest{From: from, To: to})
		if err != nil {
			return err
		}
		if *f != asTable {
			err = a.writeMessage(*f, res)
		} else {
			a.printf("%s", renderDiff(res, a.colors(a.opts.Stdout)))
		}
		if err == nil && len(res.GetChanges()) > 0 {
			return exitCode(exitChanges)
		}
		return err
	})
	return cmd
}

func renderDiff(res *declarationv1.DiffResponse, color paint) string {
	t := tallyOf(res.GetChanges(), res.GetSummary())
	between := fmt.Sprintf("From revision %d to %d", res.GetFrom(), res.GetTo())
	if len(res.GetChanges()) == 0 {
		return between + ": no changes, " + counted(t.unchanged, "resource is", "resources are") + " as before.\n"
	}
	return renderChanges(res.GetChanges(), color) + "\n" + color.with(bold, between+": "+t.applied()+".") + "\n"
}

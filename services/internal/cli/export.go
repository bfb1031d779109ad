package cli

import (
	"context"

	"github.com/spf13/cobra"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

func (a *app) exportCommand() *cobra.Command {
	var s snapshotFlags
	var words []string
	var set, out string
	var dated bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what is declared as manifests",
		Long: `Export writes the declared state as manifests that apply to no change, with the
set of each resource and the date from which it counts. Applied to an empty
organization they declare the same state.

With --revision or --known-at it is the state of then, without those dates:
applied, it is declared anew, and what has changed since counts from that day.
To declare a past state elsewhere, add --dated.`,
		Example: `  setpoint export -o plan.yaml
  setpoint export --kind metrics --kind targets
  setpoint export --set finance > finance.yaml
  setpoint export --revision 1290 | setpoint apply -f - --reason "back to May"`,
		Args: exactArgs(),
	}
	cmd.AddCommand(a.exportSheetCommand())
	s.register(cmd)
	cmd.Flags().StringSliceVar(&words, "kind", nil, "only this kind; repeatable")
	cmd.Flags().StringVar(&set, "set", "", "only what this set holds; apply it with the same --set")
	cmd.Flags().BoolVar(&dated, "dated", false, "with effective dates also where the state is of the past")
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to this `FILE`")
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(kindNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		snapshot, err := s.snapshot()
		if err != nil {
			return err
		}
		if set != "" && !labelPattern.MatchString(set) {
			return usagef("--set: %q is not a name; legal are lower-case letters, digits and - inside, at most 63", set)
		}
		req := &declarationv1.ExportRequest{Set: set, Revision: snapshot.GetRevision(), KnownAt: snapshot.GetKnownAt(), MinRevision: snapshot.GetMinRevision(), Dated: dated}
		for _, w := range words {
			k, err := kindNamed(w)
			if err != nil {
				return err
			}
			req.Kinds = append(req.Kinds, k.Name)
		}
		res, err := a.client().declaration.Export(ctx, req)
		if err != nil {
			return err
		}
		if res.GetCount() == 0 {
			a.warnf("nothing is declared that was asked for\n")
		}
		if out == "" {
			_, err := a.out.Write(res.GetContent())
			return err
		}
		if err := writeFile(ctx, out, res.GetContent()); err != nil {
			return err
		}
		a.warnf("%s of revision %d written to %s\n", counted(int(res.GetCount()), "resource", "resources"), res.GetRevision(), out)
		return nil
	})
	return cmd
}

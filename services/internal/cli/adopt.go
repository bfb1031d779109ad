package cli

import (
	"context"

	"github.com/spf13/cobra"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/importer"
	"setpoint.dev/services/internal/fault"
)

func (a *app) adoptCommand() *cobra.Command {
	var from, to, out string
	var w writeFlags
	cmd := &cobra.Command{
		Use:   "adopt",
		Short: "Hand what was imported over to manifests",
		Long: `Adopt writes what a set holds (by default imported) as manifests and moves the
resources to another set, by default the one that apply uses without --set: from
then on the manifests manage them. Nothing else changes, and an import leaves
them as they are from then on. Running it again changes nothing.`,
		Example: `  setpoint adopt -o plan/adopted.yaml
  setpoint adopt --set gsa --to finance -o finance.yaml`,
		Args: exactArgs(),
	}
	cmd.Flags().StringVar(&from, "set", "imported", "the set whose resources are adopted")
	cmd.Flags().StringVar(&to, "to", "", "the set that takes them; default the one of apply without --set")
	cmd.Flags().StringVarP(&out, "output", "o", "", "write the manifests to this `FILE`; default standard output")
	_ = cmd.RegisterFlagCompletionFunc("set", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("to", cobra.NoFileCompletions)
	w.register(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := w.check(); err != nil {
			return err
		}
		if !labelPattern.MatchString(from) || to != "" && !labelPattern.MatchString(to) || from == to {
			return usagef("--set and --to are the names of two different sets")
		}
		var resources []*commonv1.Resource
		for _, k := range declaredKinds() {
			err := a.eachDeclared(ctx, k.Name, func(r *commonv1.Resource) error {
				if r.GetProvenance().GetSet() == from {
					r.Provenance = nil
					r.Metadata.Set = ""
					resources = append(resources, r)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		if len(resources) == 0 {
			return fault.New(fault.NotFound, "cli.nothing_to_adopt", "the set %s holds nothing", from).
				WithHint("setpoint import puts what it reads into the set that its mapping names")
		}
		content, err := importer.Manifests(resources)
		if err != nil {
			return err
		}
		// The manifests are there before anything is handed over to them.
		if out != "" {
			if err := writeFile(ctx, out, content); err != nil {
				return err
			}
		}
		res, err := a.client().declaration.Apply(ctx, &declarationv1.ApplyRequest{
			RequestId: requestID(), Manager: w.manager, Reason: w.reason,
			Manifests: &declarationv1.Manifests{Resources: resources, Set: to},
		})
		if err != nil {
			return err
		}
		a.settle(ctx, res.GetRevision())
		if out == "" {
			_, err := a.out.Write(content)
			return err
		}
		a.printf("%s adopted and written to %s. Revision %d.\n", counted(len(resources), "resource", "resources"), printable(out), res.GetRevision())
		return nil
	})
	return cmd
}

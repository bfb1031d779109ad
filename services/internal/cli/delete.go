package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

func (a *app) deleteCommand() *cobra.Command {
	var w writeFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete KIND NAME",
		Short: "Retire a resource that nothing refers to",
		Long: `Delete retires one resource; its history stays. It is refused while others refer
to the resource, and for a protected one.`,
		Example: `  setpoint delete target fedramp-2020 --reason "replaced by the plan of 2021"
  setpoint delete metric/vacant-space --yes`,
		Args:              betweenArgs(1, 2, "KIND and NAME"),
		ValidArgsFunction: a.completeResource(),
	}
	w.register(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := w.check(); err != nil {
			return err
		}
		k, name, err := splitKind(args)
		if err != nil {
			return err
		}
		if name == "" {
			return usagef("missing NAME: which %s?", strings.ToLower(k.Name))
		}
		if !yes && a.stdinIsTerminal() {
			if goOn, err := a.confirm(ctx, "Delete "+k.Name+"/"+name+"?"); err != nil || !goOn {
				return err
			}
		}
		res, err := a.client().declaration.Delete(ctx, &declarationv1.DeleteRequest{
			RequestId: requestID(), Kind: k.Name, Name: name, Manager: w.manager, Reason: w.reason,
		})
		if err != nil {
			return a.perhaps(err)
		}
		a.settle(ctx, res.GetRevision())
		if *f != asTable {
			return a.writeMessage(*f, res)
		}
		a.printf("%s\n", a.colors(a.opts.Stdout).with(red, "- "+k.Name+"/"+name+" deleted")+". Revision "+itoa(res.GetRevision())+".")
		return nil
	})
	return cmd
}

package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func (a *app) whatIfCommand() *cobra.Command {
	var m manifestFlags
	var s snapshotFlags
	var without, with []string
	req := &gapv1.WhatIfRequest{}
	cmd := &cobra.Command{
		Use:   "whatif {-f PATH | --without KIND/NAME | --with initiative/NAME}",
		Short: "Say what would differ if something else were declared",
		Long: `Whatif evaluates twice, as things are declared and as they would be, and shows
what differs: statuses, gaps, what of a gap is uncovered, scores of roll-ups, and
how likely targets are reached: as the values so far go on, with initiatives in
progress, and with how ready people are. It writes nothing, and is not meant to
be applied.

With -f manifests are supposed to be declared; what leaves out its effective date
counts from the day that is evaluated. With --without initiatives, targets or
objectives are supposed not to be there; with --with proposed initiatives are
supposed to be approved.`,
		Example: `  setpoint whatif -f change.yaml
  setpoint whatif -f change.yaml --as-of 2018-12-31 -o json
  setpoint whatif --without initiative/consolidation
  setpoint whatif --with initiative/consolidation
  setpoint whatif --without target/vacant-space --without objective/savings`,
		Args: exactArgs(),
	}
	m.register(cmd)
	cmd.Flags().StringArrayVar(&without, "without", nil, "leave out a `KIND/NAME`: an initiative, a target or an objective; repeatable")
	_ = cmd.RegisterFlagCompletionFunc("without", a.completeWithout)
	cmd.Flags().StringArrayVar(&with, "with", nil, "suppose that this `initiative/NAME` is approved; repeatable")
	_ = cmd.RegisterFlagCompletionFunc("with", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		var out []string
		for _, n := range a.names(cmd, "Initiative", strings.TrimPrefix(typed, "initiative/")) {
			out = append(out, "initiative/"+n)
		}
		return out, noFiles
	})
	a.strategyFlag(cmd, &req.Strategy)
	a.asOfFlag(cmd, &req.AsOf)
	a.policyFlag(cmd, &req.Policy)
	s.register(cmd)
	f := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := checkAsOf(req.GetAsOf()); err != nil {
			return err
		}
		switch {
		case len(m.paths) > 0 && len(without)+len(with) > 0:
			return usagef("-f excludes --without and --with: manifests say what is declared, those what is not, or is approved")
		case len(m.paths)+len(without)+len(with) == 0:
			return usagef("missing -f PATH, --without KIND/NAME or --with initiative/NAME: what to suppose")
		case len(m.paths) > 0:
			if s.revision != 0 || s.knownAt != "" || req.GetStrategy() != "" {
				return usagef("--revision, --known-at and --strategy go with --without and --with: manifests are compared with what is declared now, all of it")
			}
			manifests, err := a.manifests(ctx, m)
			if err != nil {
				return err
			}
			res, err := a.client().declaration.Plan(ctx, &declarationv1.PlanRequest{Manifests: manifests, AsOf: req.GetAsOf(), Policy: req.GetPolicy()})
			if err != nil {
				return err
			}
			if *f == asTable {
				a.warnf("%s", renderWarnings(res.GetWarnings()))
				if len(res.GetChanges()) == 0 {
					a.printf("Nothing would differ: the manifests say what is declared.\n")
					return nil
				}
			}
			c := res.GetConsequences()
			if c == nil {
				c = &gapv1.Consequences{AsOf: req.GetAsOf(), Policy: req.GetPolicy()}
			}
			return a.showWhatIf(*f, &gapv1.WhatIfResponse{AsOf: c.GetAsOf(), Revision: res.GetRevision(), Consequences: c})
		case m.set != "" || m.prune:
			return usagef("--set and --prune go with -f")
		}
		for _, w := range with {
			if name, ok := strings.CutPrefix(w, "initiative/"); !ok || name == "" {
				return usagef("--with: %q is not initiative/NAME", w)
			}
		}
		for _, w := range without {
			if kind, name, ok := strings.Cut(w, "/"); !ok || kind == "" || name == "" {
				return usagef("--without: %q is not KIND/NAME; legal are initiative/NAME, target/NAME and objective/NAME", w)
			}
		}
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		req.Without, req.With = without, with
		res, err := a.client().gap.WhatIf(ctx, req)
		if err != nil {
			return err
		}
		return a.showWhatIf(*f, res)
	})
	return cmd
}

func (a *app) showWhatIf(f format, res *gapv1.WhatIfResponse) error {
	if f != asTable {
		columns, rows := consequenceSheet(res.GetConsequences())
		return a.writeRows(f, res, columns, rows)
	}
	text := renderConsequences(res.GetConsequences(), false, a.width(), a.colors(a.opts.Stdout))
	if text == "" {
		text = "Nothing would differ as of " + res.GetAsOf() + ".\n"
	}
	a.printf("%s", text)
	return nil
}

// completeWithout completes the kind, and then the name.
func (a *app) completeWithout(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	kinds := map[string]string{"initiative": "Initiative", "target": "Target", "objective": "Objective"}
	kind, name, ok := strings.Cut(typed, "/")
	if !ok {
		return []string{"initiative/", "objective/", "target/"}, noFiles | cobra.ShellCompDirectiveNoSpace
	}
	var out []string
	if k := kinds[kind]; k != "" {
		for _, n := range a.names(cmd, k, name) {
			out = append(out, kind+"/"+n)
		}
	}
	return out, noFiles
}

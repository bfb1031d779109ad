package cli

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/internal/fault"
)

// manifestFlags says what is declared.
type manifestFlags struct {
	paths []string
	set   string
	prune bool
}

func (m *manifestFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&m.paths, "file", "f", nil, "manifests: a file, a folder, or - for standard input; repeatable")
	f.StringVar(&m.set, "set", "", "the set that owns these resources")
	f.BoolVar(&m.prune, "prune", false, "retire what the set holds and the manifests no longer name")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml", "json")
}

func (a *app) manifests(ctx context.Context, m manifestFlags) (*declarationv1.Manifests, error) {
	if m.set != "" && !labelPattern.MatchString(m.set) {
		return nil, usagef("--set: %q is not a name; legal are lower-case letters, digits and - inside, at most 63", m.set)
	}
	files, err := a.readManifests(ctx, m.paths)
	if err != nil {
		return nil, err
	}
	return &declarationv1.Manifests{Files: files, Set: m.set, Prune: m.prune}, nil
}

func (a *app) planCommand() *cobra.Command {
	var m manifestFlags
	var out string
	var offline, without, refuse bool
	var w writeFlags
	req := &declarationv1.PlanRequest{}
	cmd := &cobra.Command{
		Use:   "plan -f PATH",
		Short: "Show what applying manifests would change",
		Long: `Plan compares manifests with what is declared and shows the changes, and what they
would bring about: statuses and roll-ups that flip, and how much more or less
likely targets become. It writes nothing. A plan saved with --out applies as it was shown, or not at all.

It warns of what would be overwritten that another manager has set since the one
that applies (--manager, as with apply) last wrote it: who set it, and when. With
--refuse-overwrites that is an error, as it is for apply.

With --offline no server is asked: the manifests are checked by themselves, as
if nothing had been declared: their form, every rule, and the references
between them. What they refer to must be among them, so give every folder that
belongs to the plan. Made for pipelines and commit hooks.

Exit codes: 0 no changes, 1 error (or an overwrite that is refused), 2 changes;
with --offline 0 valid, 1 faults;
64 wrong usage.`,
		Example: `  setpoint plan -f plan/
  setpoint plan -f metrics.yaml -f targets.yaml --set finance --prune
  setpoint plan -f plan/ --out plan.json && setpoint apply --plan plan.json
  setpoint plan --offline -f plan/
  generate-manifests | setpoint plan -f -`,
		Args: exactArgs(),
	}
	m.register(cmd)
	cmd.Flags().StringVar(&out, "out", "", "save the plan to this `FILE`")
	cmd.Flags().BoolVar(&offline, "offline", false, "check the manifests by themselves, without a server")
	w.registerManager(cmd, "what would apply")
	cmd.Flags().BoolVar(&refuse, "refuse-overwrites", false, "fail if applying would overwrite what another manager set")
	a.asOfFlag(cmd, &req.AsOf)
	a.policyFlag(cmd, &req.Policy)
	cmd.Flags().BoolVar(&without, "without-consequences", false, "show the changes alone")
	f := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if len(m.paths) == 0 {
			return usagef("missing -f PATH: the manifests to plan")
		}
		if err := cmp.Or(checkAsOf(req.GetAsOf()), w.check()); err != nil {
			return err
		}
		if offline {
			if out != "" || m.prune || m.set != "" || refuse {
				return usagef("--offline knows nothing of what is declared: --out, --set, --prune and --refuse-overwrites have no meaning with it")
			}
			return a.planOffline(ctx, m.paths, *f)
		}
		manifests, err := a.manifests(ctx, m)
		if err != nil {
			return err
		}
		req.Manifests, req.WithoutConsequences, req.Manager = manifests, without, w.manager
		bar := a.progress("planning", manifestBytes(manifests), false)
		res, err := a.client().declaration.Plan(bar.part(ctx, 0, manifestBytes(manifests)), req)
		bar.end()
		if err != nil {
			return err
		}
		if out != "" {
			p, err := newSavedPlan(a.org, manifests, res)
			if err != nil {
				return err
			}
			if err := p.write(ctx, out); err != nil {
				return err
			}
		}
		switch *f {
		case asJSON, asYAML:
			if err := a.writeMessage(*f, res); err != nil {
				return err
			}
		case asCSV:
			raw, err := changesCSV(res.GetChanges())
			if err != nil {
				return err
			}
			a.printf("%s", raw)
			a.warnf("%s", renderWarnings(res.GetWarnings()))
		default:
			a.printf("%s", a.renderPlan(res, a.colors(a.opts.Stdout)))
			if out != "" && len(res.GetChanges()) > 0 {
				a.printf("\nSaved. Apply exactly this with: setpoint apply --plan %s\n", out)
			}
		}
		if n := overwritten(res.GetChanges()); refuse && n > 0 {
			return fault.New(fault.Rule, "declaration.overwrites", "applying this would overwrite what others have set, in %s",
				counted(n, "resource", "resources")).WithHint("the warnings say who and when; take it into the manifests, or leave out --refuse-overwrites")
		}
		if len(res.GetChanges()) > 0 {
			return exitCode(exitChanges)
		}
		return nil
	})
	return cmd
}

// overwritten is how many resources hold what another manager set and the
// changes overwrite.
func overwritten(changes []*declarationv1.Change) int {
	n := 0
	for _, c := range changes {
		if c.GetOverwrites() != nil || slices.ContainsFunc(c.GetFields(), func(f *declarationv1.FieldChange) bool { return f.GetOverwrites() != nil }) {
			n++
		}
	}
	return n
}

func (a *app) renderPlan(res *declarationv1.PlanResponse, color paint) string {
	t := tallyOf(res.GetChanges(), res.GetSummary())
	s := renderChanges(res.GetChanges(), color)
	if s != "" {
		s += "\n"
	}
	if w := renderWarnings(res.GetWarnings()); w != "" {
		s += w + "\n"
	}
	if c := renderConsequences(res.GetConsequences(), true, a.width(), color); c != "" {
		s += c + "\n"
	}
	if len(res.GetChanges()) == 0 {
		return s + "No changes: " + counted(t.unchanged, "resource is", "resources are") + " as declared.\n"
	}
	return s + color.with(bold, "Plan: "+t.plan()+".") + "\n"
}

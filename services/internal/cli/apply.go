package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/internal/fault"
)

// writeFlags says who writes and why.
type writeFlags struct{ manager, reason string }

func (w *writeFlags) register(cmd *cobra.Command) {
	w.registerManager(cmd, "what writes")
	cmd.Flags().StringVar(&w.reason, "reason", "", "why, kept in the history")
	_ = cmd.RegisterFlagCompletionFunc("reason", cobra.NoFileCompletions)
}

func (w *writeFlags) registerManager(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&w.manager, "manager", "cli", what+": cli, git, console, policy or api")
	_ = cmd.RegisterFlagCompletionFunc("manager", cobra.FixedCompletions(
		[]string{"cli", "git", "console", "policy", "api"}, cobra.ShellCompDirectiveNoFileComp))
}

func (w *writeFlags) check() error {
	switch w.manager {
	case "cli", "git", "console", "policy", "api":
		return nil
	}
	return usagef("--manager: %q is not known; legal are cli, git, console, policy and api", w.manager)
}

func (a *app) applyCommand() *cobra.Command {
	var m manifestFlags
	var w writeFlags
	var planFile string
	var yes, force, refuse bool
	cmd := &cobra.Command{
		Use:   "apply {-f PATH | --plan FILE}",
		Short: "Make the declared state what the manifests say",
		Long: `Apply declares what the manifests say: all of it or nothing. Applying the same
manifests again writes nothing. On a terminal the plan is shown first, and what
was shown is what is applied.

What another manager (--manager: somebody at the command line, a repository, the
console) has set since this one last wrote it, and the manifests say otherwise, is
overwritten with a warning that names who set it and when. With
--refuse-overwrites nothing is applied then, with exit code 1.`,
		Example: `  setpoint apply -f plan/
  setpoint apply -f plan/ --set finance --prune --yes --reason "budget of May"
  setpoint apply --plan plan.json`,
		Args: exactArgs(),
	}
	m.register(cmd)
	w.register(cmd)
	cmd.Flags().StringVar(&planFile, "plan", "", "apply the plan saved in this `FILE`")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&force, "force", false, "apply a saved plan although the declarations have changed since")
	cmd.Flags().BoolVar(&refuse, "refuse-overwrites", false, "apply nothing if that overwrites what another manager set")
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := w.check(); err != nil {
			return err
		}
		ask := !yes && a.stdinIsTerminal()
		req := &declarationv1.ApplyRequest{RequestId: requestID(), Manager: w.manager, Reason: w.reason, RefuseOverwrites: refuse}
		switch {
		case planFile != "" && len(m.paths) > 0:
			return usagef("-f and --plan exclude each other: a saved plan holds its manifests")
		case planFile != "" && (m.set != "" || m.prune):
			return usagef("--set and --prune are part of the saved plan")
		case planFile == "" && len(m.paths) == 0:
			return usagef("missing -f PATH or --plan FILE: what to apply")
		case planFile != "":
			saved, err := readSavedPlan(ctx, planFile)
			if err != nil {
				return err
			}
			if err := a.adoptOrganization(cmd, saved.Organization); err != nil {
				return err
			}
			req.Manifests = saved.manifests()
			if !force {
				expect(req, saved.Revision)
			}
		default:
			if ask && strings.Join(m.paths, "\x00") == "-" {
				return usagef("with -f - nobody can be asked: give --yes")
			}
			var err error
			if req.Manifests, err = a.manifests(ctx, m); err != nil {
				return err
			}
		}
		if ask {
			goOn, err := a.showAndAsk(ctx, req, planFile != "", *f)
			if err != nil || !goOn {
				return err
			}
		}
		return a.apply(ctx, req, *f)
	})
	return cmd
}

// adoptOrganization takes the organization of a saved plan, unless the user
// has named another one.
func (a *app) adoptOrganization(cmd *cobra.Command, org string) error {
	if cmd.Flags().Changed("org") && a.org != org {
		return fault.New(fault.Invalid, "cli.plan_organization",
			"the plan was made for the organization %q, not %q", org, a.org)
	}
	a.org = org
	return a.checkGlobals()
}

// expect pins the request to the revision that a plan rests on: 0 where
// nothing was declared.
func expect(req *declarationv1.ApplyRequest, revision int64) {
	req.ExpectedRevision, req.ExpectEmpty = revision, revision == 0
}

// showAndAsk shows the plan on standard error and asks. What is then applied
// is what was shown: the declarations must not have moved.
func (a *app) showAndAsk(ctx context.Context, req *declarationv1.ApplyRequest, pinned bool, f format) (bool, error) {
	res, err := a.client().declaration.Plan(ctx, &declarationv1.PlanRequest{Manifests: req.GetManifests(), Manager: req.GetManager()})
	if err != nil {
		return false, err
	}
	if expected := req.GetExpectedRevision(); res.GetRevision() > expected && (expected != 0 || req.GetExpectEmpty()) {
		return true, nil // stale: the server refuses it and says why
	}
	a.warnf("%s", a.renderPlan(res, a.colors(a.opts.Stderr)))
	if len(res.GetChanges()) == 0 {
		return f != asTable, nil
	}
	if !pinned {
		expect(req, res.GetRevision())
	}
	return a.confirm(ctx, "Apply these changes?")
}

func (a *app) apply(ctx context.Context, req *declarationv1.ApplyRequest, f format) error {
	bar := a.progress("applying", manifestBytes(req.GetManifests()), false)
	res, err := a.client().declaration.Apply(bar.part(ctx, 0, manifestBytes(req.GetManifests())), req)
	bar.end()
	if err != nil {
		return a.perhaps(err)
	}
	a.settle(ctx, res.GetRevision())
	if f != asTable {
		return a.writeMessage(f, res)
	}
	color := a.colors(a.opts.Stdout)
	for _, c := range res.GetChanges() {
		name := c.GetKind() + "/" + c.GetName()
		switch c.GetAction() {
		case "create":
			a.printf("%s\n", color.with(green, "+ "+name+" created"))
		case "delete":
			a.printf("%s\n", color.with(red, "- "+name+" deleted"))
		case "rename":
			a.printf("%s\n", color.with(cyan, "> "+name+" renamed from "+c.GetRenamedFrom()))
		default:
			a.printf("%s\n", color.with(yellow, "~ "+name+" changed"))
		}
	}
	var seen []*commonv1.Fault
	for _, w := range res.GetWarnings() {
		if grave(w) {
			seen = append(seen, w)
		}
	}
	if len(seen) > 0 {
		a.warnf("%s", renderWarnings(seen))
	}
	if n := len(res.GetWarnings()) - len(seen); n > 0 {
		a.warnf("%s; setpoint plan shows them\n", counted(n, "warning", "warnings"))
	}
	a.printf("%s\n", color.with(bold, "Applied: "+tallyOf(res.GetChanges(), res.GetSummary()).applied()+
		". Revision "+itoa(res.GetRevision())+"."))
	return nil
}

package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// Completion asks the server for names. It is quick or it is nothing: a shell
// must not hang, and nobody reads an error in the middle of a line.

// completionWait bounds how long a shell waits for names.
const completionWait = time.Second

type completions = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

const noFiles = cobra.ShellCompDirectiveNoFileComp

// completeResource completes KIND NAME and KIND/NAME; more are further words
// that stand in KIND's place.
func (a *app) completeResource(more ...string) completions {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			word, name, slash := strings.Cut(typed, "/")
			if !slash {
				return append(kindNames(), more...), noFiles
			}
			var out []string
			for _, n := range a.names(cmd, word, name) {
				out = append(out, word+"/"+n)
			}
			return out, noFiles
		case 1:
			return a.names(cmd, args[0], typed), noFiles
		}
		return nil, noFiles
	}
}

// completeName completes the name of a resource of one kind as the first
// argument, or as a flag's value.
func (a *app) completeName(kind string, argument bool) completions {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if argument && len(args) > 0 {
			return nil, noFiles
		}
		return a.names(cmd, kind, typed), noFiles
	}
}

// completePolicy completes the presets and the declared policies.
func (a *app) completePolicy(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return append(slices.Clone(a.opts.Policies), a.names(cmd, "Policy", typed)...), noFiles
}

// names of a kind that begin as typed, each with its title; none where the
// server does not answer at once.
func (a *app) names(cmd *cobra.Command, word, typed string) []string {
	if strings.HasPrefix(strings.ToLower(word), "observation") {
		word = "Metric"
	}
	_, ofConditions, _ := conditionsOf([]string{word})
	if _, ok, _ := checkInsOf([]string{word}); ok || ofConditions {
		word = "Target"
	}
	k, err := kindNamed(word)
	if err != nil || a.flagsFromEnv(cmd.Flags()) != nil || a.checkGlobals() != nil {
		return nil
	}
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, a.opts.names)
	defer cancel()
	a.completing = true
	res, err := a.client().declaration.List(ctx, &declarationv1.ListRequest{Kind: k.Name, PageSize: resourcePage})
	if err != nil {
		return nil
	}
	var out []string
	for _, r := range res.GetResources() {
		name := r.GetMetadata().GetName()
		if !strings.HasPrefix(name, typed) {
			continue
		}
		if title := cellText(r.GetSpec().GetFields()["title"]); title != "" {
			name += "\t" + clip(title, longestTitle)
		}
		out = append(out, name)
	}
	return out
}

// asOfFlag is the day that something is evaluated at.
func (a *app) asOfFlag(cmd *cobra.Command, asOf *string) {
	cmd.Flags().StringVar(asOf, "as-of", "", "evaluate at the end of this `DAY` (YYYY-MM-DD), default today")
	_ = cmd.RegisterFlagCompletionFunc("as-of", cobra.NoFileCompletions)
}

func (a *app) policyFlag(cmd *cobra.Command, policy *string) {
	about := "the `POLICY` that turns numbers into statuses"
	if len(a.opts.Policies) > 0 {
		about += ": " + strings.Join(a.opts.Policies, ", ")
	}
	cmd.Flags().StringVar(policy, "policy", "", about)
	_ = cmd.RegisterFlagCompletionFunc("policy", a.completePolicy)
}

func (a *app) strategyFlag(cmd *cobra.Command, strategy *string) {
	cmd.Flags().StringVar(strategy, "strategy", "", "only this `STRATEGY`")
	_ = cmd.RegisterFlagCompletionFunc("strategy", a.completeName("Strategy", false))
}

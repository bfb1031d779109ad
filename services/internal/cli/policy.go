package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func (a *app) policyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy COMMAND",
		Short:   "Try policies before they react",
		Long:    "Policies are declared in manifests, kind Policy; policy test says what one would have done.",
		Example: "  setpoint policy test act-on-red --since 2026-01-01",
		Args:    cobra.ArbitraryArgs,
		RunE:    needsSubcommand("missing the subcommand", "legal is test"),
	}
	cmd.AddCommand(a.policyTestCommand())
	return cmd
}

func (a *app) policyTestCommand() *cobra.Command {
	var file string
	req := &gapv1.TestPolicyRequest{}
	cmd := &cobra.Command{
		Use:   "test {NAME | -f FILE} --since DAY",
		Short: "Say what a policy would have done, and write nothing",
		Long: `Test replays history against a policy: each day since a first one is evaluated as
it was known at the end of that day, and what the policy's reactions would have
done is listed with what they were given. With --hindsight all that is known now
counts on every day, as for history that was loaded at once.`,
		Example: `  setpoint policy test act-on-red --since 2026-01-01
  setpoint policy test -f policy.yaml --since 2018-10-01 --until 2019-12-31 --hindsight`,
		Args: betweenArgs(0, 1, "NAME"),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "a manifest `FILE` with one Policy, which need not be declared")
	cmd.Flags().StringVar(&req.Since, "since", "", "the first `DAY`, YYYY-MM-DD")
	cmd.Flags().StringVar(&req.Until, "until", "", "the last `DAY` (default today)")
	cmd.Flags().BoolVar(&req.Hindsight, "hindsight", false, "evaluate each day with all that is known now")
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if req.Since == "" {
			return &usageError{message: "missing --since DAY", hint: "the first day to replay, YYYY-MM-DD"}
		}
		for _, x := range []struct{ flag, day string }{{"since", req.GetSince()}, {"until", req.GetUntil()}} {
			if err := checkDay(x.flag, x.day); err != nil {
				return err
			}
		}
		switch {
		case file != "" && len(args) > 0:
			return usagef("NAME and --file exclude each other")
		case file != "":
			var err error
			if req.Policy, req.Spec, err = policyIn(ctx, file); err != nil {
				return err
			}
		case len(args) == 0:
			return usagef("missing NAME or --file: which policy?")
		default:
			req.Policy = args[0]
		}
		res, err := a.client().gap.TestPolicy(ctx, req)
		if err != nil {
			return err
		}
		if *f != asTable {
			return a.writeMessage(*f, res)
		}
		a.writeTested(res)
		return nil
	})
	return cmd
}

func (a *app) writeTested(res *gapv1.TestPolicyResponse) {
	var rows [][]string
	for _, x := range res.GetFirings() {
		c := x.GetCause()
		rows = append(rows, []string{
			x.GetDay(), about(x), printable(c.GetReaction()), c.GetSince(), effectsText(x.GetEffects()), inputsText(c.GetInputs()),
		})
	}
	if len(rows) == 0 {
		a.printf("On none of %d days anything would have been done.\n", res.GetDays())
	} else {
		a.printf("%s\n%d times in %d days.\n", renderTable([]column{
			{Title: "DAY"}, {Title: "OF", Shrink: 16, Name: true}, {Title: "REACTION", Shrink: 10, Name: true}, {Title: "SINCE", Drop: 2},
			{Title: "WOULD", Shrink: 20}, {Title: "BECAUSE", Shrink: 20, Drop: 1},
		}, rows, a.width(), a.colors(a.opts.Stdout)), len(rows), res.GetDays())
	}
	for _, h := range res.GetHints() {
		a.warnf("hint: %s\n", h)
	}
}

// policyIn reads the one Policy of a manifest file.
func policyIn(ctx context.Context, path string) (name string, spec *gapv1.PolicySpec, err error) {
	content, err := readFile(ctx, path, maxManifestBytes)
	if err != nil {
		return "", nil, err
	}
	for dec := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var doc struct {
			Kind     string
			Metadata struct{ Name string }
			Spec     map[string]any
		}
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, usagef("%s: %v", path, err)
		}
		if doc.Kind != "Policy" {
			continue
		}
		if spec != nil {
			return "", nil, usagef("%s holds several policies; give one", path)
		}
		raw, err := json.Marshal(doc.Spec)
		if err != nil {
			return "", nil, usagef("%s: %v", path, err)
		}
		name, spec = doc.Metadata.Name, &gapv1.PolicySpec{}
		if err := protojson.Unmarshal(raw, spec); err != nil {
			return "", nil, usagef("%s: spec: %v", path, err)
		}
	}
	if spec == nil {
		return "", nil, usagef("%s holds no Policy", path)
	}
	return name, spec, nil
}

// about says of what a firing is: a target by its name alone.
func about(x *gapv1.TestedFiring) string {
	return whose(&gapv1.ConditionSet{Target: x.GetTarget(), Review: x.GetReview(), Kind: x.GetKind(), Name: x.GetName()})
}

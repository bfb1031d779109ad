package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// latest is how many observations the description of a metric shows.
const latest = 5

// description is a resource with what it means now.
type description struct {
	kind         kind
	resource     *commonv1.Resource
	asOf, policy string
	evaluation   *gapv1.TargetGap          // of a Target
	observations []*strategyv1.Observation // of a Metric, newest last
	total        int
}

func (a *app) describeCommand() *cobra.Command {
	var s snapshotFlags
	var asOf string
	cmd := &cobra.Command{
		Use:   "describe KIND NAME",
		Short: "Show all about one resource",
		Long: `Describe shows a resource, where this version of it comes from, and what it means
now: the evaluation of a target, the latest observations of a metric.`,
		Example: `  setpoint describe target vacant-space
  setpoint describe target vacant-space --as-of 2018-12-31
  setpoint describe metric vacant-space -o json`,
		Args:      betweenArgs(1, 2, "KIND and NAME"),
		ValidArgs: kindNames(),
	}
	s.register(cmd)
	cmd.Flags().StringVar(&asOf, "as-of", "", "evaluate at the end of this day (YYYY-MM-DD), default today")
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		snapshot, err := s.snapshot()
		if err != nil {
			return err
		}
		if err := checkAsOf(asOf); err != nil {
			return err
		}
		k, name, err := splitKind(args)
		if err != nil {
			return err
		}
		if name == "" {
			return usagef("missing NAME: which %s?", strings.ToLower(k.Name))
		}
		d, err := a.describe(ctx, k, name, snapshot, asOf)
		if err != nil {
			return err
		}
		if *f != asTable {
			return d.write(a, *f)
		}
		text, err := d.render(a.width(), a.colors(a.opts.Stdout))
		a.printf("%s", text)
		return err
	})
	return cmd
}

func (a *app) describe(ctx context.Context, k kind, name string, s *commonv1.Snapshot, asOf string) (*description, error) {
	res, err := a.client().declaration.Get(ctx, &declarationv1.GetRequest{Kind: k.Name, Name: name, Snapshot: s})
	if err != nil {
		return nil, err
	}
	d := &description{kind: k, resource: res.GetResource()}
	switch k.Name {
	case "Target":
		e, err := a.client().gap.Evaluate(ctx, &gapv1.EvaluateRequest{AsOf: asOf, Snapshot: s})
		if err != nil {
			return nil, err
		}
		d.asOf, d.policy = e.GetAsOf(), e.GetPolicy()
		for _, t := range e.GetTargets() {
			if t.GetName() == res.GetResource().GetMetadata().GetName() {
				d.evaluation = t
			}
		}
	case "Metric":
		_, err := a.observations(ctx, name, s, func(page []*strategyv1.Observation) {
			d.total += len(page)
			d.observations = append(d.observations, page...)
			d.observations = d.observations[max(0, len(d.observations)-latest):]
		})
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *description) write(a *app, f format) error {
	raw, err := encode(d.resource, false)
	if err != nil {
		return err
	}
	fields := []string{strings.TrimSuffix(string(raw), "}")}
	if d.evaluation != nil {
		e, err := encode(d.evaluation, true)
		if err != nil {
			return err
		}
		fields = append(fields, fmt.Sprintf(`"asOf":%q,"policy":%q,"evaluation":%s`, d.asOf, d.policy, e))
	}
	if d.kind.Name == "Metric" {
		items := []json.RawMessage{}
		for _, o := range d.observations {
			raw, err := encode(o, true)
			if err != nil {
				return err
			}
			items = append(items, raw)
		}
		observations, err := json.Marshal(items)
		if err != nil {
			return err
		}
		fields = append(fields, `"observations":`+string(observations))
	}
	return a.writeStructured(f, json.RawMessage(strings.Join(fields, ",")+"}"))
}

// block collects "label: value" lines, the values aligned.
type block struct {
	b     strings.Builder
	color paint
}

func (b *block) line(label, value string) {
	if value != "" {
		fmt.Fprintf(&b.b, "%s%s\n", b.color.with(bold, fmt.Sprintf("%-14s", label+":")), value)
	}
}

func (b *block) heading(s string) { fmt.Fprintf(&b.b, "\n%s\n", b.color.with(bold, s+":")) }

func (d *description) render(width int, color paint) (string, error) {
	b := &block{color: color}
	m := d.resource.GetMetadata()
	b.line("Name", printable(m.GetName()))
	b.line("Kind", d.kind.Name)
	var labels []string
	for _, l := range slices.Sorted(maps.Keys(m.GetLabels())) {
		labels = append(labels, l+"="+m.GetLabels()[l])
	}
	b.line("Labels", printable(strings.Join(labels, ", ")))
	if m.GetProtected() {
		b.line("Protected", "yes: neither deleted nor pruned")
	}
	if p := d.resource.GetProvenance(); p != nil {
		b.line("Set", printable(p.GetSet()))
		revision := itoa(p.GetRevision())
		if p.GetCreatedRevision() > 0 && p.GetCreatedRevision() != p.GetRevision() {
			revision += ", created at " + itoa(p.GetCreatedRevision())
		}
		b.line("Revision", revision)
		by := printable(p.GetPrincipal())
		if p.GetManager() != "" {
			by += " (" + printable(p.GetManager()) + ")"
		}
		b.line("Recorded", strings.TrimSpace(printable(p.GetRecorded())+" by "+by))
		b.line("Effective", printable(p.GetEffective()))
	}
	spec, err := specText(d.kind, d.resource)
	if err != nil {
		return "", err
	}
	b.heading("Spec")
	for _, l := range strings.Split(strings.TrimSuffix(printableLines(spec), "\n"), "\n") {
		fmt.Fprintf(&b.b, "  %s\n", l)
	}
	if d.evaluation != nil {
		d.renderEvaluation(b)
	}
	if d.kind.Name == "Metric" {
		switch d.total {
		case 0:
			b.heading("Observations")
			b.b.WriteString("  none\n")
		default:
			b.heading(fmt.Sprintf("Latest observations (%d of %s)", len(d.observations), groupDigits(itoa(int64(d.total)))))
			for _, l := range strings.Split(strings.TrimSuffix(observationTable(d.observations, width, color), "\n"), "\n") {
				fmt.Fprintf(&b.b, "  %s\n", l)
			}
		}
	}
	return b.b.String(), nil
}

func (d *description) renderEvaluation(b *block) {
	e := d.evaluation
	b.heading("Evaluation as of " + d.asOf + ", policy " + d.policy)
	inner := &block{color: b.color}
	inner.line("Status", statusText(e.GetStatus(), b.color))
	inner.line("Flags", strings.Join(gapFlags(e), "; "))
	actual := optional(e.Actual, formatNumber)
	if actual != "" && e.GetActualAt() != "" {
		actual += " at " + e.GetActualAt()
	}
	inner.line("Period", printable(e.GetPeriod()))
	inner.line("Actual", actual)
	inner.line("Target", targetText(e))
	inner.line("Due", e.GetDue())
	inner.line("Baseline", optional(e.Baseline, formatNumber))
	inner.line("Expected", optional(e.Expected, formatNumber))
	inner.line("Expected now", optional(e.ExpectedNow, formatNumber))
	inner.line("Gap", optional(e.Gap, formatNumber))
	inner.line("Drift", optional(e.Drift, formatNumber))
	inner.line("Share", optional(e.Share, formatPercent))
	inner.line("Target drift", optional(e.TargetDrift, formatNumber))
	inner.line("Progress", optional(e.Progress, formatPercent))
	inner.line("Score", optional(e.Score, formatNumber))
	inner.line("Rule", printable(e.GetExplanation().GetRule()))
	for _, l := range strings.SplitAfter(inner.b.String(), "\n") {
		if l != "" {
			b.b.WriteString("  " + l)
		}
	}
}

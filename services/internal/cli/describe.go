package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/fault"
)

// latest is how many observations the description of a metric shows.
const latest = 5

// description is a resource with what it means now.
type description struct {
	kind         kind
	resource     *commonv1.Resource
	asOf, policy string
	evaluation   *gapv1.TargetGap            // of a Target
	chart        *chart                      // of a Target; nil: nothing to draw
	coverage     *gapv1.Coverage             // of a Target; nil: not known, or nothing works on it
	actions      []*initiativev1.ActionEntry // of a Target: those that are open, by due date
	conditions   *gapv1.ConditionSet         // of a Target, Objective, Strategy, Unit or Review; nil: none on record
	reacted      []*gapv1.TargetConditions   // of a Policy: what is on record of every target
	observations []*strategyv1.Observation   // of a Metric, newest last
	values       []float64                   // of a Metric, all of them, oldest first
	as           shown                       // how values read
}

func (a *app) describeCommand() *cobra.Command {
	var s snapshotFlags
	var asOf, policy string
	var original, onlyASCII bool
	cmd := &cobra.Command{
		Use:   "describe KIND NAME",
		Short: "Show all about one resource",
		Long: `Describe shows a resource, where this version of it comes from, and what it means
now: of a target the evaluation, a picture of its way and how the status came
about; of a metric its course and latest observations; of targets, objectives,
strategies, units and reviews their conditions; of an initiative or a change program
what setpoint initiative describe or setpoint change describe show.

Pictures are drawn in Unicode, or in ASCII where the locale (LC_ALL, LC_CTYPE,
LANG) is not UTF-8, or with --ascii.`,
		Example: `  setpoint describe target vacant-space
  setpoint describe target vacant-space --as-of 2018-12-31
  setpoint describe metric vacant-space -o json`,
		Args:              betweenArgs(1, 2, "KIND and NAME"),
		ValidArgsFunction: a.completeResource(),
	}
	s.register(cmd)
	a.asOfFlag(cmd, &asOf)
	a.policyFlag(cmd, &policy)
	cmd.Flags().BoolVar(&original, "original-targets", false, "judge against the target as first declared")
	cmd.Flags().BoolVar(&onlyASCII, "ascii", false, "draw pictures without Unicode")
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
		query := &gapv1.EvaluateRequest{AsOf: asOf, Policy: policy, OriginalTargets: original, Revision: snapshot.GetRevision(), KnownAt: snapshot.GetKnownAt(), MinRevision: snapshot.GetMinRevision()}
		if k.Name != "Target" && (policy != "" || original) {
			return usagef("--policy and --original-targets are for a target: nothing else is evaluated")
		}
		if k.Name != "Target" && k.Name != "Initiative" && k.Name != "ChangeProgram" && asOf != "" {
			return usagef("--as-of is for a target, an initiative or a change program: nothing else is evaluated")
		}
		d, err := a.describe(ctx, k, name, query, *f)
		if err != nil {
			return err
		}
		if *f != asTable {
			return d.write(a, *f)
		}
		text, err := d.render(a.width(), a.glyphs(onlyASCII), a.colors(a.opts.Stdout))
		a.printf("%s", text)
		if err != nil {
			return err
		}
		acts, err := a.actsPicture(ctx, k, name, asOf, query.GetRevision(), onlyASCII)
		if acts != "" {
			a.printf("\n%s", acts)
		}
		return err
	})
	return cmd
}

// describe reads the resource, and what it means at the revision it was read
// at, so that the parts agree.
func (a *app) describe(ctx context.Context, k kind, name string, query *gapv1.EvaluateRequest, f format) (*description, error) {
	res, err := a.client().declaration.Get(ctx, &declarationv1.GetRequest{Kind: k.Name, Name: name, Revision: query.GetRevision(), KnownAt: query.GetKnownAt()})
	if err != nil {
		return nil, err
	}
	d := &description{kind: k, resource: res.GetResource()}
	query.Revision, query.KnownAt = res.GetRevision(), ""
	if slices.Contains(conditioned, k.Name) {
		if d.conditions, err = a.conditionsOn(ctx, k.Name, name, query.GetRevision()); err != nil {
			return nil, err
		}
	}
	switch k.Name {
	case "Target":
		query.WithoutForecasts = true
		e, err := a.client().gap.Evaluate(ctx, query)
		if err != nil {
			return nil, err
		}
		d.asOf, d.policy = e.GetAsOf(), e.GetPolicy()
		for _, t := range e.GetTargets() {
			if t.GetName() == res.GetResource().GetMetadata().GetName() {
				d.evaluation = t
			}
		}
		if d.evaluation != nil {
			if err = a.addForecast(ctx, d.evaluation, query); err != nil {
				return nil, err
			}
		}
		if f == asTable && d.evaluation != nil {
			if d.chart, err = a.chartOf(ctx, d.evaluation, query); err != nil {
				return nil, err
			}
			if d.coverage, err = a.coverageOf(ctx, d.evaluation, query); err != nil {
				return nil, err
			}
			if d.actions, err = a.actionsOn(ctx, d.evaluation, query); err != nil {
				return nil, err
			}
		}
	case "Policy":
		if f == asTable {
			if d.reacted, err = a.reactedOf(ctx, query); err != nil {
				return nil, err
			}
		}
	case "Metric":
		if d.as, err = a.formatOf(ctx, d.resource, momentOf(query)); err != nil {
			return nil, err
		}
		_, err := a.observations(ctx, name, momentOf(query), func(page []*strategyv1.Observation) {
			for _, o := range page {
				d.values = append(d.values, o.GetValue())
			}
			d.observations = append(d.observations, page...)
			d.observations = d.observations[max(0, len(d.observations)-latest):]
		})
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// actsPicture is what people have made of a resource, as the describe of its own
// command shows it; empty for kinds that nobody acts on.
func (a *app) actsPicture(ctx context.Context, k kind, name, asOf string, revision int64, onlyASCII bool) (string, error) {
	switch k.Name {
	case "Initiative":
		res, err := a.client().initiative.GetInitiative(ctx, &initiativev1.GetInitiativeRequest{Initiative: name, AsOf: asOf, Revision: revision})
		if err != nil {
			return "", err
		}
		return initiativeText(res, a.width(), a.glyphs(onlyASCII) == &ascii, a.colors(a.opts.Stdout)), nil
	case "ChangeProgram":
		res, err := a.client().change.GetProgram(ctx, &changev1.GetProgramRequest{Program: name, AsOf: asOf, Revision: revision})
		if err != nil {
			return "", err
		}
		return a.programPicture(ctx, res, onlyASCII)
	case "Review":
		res, err := a.client().strategy.GetReview(ctx, &strategyv1.GetReviewRequest{Review: name, AsOf: asOf, Revision: revision})
		if err != nil {
			return "", err
		}
		return reviewText(res, false, false, a.width(), a.colors(a.opts.Stdout)), nil
	}
	return "", nil
}

// chartOf asks for the picture of a target: it is part of the gap report. A
// server that has no reports has no pictures.
func (a *app) chartOf(ctx context.Context, t *gapv1.TargetGap, query *gapv1.EvaluateRequest) (*chart, error) {
	res, err := a.client().gap.Report(ctx, &gapv1.ReportRequest{
		Format: "json", Strategy: t.GetStrategy(), AsOf: query.GetAsOf(), Policy: query.GetPolicy(),
		OriginalTargets: query.GetOriginalTargets(), Revision: query.GetRevision(), KnownAt: query.GetKnownAt(),
	})
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var report struct {
		Document struct {
			Targets []struct {
				Name  string
				Chart *chart
			}
		}
	}
	if err := json.Unmarshal(res.GetContent(), &report); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "cli.report", "the server's report cannot be read")
	}
	for _, x := range report.Document.Targets {
		if x.Name == t.GetName() {
			return x.Chart, nil
		}
	}
	return nil, nil
}

// coverageOf asks what initiatives in progress are expected to add to a target.
// A server that does not know initiatives covers nothing.
func (a *app) coverageOf(ctx context.Context, t *gapv1.TargetGap, query *gapv1.EvaluateRequest) (*gapv1.Coverage, error) {
	res, err := a.client().gap.Cover(ctx, &gapv1.CoverRequest{Strategy: t.GetStrategy(), AsOf: query.GetAsOf(), Revision: query.GetRevision()})
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, c := range res.GetTargets() {
		if c.GetTarget() == t.GetName() && len(c.GetCovered()) > 0 {
			return c, nil
		}
	}
	return nil, nil
}

// addForecast asks what to expect of a target.
func (a *app) addForecast(ctx context.Context, t *gapv1.TargetGap, query *gapv1.EvaluateRequest) error {
	res, err := a.client().gap.Forecast(ctx, &gapv1.ForecastRequest{
		Target: t.GetName(), AsOf: query.GetAsOf(), OriginalTargets: query.GetOriginalTargets(), Revision: query.GetRevision(),
	})
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return nil
	}
	if err == nil {
		t.Forecast, t.Attainment, t.AttainmentDate = res.GetTarget().GetForecast(), res.GetTarget().Attainment, res.GetTarget().AttainmentDate
		t.WithInitiatives, t.WithReadiness = res.GetTarget().GetWithInitiatives(), res.GetTarget().GetWithReadiness()
	}
	return err
}

// actionsOn asks for the corrective actions that are open against a target.
func (a *app) actionsOn(ctx context.Context, t *gapv1.TargetGap, query *gapv1.EvaluateRequest) ([]*initiativev1.ActionEntry, error) {
	res, err := a.client().initiative.ListActions(ctx, &initiativev1.ListActionsRequest{
		Target: t.GetName(), Status: "open", AsOf: query.GetAsOf(), Revision: query.GetRevision(),
	})
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return nil, nil
	}
	return res.GetActions(), err
}

// renderActions lists what is promised against a target.
func (d *description) renderActions(b *block, width int) {
	if len(d.actions) == 0 {
		return
	}
	var rows [][]string
	for _, x := range d.actions {
		due := x.GetState().GetDue()
		if x.GetOverdue() {
			due = "▼ " + due + " overdue"
		}
		rows = append(rows, []string{due, printable(x.GetState().GetTitle()), printable(x.GetState().GetOwner()), x.GetAction()})
	}
	b.heading("Corrective actions")
	b.indented(renderTable([]column{{Title: "DUE"}, {Title: "TITLE", Shrink: 16, Cap: longestTitle}, {Title: "OWNER", Shrink: 10}, {Title: "ACTION", Drop: 1}}, rows, inside(width), b.color))
}

// coveredText says how much of a gap is covered, and by what.
func coveredText(c *gapv1.Coverage) string {
	if c == nil || c.Share == nil {
		return ""
	}
	var by []string
	for _, x := range c.GetCovered() {
		by = append(by, printable(x.GetInitiative()))
	}
	text := formatPercent(c.GetShare()) + " by " + strings.Join(by, ", ")
	switch {
	case c.ReadyShare == nil:
		text += ", people not measured"
	case c.GetReadyShare() != c.GetShare():
		text += ", " + formatPercent(c.GetReadyShare()) + " with people as ready as they are"
	}
	return text + " (heuristic)"
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
	if d.conditions != nil {
		c, err := encode(d.conditions, true)
		if err != nil {
			return err
		}
		fields = append(fields, `"conditions":`+string(c))
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
	width int // of the labels, at least 14
}

func (b *block) line(label, value string) {
	if value != "" {
		fmt.Fprintf(&b.b, "%s%s\n", b.color.with(bold, fmt.Sprintf("%-*s", max(14, b.width), label+":")), value)
	}
}

func (b *block) heading(s string) { fmt.Fprintf(&b.b, "\n%s\n", b.color.with(bold, s+":")) }

func (d *description) render(width int, g *glyphs, color paint) (string, error) {
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
	d.renderConditions(b, width)
	if d.evaluation != nil {
		if drawn := picture(d.chart, shownAs(d.evaluation.GetFormat()), g, inside(width), color); drawn != "" {
			b.heading("Course")
			b.indented(drawn)
		}
		d.renderActions(b, width)
		d.renderExplanation(b, width)
	}
	if d.kind.Name == "Policy" {
		d.renderReacted(b, width)
	}
	if d.kind.Name == "Metric" {
		d.renderObservations(b, width, g)
	}
	return b.b.String(), nil
}

// inside is the width that is left beside the indentation.
func inside(width int) int {
	if width <= 0 {
		return widestPicture - 2
	}
	return min(width, widestPicture) - 2
}

// indented adds lines, two columns in.
func (b *block) indented(lines string) {
	for _, l := range strings.Split(strings.TrimSuffix(lines, "\n"), "\n") {
		fmt.Fprintf(&b.b, "  %s\n", l)
	}
}

func (d *description) renderObservations(b *block, width int, g *glyphs) {
	if len(d.values) == 0 {
		b.heading("Observations")
		b.indented("none")
		return
	}
	if line := sparkline(d.values, g, inside(width)); line != "" {
		b.heading("Course")
		low, high := slices.Min(d.values), slices.Max(d.values)
		b.indented(line + "\n" + "lowest " + d.as.value(low) + ", highest " + d.as.value(high) + ", latest " + d.as.value(d.values[len(d.values)-1]))
	}
	b.heading(fmt.Sprintf("Latest observations (%d of %s)", len(d.observations), groupDigits(itoa(int64(len(d.values))))))
	if width > 0 {
		width -= 2
	}
	b.indented(observationTable(d.observations, d.as, width, b.color))
}

func (d *description) renderEvaluation(b *block) {
	e := d.evaluation
	as := shownAs(e.GetFormat())
	b.heading("Evaluation as of " + d.asOf + ", policy " + printable(d.policy))
	inner := &block{color: b.color}
	inner.line("Status", statusText(e.GetStatus(), b.color))
	inner.line("Flags", strings.Join(gapFlags(e), "; "))
	actual := optional(e.Actual, as.value)
	if actual != "" && e.GetActualAt() != "" {
		actual += " at " + e.GetActualAt()
	}
	inner.line("Period", printable(e.GetPeriod()))
	inner.line("Actual", actual)
	inner.line("Target", targetText(e))
	inner.line("Due", e.GetDue())
	inner.line("Baseline", optional(e.Baseline, as.value))
	inner.line("Expected", optional(e.Expected, as.value))
	inner.line("Expected now", optional(e.ExpectedNow, as.value))
	inner.line("Gap", optional(e.Gap, as.behind))
	inner.line("Drift", optional(e.Drift, as.behind))
	inner.line("Share", optional(e.Share, formatPercent))
	inner.line("Target drift", optional(e.TargetDrift, as.difference))
	inner.line("Progress", optional(e.Progress, formatPercent))
	inner.line("Score", optional(e.Score, formatNumber))
	for _, l := range outlookLines(e, as) {
		inner.line(l[0], l[1])
	}
	inner.line("Covered", coveredText(d.coverage))
	if e.Confidence != nil {
		inner.line("Confidence", itoa(int64(e.GetConfidence()))+" of 10")
	}
	b.indented(inner.b.String())
}

// renderExplanation says how the status came about: the rule, its inputs, and
// the log positions that it rests on.
func (d *description) renderExplanation(b *block, width int) {
	x := d.evaluation.GetExplanation()
	if x.GetRule() == "" && len(x.GetRevisions()) == 0 {
		return
	}
	b.heading("How the status came about")
	if rule := printable(x.GetRule()); rule != "" {
		b.indented(strings.Join(wrapped(rule, inside(width)), "\n"))
	}
	inner := &block{color: b.color}
	fields := x.GetInputs().GetFields()
	for name := range fields {
		inner.width = max(inner.width, utf8.RuneCountInString(printable(name))+2)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		v := inline(fields[name])
		if s, ok := fields[name].GetKind().(*structpb.Value_StringValue); ok {
			v = printable(s.StringValue)
		}
		inner.line(printable(name), v)
	}
	inner.line("Revisions", ranges(x.GetRevisions()))
	if s := inner.b.String(); s != "" {
		b.indented(s)
	}
}

// ranges is "12, 14–17" of ascending numbers.
func ranges(list []int64) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		part := itoa(list[i])
		if j > i {
			part += "–" + itoa(list[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}

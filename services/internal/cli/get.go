package cli

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/fault"
)

// Pages as large as the server allows.
const (
	resourcePage    = 1000
	observationPage = 10_000
)

// list is the JSON form of many.
type list struct {
	Items    []json.RawMessage `json:"items"`
	Revision string            `json:"revision"`
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func (a *app) getCommand() *cobra.Command {
	var s snapshotFlags
	var watch bool
	cmd := &cobra.Command{
		Use:     "get {KIND [NAME] | observations METRIC | checkins TARGET | conditions [TARGET | KIND/NAME]}",
		Aliases: []string{"list"},
		Short:   "Show resources of a kind, observations, check-ins, or conditions",
		Long: `Get reads what is declared, a metric's observations, what was said about a
target, or the conditions of targets, of the objectives, strategies and units above
them, and of reviews, with their last transitions, now or as it was known at a
revision or an instant. Kinds: ` + strings.Join(kindNames(), ", ") + `.

Tables show values as their metric declares them, cut to the terminal. With
-o yaml, resources are manifests: they apply again. With -o csv, numbers are
raw, every field of the kind is a column, and lists are JSON; observations
printed so can be recorded again with observe -f.

With --watch it is read again whenever something of the organization was
recorded, and shown if it became different: a terminal is redrawn; elsewhere
each result follows the one before, with -o json as one line each.`,
		Example: `  setpoint get targets
  setpoint get metric vacant-space -o yaml
  setpoint get observations vacant-space -o csv
  setpoint get checkins vacant-space
  setpoint get conditions
  setpoint get conditions objective/savings
  setpoint get targets --known-at 2026-03-31 -o json
  setpoint get observations vacant-space --watch`,
		Args:              betweenArgs(1, 2, "KIND"),
		ValidArgsFunction: a.completeResource("observations", "checkins", "conditions"),
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again whenever it changes, until interrupted")
	s.register(cmd)
	f := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		snapshot, err := s.snapshot()
		if err != nil {
			return err
		}
		read, err := a.reader(args, snapshot, *f)
		if err != nil {
			return err
		}
		if watch {
			if snapshot.GetRevision() != 0 || snapshot.GetKnownAt() != "" {
				return usagef("--watch follows what becomes known; --revision and --known-at stand still")
			}
			return a.watchGet(ctx, *f, read)
		}
		r, err := read(ctx)
		if err != nil {
			return err
		}
		return r.write()
	})
	return cmd
}

// reader is the reading that the arguments of get ask for.
func (a *app) reader(args []string, s *moment, f format) (func(context.Context) (reading, error), error) {
	if len(args) > 1 && args[1] == "" {
		return nil, &usageError{message: "NAME is empty", hint: "is a variable of the shell not set? Leave it out for all of them"}
	}
	metric, ok, err := observationsOf(args)
	if ok || err != nil {
		return func(ctx context.Context) (reading, error) { return a.getObservations(ctx, metric, s, f) }, err
	}
	target, ok, err := checkInsOf(args)
	if ok || err != nil {
		return func(ctx context.Context) (reading, error) { return a.getCheckIns(ctx, target, s, f) }, err
	}
	of, ok, err := conditionsOf(args)
	if ok || err != nil {
		return func(ctx context.Context) (reading, error) { return a.getConditions(ctx, of, s, f) }, err
	}
	k, name, err := splitKind(args)
	if err != nil || name == "" {
		return func(ctx context.Context) (reading, error) { return a.getAll(ctx, k, s, f) }, err
	}
	return func(ctx context.Context) (reading, error) { return a.getOne(ctx, k, name, s, f) }, nil
}

// observationsOf recognises `get observations METRIC`.
func observationsOf(args []string) (metric string, ok bool, err error) {
	first, name, _ := strings.Cut(args[0], "/")
	switch strings.ToLower(first) {
	case "observation", "observations":
	default:
		return "", false, nil
	}
	if len(args) > 1 {
		name = args[1]
	}
	if name == "" {
		return "", true, usagef("missing METRIC: whose observations?")
	}
	return name, true, nil
}

func (a *app) getOne(ctx context.Context, k kind, name string, s *moment, f format) (reading, error) {
	res, err := a.client().declaration.Get(ctx, &declarationv1.GetRequest{Kind: k.Name, Name: name, Revision: s.GetRevision(), KnownAt: s.GetKnownAt(), MinRevision: s.GetMinRevision()})
	if err != nil {
		return reading{}, err
	}
	one := []*commonv1.Resource{res.GetResource()}
	return reading{contentOf(one), func() error {
		if f != asJSON {
			return a.writeResources(ctx, k, one, &moment{Revision: res.GetRevision()}, f)
		}
		raw, err := encode(res.GetResource(), false)
		if err != nil {
			return err
		}
		return a.writeStructured(f, raw)
	}}, nil
}

func (a *app) getAll(ctx context.Context, k kind, s *moment, f format) (reading, error) {
	resources, revision, err := a.list(ctx, k, s)
	if err != nil {
		return reading{}, err
	}
	return reading{contentOf(resources), func() error {
		if f != asJSON {
			return a.writeResources(ctx, k, resources, &moment{Revision: revision}, f)
		}
		l := list{Items: []json.RawMessage{}, Revision: itoa(revision)}
		for _, r := range resources {
			raw, err := encode(r, false)
			if err != nil {
				return err
			}
			l.Items = append(l.Items, raw)
		}
		return a.writeStructured(f, l)
	}}, nil
}

// writeResources prints resources as a table, CSV or manifests. at is the
// snapshot that they were read from.
func (a *app) writeResources(ctx context.Context, k kind, resources []*commonv1.Resource, at *moment, f format) error {
	switch f {
	case asYAML:
		return a.writeManifests(k, resources)
	case asCSV:
		raw, err := resourceCSV(k, resources)
		if err != nil {
			return err
		}
		_, err = a.out.Write(raw)
		return err
	}
	if len(resources) == 0 {
		a.warnf("no %s\n", k.Plural)
		return nil
	}
	var formats map[string]shown
	if k.Name == "Target" {
		var err error
		if formats, err = a.formats(ctx, at); err != nil {
			return err
		}
	}
	a.printf("%s", resourceTable(k, resources, formats, a.width(), a.colors(a.opts.Stdout)))
	return nil
}

// list reads all pages of a kind.
func (a *app) list(ctx context.Context, k kind, s *moment) ([]*commonv1.Resource, int64, error) {
	var all []*commonv1.Resource
	req := &declarationv1.ListRequest{Kind: k.Name, Revision: s.GetRevision(), KnownAt: s.GetKnownAt(), MinRevision: s.GetMinRevision(), PageSize: resourcePage}
	for {
		res, err := a.client().declaration.List(ctx, req)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, res.GetResources()...)
		if res.GetNextPageToken() == "" {
			return all, res.GetRevision(), nil
		}
		if res.GetNextPageToken() == req.PageToken {
			return nil, 0, errPaging()
		}
		req.PageToken = res.GetNextPageToken()
	}
}

// observations reads all pages of a metric's values and hands them on.
func (a *app) observations(ctx context.Context, metric string, s *moment, each func([]*strategyv1.Observation)) (int64, error) {
	req := &strategyv1.ListObservationsRequest{Metric: metric, Revision: s.GetRevision(), KnownAt: s.GetKnownAt(), MinRevision: s.GetMinRevision(), PageSize: observationPage}
	for {
		res, err := a.client().strategy.ListObservations(ctx, req)
		if err != nil {
			return 0, err
		}
		each(res.GetObservations())
		if res.GetNextPageToken() == "" {
			return res.GetRevision(), nil
		}
		if res.GetNextPageToken() == req.PageToken {
			return 0, errPaging()
		}
		req.PageToken = res.GetNextPageToken()
	}
}

func errPaging() error {
	return fault.New(fault.Internal, "cli.paging", "the server answers with the same page again and again")
}

func (a *app) getObservations(ctx context.Context, metric string, s *moment, f format) (reading, error) {
	var all []*strategyv1.Observation
	revision, err := a.observations(ctx, metric, s, func(page []*strategyv1.Observation) { all = append(all, page...) })
	if err != nil {
		return reading{}, err
	}
	return reading{contentOf(all), func() error { return a.writeObservations(ctx, metric, all, revision, f) }}, nil
}

func (a *app) writeObservations(ctx context.Context, metric string, all []*strategyv1.Observation, revision int64, f format) error {
	switch f {
	case asJSON, asYAML:
		l := list{Items: []json.RawMessage{}, Revision: itoa(revision)}
		for _, o := range all {
			raw, err := encode(o, true)
			if err != nil {
				return err
			}
			l.Items = append(l.Items, raw)
		}
		return a.writeStructured(f, l)
	case asCSV:
		_, err := a.out.Write(observationCSV(all))
		return err
	}
	if len(all) == 0 {
		a.warnf("no observations of %s\n", metric)
		return nil
	}
	at := &moment{Revision: revision}
	declared, err := a.client().declaration.Get(ctx, &declarationv1.GetRequest{Kind: "Metric", Name: metric, Revision: at.GetRevision(), KnownAt: at.GetKnownAt(), MinRevision: at.GetMinRevision()})
	if err != nil && connect.CodeOf(err) != connect.CodeNotFound { // of a retired metric, the values as they are
		return err
	}
	as, err := a.formatOf(ctx, declared.GetResource(), at)
	if err != nil {
		return err
	}
	a.printf("%s", observationTable(all, as, a.width(), a.colors(a.opts.Stdout)))
	return nil
}

// observationTable shows values as the metric declares, and beside them every
// digit.
func observationTable(observations []*strategyv1.Observation, as shown, width int, color paint) string {
	columns := []column{
		{Title: "OBSERVED AT"}, {Title: "VALUE", Right: true}, {Title: "EXACT", Right: true, Drop: 3}, {Title: "SOURCE", Shrink: 10},
		{Title: "NOTE", Shrink: 12, Cap: longestTitle}, {Title: "CORRECTIONS", Right: true, Drop: 2}, {Title: "REVISION", Right: true, Drop: 1},
	}
	rows := make([][]string, len(observations))
	for i, o := range observations {
		corrections := ""
		if o.GetCorrections() > 0 {
			corrections = itoa(int64(o.GetCorrections()))
		}
		value := exactNumber(o.GetValue())
		if as.format != nil {
			value = as.value(o.GetValue())
		}
		rows[i] = []string{
			printable(o.GetObservedAt()), value, as.exact(o.GetValue()), printable(o.GetSource()), printable(o.GetNote()),
			corrections, itoa(o.GetRevision()),
		}
	}
	return renderTable(dropEmpty(columns, rows, width, color))
}

// width is that of the terminal the result goes to, 0 if it does not.
func (a *app) width() int {
	if !a.opts.IsTerminal(a.opts.Stdout) {
		return 0
	}
	return a.opts.Width()
}

func betweenArgs(least, most int, missing string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return &usageError{cmd: cmd, message: "missing " + missing}
		}
		if len(args) > most {
			return &usageError{cmd: cmd, message: "unexpected argument " + strconv.Quote(args[most])}
		}
		return nil
	}
}

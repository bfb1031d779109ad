package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/importer"
	"setpoint.dev/services/importer/convert"
	"setpoint.dev/services/importer/guess"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/sheet"
)

// importFlags of one import command.
type importFlags struct {
	mapping, vintage, out string
	dryRun, offline       bool
	guess                 bool
	write                 writeFlags
}

func (a *app) importCommand() *cobra.Command {
	var i importFlags
	cmd := &cobra.Command{
		Use:   "import FILE {--map MAPPING | --guess}",
		Short: "Turn a KPI spreadsheet into manifests and observations",
		Long: `Import reads a CSV or XLSX file of measures by a mapping (docs/import.md) and
declares what it says: units, objectives, metrics and targets, and the values
measured. Every cell that was not understood is named, with its place and why;
nothing is dropped silently and nothing is invented.

What is imported belongs to a set of its own (set in the mapping, default
imported): it is observed, not managed. What manifests of another set declare is
left as it is. setpoint adopt hands the set over to manifests.

Importing a file again changes nothing. A later edition of the same table gives
just the changes: give its day with --vintage, from which its targets count;
revised values correct those on record. All declarations are written together or
not at all, and only after the server has checked them; so are the values, up to
100,000 at a time. Interrupted, run it again: it goes on where it stopped.

A workbook that export sheet --due wrote and that was filled in needs no mapping:
it is read as observe -f reads it.`,
		Example: `  setpoint import kpis.xlsx --guess > kpis.yaml      # look it through
  setpoint import kpis.xlsx --map kpis.yaml --dry-run
  setpoint import kpis.xlsx --map kpis.yaml
  setpoint import kpis-2027.xlsx --map kpis.yaml --vintage 2027-01-01
  setpoint import kpis.csv --map kpis.yaml --offline --out plan/
  setpoint schema mapping > mapping.schema.json`,
		Args: exactArgs("FILE"),
	}
	f := cmd.Flags()
	f.StringVar(&i.mapping, "map", "", "the mapping: how the table is to be read, a YAML `FILE`")
	f.BoolVar(&i.guess, "guess", false, "write a mapping for the file to standard output, to be looked through; nothing else is done")
	f.StringVar(&i.vintage, "vintage", "", "the `DAY` from which the file's targets count, for a later edition")
	f.BoolVar(&i.dryRun, "dry-run", false, "show what would be declared and recorded, and write nothing")
	f.BoolVar(&i.offline, "offline", false, "ask no server: as if nothing had been declared; nothing is written but --out")
	f.StringVar(&i.out, "out", "", "also write manifests, observations.csv and not-understood.csv to this `FOLDER`")
	_ = cmd.MarkFlagFilename("map", "yaml", "yml", "json")
	_ = cmd.RegisterFlagCompletionFunc("vintage", cobra.NoFileCompletions)
	_ = cmd.MarkFlagDirname("out")
	i.write.register(cmd)
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"csv", "tsv", "xlsx"}, cobra.ShellCompDirectiveFilterFileExt
	}
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := i.write.check(); err != nil {
			return err
		}
		switch {
		case i.guess && (i.mapping != "" || i.dryRun || i.out != ""):
			return usagef("--guess writes a mapping and does nothing else: --map, --dry-run and --out have no meaning with it")
		case i.guess:
			return a.guessMapping(ctx, args[0])
		case i.mapping == "" && isFilledSheet(ctx, args[0]):
			if i.dryRun || i.offline || i.out != "" || i.vintage != "" {
				return usagef("%s is a sheet of what is due: it needs no mapping, and --dry-run, --offline, --out and --vintage have no meaning with it", args[0])
			}
			return a.observeSheet(ctx, observeFlags{file: args[0], write: i.write}, *out)
		case i.mapping == "" && isSheetAsText(ctx, args[0]):
			return savedAsText(args[0])
		case i.mapping == "":
			return &usageError{cmd: cmd, message: "missing --map: how the table is to be read", hint: "setpoint import FILE --guess > mapping.yaml writes one to look through and change"}
		case i.vintage != "":
			if _, err := calendar.ParseDate(i.vintage); err != nil {
				return usagef("--vintage: %q is not a date, YYYY-MM-DD", i.vintage)
			}
		}
		return a.importFile(ctx, args[0], i, *out)
	})
	return cmd
}

// guessMapping proposes a mapping; nothing is imported by it before somebody
// has looked at it.
func (a *app) guessMapping(ctx context.Context, file string) error {
	b, err := openTable(ctx, file)
	if err != nil {
		return err
	}
	defer b.Close()
	m, err := guess.File(b)
	if err != nil {
		return err
	}
	content, err := m.Encode()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.FromSlash(mappingSchemaFile)); err == nil {
		content = append([]byte(modeline(mappingSchemaFile)), content...) // setpoint init was here
	}
	_, err = a.out.Write(content)
	return err
}

// openTable opens a spreadsheet, which may be a pipe that nobody writes to.
func openTable(ctx context.Context, file string) (*workbook.Book, error) {
	return unlessInterrupted(ctx, func() (*workbook.Book, error) { return workbook.Open(file, workbook.Options{}) })
}

// importReport is what an import comes to, as -o json writes it.
type importReport struct {
	Set          string         `json:"set"`
	Rows         int            `json:"rows"`
	Cells        int            `json:"cells"`
	Missing      int            `json:"missing"`
	Skipped      int            `json:"skipped"`
	Resources    map[string]int `json:"resources"`
	Editions     int            `json:"editions"`
	Observations int            `json:"observations"`
	// What was or, with --dry-run, would be written.
	Created   int   `json:"created"`
	Changed   int   `json:"changed"`
	Unchanged int   `json:"unchanged"`
	Recorded  int   `json:"recorded"`
	Corrected int   `json:"corrected"`
	Same      int   `json:"same"`
	Revision  int64 `json:"revision,string,omitempty"`
	DryRun    bool  `json:"dryRun,omitempty"`
	Offline   bool  `json:"offline,omitempty"`
	// Older: the edition is before the one that is declared, which stays.
	Older bool `json:"older,omitempty"`
	// Kept are resources that another set declares: they were left as they are.
	Kept          []string          `json:"kept,omitempty"`
	NotUnderstood []convert.Trouble `json:"notUnderstood"`
}

// lean lets no more garbage lie about than half of what is in use: of a large file
// much is. Whoever set GOGC has decided. It stays so, as the process ends with
// the import.
func lean() {
	if before := debug.SetGCPercent(50); before != 100 {
		debug.SetGCPercent(before)
	}
}

func (a *app) importFile(ctx context.Context, file string, i importFlags, f format) error {
	lean()
	content, err := readFile(ctx, i.mapping, mapping.MaxBytes+1)
	if err != nil {
		return err
	}
	m, err := mapping.Parse(i.mapping, content)
	if err != nil {
		return err
	}
	o := convert.Options{Vintage: i.vintage}
	o.Today, _ = calendar.ParseDate(a.today())
	declared := declaredNow{}
	if !i.offline {
		if declared, err = a.declaredNow(ctx, m.SetName()); err != nil {
			return err
		}
		o.FiscalYearStart = declared.fiscalYearStart
	}
	b, err := openTable(ctx, file)
	if err != nil {
		return err
	}
	defer b.Close()
	bars := &steps{app: a}
	c, err := importer.Read(b, m, o, func(rows int) bool {
		bars.tell("reading "+filepath.Base(file), uint64(rows), 0)
		return ctx.Err() == nil
	})
	bars.end()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	res, err := c.Finish(convert.Known{Targets: declared.targets, Names: declared.names})
	if err != nil {
		return err
	}
	report := newImportReport(m.SetName(), res)
	report.DryRun, report.Offline, report.Older = i.dryRun || i.offline, i.offline, res.Older
	declared.leave(&res, &report)
	if i.out != "" {
		if err := writeImport(ctx, i.out, res); err != nil {
			return err
		}
	}
	if !i.offline {
		if err := a.writeImported(ctx, m.SetName(), &res, declared.own, i, &report); err != nil {
			return err
		}
	}
	report.NotUnderstood = append([]convert.Trouble{}, res.Troubles...) // [], not null
	if f != asTable {
		raw, err := json.Marshal(report)
		if err != nil {
			return err
		}
		return a.writeStructured(f, json.RawMessage(raw))
	}
	a.printImport(file, report)
	return nil
}

func newImportReport(set string, res convert.Result) importReport {
	r := importReport{
		Set: set, Rows: res.Counts.Rows, Cells: res.Counts.Cells, Missing: res.Counts.Missing, Skipped: res.Counts.Skipped,
		Resources: map[string]int{}, Editions: len(res.Steps), Observations: len(res.Observations),
	}
	for _, x := range res.Steps[0].Resources {
		r.Resources[x.Kind]++
	}
	return r
}

// declaredNow is what the organization has, as far as an import minds it.
type declaredNow struct {
	fiscalYearStart int
	targets         map[string]convert.KnownTarget // of the import's set
	names           map[string]map[string]string   // by kind and by what they were imported as
	others          map[string]bool                // Kind/name of what other sets hold
	own             map[string]bool                // Kind/name of what the import's set holds
}

func (a *app) declaredNow(ctx context.Context, set string) (declaredNow, error) {
	d := declaredNow{targets: map[string]convert.KnownTarget{}, names: map[string]map[string]string{}, others: map[string]bool{}, own: map[string]bool{}}
	for _, kind := range []string{"Organization", "Unit", "Strategy", "Objective", "Metric", "Target"} {
		err := a.eachDeclared(ctx, kind, func(r *commonv1.Resource) error {
			if kind == "Organization" {
				d.fiscalYearStart = int(r.GetSpec().GetFields()["fiscalYearStart"].GetNumberValue())
				return nil
			}
			held := d.own
			if r.GetProvenance().GetSet() != set {
				held = d.others
			}
			held[kind+"/"+r.GetMetadata().GetName()] = true
			if id := r.GetMetadata().GetLabels()[convert.IdentityLabel]; id != "" {
				if d.names[kind] == nil {
					d.names[kind] = map[string]string{}
				}
				d.names[kind][id] = r.GetMetadata().GetName()
			}
			if kind != "Target" {
				return nil
			}
			raw, err := r.GetSpec().MarshalJSON()
			if err != nil {
				return err
			}
			spec := &strategyv1.TargetSpec{}
			if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, spec); err != nil {
				return err
			}
			d.targets[r.GetMetadata().GetName()] = convert.KnownTarget{Spec: spec, Effective: r.GetProvenance().GetEffective()}
			return nil
		})
		if err != nil {
			return d, err
		}
	}
	return d, nil
}

// eachDeclared calls with every resource of a kind.
func (a *app) eachDeclared(ctx context.Context, kind string, each func(*commonv1.Resource) error) error {
	req := &declarationv1.ListRequest{Kind: kind, PageSize: resourcePage}
	for {
		res, err := a.client().declaration.List(ctx, req)
		if err != nil {
			return err
		}
		for _, r := range res.GetResources() {
			if err := each(r); err != nil {
				return err
			}
		}
		if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
			return nil
		}
	}
}

// leave takes out what another set declares, which an import does not manage;
// and of an edition before the one that is declared all that is there already.
func (d declaredNow) leave(res *convert.Result, report *importReport) {
	for i := range res.Steps {
		res.Steps[i].Resources = slices.DeleteFunc(res.Steps[i].Resources, func(r convert.Packed) bool {
			name := r.Kind + "/" + r.Name
			other := d.others[name]
			if other && !slices.Contains(report.Kept, name) {
				report.Kept = append(report.Kept, name)
			}
			return other || res.Older && d.own[name]
		})
	}
}

// What the server takes in one request: so many resources, and somewhat more bytes.
const (
	mostDeclared      = 19_999
	mostDeclaredBytes = 48 << 20
)

// parts are what is declared one after the other: all at once where that can be,
// or else what others refer to first, as it stands. One holds at most so many
// resources, and so many bytes unless a single one has more.
func parts(all []convert.Packed, most, bytes int) [][]convert.Packed {
	var out [][]convert.Packed
	from, weight := 0, 0
	for i, r := range all {
		if i > from && (i-from == most || weight+r.Size() > bytes) {
			out = append(out, all[from:i])
			from, weight = i, 0
		}
		weight += r.Size()
	}
	if from < len(all) {
		out = append(out, all[from:])
	}
	return out
}

// writeImported writes what was read, or plans it. What the server refuses is
// refused before anything of it is written.
func (a *app) writeImported(ctx context.Context, set string, res *convert.Result, own map[string]bool, i importFlags, report *importReport) error {
	for n, s := range res.Steps {
		if n > 0 && i.dryRun {
			report.Changed += len(s.Resources)
			continue
		}
		of := parts(s.Resources, a.opts.declared, mostDeclaredBytes)
		done := 0 // resources of the parts before
		sending := func(what string, part []convert.Packed) (context.Context, func()) {
			bar := a.progress(what, len(s.Resources), false)
			return bar.part(ctx, done, len(part)), bar.end
		}
		for k, part := range of {
			var plan *declarationv1.PlanResponse
			if n == 0 {
				var err error
				ctx, end := sending("checking", part)
				plan, err = a.client().declaration.Plan(ctx, &declarationv1.PlanRequest{
					Manifests: convert.Manifests(set, part), WithoutConsequences: true,
					MinRevision: report.Revision, // the parts before are seen
				})
				end()
				if err != nil && i.dryRun && k > 0 {
					// What it refers to is in a part before it, which is not written.
					report.countNew(part, own)
					done += len(part)
					continue
				} else if err != nil {
					return a.halfway(err, k, len(of), "parts")
				}
				report.count(plan.GetChanges(), plan.GetSummary())
				report.Revision = max(report.Revision, plan.GetRevision())
				if i.dryRun || len(plan.GetChanges()) == 0 {
					done += len(part)
					continue
				}
			}
			req := &declarationv1.ApplyRequest{RequestId: requestID(), Manager: i.write.manager, Reason: i.write.reason, Manifests: convert.Manifests(set, part)}
			if n == 0 {
				expect(req, plan.GetRevision()) // what was checked is what is written
			}
			ctx, end := sending("declaring", part)
			applied, err := a.client().declaration.Apply(ctx, req)
			end()
			done += len(part)
			switch {
			case err != nil && n == 0:
				return a.halfway(err, k, len(of), "parts")
			case err != nil:
				return a.halfway(err, n, len(res.Steps), "editions")
			case n > 0:
				report.Changed += len(applied.GetChanges())
			}
			report.Revision = max(report.Revision, applied.GetRevision())
		}
	}
	if i.dryRun {
		return nil
	}
	if report.Created+report.Changed > 0 {
		a.settle(ctx, report.Revision)
	}
	return a.recordImported(ctx, res, i, report)
}

func (r *importReport) count(changes []*declarationv1.Change, s *declarationv1.Summary) {
	for _, c := range changes {
		if c.GetAction() == "create" {
			r.Created++
		} else {
			r.Changed++
		}
	}
	r.Unchanged += int(s.GetUnchanged())
}

// countNew counts what was not checked: what is not declared is new.
func (r *importReport) countNew(part []convert.Packed, own map[string]bool) {
	for _, x := range part {
		if own[x.Kind+"/"+x.Name] {
			r.Unchanged++
		} else {
			r.Created++
		}
	}
}

// halfway says what is declared where a later part or edition was refused.
func (a *app) halfway(err error, n, of int, what string) error {
	if n == 0 {
		return err
	}
	e := a.explain(err)
	e.Message += fmt.Sprintf("; of %d %s the first %d are declared", of, what, n)
	e.Hint = strings.TrimPrefix(e.Hint+"; running the same command again goes on from there", "; ")
	return e
}

// recordImported records the values in requests that are each recorded as a
// whole or not at all.
func (a *app) recordImported(ctx context.Context, res *convert.Result, i importFlags, report *importReport) error {
	all := res.Observations
	bar := a.progress("recording", len(all), len(all) > manyRows)
	defer bar.end()
	for done := 0; done < len(all); {
		part := all[done:min(len(all), done+a.opts.chunk)]
		req := &strategyv1.RecordObservationsRequest{
			RequestId: requestID(), Correct: !res.Older, Manager: i.write.manager, Reason: i.write.reason,
			Observations: make([]*strategyv1.Observation, len(part)),
		}
		for k := range part {
			req.Observations[k] = &strategyv1.Observation{Metric: part[k].Metric, ObservedAt: part[k].At.String(), Value: &part[k].Value, Source: part[k].Source, Note: part[k].Note}
		}
		got, err := a.client().strategy.RecordObservations(bar.part(ctx, done, len(part)), req)
		if err != nil && res.Older && fault.ReasonOf(a.explain(err)) != "" {
			if rest, ok := withoutLater(a.explain(err), part, res); ok {
				all = slices.Concat(all[:done], rest, all[done+len(part):])
				continue
			}
		}
		if err != nil {
			e := a.explain(err)
			if errors.Is(err, context.Canceled) {
				e = fault.New(fault.Unavailable, "cli.interrupted", "interrupted")
			}
			e.Message += fmt.Sprintf("; the declarations and %s values are written, %s are not", groupDigits(strconv.Itoa(done)), groupDigits(strconv.Itoa(len(all)-done)))
			e.Hint = strings.TrimPrefix(e.Hint+"; running the same command again is safe and goes on from there", "; ")
			return e
		}
		done += len(part)
		report.Recorded += int(got.GetRecorded())
		report.Corrected += int(got.GetCorrected())
		report.Same += int(got.GetUnchanged())
		report.Revision = max(report.Revision, got.GetRevision())
	}
	bar.end()
	a.settle(ctx, report.Revision)
	return nil
}

// withoutLater takes out the values that a later edition has given otherwise.
func withoutLater(e *fault.Error, part []convert.Observation, res *convert.Result) ([]convert.Observation, bool) {
	out := map[int]bool{}
	for _, p := range e.Places {
		m := observationField.FindStringSubmatch(p.Field)
		if m == nil || p.Reason != "strategy.observation_differs" {
			return nil, false
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n >= len(part) {
			return nil, false
		}
		out[n] = true
		res.Troubles = append(res.Troubles, convert.Trouble{Field: part[n].Metric, Content: sheet.Digits(part[n].Value),
			Why: "a later edition has another value for " + part[n].At.String() + ", which stays: " + p.Message})
	}
	if len(out) == 0 {
		return nil, false
	}
	var rest []convert.Observation
	for n, o := range part {
		if !out[n] {
			rest = append(rest, o)
		}
	}
	return rest, true
}

// mostTroubles are shown in a table; -o json and --out have all.
const mostTroubles = 50

func (a *app) printImport(file string, r importReport) {
	color := a.colors(a.opts.Stdout)
	a.printf("%s: %s, %s; %s without a value.\n", printable(filepath.Base(file)), counted(r.Rows, "row", "rows"),
		counted(r.Cells, "cell", "cells"), counted(r.Missing, "cell", "cells"))
	if r.Skipped > 0 {
		a.printf("Skipped as the mapping says: %s.\n", counted(r.Skipped, "row", "rows"))
	}
	var parts []string
	for _, kind := range []string{"Unit", "Strategy", "Objective", "Metric", "Target"} {
		if n := r.Resources[kind]; n > 0 {
			k, _ := kindNamed(kind)
			parts = append(parts, counted(n, strings.ToLower(kind), k.Plural))
		}
	}
	parts = append(parts, counted(r.Observations, "observation", "observations"))
	a.printf("Read into the set %s: %s", r.Set, strings.Join(parts, ", "))
	if r.Editions > 1 {
		a.printf(", in %d editions", r.Editions)
	}
	a.printf(".\n")
	if r.Older {
		a.printf("The edition is before the one that is declared: what that says stays.\n")
	}
	if n := len(r.Kept); n > 0 {
		a.printf("Left as they are, because another set declares them: %s (%s%s).\n", counted(n, "resource", "resources"),
			strings.Join(r.Kept[:min(n, 5)], ", "), map[bool]string{true: ", …"}[n > 5])
	}
	if n := len(r.NotUnderstood); n > 0 {
		a.printf("\n%s\n", color.with(yellow, "Not understood: "+counted(n, "cell", "cells")+"."))
		var rows [][]string
		for _, x := range r.NotUnderstood[:min(n, mostTroubles)] {
			rows = append(rows, []string{troublePlace(x), printable(x.Field), printable(x.Content), printable(x.Why)})
		}
		a.printf("%s", renderTable([]column{
			{Title: "CELL"}, {Title: "COLUMN", Shrink: 10, Cap: 28}, {Title: "CONTENT", Shrink: 10, Cap: 32}, {Title: "WHY", Shrink: 30},
		}, rows, a.width(), color))
		if n > mostTroubles {
			a.printf("… and %s more: -o json lists all, --out DIR writes them to not-understood.csv.\n", groupDigits(strconv.Itoa(n-mostTroubles)))
		}
		a.printf("\n")
	}
	if r.Offline {
		a.printf("%s\n", color.with(bold, "No server was asked, and nothing was declared."))
		return
	}
	if r.DryRun {
		a.printf("%s\n", color.with(bold, fmt.Sprintf("Nothing was written. Would declare: %d to create, %d to change, %d unchanged.", r.Created, r.Changed, r.Unchanged)))
		return
	}
	a.printf("%s\n", color.with(bold, fmt.Sprintf("Declared: %d created, %d changed, %d unchanged. Values: %s recorded, %s corrected, %s unchanged. Revision %d.",
		r.Created, r.Changed, r.Unchanged, groupDigits(strconv.Itoa(r.Recorded)), groupDigits(strconv.Itoa(r.Corrected)), groupDigits(strconv.Itoa(r.Same)), r.Revision)))
}

func troublePlace(x convert.Trouble) string {
	place := ""
	if x.Sheet != "" {
		place = clip(printable(x.Sheet), 20) + "!"
	}
	place += x.Cell
	if x.Row > 0 {
		place += strconv.Itoa(x.Row)
	}
	return place
}

// writeImport writes what was read as files that apply and observe take.
func writeImport(ctx context.Context, folder string, res convert.Result) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return pathError(err)
	}
	for n, s := range res.Steps {
		resources, err := convert.Unpack(s.Resources)
		if err != nil {
			return err
		}
		content, err := importer.Manifests(resources)
		if err != nil {
			return err
		}
		name := "manifests.yaml"
		if n > 0 {
			name = fmt.Sprintf("edition-%d.yaml", n+1)
			if err := os.MkdirAll(filepath.Join(folder, "later"), 0o777); err != nil {
				return pathError(err)
			}
			name = filepath.Join("later", name)
		}
		if err := writeFile(ctx, filepath.Join(folder, name), content); err != nil {
			return err
		}
	}
	table := sheet.New("metric", "observed_at", "value", "source", "note")
	for _, o := range res.Observations {
		table.Text(o.Metric)
		table.Text(o.At.String())
		table.Number(&o.Value)
		table.Text(o.Source)
		table.Text(o.Note)
		table.End()
	}
	if err := writeFile(ctx, filepath.Join(folder, "observations.csv"), table.Bytes()); err != nil {
		return err
	}
	table = sheet.New("sheet", "row", "column", "header", "content", "why")
	for _, x := range res.Troubles {
		table.Text(x.Sheet)
		table.Integer(int64(x.Row))
		table.Text(x.Cell)
		table.Text(x.Field)
		table.Text(x.Content)
		table.Text(x.Why)
		table.End()
	}
	return writeFile(ctx, filepath.Join(folder, "not-understood.csv"), table.Bytes())
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/fault"
)

// observeFlags of one observe command.
type observeFlags struct {
	file, at, source, note string
	correct                bool
	write                  writeFlags
}

func (a *app) observeCommand() *cobra.Command {
	var o observeFlags
	cmd := &cobra.Command{
		Use:   "observe {METRIC VALUE | -f FILE.(csv|xlsx)}",
		Short: "Record measured values",
		Long: `Observe records what was measured: one value, or a table with the columns
metric,observed_at,value[,source,note] in any order. The date is the last day of
the period a value is for (2018-09-30, or the period itself: FY2018, 2018-Q3,
2018-07) or an instant; the values are plain numbers, percentages as fractions.

A table is read to its end first: if any line is wrong, nothing is recorded. Up
to 100,000 rows are recorded as a whole or not at all; larger tables go in
chunks. On a terminal a bar shows how far a large table has come. The same value
again changes nothing, so that running the command again is safe; another value
for the same metric, date and source needs --correct. What get observations
-o csv prints is such a table.

A workbook (FILE.xlsx) is one that export sheet --due wrote and that was filled
in: it becomes check-ins and observations. If a cell is wrong, nothing is
recorded and each such cell is named. A day, a time or TRUE is no number, and a
percentage none where the row does not show its numbers so.`,
		Example: `  setpoint observe vacant-space 0.031 --at FY2018 --source REXUS
  setpoint observe leased-revenue -0.004 --at 2018-09-30
  setpoint observe -f actuals.csv
  setpoint observe -f real-estate.xlsx
  setpoint observe vacant-space 0.033 --at FY2018 --source REXUS --correct
  psql --csv -c "select …" | setpoint observe -f -`,
		Args: betweenArgs(0, 2, ""),
	}
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "", "a `FILE` with a table of observations, or - for standard input")
	f.StringVar(&o.at, "at", "", "when the value was true: a date, a period or an instant; default today")
	f.StringVar(&o.source, "source", "", "where the value comes from")
	f.StringVar(&o.note, "note", "", "what readers of the value must know")
	f.BoolVar(&o.correct, "correct", false, "let a differing value supersede the one on record")
	_ = cmd.MarkFlagFilename("file", "csv", "xlsx")
	for _, name := range []string{"at", "source", "note"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	o.write.register(cmd)
	cmd.ValidArgsFunction = a.completeName("Metric", true)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := o.write.check(); err != nil {
			return err
		}
		if o.file == "" {
			return a.observeOne(ctx, args, o, *out)
		}
		switch {
		case len(args) > 0:
			return usagef("METRIC VALUE and -f exclude each other")
		case o.at != "" || o.source != "" || o.note != "":
			return usagef("--at, --source and --note belong to a single value: in a table they are columns")
		}
		if isWorkbook(o.file) {
			return a.observeSheet(ctx, o, *out)
		}
		return a.observeTable(ctx, o, *out)
	})
	return cmd
}

func (a *app) observeOne(ctx context.Context, args []string, o observeFlags, f format) error {
	switch len(args) {
	case 0:
		return usagef("missing METRIC and VALUE, or -f FILE.csv")
	case 1:
		return usagef("missing VALUE")
	}
	at := o.at
	if at == "" {
		at = a.today()
	}
	value, bad := parseNumber(args[1])
	for _, x := range []struct {
		name  string
		place *fault.Place
	}{{"METRIC", checkMetric(args[0])}, {"VALUE", bad}, {"--at", checkObservedAt(at)}} {
		if x.place != nil {
			return &usageError{message: x.name + ": " + x.place.Message, hint: x.place.Hint}
		}
	}
	if n := utf8.RuneCountInString(o.source); n > maxSourceRunes {
		return usagef("--source: %d characters; at most %d are legal", n, maxSourceRunes)
	}
	if n := utf8.RuneCountInString(o.note); n > maxNoteRunes {
		return usagef("--note: %d characters; at most %d are legal", n, maxNoteRunes)
	}
	res, err := a.client().strategy.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{
		RequestId: requestID(), Correct: o.correct, Manager: o.write.manager, Reason: o.write.reason,
		Observations: []*strategyv1.Observation{{
			Metric: args[0], ObservedAt: at, Value: &value, Source: o.source, Note: o.note,
		}},
	})
	if err != nil {
		return err
	}
	a.settle(ctx, res.GetRevision())
	return a.writeRecorded(res, f)
}

func (a *app) writeRecorded(res *strategyv1.RecordObservationsResponse, f format) error {
	for _, w := range res.GetWarnings() {
		a.warnf("warning: %s\n", printable(w))
	}
	if f != asTable {
		return a.writeMessage(f, res)
	}
	a.printf("%s recorded, %s corrected, %s unchanged. Revision %d.\n", groupDigits(itoa(int64(res.GetRecorded()))),
		groupDigits(itoa(int64(res.GetCorrected()))), groupDigits(itoa(int64(res.GetUnchanged()))), res.GetRevision())
	return nil
}

func (a *app) observeTable(ctx context.Context, o observeFlags, f format) error {
	rows, name, err := a.readTable(ctx, o.file)
	if err != nil {
		return err
	}
	chunks := chunkRows(rows, a.opts.chunk)
	bar := a.progress("recording", len(rows), len(rows) > manyRows || len(chunks) > 1)
	defer bar.end()
	total := &strategyv1.RecordObservationsResponse{}
	done := 0
	for i, chunk := range chunks {
		res, err := a.record(bar.part(ctx, done, len(chunk)), chunk, o)
		if err != nil {
			return a.explainChunk(err, name, chunks, i, done)
		}
		done += len(chunk)
		total.Recorded += res.GetRecorded()
		total.Corrected += res.GetCorrected()
		total.Unchanged += res.GetUnchanged()
		total.Warnings = append(total.Warnings, res.GetWarnings()...)
		total.Revision = max(total.Revision, res.GetRevision())
	}
	bar.end()
	a.settle(ctx, total.GetRevision())
	return a.writeRecorded(total, f)
}

// readTable reads the whole table; a pipe or a terminal may never end, so the
// reading gives up when ctx ends.
func (a *app) readTable(ctx context.Context, file string) (rows []observationRow, name string, err error) {
	if file == "-" {
		rows, err = unlessInterrupted(ctx, func() ([]observationRow, error) { return readObservations(a.opts.Stdin, "stdin") })
		return rows, "stdin", err
	}
	rows, err = unlessInterrupted(ctx, func() ([]observationRow, error) {
		in, err := os.Open(file)
		if err != nil {
			return nil, pathError(err)
		}
		defer in.Close()
		if info, err := in.Stat(); err == nil && info.IsDir() {
			return nil, fault.New(fault.Invalid, "cli.file", "%s is a folder; a table of observations is a file", file)
		} else if err == nil && info.Size() > maxTableBytes {
			return nil, fault.New(fault.Exhausted, "cli.file", "%s has %d bytes; at most 1 GiB is legal", file, info.Size()).
				WithHint("split it into several")
		}
		return readObservations(in, file)
	})
	return rows, file, err
}

func (a *app) record(ctx context.Context, chunk []observationRow, o observeFlags) (*strategyv1.RecordObservationsResponse, error) {
	req := &strategyv1.RecordObservationsRequest{
		RequestId: requestID(), Correct: o.correct, Manager: o.write.manager, Reason: o.write.reason,
		Observations: make([]*strategyv1.Observation, len(chunk)),
	}
	for i := range chunk {
		r := &chunk[i]
		req.Observations[i] = &strategyv1.Observation{Metric: r.metric, ObservedAt: r.at, Value: &r.value, Source: r.source, Note: r.note}
	}
	return a.client().strategy.RecordObservations(ctx, req)
}

var observationField = regexp.MustCompile(`^observations\[(\d+)\]\.?(.*)$`)

// explainChunk turns the server's refusal of chunk i into the words of the
// table, and says exactly what is on record and what is not.
func (a *app) explainChunk(err error, name string, chunks [][]observationRow, i, done int) error {
	e := a.explain(err)
	if errors.Is(err, context.Canceled) {
		e = fault.New(fault.Unavailable, "cli.interrupted", "interrupted")
	}
	for k, p := range e.Places {
		m := observationField.FindStringSubmatch(p.Field)
		if m == nil {
			continue
		}
		if n, err := strconv.Atoi(m[1]); err == nil && n < len(chunks[i]) {
			e.Places[k].File, e.Places[k].Line, e.Places[k].Field = name, chunks[i][n].line, snakeCase(m[2])
		}
	}
	// Where no answer came, the chunk may be on record all the same.
	unknown := !unreached(err) && (e.Kind == fault.Unavailable || e.Kind == fault.Internal)
	rows := counted(len(chunks[i]), "row", "rows")
	if len(chunks) == 1 {
		if !unknown {
			if !strings.Contains(e.Message, "nothing was recorded") {
				e.Message += "; nothing was recorded"
			}
			return e
		}
		e.Message += "; it is not known whether the " + rows + " were recorded"
	} else {
		recorded, state, left := "nothing", "is not recorded", 0
		switch {
		case i == 1:
			recorded = fmt.Sprintf("chunk 1 (%s)", counted(done, "row", "rows"))
		case i > 1:
			recorded = fmt.Sprintf("chunks 1 to %d (%s)", i, counted(done, "row", "rows"))
		}
		metrics := "metric " + chunks[i][0].metric
		if last := chunks[i][len(chunks[i])-1].metric; last != chunks[i][0].metric {
			metrics = "metrics " + chunks[i][0].metric + " to " + last
		}
		if unknown {
			state = "may be recorded or not"
		}
		for _, c := range chunks[i+1:] {
			left += len(c)
		}
		e.Message += fmt.Sprintf("; of %d chunks, recorded: %s; chunk %d (%s, %s) %s; not sent: %s",
			len(chunks), recorded, i+1, rows, metrics, state, counted(left, "row", "rows"))
	}
	again := "running the same command again is safe: values on record are left as they are"
	if e.Hint != "" {
		again = e.Hint + "; " + again
	}
	e.Hint = again
	return e
}

// snakeCase is the column of an API field: observedAt is observed_at.
func snakeCase(s string) string {
	if s == "observedAt" {
		return "observed_at"
	}
	return s
}

package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/fault"
)

// answersAtOnce is how many answers one request carries.
const answersAtOnce = 20_000

// surveyTable says how a table of answers is read.
type surveyTable struct {
	respondent string            // column
	audience   []string          // columns, joined by -
	elements   map[string]string // column by element; an element not named has a column of its own name
	where      map[string]string // only rows with these cells
	missing    []string          // words for no answer
	asked      []string          // audiences that may answer; any, if the server does not say
	asks       []string          // elements that the wave has; any, likewise
}

func (a *app) surveyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "survey COMMAND", Short: "Import answers of a survey",
		Example: "  setpoint change survey import onboarding spring answers.csv",
		RunE:    needsSubcommand("missing what to do", "legal is import"),
	}
	t := surveyTable{}
	imp := &cobra.Command{
		Use: "import PROGRAM WAVE FILE.csv", Short: "Record the answers of a table, all or none", Args: exactArgs("PROGRAM", "WAVE", "FILE"),
		Long: `Import reads a CSV table with a row for each respondent: a column respondent, a
column audience, and one for each element with scores from 1 to 5 (decimals
allowed). An empty cell or NA is a missing answer. Without a column for an element
of the wave the table is refused, as each answers once in a wave, unless --element
ELEMENT= leaves it out. Who the respondents are is never stored: only a code that
is the same in each wave, and answers encrypted with a key of the respondent. FILE
- is standard input.`,
		Example: `  setpoint change survey import onboarding spring answers.csv
  setpoint change survey import readiness wave-0 readiness_3waves.csv --respondent subject \
    --audience battalion,company --where wave=0 --element satisfaction=job_satisfaction`,
	}
	f := imp.Flags()
	f.StringVar(&t.respondent, "respondent", "respondent", "the `COLUMN` that tells respondents apart")
	f.StringSliceVar(&t.audience, "audience", []string{"audience"}, "the `COLUMN` of the audience, or several, whose cells are joined by -")
	f.StringToStringVar(&t.elements, "element", nil, "`ELEMENT=COLUMN`, where a column is not called as its element, ELEMENT= where it was not asked; may be repeated")
	f.StringToStringVar(&t.where, "where", nil, "`COLUMN=CELL`: only rows that have it; may be repeated")
	f.StringSliceVar(&t.missing, "missing", []string{"NA"}, "`WORDS` for a missing answer, beside an empty cell")
	out := outputFlag(imp)
	imp.RunE = runE(func(ctx context.Context, args []string) error {
		program, err := a.client().change.GetProgram(ctx, &changev1.GetProgramRequest{Program: args[0]})
		if err != nil {
			return err
		}
		var elements []string
		for _, e := range program.GetProgram().GetFramework().GetElements() {
			elements = append(elements, e.GetName())
		}
		var content []byte
		if args[2] == "-" {
			content, err = readAll(ctx, io.LimitReader(a.opts.Stdin, maxTableBytes))
		} else {
			content, err = readFile(ctx, args[2], maxTableBytes)
		}
		if err != nil {
			return err
		}
		for _, w := range program.GetProgram().GetWaves() {
			if w.GetWave() == args[1] {
				t.asked, t.asks = w.GetAudiences(), w.GetElements()
			}
		}
		answers, lines, err := t.read(bytes.NewReader(content), args[2], elements)
		if err != nil {
			return err
		}
		if len(answers) > answersAtOnce {
			return usagef("%s: %d answers; at most %d fit one import, which records all or none", args[2], len(answers), answersAtOnce)
		}
		res, err := a.client().change.RecordAnswers(ctx, &changev1.RecordAnswersRequest{
			RequestId: requestID(), Program: args[0], Wave: args[1], Answers: answers, Manager: "cli",
		})
		if err != nil {
			return locate(a.explain(err), args[2], lines)
		}
		a.settle(ctx, res.GetRevision())
		for _, w := range res.GetWarnings() {
			a.warnf("warning: %s\n", printable(w))
		}
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		a.printf("%s recorded. Revision %d.\n", counted(int(res.GetRecorded()), "answer", "answers"), res.GetRevision())
		return nil
	})
	cmd.AddCommand(imp)
	return cmd
}

// leftOut tells that an element was named without a column.
func leftOut(columns map[string]string, element string) bool {
	name, named := columns[element]
	return named && name == ""
}

// answerPlace is where a server finds fault with an answer.
var answerPlace = regexp.MustCompile(`^answers\[([0-9]+)\]\.(.*)$`)

// otherAnswer is how it names another answer.
var otherAnswer = regexp.MustCompile(`answers\[([0-9]+)\]`)

// locate says of which lines of the table a server complains.
func locate(e *fault.Error, name string, lines []int) error {
	line := func(digits string) int {
		if i, err := strconv.Atoi(digits); err == nil && i < len(lines) {
			return lines[i]
		}
		return 0
	}
	for k, p := range e.Places {
		m := answerPlace.FindStringSubmatch(p.Field)
		if m == nil || line(m[1]) == 0 {
			continue
		}
		e.Places[k].File, e.Places[k].Line, e.Places[k].Field = name, line(m[1]), m[2]
		e.Places[k].Message = otherAnswer.ReplaceAllStringFunc(p.Message, func(s string) string {
			return "line " + strconv.Itoa(line(otherAnswer.FindStringSubmatch(s)[1]))
		})
	}
	return e
}

// read reads a table of answers to its end, with the line of each. Either all
// rows are legal or the error, a *fault.Error, says what is wrong with which
// lines: whatever can be told without what was answered before.
func (t surveyTable) read(r io.Reader, name string, elements []string) (answers []*changev1.RespondentAnswer, lines []int, err error) {
	f := &tableFaults{name: name}
	in := bufio.NewReader(r)
	if !skipMark(in, f) {
		return nil, nil, f.err()
	}
	limited := &recordLimit{r: in, most: maxTableBytes}
	c := csv.NewReader(limited)
	c.FieldsPerRecord = -1
	header, err := c.Read()
	if err == io.EOF {
		f.add(1, "", "the first line names the columns", "the table is empty")
		return nil, nil, f.err()
	}
	if err != nil {
		unreadable(f, err, 0)
		return nil, nil, f.err()
	}
	at := map[string]int{}
	for i, h := range header {
		at[strings.TrimSpace(h)] = i
	}
	column := func(name, flag string) int {
		i, known := at[name]
		if !known {
			f.add(1, "", "the columns are "+strings.Join(header, ", ")+"; "+flag+" names another one", "there is no column %q", name)
		}
		return i
	}
	respondent := column(t.respondent, "--respondent")
	var audience []int
	for _, name := range t.audience {
		audience = append(audience, column(name, "--audience"))
	}
	scores := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(t.elements)) {
		if !slices.Contains(elements, name) {
			f.add(1, "", "legal are "+strings.Join(elements, ", "), "--element: the framework has no element %q", name)
		}
		if t.elements[name] != "" { // else it is left out, on purpose
			scores[name] = column(t.elements[name], "--element")
		}
	}
	for _, e := range elements {
		if _, named := t.elements[e]; !named {
			if i, there := at[e]; there {
				scores[e] = i
			}
		}
	}
	for _, e := range t.asks {
		// Each answers once in a wave: what a heading misspells is lost for good.
		if _, there := scores[e]; !there && len(scores) > 0 && !leftOut(t.elements, e) {
			f.add(1, "", fmt.Sprintf("the columns are %s; --element %s=COLUMN names another one, --element %s= leaves the element out", strings.Join(header, ", "), e, e),
				"there is no column %q, which the wave asks for", e)
		}
	}
	if len(scores) == 0 {
		f.add(1, "", "the framework's elements are "+strings.Join(elements, ", ")+"; --element ELEMENT=COLUMN says which column is which", "no column is an element")
	}
	where := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(t.where)) {
		where[column(name, "--where")] = t.where[name]
	}
	if f.count > 0 {
		return nil, nil, f.err()
	}
	first := map[string]int{} // the line of each respondent
	for {
		limited.start = c.InputOffset()
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			unreadable(f, err, 0)
			break
		}
		line, _ := c.FieldPos(0)
		if len(row) != len(header) {
			f.add(line, "", "", "%d cells where the header has %d", len(row), len(header))
			continue
		}
		if slices.ContainsFunc(slices.Collect(maps.Keys(where)), func(i int) bool { return strings.TrimSpace(row[i]) != where[i] }) {
			continue
		}
		answer := &changev1.RespondentAnswer{Respondent: strings.TrimSpace(row[respondent]), Scores: map[string]float64{}}
		if answer.GetRespondent() == "" {
			f.add(line, t.respondent, "", "is empty")
		} else if before, again := first[answer.GetRespondent()]; again {
			f.add(line, t.respondent, "", "the same respondent as in line %d; each answers once in a wave", before)
		} else {
			first[answer.GetRespondent()] = line
		}
		var parts []string
		for _, i := range audience {
			parts = append(parts, strings.ToLower(strings.TrimSpace(row[i])))
		}
		if answer.Audience = strings.Join(parts, "-"); !labelPattern.MatchString(answer.GetAudience()) {
			f.add(line, strings.Join(t.audience, ","), "the name of an audience of the program", "%q is no name", answer.GetAudience())
		} else if len(t.asked) > 0 && !slices.Contains(t.asked, answer.GetAudience()) {
			f.add(line, strings.Join(t.audience, ","), "legal are "+strings.Join(t.asked[:min(10, len(t.asked))], ", "), "%q is no audience of the wave", answer.GetAudience())
		}
		for _, e := range slices.Sorted(maps.Keys(scores)) {
			cell := strings.TrimSpace(row[scores[e]])
			if cell == "" || slices.Contains(t.missing, cell) {
				continue
			}
			v, err := strconv.ParseFloat(cell, 64)
			if err != nil || !(v >= 1 && v <= 5) {
				f.add(line, header[scores[e]], "a score from 1 to 5, empty for none", "%q is no score", cell)
				continue
			}
			answer.Scores[e] = v
		}
		answers, lines = append(answers, answer), append(lines, line)
	}
	if f.count > 0 {
		return nil, nil, f.err()
	}
	if len(answers) == 0 {
		f.add(1, "", "", "no row is left to record")
		return nil, nil, f.err()
	}
	return answers, lines, nil
}

func (a *app) resultsCommand() *cobra.Command {
	req := &changev1.GetResultsRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "results PROGRAM", Short: "The results of a closed wave, by audience", Args: exactArgs("PROGRAM"),
		Long: `Results shows, for the whole and each audience, how many answered, the mean of each
element and its change, barrier points and readiness. What would tell of fewer than
5 people (10 for distributions and barrier counts), also by differences, is not
shown: –.`,
		Example:           "  setpoint change results onboarding --wave spring\n  setpoint change results onboarding -o json",
		ValidArgsFunction: a.completeName("ChangeProgram", true),
	}
	cmd.Flags().StringVar(&req.Wave, "wave", "", "the `WAVE`, default the newest closed one")
	s.register(cmd)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, ""); err != nil {
			return err
		}
		req.Program = args[0]
		res, err := a.client().change.GetResults(ctx, req)
		if err != nil {
			return err
		}
		columns, rows := resultRows(res.GetWave())
		if *out != asTable {
			return a.writeRows(*out, res, columns, rows)
		}
		a.printf("Wave %s of %s, closed %s, revision %d.\n\n%s", res.GetWave().GetWave(), res.GetProgram(), res.GetWave().GetClosed(), res.GetRevision(),
			renderTable(columns, rows, a.width(), a.colors(a.opts.Stdout)))
		a.printf("\n–: nobody, or fewer people than may be shown (%d; %d for barriers).\n",
			res.GetWave().GetResults().GetLeast(), res.GetWave().GetResults().GetLeastDistribution())
		return nil
	})
	return cmd
}

func resultRows(w *changev1.WaveState) ([]column, [][]string) {
	columns := []column{{Title: "AUDIENCE", Shrink: 10, Name: true}, {Title: "ANSWERED", Right: true}, {Title: "ASKED", Right: true}}
	for _, e := range w.GetElements() {
		columns = append(columns, column{Title: strings.ToUpper(e), Right: true}, column{Title: "CHANGE", Right: true, Drop: 1}, column{Title: "BARRIER", Right: true, Drop: 2})
	}
	columns = append(columns, column{Title: "NO BARRIER", Right: true, Drop: 2}, column{Title: "READINESS", Right: true})
	count := func(v *int32) string {
		if v == nil {
			return "–"
		}
		return itoa(int64(*v))
	}
	number := func(v *float64, format string) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf(format, *v)
	}
	var rows [][]string
	for _, c := range w.GetResults().GetCells() {
		name := c.GetAudience()
		if name == "" {
			name = "all"
		}
		row := []string{name, count(c.Respondents), itoa(int64(c.GetInvited()))}
		for _, e := range w.GetElements() {
			found := &changev1.ElementResult{}
			for _, x := range c.GetElements() {
				if x.GetElement() == e {
					found = x
				}
			}
			barrier := "–"
			for _, x := range c.GetBarriers().GetElements() {
				if x.GetElement() == e {
					barrier = itoa(int64(x.GetCount()))
				}
			}
			row = append(row, number(found.Mean, "%.3f"), number(found.Change, "%+.3f"), barrier)
		}
		none := "–"
		if c.GetBarriers() != nil {
			none = itoa(int64(c.GetBarriers().GetNone()))
		}
		rows = append(rows, append(row, none, number(c.Readiness, "%.3f")))
	}
	return columns, rows
}

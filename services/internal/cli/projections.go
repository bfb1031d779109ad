package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/fault"
)

func (a *app) projectionsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "projections",
		Aliases: []string{"projection"},
		Short:   "List, rebuild, verify and mend what is made of the log",
		Long: `Projections operates what the service makes of the log: the record, which every
read is answered from. It can be built anew beside the one that serves, compared
with the log row by row, and helped over a message that it cannot pass.`,
		RunE: needsSubcommand("missing what to do", "legal are list, status, rebuild, verify, resume and skip"),
	}
	cmd.AddCommand(a.projectionsListCommand(), a.projectionsStatusCommand(), a.projectionsRebuildCommand(),
		a.projectionsVerifyCommand(), a.projectionsResumeCommand(), a.projectionsSkipCommand())
	return cmd
}

// projectionName is the optional argument NAME.
func projectionName(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (a *app) completeProjection() completions {
	return cobra.FixedCompletions([]string{"record"}, noFiles)
}

func (a *app) projectionsListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the projections and where they stand",
		Example: "  setpoint projections list\n  setpoint projections list -o json",
		Args:    exactArgs(),
	}
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		res, err := a.client().admin.ListProjections(ctx, &adminv1.ListProjectionsRequest{})
		if err != nil {
			return err
		}
		if *f != asTable {
			return a.writeMessage(*f, res)
		}
		a.printf("%s", renderProjections(res.GetProjections(), a.width(), a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

func (a *app) projectionsStatusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show one projection: its generations, why it halted, what it leaves out",
		Long: `Status shows the generations of a projection, why it halted and what to do about
it, and the messages that it leaves out. It fails where the projection has halted.`,
		Example:           "  setpoint projections status\n  setpoint projections status record -o yaml",
		Args:              betweenArgs(0, 1, "NAME"),
		ValidArgsFunction: a.completeProjection(),
	}
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		res, err := a.client().admin.ListProjections(ctx, &adminv1.ListProjectionsRequest{})
		if err != nil {
			return err
		}
		for _, p := range res.GetProjections() {
			if name := projectionName(args); name == "" || name == p.GetName() {
				return a.showProjection(*f, p)
			}
		}
		return fault.New(fault.NotFound, "projection.unknown", "there is no projection %q", projectionName(args)).
			WithHint("setpoint projections list shows them")
	})
	return cmd
}

// showProjection prints one projection; a halted one is an error.
func (a *app) showProjection(f format, p *adminv1.Projection) error {
	if f != asTable {
		if err := a.writeMessage(f, p); err != nil {
			return err
		}
	} else {
		a.printf("%s", renderProjection(p, a.width(), a.colors(a.opts.Stdout)))
	}
	if h := p.GetHalt(); h != nil {
		e := fault.New(fault.Unavailable, "cli.projection_halted", "the projection %s has halted at revision %d: %s",
			p.GetName(), p.GetRevision(), h.GetMessage())
		return e.WithHint("%s", h.GetHint())
	}
	return nil
}

func (a *app) projectionsRebuildCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rebuild [NAME]",
		Short: "Build a projection anew beside the one that serves, and swap",
		Long: `Rebuild folds the whole log into a new generation while the present one serves,
lets it catch up, and swaps the two: readers see the one or the other, and
writes go on. A rebuild that is under way is joined.

It is the server that rebuilds, of several the process that projects, whichever
was asked: leaving this command does not end it. What a rebuild that was cut off
has folded is kept, and the next start goes on there.`,
		Example:           "  setpoint projections rebuild\n  setpoint projections rebuild record -o json",
		Args:              betweenArgs(0, 1, "NAME"),
		ValidArgsFunction: a.completeProjection(),
	}
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		stream, err := a.client().admin.RebuildProjection(ctx, &adminv1.RebuildProjectionRequest{
			Name: projectionName(args), RequestId: requestID(),
		})
		if err != nil {
			return err
		}
		bars := &steps{app: a}
		defer bars.end()
		last, err := drain(stream, func(m *adminv1.RebuildProjectionResponse) {
			bars.tell("rebuilding", uint64(m.GetDone()), uint64(m.GetTotal()))
		})
		if err != nil {
			return err
		}
		bars.end()
		if last.GetStage() != "done" {
			return cutOff("rebuild", "setpoint projections list tells how far it is")
		}
		if *f != asTable {
			return a.writeMessage(*f, last)
		}
		a.printf("Generation %d is live at revision %d%s.\n", last.GetGeneration(), last.GetDone(), rate(last.GetRate(), true))
		return nil
	})
	return cmd
}

// drain receives to the end of a stream.
func drain[T any](stream *connect.ServerStreamForClient[T], each func(*T)) (last *T, err error) {
	defer func() { err = errors.Join(err, stream.Close()) }()
	for stream.Receive() {
		last = stream.Msg()
		each(last)
	}
	return last, stream.Err()
}

func cutOff(what, hint string) error {
	return fault.New(fault.Unavailable, "cli.stream_cut_off", "the server ended the %s before its end", what).WithHint("%s", hint)
}

// rate is ", 12345/s", "" where it is not known.
func rate(perSecond float64, known bool) string {
	if !known || perSecond < 1 || math.IsNaN(perSecond) {
		return ""
	}
	return fmt.Sprintf(", %.0f/s", perSecond)
}

func (a *app) projectionsVerifyCommand() *cobra.Command {
	var limit int32
	cmd := &cobra.Command{
		Use:   "verify [NAME]",
		Short: "Fold the log again and compare every row",
		Long: `Verify folds the log into a scratch store, up to where the projection stands, and
compares every row of the two; the service goes on meanwhile. It fails (exit
code 1) where a row differs, and describes the first ones. A rebuild mends them.`,
		Example:           "  setpoint projections verify\n  setpoint projections verify --limit 100 -o json",
		Args:              betweenArgs(0, 1, "NAME"),
		ValidArgsFunction: a.completeProjection(),
	}
	cmd.Flags().Int32Var(&limit, "limit", 20, "describe at most so many differences")
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if limit < 1 || limit > 1000 {
			return usagef("--limit: %d is not from 1 to 1000", limit)
		}
		stream, err := a.client().admin.VerifyProjection(ctx, &adminv1.VerifyProjectionRequest{Name: projectionName(args), Limit: limit})
		if err != nil {
			return err
		}
		bars := &steps{app: a}
		defer bars.end()
		last, err := drain(stream, func(m *adminv1.VerifyProjectionResponse) {
			if m.GetStage() != "done" {
				bars.tell(m.GetStage(), uint64(m.GetDone()), uint64(m.GetTotal()))
			}
		})
		if err != nil {
			return err
		}
		bars.end()
		if last.GetStage() != "done" {
			return cutOff("verification", "try again")
		}
		if *f != asTable {
			err = a.writeMessage(*f, last)
		} else {
			a.printf("%s", renderVerification(last))
		}
		if err == nil && last.GetDiffering() > 0 {
			return exitCode(exitError)
		}
		return err
	})
	return cmd
}

func renderVerification(v *adminv1.VerifyProjectionResponse) string {
	if v.GetDiffering() == 0 {
		return fmt.Sprintf("All %d rows are what the log makes of them, at revision %d.\n", v.GetRows(), v.GetRevision())
	}
	var b strings.Builder
	for _, d := range v.GetDifferences() {
		fmt.Fprintf(&b, "%s  %s\n", printable(d.GetTable()), printable(d.GetKey()))
		for _, side := range []struct {
			name string
			row  *string
		}{{"record", d.Live}, {"log", d.Log}} {
			text := "no such row"
			if side.row != nil {
				text = printable(*side.row)
			}
			fmt.Fprintf(&b, "    %-6s  %s\n", side.name, text)
		}
	}
	if more := v.GetDiffering() - int64(len(v.GetDifferences())); more > 0 {
		fmt.Fprintf(&b, "… and %s\n", counted(int(more), "more difference", "more differences"))
	}
	fmt.Fprintf(&b, "%d of %d rows differ from the log, at revision %d. setpoint projections rebuild makes them anew.\n",
		v.GetDiffering(), v.GetRows(), v.GetRevision())
	return b.String()
}

func (a *app) projectionsResumeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "resume [NAME]",
		Short:             "Let a halted projection try again",
		Long:              "Resume lets a halted projection try again, without a restart. It fails where the\nprojection halts again.",
		Example:           "  setpoint projections resume",
		Args:              betweenArgs(0, 1, "NAME"),
		ValidArgsFunction: a.completeProjection(),
	}
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		res, err := a.client().admin.ResumeProjection(ctx, &adminv1.ResumeProjectionRequest{Name: projectionName(args), RequestId: requestID()})
		if err != nil {
			return err
		}
		return a.showProjection(*f, res.GetProjection())
	})
	return cmd
}

func (a *app) projectionsSkipCommand() *cobra.Command {
	var reason string
	var yes, unknown bool
	cmd := &cobra.Command{
		Use:   "skip SEQUENCE --reason TEXT",
		Short: "Leave out, for ever, a message that is lost or cannot be folded",
		Long: `Skip leaves one message of the log out of every projection, now and in every
rebuild, in this process and in others. Who did it and why is an event of the
log itself. It is refused for any message but the first that a fold of the log
cannot pass, and cannot be undone: restoring the log from a backup comes first.

A message that was lost after the record had folded it halts nothing, and can be
left out, too. The record holds what it said until the next rebuild: read it
first, and give it to setpoint again.

Of a commit of several messages only that one is left out. Of a message whose
envelope can be read only the effects are: its aggregate's place in the log and
its request id stay on record.`,
		Example: `  setpoint projections status                          # which message, and why
  setpoint projections skip 4711 --reason "lost with the disk of 3 May; no backup has it"`,
		Args: exactArgs("SEQUENCE"),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, kept in the log")
	cmd.Flags().BoolVar(&unknown, "unknown", false, "also an event that only this binary does not know")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		sequence, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || sequence < 1 {
			return usagef("SEQUENCE: %q is not the number of a message", args[0])
		}
		if reason == "" {
			return &usageError{message: "missing --reason TEXT", hint: "it is kept in the log beside who did it"}
		}
		if !yes && a.stdinIsTerminal() {
			if goOn, err := a.confirm(ctx, fmt.Sprintf("Leave message %d out of the record for ever?", sequence)); err != nil || !goOn {
				return err
			}
		}
		res, err := a.client().admin.SkipEvent(ctx, &adminv1.SkipEventRequest{
			RequestId: requestID(), Sequence: sequence, Reason: reason, Unknown: unknown,
		})
		if err != nil {
			return a.perhaps(err)
		}
		if *f != asTable {
			return a.writeMessage(*f, res)
		}
		a.printf("Message %d is left out, by the event at revision %d.\n", sequence, res.GetRevision())
		if res.GetOnRecord() {
			a.printf("The record may still hold what it said. Note that down to declare or record it again, then: setpoint projections rebuild\n")
		}
		return nil
	})
	return cmd
}

func renderProjections(list []*adminv1.Projection, width int, color paint) string {
	var rows [][]string
	for _, p := range list {
		live, generations := "", len(p.GetGenerations())
		for _, g := range p.GetGenerations() {
			if g.GetState() == "live" {
				live = itoa(int64(g.GetNumber()))
			}
		}
		if generations > 1 {
			live += fmt.Sprintf(" (and %s)", counted(generations-1, "other", "others"))
		}
		rows = append(rows, []string{
			printable(p.GetName()), printable(p.GetStream()), stateOf(p, color), itoa(p.GetRevision()), behind(p), perSecond(p), live,
			haltMessage(p),
		})
	}
	return renderTable(dropEmpty([]column{
		{Title: "PROJECTION"}, {Title: "LOG"}, {Title: "STATE"}, {Title: "REVISION", Right: true}, {Title: "BEHIND", Right: true},
		{Title: "RATE", Right: true}, {Title: "GENERATION"}, {Title: "MESSAGE", Shrink: 20, Cap: 80},
	}, rows, width, color))
}

func stateOf(p *adminv1.Projection, color paint) string {
	if p.GetState() == "halted" {
		return color.with(red, "halted")
	}
	return printable(p.GetState())
}

func behind(p *adminv1.Projection) string {
	if n := p.GetLastRevision() - p.GetRevision(); n > 0 {
		return itoa(n)
	}
	return ""
}

func perSecond(p *adminv1.Projection) string {
	if p.GetRate() < 1 {
		return ""
	}
	return fmt.Sprintf("%.0f/s", p.GetRate())
}

func haltMessage(p *adminv1.Projection) string { return printable(p.GetHalt().GetMessage()) }

func renderProjection(p *adminv1.Projection, width int, color paint) string {
	s := renderProjections([]*adminv1.Projection{{
		Name: p.GetName(), Stream: p.GetStream(), State: p.GetState(), Revision: p.GetRevision(), LastRevision: p.GetLastRevision(), Rate: p.GetRate(),
	}}, width, color)
	var rows [][]string
	for _, g := range p.GetGenerations() {
		rows = append(rows, []string{itoa(int64(g.GetNumber())), printable(g.GetState()), itoa(g.GetRevision()), itoa(int64(g.GetVersion()))})
	}
	if len(rows) > 0 {
		s += "\n" + renderTable([]column{
			{Title: "GENERATION", Right: true}, {Title: "STATE"}, {Title: "REVISION", Right: true}, {Title: "VERSION", Right: true},
		}, rows, width, color)
	}
	rows = nil
	for _, k := range p.GetSkips() {
		rows = append(rows, []string{
			itoa(k.GetSequence()), instant(k.GetRecorded().AsTime()), printable(k.GetPrincipal()), printable(k.GetReason()), printable(k.GetProblem()),
		})
	}
	if len(rows) > 0 {
		s += "\n" + renderTable([]column{
			{Title: "LEFT OUT", Right: true}, {Title: "SINCE"}, {Title: "BY"}, {Title: "REASON", Shrink: 20, Cap: 60}, {Title: "PROBLEM", Shrink: 20, Cap: 60},
		}, rows, width, color)
	}
	return s
}

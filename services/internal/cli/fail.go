package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"
	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
)

// usageError is a command line that cannot be meant: exit code 64.
type usageError struct {
	cmd           *cobra.Command // whose usage to show; nil: the root's
	message, hint string
}

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) *usageError {
	return &usageError{message: fmt.Sprintf(format, args...)}
}

// exitCode ends a command that has said all it had to say.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exactArgs is cobra's check in the words of the usage line.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return &usageError{cmd: cmd, message: "missing " + strings.Join(names[len(args):], " and ")}
		}
		if len(args) > len(names) {
			return &usageError{cmd: cmd, message: fmt.Sprintf("unexpected argument %q", args[len(names)])}
		}
		return nil
	}
}

// perhaps accepts exactly these arguments, or none.
func perhaps(names ...string) cobra.PositionalArgs {
	exactly := exactArgs(names...)
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return exactly(cmd, args)
	}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	e := &usageError{cmd: cmd, message: fmt.Sprintf("unknown command %q", name)}
	if s := cmd.SuggestionsFor(name); len(s) > 0 {
		e.hint = "did you mean " + strings.Join(s, " or ") + "?"
	}
	return e
}

// flagWords is what is wrong with a flag, without the words of the function that
// failed to read it.
func flagWords(err error) string {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	kind := map[string]string{
		"int": "a whole number", "int32": "a whole number", "int64": "a whole number", "uint64": "a whole number",
		"float64": "a number", "duration": "a duration such as 30s or 2m", "bool": "true or false",
	}[invalid.GetFlag().Value.Type()]
	switch {
	case kind == "":
		return err.Error()
	case errors.Is(err, strconv.ErrRange):
		return fmt.Sprintf("--%s: %s is too large", invalid.GetFlag().Name, invalid.GetValue())
	}
	return fmt.Sprintf("--%s: %q is not %s", invalid.GetFlag().Name, invalid.GetValue(), kind)
}

func flagHint(cmd *cobra.Command, err error) string {
	_, name, found := strings.Cut(err.Error(), "unknown flag: --")
	if !found {
		return ""
	}
	if p := cmd.Parent(); p != nil && p.Name() == "checkin" && p.Flags().Lookup(name) != nil {
		return "a check-in on the target of this name: setpoint checkin target/" + cmd.Name()
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest(name, names); near != "" {
		return "did you mean --" + near + "?"
	}
	return ""
}

// nearest is the candidate that name was probably meant to be, or "".
func nearest(name string, candidates []string) string {
	best, bestDistance := "", len(name)/3+2
	for _, c := range candidates {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(c), nil); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// fail tells the user what err means and returns the exit code.
func (a *app) fail(ctx context.Context, err error) int {
	w := a.opts.Stderr
	var code exitCode
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(w, "error: %s\n", usage.message)
		writeHint(w, "", usage.hint)
		if usage.cmd != nil {
			fmt.Fprintf(w, "usage: %s\n", usage.cmd.UseLine())
			fmt.Fprintf(w, "help:  %s --help\n", usage.cmd.CommandPath())
		} else {
			fmt.Fprintln(w, "help:  setpoint --help")
		}
		return exitUsage
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		// What the command had to say about its state (rows recorded, say) is
		// in err if it is more than the cancellation.
		var f *fault.Error
		if errors.As(err, &f) {
			a.writeError(err)
		} else {
			fmt.Fprintln(w, "error: interrupted")
		}
		return exitInterrupted
	}
	a.writeError(err)
	return exitError
}

// writeError prints every place that is wrong, then the message and the hint.
func (a *app) writeError(err error) {
	w := a.opts.Stderr
	f := a.explain(err)
	for _, p := range f.Places {
		writePlace(w, "", p)
	}
	if len(f.Intervening) > 0 {
		since := "written since:"
		if strings.HasPrefix(f.Reason, "declaration.") {
			since = "declared since:"
		}
		fmt.Fprintln(w, since)
	}
	for _, i := range f.Intervening {
		fmt.Fprintf(w, "  %s\n", printable(interveningText(i)))
	}
	message := f.Message
	if f.Cause != nil {
		message += ": " + f.Cause.Error()
	}
	fmt.Fprintf(w, "error: %s\n", printable(message))
	writeHint(w, "", f.Hint)
}

// explain turns whatever happened into the one error type.
func (a *app) explain(err error) *fault.Error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	var c *connect.Error
	if !errors.As(err, &c) {
		return fault.New(fault.Internal, "cli.failed", "%s", err)
	}
	if !connect.IsWireError(err) || c.Code() == connect.CodeDeadlineExceeded && detailOf(c) == nil {
		return a.explainTransport(c) // the server knows our deadline and may be the first to say so
	}
	f = fault.New(kindOfCode(c.Code()), "cli.refused", "%s", c.Message())
	if f.Message == "" {
		f.Message = "the server answered " + c.Code().String()
	}
	if d := detailOf(c); d != nil {
		f.Reason, f.Hint = d.GetReason(), d.GetHint()
		for _, p := range d.GetFaults() {
			f.Places = append(f.Places, placeOf(p))
		}
		if n := len(f.Places); n > 1 && !strings.Contains(f.Message, strconv.Itoa(n)) {
			f.Message += fmt.Sprintf(" (%s)", counted(n, "fault", "faults"))
		}
		if len(f.Places) > 0 && f.Places[len(f.Places)-1].Hint == f.Hint {
			f.Hint = "" // just said
		}
		if d.GetRevision() > 0 {
			f.Revision = uint64(d.GetRevision())
		}
		for _, i := range d.GetIntervening() {
			f.Intervening = append(f.Intervening, interveningOf(i))
		}
	}
	if f.Hint == "" {
		switch c.Code() {
		case connect.CodeAborted:
			f.Hint = "somebody changed the declarations in between: make the plan again"
		case connect.CodeUnauthenticated:
			f.Hint = "give a token with --token or SETPOINT_TOKEN"
		case connect.CodeUnimplemented:
			f.Hint = "is " + a.server + " a setpoint server of this version?"
		}
	}
	return f
}

// explainTransport explains an error that did not come from a setpoint server.
func (a *app) explainTransport(c *connect.Error) *fault.Error {
	var dns *net.DNSError
	switch {
	case errors.Is(c, syscall.ECONNREFUSED):
		return fault.New(fault.Unavailable, "cli.no_server", "no setpoint server at %s", a.server).
			WithHint("start one with: setpoint dev")
	case errors.As(c, &dns):
		return fault.New(fault.Unavailable, "cli.no_host", "%s: the host %q is not known", a.server, dns.Name).
			WithHint("check --server or SETPOINT_SERVER")
	case c.Code() == connect.CodeDeadlineExceeded:
		return fault.New(fault.Unavailable, "cli.timeout", "no answer from %s within %s", a.server, a.timeout).
			WithHint("a longer wait: --timeout")
	case strings.HasSuffix(c.Message(), "contains invalid UTF-8"):
		// What it would be sent is refused here, without the field's name.
		return fault.New(fault.Invalid, "cli.utf8", "an argument or a flag is not UTF-8 text; nothing was sent").
			WithHint("is the terminal, or the file that it comes from, in another encoding?")
	case c.Code() == connect.CodeUnimplemented:
		return fault.New(fault.Unavailable, "cli.not_setpoint", "%s does not answer as a setpoint server: %s", a.server, c.Message()).
			WithHint("check --server or SETPOINT_SERVER; a server that runs a part (serve --target) answers for that part only")
	}
	return fault.New(kindOfCode(c.Code()), "cli.transport", "%s: %s", a.server, c.Message())
}

func kindOfCode(c connect.Code) fault.Kind {
	switch c {
	case connect.CodeInvalidArgument, connect.CodeOutOfRange:
		return fault.Invalid
	case connect.CodeNotFound:
		return fault.NotFound
	case connect.CodeAlreadyExists:
		return fault.Exists
	case connect.CodeAborted:
		return fault.Aborted
	case connect.CodeFailedPrecondition:
		return fault.Rule
	case connect.CodeUnauthenticated:
		return fault.Unauthenticated
	case connect.CodePermissionDenied:
		return fault.Denied
	case connect.CodeResourceExhausted:
		return fault.Exhausted
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled:
		return fault.Unavailable
	}
	return fault.Internal
}

func detailOf(c *connect.Error) *commonv1.ErrorDetail {
	for _, d := range c.Details() {
		if v, err := d.Value(); err == nil {
			if detail, ok := v.(*commonv1.ErrorDetail); ok {
				return detail
			}
		}
	}
	return nil
}

func placeOf(p *commonv1.Fault) fault.Place {
	return fault.Place{
		File: p.GetFile(), Line: int(p.GetLine()), Column: int(p.GetColumn()), Field: p.GetField(),
		Resource: p.GetResource(), Reason: p.GetReason(), Message: p.GetMessage(), Hint: p.GetHint(),
	}
}

func interveningOf(m *commonv1.Intervening) fault.Intervening {
	i := fault.Intervening{
		Revision: uint64(m.GetRevision()), Principal: m.GetPrincipal(), Manager: m.GetManager(),
		Changes: m.GetChanges(), Count: int(m.GetCount()),
	}
	if t, err := time.Parse(time.RFC3339Nano, m.GetRecorded()); err == nil {
		i.Recorded = t
	}
	return i
}

// interveningText is "revision 61, 2026-05-17T12:00:00Z, by ann (git): update
// Target/x, create Metric/y and 3 more".
func interveningText(i fault.Intervening) string {
	s := fmt.Sprintf("revision %d, %s, by %s: %s", i.Revision, i.Recorded.UTC().Format(time.RFC3339),
		actor(i.Principal, i.Manager), strings.Join(i.Changes, ", "))
	if more := i.Count - len(i.Changes); more > 0 {
		s += fmt.Sprintf(" and %s more", groupDigits(strconv.Itoa(more)))
	}
	return s
}

// actor is who acted, and with what.
func actor(principal, manager string) string {
	if manager == "" {
		return principal
	}
	return strings.TrimSpace(principal + " (" + manager + ")")
}

// writePlace prints "file:line:col: Kind/name field: message" and the hint.
func writePlace(w io.Writer, indent string, p fault.Place) {
	var b strings.Builder
	b.WriteString(indent)
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
			if p.Column > 0 {
				fmt.Fprintf(&b, ":%d", p.Column)
			}
		}
		b.WriteString(": ")
	}
	switch {
	case p.Resource != "" && p.Field != "":
		b.WriteString(p.Resource + " " + p.Field + ": ")
	case p.Resource != "" || p.Field != "":
		b.WriteString(p.Resource + p.Field + ": ")
	}
	b.WriteString(p.Message)
	fmt.Fprintln(w, printable(b.String()))
	writeHint(w, indent+"    ", p.Hint)
}

func writeHint(w io.Writer, indent, hint string) {
	if hint != "" {
		fmt.Fprintf(w, "%shint: %s\n", indent, printable(hint))
	}
}

// counted is "1 fault", "2 faults", "40,000 rows".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return groupDigits(fmt.Sprint(n)) + " " + many
}

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/sheet"
)

// checkInPage is how many check-ins are read at once.
const checkInPage = 1000

// maxReasonRunes bounds the reason of an override, as the API does.
const maxReasonRunes = 2000

// checkInFlags of one checkin command.
type checkInFlags struct {
	at, note, override, reason, expires, manager string
	value, observedAt, source                    string
	confidence                                   int32
	clear                                        bool
}

func (a *app) checkInCommand() *cobra.Command {
	var c checkInFlags
	cmd := &cobra.Command{
		Use:     "checkin TARGET",
		Aliases: []string{"check-in"},
		Short:   "Say how a target stands: confidence, a note, a status until a day",
		Long: `Checkin records an owner's word on a target: how confident they are (0 to 10)
that it will be reached, what explains it, and if the computed status misleads,
the status they see instead, with a reason and the last day on which it counts
(a year ahead at most). It is shown beside the computed status, which stays, and
changes no roll-up. A newer override replaces the one in force.

A target that is off track or missed on that day asks for a note, or for the
reason of an override. A new value (--value) is recorded with the check-in, or not
at all if that is refused, and counts for that status.

What was said is read with: setpoint get checkins TARGET. What is owed, with:
setpoint checkin due. A target that is named as a command below (due, request …)
is written target/due, target/request.`,
		Example: `  setpoint checkin vacant-space --confidence 7 --note "two leases end in March"
  setpoint checkin vacant-space --value 0.031 --value-at FY2018 --confidence 7
  setpoint checkin vacant-space --override at_risk --reason "one-off refund" --expires 2026-12-31
  setpoint checkin vacant-space --clear-override
  setpoint checkin vacant-space --at 2018-09-30 --confidence 4
  setpoint checkin due --owner unit/real-estate`,
		Args: exactArgs("TARGET"),
	}
	f := cmd.Flags()
	f.StringVar(&c.at, "at", "", "the `DAY` it is about (YYYY-MM-DD), default today")
	f.Int32Var(&c.confidence, "confidence", 0, "from 0 (it will not be reached) to 10 (it will)")
	f.StringVar(&c.value, "value", "", "a new value of the target's metric, recorded with the check-in")
	f.StringVar(&c.observedAt, "value-at", "", "the `PERIOD` or day that the value is of (FY2018, 2018-Q3, 2018-09-30), default the day of the check-in")
	f.StringVar(&c.source, "source", "", "where the value comes from")
	f.StringVar(&c.note, "note", "", "what explains how the target stands")
	f.StringVar(&c.override, "override", "", "the `STATUS` to show beside the computed one: "+listed(overrideStatuses, "or"))
	f.StringVar(&c.reason, "reason", "", "why the computed status misleads")
	f.StringVar(&c.expires, "expires", "", "the last `DAY` on which the override counts (YYYY-MM-DD)")
	f.BoolVar(&c.clear, "clear-override", false, "withdraw the override in force")
	f.StringVar(&c.manager, "manager", "cli", "what writes: cli, git, console, policy or api")
	for _, name := range []string{"value", "value-at", "source", "at", "confidence", "note", "reason", "expires"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	_ = cmd.RegisterFlagCompletionFunc("override", cobra.FixedCompletions(overrideStatuses, cobra.ShellCompDirectiveNoFileComp))
	cmd.ValidArgsFunction = a.completeName("Target", true)
	cmd.AddCommand(a.dueCommand(), a.requestCheckInCommand(), a.checkInListCommand(), a.acknowledgeCommand())
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		target := targetName(args[0])
		req, err := c.request(target, cmd.Flags().Changed("confidence"))
		if err != nil {
			return err
		}
		res, err := a.client().strategy.CheckIn(ctx, req)
		if err != nil {
			return err
		}
		a.settle(ctx, res.GetRevision())
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		a.printf("Checked in on %s%s. Revision %d.\n", target, map[bool]string{true: ", value recorded"}[res.GetRecorded()], res.GetRevision())
		return nil
	})
	return cmd
}

// targetName is the name of a target that may be written target/NAME, as one must
// be that is named like a command.
func targetName(arg string) string {
	kind, name, ok := strings.Cut(arg, "/")
	if ok && slices.Contains([]string{"target", "targets"}, strings.ToLower(kind)) {
		return name
	}
	return arg
}

// overrideStatuses are those that a person may set.
var overrideStatuses = []string{"on_track", "at_risk", "off_track", "achieved", "missed", "no_data"}

// request checks the flags and makes the request.
func (c checkInFlags) request(target string, confident bool) (*strategyv1.CheckInRequest, error) {
	req := &strategyv1.CheckInRequest{
		RequestId: requestID(), Target: target, At: c.at, Note: c.note, ClearOverride: c.clear, Manager: c.manager,
	}
	if err := (&writeFlags{manager: c.manager}).check(); err != nil {
		return nil, err
	}
	if !labelPattern.MatchString(target) {
		return nil, usagef("TARGET: %q is not the name of a target; legal are lower-case letters, digits and - inside, at most 63", target)
	}
	if c.value != "" {
		v, err := strconv.ParseFloat(c.value, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, usagef("--value: %q is not a number", c.value)
		}
		req.Value, req.ObservedAt, req.Source = &v, c.observedAt, c.source
	} else if c.observedAt+c.source != "" {
		return nil, usagef("--value-at and --source belong to --value NUMBER")
	}
	for _, x := range []struct{ flag, day string }{{"--at", c.at}, {"--expires", c.expires}} {
		if _, err := calendar.ParseDate(x.day); x.day != "" && err != nil {
			return nil, &usageError{message: x.flag + ": " + err.Error(), hint: "a calendar date, YYYY-MM-DD"}
		}
	}
	if n := utf8.RuneCountInString(c.note); n > maxNoteRunes {
		return nil, usagef("--note: %d characters; at most %d are legal", n, maxNoteRunes)
	}
	if n := utf8.RuneCountInString(c.reason); n > maxReasonRunes {
		return nil, usagef("--reason: %d characters; at most %d are legal", n, maxReasonRunes)
	}
	if confident {
		if c.confidence < 0 || c.confidence > 10 {
			return nil, usagef("--confidence: %d is not from 0 to 10", c.confidence)
		}
		req.Confidence = &c.confidence
	}
	switch status := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(c.override)); {
	case status == "" && (c.reason != "" || c.expires != ""):
		return nil, usagef("--reason and --expires belong to --override STATUS")
	case status == "":
	case c.clear:
		return nil, usagef("--override and --clear-override exclude each other: a new override replaces the one in force")
	case !slices.Contains(overrideStatuses, status):
		return nil, usagef("--override: %q is no status; legal are %s", c.override, listed(overrideStatuses, "and"))
	case strings.TrimSpace(c.reason) == "" || c.expires == "":
		return nil, &usageError{message: "--override needs --reason TEXT and --expires DAY",
			hint: "why the computed status misleads, and the last day on which yours counts"}
	default:
		req.Override = &strategyv1.OverrideRequest{Status: status, Reason: c.reason, Expires: c.expires}
	}
	if req.Confidence == nil && strings.TrimSpace(c.note) == "" && req.Override == nil && !c.clear {
		if req.Value != nil {
			return nil, &usageError{message: "the check-in says nothing beside the value",
				hint: "give --confidence or --note; a value alone is recorded with setpoint observe"}
		}
		return nil, &usageError{message: "the check-in says nothing", hint: "give --confidence, --note, --override or --clear-override"}
	}
	return req, nil
}

// checkInsOf recognises `get checkins TARGET`.
func checkInsOf(args []string) (target string, ok bool, err error) {
	first, name, _ := strings.Cut(args[0], "/")
	switch strings.ToLower(first) {
	case "checkin", "checkins", "check-in", "check-ins":
	default:
		return "", false, nil
	}
	if len(args) > 1 {
		name = args[1]
	}
	if name == "" {
		return "", true, usagef("missing TARGET: whose check-ins?")
	}
	return name, true, nil
}

func (a *app) getCheckIns(ctx context.Context, target string, s *moment, f format) (reading, error) {
	return a.readCheckIns(ctx, &strategyv1.ListCheckInsRequest{
		Target: target, Revision: s.GetRevision(), KnownAt: s.GetKnownAt(), MinRevision: s.GetMinRevision(), PageSize: checkInPage,
	}, f)
}

// readCheckIns reads all pages of a request.
func (a *app) readCheckIns(ctx context.Context, req *strategyv1.ListCheckInsRequest, f format) (reading, error) {
	target := req.GetTarget()
	var all []*strategyv1.CheckInEntry
	var revision int64
	for {
		res, err := a.client().strategy.ListCheckIns(ctx, req)
		if err != nil {
			return reading{}, err
		}
		all, revision = append(all, res.GetCheckIns()...), res.GetRevision()
		if res.GetNextPageToken() == "" {
			break
		}
		if res.GetNextPageToken() == req.PageToken {
			return reading{}, errPaging()
		}
		req.PageToken = res.GetNextPageToken()
	}
	return reading{contentOf(all), func() error { return a.writeCheckIns(target, all, revision, f) }}, nil
}

func (a *app) writeCheckIns(target string, all []*strategyv1.CheckInEntry, revision int64, f format) error {
	switch f {
	case asJSON, asYAML:
		l := list{Items: []json.RawMessage{}, Revision: itoa(revision)}
		for _, c := range all {
			raw, err := encode(c, false)
			if err != nil {
				return err
			}
			l.Items = append(l.Items, raw)
		}
		return a.writeStructured(f, l)
	case asCSV:
		_, err := a.out.Write(checkInCSV(all))
		return err
	}
	if len(all) == 0 {
		a.warnf("no check-ins%s\n", map[bool]string{true: " on " + target}[target != ""])
		return nil
	}
	a.printf("%s", checkInTable(target == "", all, a.width(), a.colors(a.opts.Stdout)))
	return nil
}

// checkInTable shows check-ins, with their target where they are of several.
func checkInTable(several bool, all []*strategyv1.CheckInEntry, width int, color paint) string {
	columns := []column{
		{Title: "TARGET", Shrink: 12}, {Title: "ABOUT"}, {Title: "CONFIDENCE", Right: true}, {Title: "SAID"}, {Title: "UNTIL"}, {Title: "REASON", Shrink: 16},
		{Title: "NOTE", Shrink: 16}, {Title: "BY", Shrink: 8, Drop: 2}, {Title: "READ BY", Shrink: 8, Drop: 3}, {Title: "REVISION", Right: true, Drop: 1},
	}
	rows := make([][]string, len(all))
	for i, c := range all {
		confidence, said := "", ""
		if c.Confidence != nil {
			confidence = itoa(int64(c.GetConfidence()))
		}
		if o := c.GetOverride(); o != nil {
			said = statusText(o.GetStatus(), color)
		} else if c.GetClearOverride() {
			said = "withdrawn"
		}
		read := ""
		for _, x := range c.GetAcknowledgements() {
			read = strings.TrimSpace(read + " " + printable(x.GetPrincipal()))
		}
		rows[i] = []string{
			c.GetTarget(), printable(c.GetAt()), confidence, said, printable(c.GetOverride().GetExpires()), printable(c.GetOverride().GetReason()),
			printable(c.GetNote()), printable(c.GetPrincipal()), read, itoa(c.GetRevision()),
		}
	}
	if !several {
		columns, rows = columns[1:], cut(rows)
	}
	return renderTable(dropEmpty(columns, rows, width, color))
}

func checkInCSV(all []*strategyv1.CheckInEntry) []byte {
	s := sheet.New("target", "at", "confidence", "note", "override_status", "override_reason", "override_expires", "clear_override",
		"principal", "revision", "recorded", "acknowledged_by", "acknowledged_at")
	for _, c := range all {
		s.Text(c.GetTarget())
		s.Text(c.GetAt())
		if c.Confidence != nil {
			s.Integer(int64(c.GetConfidence()))
		} else {
			s.Text("")
		}
		for _, text := range []string{c.GetNote(), c.GetOverride().GetStatus(), c.GetOverride().GetReason(), c.GetOverride().GetExpires()} {
			s.Text(text)
		}
		s.Bool(c.GetClearOverride())
		s.Text(c.GetPrincipal())
		s.Integer(c.GetRevision())
		s.Text(c.GetRecorded())
		by, at := "", ""
		if read := c.GetAcknowledgements(); len(read) > 0 {
			by, at = read[0].GetPrincipal(), read[0].GetAt()
		}
		s.Text(by)
		s.Text(at)
		s.End()
	}
	return s.Bytes()
}

func (a *app) checkInListCommand() *cobra.Command {
	req := &strategyv1.ListCheckInsRequest{PageSize: checkInPage}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "list [TARGET]", Short: "What people said, the newest first, and who has read it", Args: cobra.MaximumNArgs(1),
		Long: `List shows the check-ins on a target, or on all of them. --unacknowledged leaves
what no reviewer has read.`,
		Example:           "  setpoint checkin list --unacknowledged\n  setpoint checkin list vacant-space --since 2026-01-01",
		ValidArgsFunction: a.completeName("Target", true),
	}
	f := cmd.Flags()
	f.StringVar(&req.Since, "since", "", "only those about this `DAY` or a later one (YYYY-MM-DD)")
	f.BoolVar(&req.Unacknowledged, "unacknowledged", false, "only those that nobody has acknowledged")
	_ = cmd.RegisterFlagCompletionFunc("since", cobra.NoFileCompletions)
	s.register(cmd)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--since": req.GetSince()}); err != nil {
			return err
		}
		if err := s.into(&req.Revision, &req.KnownAt, ""); err != nil {
			return err
		}
		if len(args) > 0 {
			req.Target = targetName(args[0])
		}
		read, err := a.readCheckIns(ctx, req, *out)
		if err != nil {
			return err
		}
		return read.write()
	})
	return cmd
}

func (a *app) acknowledgeCommand() *cobra.Command {
	req := &strategyv1.AcknowledgeCheckInRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "acknowledge TARGET", Short: "Say as a reviewer that a check-in was read", Args: exactArgs("TARGET"),
		Long: `Acknowledge says that you have read the newest check-in on a target, or the one that
--check-in names by its revision (setpoint checkin list). Nobody acknowledges their
own: who acts is --actor, or whom the token is for.`,
		Example:           "  setpoint checkin acknowledge vacant-space --actor ada\n  setpoint checkin acknowledge vacant-space --check-in 42 --note \"ask again in March\"",
		ValidArgsFunction: a.completeName("Target", true),
	}
	f := cmd.Flags()
	f.Int64Var(&req.CheckIn, "check-in", 0, "the `REVISION` that recorded the check-in; default the newest one")
	_ = cmd.RegisterFlagCompletionFunc("check-in", cobra.NoFileCompletions)
	noteFlag(cmd, &req.Note, "what the reviewer says to it")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if n := req.GetCheckIn(); n < 0 {
			return usagef("--check-in: %d is no revision", n)
		}
		req.RequestId, req.Target = requestID(), targetName(args[0])
		res, err := a.client().strategy.AcknowledgeCheckIn(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("Acknowledged the check-in of revision %d on %s.", res.GetCheckIn(), req.GetTarget()))
	})
	return cmd
}

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
)

func (a *app) eventsCommand() *cobra.Command {
	req := &eventv1.SubscribeRequest{}
	cmd := &cobra.Command{
		Use: "events", Short: "Show the public events", Args: exactArgs(),
		Long: `Events shows what the organization's log tells others, in its order, oldest
first: CloudEvents, as they are on the NATS stream SETPOINT_PUBLIC. With --follow
it waits for what comes, until interrupted, and goes on by itself where it was if
the server goes away.

A type is given in full, or by how it begins: gap is every event of gaps. What an
event is about has the name that it was first declared with; --subject takes that
name, or the one of today. What happens at an occurrence of a review is about the
review too, and what happens in a wave about its program. JSON is
one event a line, to the byte as it is on NATS. docs/events.md lists all types.`,
		Example: `  setpoint events
  setpoint events --type gap --follow
  setpoint events --type gap.opened.v1 --subject target/vacant-space
  setpoint events --subject review/monthly
  setpoint events --from 120 -o json | jq -c '[.time, .type, .subject]'`,
	}
	cmd.Flags().Int64Var(&req.FromRevision, "from", 0, "begin at this `REVISION` of the log")
	cmd.Flags().StringSliceVar(&req.Types, "type", nil, "only events of this `TYPE`, or whose types begin with it; may be given more than once")
	cmd.Flags().StringVar(&req.Subject, "subject", "", "only events about this `KIND/NAME`, or about all of a KIND")
	cmd.Flags().BoolVar(&req.Follow, "follow", false, "wait for what comes, until interrupted")
	for _, name := range []string{"from", "type", "subject"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if req.GetFromRevision() < 0 {
			return usagef("--from: %d is not a revision; they begin at 1", req.GetFromRevision())
		}
		s := subscriber{app: a, req: req, format: *out}
		if !req.GetFollow() {
			err := s.read(ctx)
			if err == nil && s.shown == 0 && *out == asTable {
				a.warnf("no events\n")
			}
			return err
		}
		return a.keepOn(ctx, func() (int, error) {
			err := s.read(ctx)
			if err == nil {
				err = errEnded
			}
			return s.heard, err
		})
	})
	return cmd
}

type subscriber struct {
	*app
	req          *eventv1.SubscribeRequest
	format       format
	shown, heard int
}

// read shows what one stream brings; the next one goes on after it.
func (s *subscriber) read(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.client().event.Subscribe(ctx, s.req)
	if err != nil {
		return err
	}
	defer stream.Close()
	for stream.Receive() {
		s.heard++
		if body := stream.Msg().GetEvent(); body != "" {
			if err := s.show(body); err != nil {
				return err
			}
			s.shown++
		}
		if c := stream.Msg().GetCursor(); c != "0" {
			s.req.Cursor = c
		}
	}
	return stream.Err()
}

func (s *subscriber) show(body string) error {
	switch s.format {
	case asJSON:
		s.printf("%s\n", body)
	case asYAML:
		if s.shown > 0 {
			s.printf("---\n")
		}
		return errors.Join(s.writeStructured(asYAML, json.RawMessage(body)), s.out.err)
	default:
		var e struct{ Revision, Time, Type, Subject string }
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			return err
		}
		at := e.Time
		if len(at) > 19 {
			at = at[:19] + "Z"
		}
		cells := []string{printable(e.Revision), printable(at), printable(e.Type), printable(e.Subject)}
		if s.shown == 0 {
			s.printf("%s", eventLine(s.width(), []string{"REVISION", "TIME", "TYPE", "ABOUT"}))
		}
		s.printf("%s", eventLine(s.width(), cells))
	}
	return s.out.err
}

// eventLine is a row of the table, whose widths are fixed, as what is still to come
// is not known. A narrow terminal goes without the time and what all types begin
// with, and the rest is cut to it.
func eventLine(width int, cells []string) string {
	const revision, at, typ, about = 8, 20, 47, 20
	row := fmt.Sprintf("%-*s  %-*s  %-*s  %s", revision, cells[0], at, cells[1], typ, cells[2], cells[3])
	if room := width - revision - 4; width > 0 && room < at+2+typ+about {
		short := min(typ, max(6, room-about))
		row = fmt.Sprintf("%-*s  %-*s  %s", revision, cells[0], short, clipMiddle(strings.TrimPrefix(cells[2], "dev.setpoint."), short),
			clipMiddle(cells[3], max(6, room-short)))
	}
	return strings.TrimRight(row, " ") + "\n"
}

package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"connectrpc.com/connect"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// longestPause between two attempts to reach a server that was there before.
const longestPause = 5 * time.Second

// watchGaps shows the comparison again whenever it changes.
func (a *app) watchGaps(ctx context.Context, query *gapv1.EvaluateRequest, f format) error {
	w := watcher{app: a, query: query, format: f}
	return a.keepOn(ctx, func() (int, error) {
		err := w.follow(ctx)
		return w.shown, err
	})
}

// keepOn follows until the user stops it. follow returns how much it has shown
// in all, and why its stream ended. A server that goes away is waited for: a
// watch is left running. So is one that has cut us off because whoever reads our
// output was slow.
func (a *app) keepOn(ctx context.Context, follow func() (shown int, err error)) error {
	pause := a.opts.RetryDelay
	for before := 0; ; {
		shown, err := follow()
		switch {
		case ctx.Err() != nil:
			return exitCode(exitInterrupted)
		case a.out.err != nil:
			return a.out.err
		case shown == 0 || err != nil && !passing(err):
			return err
		}
		if shown > before {
			before, pause = shown, a.opts.RetryDelay
		}
		if tooSlow(err) {
			a.warnf("what was sent was not taken in time, and the server ended the stream; going on where it was in %s\n", pause)
		} else {
			a.warnf("the server is gone; trying again in %s\n", pause)
		}
		select {
		case <-ctx.Done():
			return exitCode(exitInterrupted)
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// passing tells whether a stream that ended may be begun anew: the server has gone, in
// the midst of a message even, or has cut us off for being slow.
func passing(err error) bool {
	if errors.Is(err, errEnded) || connect.CodeOf(err) == connect.CodeUnavailable || tooSlow(err) {
		return true
	}
	var broken net.Error
	return !connect.IsWireError(err) && (errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &broken))
}

// tooSlow tells whether the server says that we did not take what it sent.
func tooSlow(err error) bool {
	var c *connect.Error
	return errors.As(err, &c) && detailOf(c).GetReason() == "event.slow_consumer"
}

// errEnded is a stream that the server ended without saying why, as it does
// when it stops.
var errEnded = errors.New("the server ended the watch")

type watcher struct {
	*app
	query  *gapv1.EvaluateRequest
	format format
	shown  int // results
}

// follow shows what one stream brings; it returns why the stream ended.
func (w *watcher) follow(ctx context.Context) error {
	stream, err := w.client().gap.Watch(ctx, &gapv1.WatchRequest{Query: w.query})
	if err != nil {
		return err
	}
	defer stream.Close()
	for stream.Receive() {
		if err := w.show(stream.Msg().GetResult()); err != nil {
			return err
		}
		w.shown++
	}
	if err := stream.Err(); err != nil {
		return err
	}
	return errEnded
}

// show redraws a terminal; everywhere else each result follows the one before:
// JSON a line each, YAML a document each, CSV under one header.
func (w *watcher) show(res *gapv1.EvaluateResponse) error {
	switch w.format {
	case asJSON:
		raw, err := encode(res, true)
		if err != nil {
			return err
		}
		w.printf("%s\n", raw)
	case asYAML:
		if w.shown > 0 {
			w.printf("---\n")
		}
		return errors.Join(w.writeMessage(asYAML, res), w.out.err)
	case asCSV:
		w.printf("%s", gapsCSV(res, w.query.GetOriginalTargets(), w.shown == 0))
	default:
		w.redraw(renderGaps(res, w.query.GetOriginalTargets(), w.width(), w.colors(w.opts.Stdout)), w.shown == 0)
	}
	return w.out.err
}

// redraw shows a text in place of the one before, or after it where no terminal
// is.
func (a *app) redraw(text string, first bool) {
	switch {
	case a.opts.IsTerminal(a.opts.Stdout):
		a.printf("%s", screen(text, a.opts.Height()))
	case first:
		a.printf("%s", text)
	default:
		a.printf("\n%s", text)
	}
}

// screen is text in place of what is on a terminal of that many rows. What does
// not fit is left out at the end, where the least urgent stands; 0 rows is no
// limit.
func screen(text string, rows int) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if rows > 1 && len(lines) > rows-1 {
		left := len(lines) - (rows - 2)
		lines = append(lines[:rows-2:rows-2], "… "+counted(left, "more line", "more lines"))
	}
	var b bytes.Buffer
	b.WriteString("\x1b[H")
	for _, l := range lines {
		b.WriteString(l + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	return b.String()
}

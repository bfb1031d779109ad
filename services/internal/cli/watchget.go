package cli

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"strings"

	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// reading is what a get has read and not yet shown.
type reading struct {
	// content stands for what was read, without the revision it was read at.
	content string
	write   func() error
}

func contentOf[T proto.Message](list []T) string {
	var b []byte
	for _, m := range list {
		one, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m) // what came from the wire goes back
		b = append(binary.AppendUvarint(b, uint64(len(one))), one...)
	}
	return string(b)
}

// watchGet reads again whenever something of the organization was recorded,
// and shows what has become different.
func (a *app) watchGet(ctx context.Context, f format, read func(context.Context) (reading, error)) error {
	g := getWatcher{app: a, format: f, read: read}
	return a.keepOn(ctx, func() (int, error) {
		err := g.follow(ctx)
		return g.shown, err
	})
}

type getWatcher struct {
	*app
	format format
	read   func(context.Context) (reading, error)
	last   string
	shown  int
}

func (g *getWatcher) follow(ctx context.Context) error {
	// A stream of its own ends with this function, whatever ends it.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := g.client().declaration.Follow(ctx, &declarationv1.FollowRequest{})
	if err != nil {
		return err
	}
	defer stream.Close()
	for stream.Receive() {
		r, err := g.read(ctx)
		if err != nil {
			return err
		}
		if err := g.show(r); err != nil {
			return err
		}
	}
	if err := stream.Err(); err != nil {
		return err
	}
	return errEnded
}

// show is like that of gaps: a terminal is redrawn; elsewhere what is different
// follows: JSON a line each, YAML documents, CSV under one header.
func (g *getWatcher) show(r reading) error {
	text, err := g.capture(r.write)
	if err != nil {
		return err
	}
	content := r.content
	if g.format == asTable || g.format == asCSV {
		content = text // it may hold more than was read, such as a metric's number format
	}
	if g.shown > 0 && content == g.last {
		return nil
	}
	switch g.format {
	case asJSON:
		var line bytes.Buffer
		if err := json.Compact(&line, []byte(text)); err != nil {
			return err
		}
		g.printf("%s\n", line.Bytes())
	case asYAML:
		if g.shown > 0 {
			g.printf("---\n")
		}
		g.printf("%s", text)
	case asCSV:
		if g.shown > 0 {
			_, text, _ = strings.Cut(text, "\n")
		}
		g.printf("%s", text)
	default:
		g.redraw(text, g.shown == 0)
	}
	g.last = content
	g.shown++
	return g.out.err
}

// capture is what write prints, or says if it prints nothing.
func (g *getWatcher) capture(write func() error) (string, error) {
	var text, said bytes.Buffer
	out, stderr := g.out.w, g.opts.Stderr
	g.out.w, g.opts.Stderr = &text, &said
	err := write()
	g.out.w, g.opts.Stderr = out, stderr
	if text.Len() == 0 && g.format == asTable {
		return said.String(), err
	}
	return text.String(), err
}

// Package logging makes the process's log: text or JSON lines on slog, in
// which whatever is said about a request carries its id.
//
// Invariants: no token, no body of a request and nothing personal is ever
// handed to a logger; principals are opaque ids.
package logging

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Formats and Levels are what New knows, as users write them.
var (
	Formats = []string{"text", "json"}
	Levels  = []string{"debug", "info", "warn", "error"}
)

// New makes a logger that writes lines of a format, from a level on.
func New(w io.Writer, format, level string) (*slog.Logger, error) {
	var from slog.Level
	if err := from.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("%q is no level; legal are %s", level, strings.Join(Levels, ", "))
	}
	o := &slog.HandlerOptions{Level: from}
	switch format {
	case "text":
		return WithRequests(slog.New(slog.NewTextHandler(w, o))), nil
	case "json":
		return WithRequests(slog.New(slog.NewJSONHandler(w, o))), nil
	}
	return nil, fmt.Errorf("%q is no format; legal are %s", format, strings.Join(Formats, ", "))
}

// WithRequests makes a logger say which request a line is about, where the
// context knows it.
func WithRequests(l *slog.Logger) *slog.Logger {
	if _, done := l.Handler().(handler); done {
		return l
	}
	return slog.New(handler{l.Handler()})
}

type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(a []slog.Attr) slog.Handler { return handler{h.Handler.WithAttrs(a)} }
func (h handler) WithGroup(name string) slog.Handler   { return handler{h.Handler.WithGroup(name)} }

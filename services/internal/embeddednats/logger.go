package embeddednats

import (
	"context"
	"fmt"
	"log/slog"
)

// slogger passes the server's log on. The server's notices are its start-up
// banner and the like: debug for us.
type slogger struct{ log *slog.Logger }

func (l slogger) write(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, fmt.Sprintf(format, v...), "component", "nats")
	}
}

func (l slogger) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }
func (l slogger) Warnf(format string, v ...any)   { l.write(slog.LevelWarn, format, v) }
func (l slogger) Errorf(format string, v ...any)  { l.write(slog.LevelError, format, v) }
func (l slogger) Fatalf(format string, v ...any)  { l.write(slog.LevelError, format, v) }
func (l slogger) Debugf(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }
func (l slogger) Tracef(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }

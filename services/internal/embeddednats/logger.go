package embeddednats

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// logger passes the server's log on, and the first fatal message also to
// whoever waits for the start: the server itself goes on as if nothing were.
// Its notices are the banner and the like: debug for us.
type logger struct {
	log   *slog.Logger
	fatal chan string
}

func newLogger(log *slog.Logger) logger {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return logger{log.With("component", "nats"), make(chan string, 1)}
}

func (l logger) write(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, fmt.Sprintf(format, v...))
	}
}

// Fatalf is part of the server's Logger interface, as are the others.
func (l logger) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
	l.write(slog.LevelError, format, v)
}

func (l logger) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }
func (l logger) Errorf(format string, v ...any)  { l.write(slog.LevelError, format, v) }
func (l logger) Debugf(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }
func (l logger) Tracef(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }

// Warnf drops the one warning that the server gives at every start: our
// password is random, new each time and never in a file of configuration.
func (l logger) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Plaintext passwords detected") {
		return
	}
	l.write(slog.LevelWarn, format, v)
}

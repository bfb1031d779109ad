package eventlog

import (
	"fmt"
	"strconv"
	"strings"

	"setpoint.dev/services/internal/fault"
)

// Origin is the log, and its revision, that a log was restored from; the zero
// Origin if it was not.
type Origin struct {
	LogID    string
	Revision uint64
}

func (o Origin) String() string { return fmt.Sprintf("%s@%d", o.LogID, o.Revision) }

// Origin is what the log was restored from.
func (l *Log) Origin() Origin { return l.origin }

func parseOrigin(s string) Origin {
	id, revision, found := strings.Cut(s, "@")
	n, err := strconv.ParseUint(revision, 10, 64)
	if !found || err != nil {
		return Origin{}
	}
	return Origin{LogID: id, Revision: n}
}

func restoreUnfinished(stream string) error {
	return fault.New(fault.Rule, "log.restore_unfinished",
		"a restore into stream %s was begun and not finished: the log is not whole", stream).
		WithHint("run setpoint restore again: it begins anew")
}

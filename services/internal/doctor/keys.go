package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"setpoint.dev/services/internal/record"
)

// Keys are those of personal data.
type Keys interface {
	// Bucket tells whether there is a bucket of keys, and which of its settings
	// could lose keys, or keep them from being destroyed.
	Bucket(ctx context.Context) (there bool, unsafe []string, err error)
	// Unfinished are the erasures whose keys are still there; ErrNotLooked where
	// that cannot be told.
	Unfinished(ctx context.Context) ([]record.Erasure, error)
}

// ErrNotLooked says that the keys were not compared with the erasures.
var ErrNotLooked = errors.New("the keys can be compared with the erasures where the service runs")

// examineKeys looks at the bucket of keys, and whether who is erased is.
func (p Patient) examineKeys(ctx context.Context, r *report) {
	if p.Keys == nil {
		return
	}
	add := func(severity Severity, reason, where, message, advice string) {
		r.add(Finding{Severity: severity, Check: "keys", Reason: reason, Where: where, Message: message, Advice: advice})
	}
	switch there, unsafe, err := p.Keys.Bucket(ctx); {
	case err != nil:
		add(Warning, "keys.unreadable", "bucket", "the bucket of keys cannot be looked at: "+err.Error(), "check that the NATS servers run and let setpoint read it")
		return
	case !there:
		add(Warning, "keys.no_bucket", "bucket", "there is no bucket of keys: personal data that was written before cannot be read",
			"restore the keys of each organization from its backup (setpoint person keys restore); the next start makes the bucket")
		return
	case len(unsafe) > 0:
		add(Warning, "personal.bucket_unsafe", "bucket", "the bucket of keys can lose keys, or keep them: "+strings.Join(unsafe, ", "),
			"give it back the settings of ADR 13: somebody changed them")
	}
	unfinished, err := p.Keys.Unfinished(ctx)
	if errors.Is(err, ErrNotLooked) {
		add(OK, "keys.bucket", "bucket", "the bucket of keys is there", "")
		return
	}
	if err != nil {
		add(Warning, "keys.unreadable", "bucket", "the keys cannot be compared with the erasures: "+err.Error(), "check that the NATS servers and the database run, and ask again")
		return
	}
	for _, e := range unfinished {
		add(Warning, "keys.erasure_unfinished", fmt.Sprintf("%s %s/%s", e.Org, e.Kind, e.ID),
			fmt.Sprintf("%s was erased at revision %d, and keys are still there", e.Name, e.Revision),
			"a running server destroys them within a minute; if this stays, its log tells why. Repeat: setpoint person erase "+e.Name)
	}
	if len(unfinished) == 0 {
		add(OK, "keys.bucket", "bucket", "the bucket of keys is there, and nothing is left of the keys of who was erased", "")
	}
}

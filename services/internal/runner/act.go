package runner

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// Identify returns the id of a declared resource. One that the record does not
// know may have been declared a moment ago: then the record first catches up
// with the declarations.
func (r *Runner) Identify(ctx context.Context, org, kind, name string) (id string, err error) {
	look := func(last bool) error {
		return r.record.View(ctx, func(v record.View) error {
			found, err := v.Resource(org, kind, name, v.Revision())
			switch {
			case err != nil:
				return err
			case found != nil:
				id = found.ID
			case last:
				return record.Unknown(v, org, kind, name)
			}
			return nil
		})
	}
	if err := look(false); err != nil || id != "" {
		return id, err
	}
	if err := r.Reach(ctx, eventlog.DeclarationGuard(org), 0); err != nil {
		return "", err
	}
	return id, look(true)
}

// Expect refuses a client who has not seen the newest of an aggregate: expected
// is the revision that it gave, 0 for none, and stands where the aggregate is.
// The fault is Aborted and names who acted since.
func (r *Runner) Expect(ctx context.Context, s eventlog.Subject, expected, stands uint64) error {
	if expected == 0 || stands <= expected {
		return nil
	}
	f := fault.New(fault.Aborted, "command.changed", "expectedRevision is %d, and %s %s stands at %d", expected, s.Kind, s.ID, stands).
		WithHint("read it again and decide anew")
	f.Revision = stands
	f.Intervening = r.Between(ctx, s, expected, typesOf)
	return f
}

// typesOf names the events of an envelope: what they say may be about somebody.
func typesOf(m *eventlog.Record) (out []string) {
	for _, e := range m.Envelope.GetEvents() {
		out = append(out, e.GetType())
	}
	return out
}

// NameOf makes a name of a request id, always the same one, so that a request
// given again finds what it made; a random one where there is no id.
func NameOf(org, requestID string) string {
	if requestID == "" {
		requestID = rand.Text()
	}
	sum := sha256.Sum256([]byte(org + "\x00" + requestID))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
}

// Told is one event of an aggregate, with its personal text opened.
type Told struct {
	Event  proto.Message
	Type   string
	Commit *eventlog.Record
}

// Story reads what happened to an aggregate up to a revision, oldest first; acts
// decode its events, and others are left out.
func (r *Runner) Story(ctx context.Context, s eventlog.Subject, to uint64, acts resource.Acts) ([]Told, error) {
	commits, err := r.Commits(ctx, s, 0)
	if err != nil {
		return nil, err
	}
	var out []Told
	for _, m := range commits {
		if m.Revision > to {
			continue
		}
		for _, e := range m.Envelope.GetEvents() {
			event, err := acts.Decode(e.GetType(), e.GetPayload())
			if err != nil {
				return nil, err
			}
			if event != nil {
				out = append(out, Told{Event: event, Type: e.GetType(), Commit: m})
			}
		}
	}
	return out, nil
}

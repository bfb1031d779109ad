package recordtest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/record"
)

// words are in another order by byte than in most languages.
var words = []string{"a", "B", "b", "a-b", "ab", "é", "z", "~", "Ä", "日本", "a b", ""}

// writeOf is one Write: several commits, as while catching up.
type writeOf struct {
	to      record.Checkpoint
	changes []record.Change
}

// history draws writes that touch every table, with versions, renames, ends,
// corrections and requests of several messages, within and across writes.
func history(t *rapid.T) []writeOf {
	var out []writeOf
	orgs := []string{"acme", "umbrella"}
	type living struct{ org, kind, id string }
	alive := map[living]bool{}
	names := map[[3]string]string{} // org, kind, name → id
	rev := uint64(0)
	for range rapid.IntRange(1, 6).Draw(t, "writes") {
		w := writeOf{}
		for range rapid.IntRange(1, 5).Draw(t, "commits") {
			rev++
			org := rapid.SampledFrom(orgs).Draw(t, "org")
			recorded := start.Add(time.Duration(rev) * time.Millisecond)
			touched := map[living]bool{}
			taken := map[[3]string]bool{}
			values := map[[3]string]bool{}
			for range rapid.IntRange(1, 6).Draw(t, "changes") {
				switch rapid.IntRange(0, 5).Draw(t, "what") {
				case 0: // a version, perhaps under another name
					l := living{org, rapid.SampledFrom([]string{"Unit", "Metric"}).Draw(t, "kind"), rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")}
					name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name")
					n := [3]string{org, l.kind, name}
					if owner, used := names[n]; touched[l] || taken[n] || used && owner != l.id {
						continue
					}
					for k, owner := range names {
						if k[0] == org && k[1] == l.kind && owner == l.id {
							delete(names, k)
						}
					}
					touched[l], taken[n], alive[l], names[n] = true, true, true, l.id
					r := record.Resource{Org: org, Kind: l.kind, Name: name, ID: l.id, From: rev, Recorded: recorded,
						Metadata: &commonv1.Metadata{Name: name, Labels: map[string]string{"k": rapid.SampledFrom(words).Draw(t, "label")}},
						Spec:     &strategyv1.UnitSpec{Title: rapid.SampledFrom(words).Draw(t, "title")},
						Set:      rapid.SampledFrom(words).Draw(t, "set"), Effective: "2026-01-02",
						Principal: "p", Manager: "cli"}
					if l.kind == "Metric" {
						r.Spec = &strategyv1.MetricSpec{Cadence: "yearly", Title: rapid.SampledFrom(words).Draw(t, "title")}
					}
					w.changes = append(w.changes, record.PutResource{Resource: r})
				case 1:
					for l := range alive {
						if l.org != org || touched[l] {
							continue
						}
						touched[l] = true
						delete(alive, l)
						for k, owner := range names {
							if k[0] == org && k[1] == l.kind && owner == l.id {
								delete(names, k)
								taken[k] = true
							}
						}
						w.changes = append(w.changes, record.EndResource{Org: org, Kind: l.kind, ID: l.id, Revision: rev})
						break
					}
				case 2:
					k := [3]string{rapid.SampledFrom([]string{"m", "n"}).Draw(t, "metric"),
						rapid.SampledFrom([]string{"2018-01-01", "2018-02-01", "2018-02-01T10:00:00Z"}).Draw(t, "date"),
						rapid.SampledFrom(words).Draw(t, "source")}
					if values[k] {
						continue
					}
					values[k] = true
					w.changes = append(w.changes, record.PutObservation{Observation: record.Observation{Org: org, MetricID: k[0],
						ObservationKey: record.ObservationKey{At: k[1], Source: k[2]}, From: rev, Recorded: recorded,
						Value: rapid.Float64Range(-1e30, 1e30).Draw(t, "value") + 0, // a zero without sign
						Note:  rapid.SampledFrom(words).Draw(t, "note")}})
				case 3:
					c := record.CheckIn{Org: org, TargetID: fmt.Sprintf("t%d", len(w.changes)), CheckInKey: record.CheckInKey{At: "2026-01-01", Revision: rev},
						Note: rapid.SampledFrom(words).Draw(t, "note"), Clear: rapid.Bool().Draw(t, "clear"), Recorded: recorded, Principal: "p"}
					if rapid.Bool().Draw(t, "confident") {
						n := rapid.IntRange(0, 10).Draw(t, "confidence")
						c.Confidence = &n
					}
					if rapid.Bool().Draw(t, "overrides") {
						c.Override = &record.Override{Status: "at_risk", Reason: "r", Expires: "2026-06-30"}
					}
					w.changes = append(w.changes, record.PutCheckIn{CheckIn: c})
				case 5:
					s := record.State{Org: org,
						Service: rapid.SampledFrom([]string{"initiative", "change"}).Draw(t, "service"), Kind: "life",
						ID: rapid.SampledFrom(words).Draw(t, "of"), From: rev, Recorded: recorded,
						Payload: rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "state")}
					w.changes = append(w.changes, record.PutState{State: s}, record.PutAggregate{Org: s.Org, Service: s.Service, Kind: s.Kind, ID: s.ID,
						Aggregate: record.Aggregate{Sequence: rev, Hash: []byte{byte(rev)}, Revision: rev}})
				case 4:
					w.changes = append(w.changes, record.PutRequest{Request: record.Request{Org: org,
						ID: rapid.SampledFrom(words).Draw(t, "request"), Digest: []byte(org), Revision: rev,
						Recorded: rapid.IntRange(0, 3).Draw(t, "recorded"), Corrected: rapid.IntRange(0, 3).Draw(t, "corrected"),
						Detail: []byte(rapid.SampledFrom(words).Draw(t, "detail"))}})
				}
				w.changes = append(w.changes, record.PutAggregate{Org: org, Service: "strategy", Kind: "k",
					ID: rapid.SampledFrom(words).Draw(t, "aggregate"), Aggregate: record.Aggregate{Sequence: rev, Hash: []byte{byte(rev)}, Revision: rev}})
			}
			w.changes = append(w.changes, record.PutCommit{Org: org, Revision: rev, Recorded: recorded})
		}
		w.to = record.Checkpoint{LogID: "log", Revision: rev, Hash: []byte{1, byte(rev)}}
		out = append(out, w)
	}
	return out
}

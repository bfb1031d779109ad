package eventlog

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// chained are well-formed messages: two commits of two aggregates each.
func chained(t *testing.T) []Stored {
	t.Helper()
	var out []Stored
	previous := map[string][]byte{}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for c := range 3 {
		for i, id := range []string{"a", "b"} {
			d := Draft{
				Subject: Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: id}, PreviousHash: previous[id],
				Events: []Event{{Type: "strategy.metric_declared.v1", Payload: []byte{byte(c)}}},
			}
			body, err := encodeEnvelope(Command{RequestID: fmt.Sprint("r", c)}, d, at.Add(time.Duration(c)*time.Minute), i, 2)
			if err != nil {
				t.Fatal(err)
			}
			previous[id] = hashOf(body)
			m := newMessage(0, Command{RequestID: fmt.Sprint("r", c)}, d, body, true)
			out = append(out, Stored{Sequence: uint64(len(out) + 1), Subject: m.Subject, Headers: ownHeaders(m.Header), Body: body})
		}
	}
	return out
}

// Each kind of damage is told by its name and place, and the audit goes on.
func TestAudit(t *testing.T) {
	for name, c := range map[string]struct {
		alter func([]Stored) []Stored
		last  uint64
		want  []string
	}{
		"whole":       {func(m []Stored) []Stored { return m }, 6, nil},
		"one missing": {func(m []Stored) []Stored { return slices.Delete(m, 2, 3) }, 6, []string{"log.hole 3-3", "log.chain_broken 1-5"}},
		"the end is missing": {func(m []Stored) []Stored { return m[:4] }, 6,
			[]string{"log.hole 5-6"}},
		"half a commit at the end": {func(m []Stored) []Stored { return m[:5] }, 5, []string{"log.commit_unended 5-5"}},
		"altered and well-formed": {func(m []Stored) []Stored {
			m[0].Body = slices.Clone(m[0].Body)
			m[0].Body[len(m[0].Body)-1] ^= 1
			return m
		}, 6, []string{"log.chain_broken 1-3"}},
		"not an envelope": {func(m []Stored) []Stored { m[1].Body = []byte("?"); return m }, 6,
			[]string{"log.envelope_corrupt 2-2", "log.chain_broken 2-4"}},
		"twice": {func(m []Stored) []Stored { return slices.Insert(m, 2, m[1]) }, 6, []string{"log.order 2-2"}},
		"commits mixed": {func(m []Stored) []Stored {
			m[2].Body, m[3].Body, m[2].Subject, m[3].Subject = m[3].Body, m[2].Body, m[3].Subject, m[2].Subject
			return m
		}, 6, []string{"log.commit_torn 3-3"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			a := NewAuditor(0, true, func(d Damage) { got = append(got, fmt.Sprintf("%s %d-%d", d.Reason, d.First, d.Last)) })
			for _, m := range c.alter(chained(t)) {
				a.Check(&m)
			}
			sum := a.Finish(c.last)
			if name == "commits mixed" {
				// More may follow: the second message begins a commit that is cut short.
				if len(got) == 0 || got[0] != c.want[0] {
					t.Errorf("got %v", got)
				}
				return
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if name == "whole" && (sum.Messages != 6 || sum.Commits != 3 || sum.Aggregates != 2 || sum.Revision != 6) {
				t.Errorf("%+v", sum)
			}
		})
	}
}

package recordtest

import (
	"fmt"
	"testing"

	"setpoint.dev/services/internal/record"
)

// said is a check-in on a target: a confidence, with an override until a day
// where expires is not empty.
func said(org, target, at string, confidence int, expires string) func(uint64) record.Change {
	return func(rev uint64) record.Change {
		c := record.CheckIn{Org: org, TargetID: target, CheckInKey: record.CheckInKey{At: at, Revision: rev},
			Confidence: &confidence, Note: "n", Recorded: start, Principal: "p"}
		if expires != "" {
			c.Override = &record.Override{Status: "at_risk", Reason: "r", Expires: expires}
		}
		return record.PutCheckIn{CheckIn: c}
	}
}

func tell(c record.CheckIn) string {
	s := fmt.Sprintf("%s %s %s@%d", c.Org, c.TargetID, c.At, c.Revision)
	if c.Confidence != nil {
		s += fmt.Sprintf(" %d/10", *c.Confidence)
	}
	if o := c.Override; o != nil {
		s += fmt.Sprintf(" %s (%s) to %s", o.Status, o.Reason, o.Expires)
	}
	if c.Clear {
		s += " cleared"
	}
	return s + fmt.Sprintf(" %s %s %v", c.Note, c.Principal, c.Recorded.Equal(start))
}

func checkIns(t *testing.T, open Open) {
	b := newBook(t, open)
	r1 := b.commit(said("acme", "t", "2026-01-10", 7, "2026-06-30"))
	r2 := b.commit(said("acme", "t", "2026-03-10", 3, ""), said("acme", "u", "2026-01-01", 5, ""))
	// Said later about an earlier day.
	r3 := b.commit(said("acme", "t", "2026-02-10", 6, ""), said("umbrella", "t", "2026-02-01", 1, ""))
	r4 := b.commit(func(rev uint64) record.Change {
		return record.PutCheckIn{CheckIn: record.CheckIn{Org: "acme", TargetID: "t", Clear: true,
			CheckInKey: record.CheckInKey{At: "2026-02-10", Revision: rev}, Recorded: start, Principal: "p", Note: "n"}}
	})
	all := []string{
		fmt.Sprintf("acme t 2026-03-10@%d 3/10 n p true", r2),
		fmt.Sprintf("acme t 2026-02-10@%d cleared n p true", r4),
		fmt.Sprintf("acme t 2026-02-10@%d 6/10 n p true", r3),
		fmt.Sprintf("acme t 2026-01-10@%d 7/10 at_risk (r) to 2026-06-30 n p true", r1),
	}
	b.view(func(v record.View) {
		read := func(since, at uint64, before record.CheckInKey, limit int) []string {
			list, err := v.CheckIns("acme", "t", since, at, before, limit)
			if err != nil {
				t.Fatal(err)
			}
			out := []string{}
			for _, c := range list {
				out = append(out, tell(c))
			}
			return out
		}
		none := record.CheckInKey{}
		equal(t, "all", read(0, r4, none, 0), all)
		equal(t, "as of r3", read(0, r3, none, 0), []string{all[0], all[2], all[3]})
		equal(t, "as of r1", read(0, r1, none, 0), all[3:])
		equal(t, "before any", len(read(0, 0, none, 0)), 0)
		equal(t, "since r3", read(r3, r4, none, 0), all[1:3])
		equal(t, "a page", read(0, r4, none, 2), all[:2])
		equal(t, "the next page", read(0, r4, record.CheckInKey{At: "2026-02-10", Revision: r4}, 2), all[2:])

		every := func(org string, at uint64) []string {
			out := []string{}
			if err := v.AllCheckIns(org, at, func(c record.CheckIn) error {
				out = append(out, tell(c))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return out
		}
		other := fmt.Sprintf("acme u 2026-01-01@%d 5/10 n p true", r2)
		equal(t, "everything", every("acme", r4), []string{all[3], all[2], all[1], all[0], other})
		equal(t, "everything as of r2", every("acme", r2), []string{all[3], all[0], other})
		equal(t, "another organization", every("umbrella", r4), []string{fmt.Sprintf("umbrella t 2026-02-01@%d 1/10 n p true", r3)})
	})
}

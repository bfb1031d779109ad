package breadth_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// What is expected is computed with these few definitions only.

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

func dayOf(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func text(d time.Time) string { return d.Format(time.DateOnly) }

// days from a to b.
func days(a, b time.Time) int { return int(b.Sub(a).Hours() / 24) }

// half of a period's days, rounded up: what a value of the period before it
// may be late by, unless a metric says otherwise.
func half(n int) int { return (n + 1) / 2 }

// is makes a number that is known.
func is(v float64) *float64 { return &v }

// expectation is what a target's comparison must be; a nil number is one that
// must be absent.
type expectation struct {
	status, lastKnown string // lastKnown "" unless stale
	stale, pending    bool

	direction, period string
	actual, baseline  *float64
	target            *float64
	expected, now     *float64
	gap, drift, share *float64
	progress, score   *float64
	scoreToo          bool // score is defined for this form
}

// known says whether a roll-up may count the target.
func (e expectation) known() bool { return e.status != "no_data" && e.status != "not_started" }

func green(status string) bool { return status == "on_track" || status == "achieved" }

// aged is what time does to a verdict: awaiting is the day by which the value
// that decides for good should be there (zero: the end has not come), fresh
// the last day on which the data is not overdue.
func (e *expectation) aged(asOf, awaiting, fresh time.Time) {
	if !awaiting.IsZero() {
		e.pending = true
		if asOf.After(awaiting) {
			e.stale, e.lastKnown, e.status = true, e.status, "no_data"
			return
		}
	}
	if asOf.After(fresh) {
		e.stale, e.lastKnown = true, e.status
		if green(e.status) {
			e.status = "no_data"
		}
	}
}

// part is what a roll-up is made of.
type part struct {
	status          string
	weight, known   float64
	score, progress *float64
}

// asPart is a target as a part, where health is its status and not its score.
func (e expectation) asPart(weight float64) part {
	p := part{status: e.status, weight: weight, known: 1}
	switch e.status {
	case "on_track", "achieved":
		p.score = is(1)
	case "at_risk":
		p.score = is(.5)
	case "off_track", "missed":
		p.score = is(0)
	}
	if e.progress != nil {
		p.progress = is(math.Min(1, math.Max(0, *e.progress)))
	}
	return p
}

// rolled is a weighted summary.
type rolled struct {
	status          string
	score, progress *float64
	known           float64
	targets         int
	counts          map[string]int
}

// roll takes the weighted mean of the parts that are known. What has not
// started counts for nothing; what has no data lowers the known share, and
// below a half of it there is no status and no score.
func roll(parts []part, onTrack, atRisk float64) rolled {
	var all, known, judged, sum, progress float64
	started, everyProgress := false, true
	for _, p := range parts {
		if p.status == "not_started" {
			continue
		}
		started = true
		all += p.weight
		if p.status == "no_data" {
			continue
		}
		known += p.weight * p.known
		judged += p.weight
		sum += p.weight * *p.score
		if p.progress == nil {
			everyProgress = false
		} else {
			progress += p.weight * *p.progress
		}
	}
	r := rolled{status: "no_data"}
	if len(parts) > 0 && !started {
		r.status = "not_started"
		return r
	}
	if all > 0 {
		r.known = known / all
	}
	if judged == 0 || r.known < .5-1e-9 {
		return r
	}
	r.score = is(sum / judged)
	if everyProgress {
		r.progress = is(progress / judged)
	}
	switch {
	case *r.score >= onTrack-1e-9:
		r.status = "on_track"
	case *r.score >= atRisk-1e-9:
		r.status = "at_risk"
	default:
		r.status = "off_track"
	}
	return r
}

// asPart is a roll-up as a part of the next one.
func (r rolled) asPart(weight float64) part {
	return part{status: r.status, weight: weight, known: r.known, score: r.score, progress: r.progress}
}

// differences collects what is not as expected; thousands are compared, so
// only the first are told.
type differences struct {
	testing.TB
	where string
	n     int
}

func (d *differences) add(format string, args ...any) {
	d.Helper()
	if d.n++; d.n <= 12 {
		d.Errorf("%s: "+format, append([]any{d.where}, args...)...)
	}
}

func (d *differences) end() {
	d.Helper()
	if d.n > 12 {
		d.Errorf("%s: %d differences in all", d.where, d.n)
	}
}

// number compares two numbers that may be absent, to a billionth of size.
func (d *differences) number(name, what string, got, want *float64, size float64) {
	d.Helper()
	switch {
	case got == nil && want == nil:
	case got == nil:
		d.add("%s: %s is absent, want %v", name, what, *want)
	case want == nil:
		d.add("%s: %s is %v, want none", name, what, *got)
	case math.IsNaN(*got) || math.Abs(*got-*want) > 1e-9*math.Max(size, math.Abs(*want)):
		d.add("%s: %s is %v, want %v", name, what, *got, *want)
	}
}

func (d *differences) equal(name, what string, got, want any) {
	d.Helper()
	if got != want {
		d.add("%s: %s is %v, want %v", name, what, got, want)
	}
}

// target compares one target with what is expected of it.
func (d *differences) target(g *gapv1.TargetGap, e expectation) {
	d.Helper()
	name := g.GetName()
	d.equal(name, "status", g.GetStatus(), e.status)
	d.equal(name, "stale", g.GetStale(), e.stale)
	d.equal(name, "last known status", g.GetLastKnownStatus(), e.lastKnown)
	d.equal(name, "known", g.GetKnown(), e.known())
	d.equal(name, "direction", g.GetDirection(), e.direction)
	d.equal(name, "period", g.GetPeriod(), e.period)
	pending := false
	for _, c := range g.GetConditions() {
		pending = pending || c == "FinalPending"
	}
	d.equal(name, "final pending", pending, e.pending)

	size := 0.0
	for _, v := range []*float64{e.actual, e.target, e.baseline} {
		if v != nil {
			size = math.Max(size, math.Abs(*v))
		}
	}
	d.number(name, "actual", g.Actual, e.actual, 0)
	d.number(name, "baseline", g.Baseline, e.baseline, 0)
	d.number(name, "target", g.Target, e.target, size)
	d.number(name, "expected", g.Expected, e.expected, size)
	d.number(name, "expected now", g.ExpectedNow, e.now, size)
	d.number(name, "gap", g.Gap, e.gap, size)
	d.number(name, "drift", g.Drift, e.drift, size)
	d.number(name, "share", g.Share, e.share, 1)
	d.number(name, "progress", g.Progress, e.progress, 1)
	if e.scoreToo {
		d.number(name, "score", g.Score, e.score, 1)
	}
	if g.Score != nil && (g.GetScore() < 0 || g.GetScore() > 1) {
		d.add("%s: score %v is not clamped", name, g.GetScore())
	}
	if g.GetExplanation().GetRule() == "" || len(g.GetExplanation().GetRevisions()) == 0 {
		d.add("%s: the status is not explained: %v", name, g.GetExplanation())
	}
}

// rollUp compares an objective or a strategy.
func (d *differences) rollUp(g *gapv1.RollUp, e rolled) {
	d.Helper()
	name := g.GetName()
	d.equal(name, "status", g.GetStatus(), e.status)
	d.number(name, "score", g.Score, e.score, 1)
	d.number(name, "progress", g.Progress, e.progress, 1)
	d.number(name, "known share", &g.Known, &e.known, 1)
	d.equal(name, "targets", int(g.GetTargets()), e.targets)
	total := 0
	for status, n := range g.GetCounts() {
		d.equal(name, "number "+status, int(n), e.counts[status])
		total += int(n)
	}
	d.equal(name, "number of statuses", total, e.targets)
}

// count adds a target's status to a roll-up's counts.
func (r *rolled) count(statuses ...string) {
	if r.counts == nil {
		r.counts = map[string]int{}
	}
	for _, s := range statuses {
		r.counts[s]++
		r.targets++
	}
}

// tally is a line of numbers by name for the log.
func tally(m map[string]int) string { return fmt.Sprint(m) }

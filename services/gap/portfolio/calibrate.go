package portfolio

import (
	"time"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
)

// mostTrials is of how many ends of targets, and of their periods, what was expected
// is made anew, the latest.
const mostTrials = 500

// Calibration scores what was expected of the targets whose end is known: forecasts
// made anew from what was on record at the end of each day that is asked about, and
// what owners said by then. p and r are what is known at the revision of p.
func Calibration(v record.View, org string, p gap.Portfolio, r gap.Result, policy gap.Policy) (gap.Calibration, error) {
	trials := gap.Trials(p, r)
	left := 0
	if most := mostTrials * len(gap.Leads); len(trials) > most {
		left = (len(trials) - most) / len(gap.Leads)
		trials = trials[:most]
	}
	if len(trials) == 0 {
		return gap.Calibration{}, nil
	}
	zone := record.Location(v, org, p.Revision)
	ids, _, err := IDs(v, org, "Target", p.Revision)
	if err != nil {
		return gap.Calibration{}, err
	}
	targets, metrics := map[string]gap.Target{}, map[string]gap.Metric{}
	for _, t := range p.Targets {
		targets[t.Name] = t
	}
	for _, m := range p.Metrics {
		metrics[m.Name] = m
	}
	said := map[string][]record.CheckIn{}
	var scored []gap.Scored
	for _, trial := range trials {
		at, err := v.RevisionAt(endOfDay(trial.Day, zone))
		if err != nil {
			return gap.Calibration{}, err
		}
		at = min(at, p.Revision)
		then, known, err := asKnown(v, org, at, targets[trial.Target], metrics)
		if err != nil {
			return gap.Calibration{}, err
		}
		s := trial.Score(then, policy)
		s.Hindsight = !known
		if _, read := said[trial.Target]; !read {
			list, err := v.CheckIns(org, ids[trial.Target], 0, p.Revision, record.CheckInKey{}, 0)
			if err != nil {
				return gap.Calibration{}, err
			}
			said[trial.Target] = list
		}
		s.Confidence, s.SaidLater = confidence(said[trial.Target], trial, at)
		scored = append(scored, s)
	}
	out := gap.Calibrate(scored)
	out.LeftOut = left
	return out, nil
}

// confidence is what was last said of a trial by its day, from 0 to 1, newest first;
// nil if nothing was. What was on record by then, at a revision, counts before what
// was recorded about that time when more was known, which is told by later.
func confidence(list []record.CheckIn, t gap.Trial, at uint64) (share *float64, later bool) {
	for _, c := range list {
		if !t.SaidFrom.IsZero() && c.At < t.SaidFrom.String() {
			break
		}
		if c.Confidence == nil || c.At > t.Day.String() || share != nil && c.Revision > at {
			continue
		}
		x := float64(*c.Confidence) / 10
		if c.Revision <= at {
			return &x, false
		}
		share, later = &x, true
	}
	return share, later
}

// asKnown is what was known of one target at a revision, by what its metric is
// declared to be now. Where nothing of it was on record, because years were loaded
// at once, it is what is known now, of which the evaluation looks at the past only.
func asKnown(v record.View, org string, at uint64, t gap.Target, metrics map[string]gap.Metric) (p gap.Portfolio, known bool, err error) {
	var versions []gap.Setpoint
	for _, x := range t.Versions {
		if x.Revision <= at {
			versions = append(versions, x)
		}
	}
	known = len(versions) > 0
	if known {
		t.Versions = versions
	}
	names := []string{t.Metric}
	if r := metrics[t.Metric].Ratio; r != nil {
		names = append(names, r.Numerator, r.Denominator)
	}
	p = gap.Portfolio{Revision: at, Targets: []gap.Target{t}}
	values := 0
	for _, name := range names {
		m, ok := metrics[name]
		if !ok {
			continue
		}
		if known {
			if err := Observe(v, org, m.ID, at, &m); err != nil {
				return p, known, err
			}
			values += len(m.Observations)
		}
		p.Metrics = append(p.Metrics, m)
	}
	if known && values == 0 {
		p.Metrics = p.Metrics[:0]
		for _, name := range names {
			if m, ok := metrics[name]; ok {
				p.Metrics = append(p.Metrics, m)
			}
		}
		known = false
	}
	return p, known, nil
}

// endOfDay is the last instant of a day.
func endOfDay(day calendar.Date, zone *time.Location) time.Time {
	next := day.AddDays(1)
	return time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, zone).Add(-time.Nanosecond)
}

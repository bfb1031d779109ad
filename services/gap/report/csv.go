package report

import (
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/sheet"
)

// csvColumns only grow at the end: people address them by position, too.
var csvColumns = []string{
	"target", "title", "objective", "objective_title", "strategy", "owner", "unit", "metric", "metric_unit",
	"form", "direction", "status", "status_word", "reason", "stale", "last_known_status", "conditions",
	"override_status", "override_reason", "override_expires", "confidence",
	"period", "actual", "actual_at", "baseline", "target_value", "lower", "upper", "due", "expected", "expected_now",
	"gap", "drift", "share", "target_drift", "progress", "score", "weight", "summary", "notes", "rule", "revisions",
	"override", "override_expires", "override_reason", "confidence",
	"as_of", "revision", "policy", "original_targets", "sha256", "erasure_epoch",
}

// coverageColumns follow where initiatives are declared.
var coverageColumns = []string{"initiatives", "covered", "covered_if_ready", "unfunded", "stays_open", "unmeasured", "covered_by"}

// readyColumns are the last, as they came last, where initiatives are declared.
var readyColumns = []string{"covered_by_if_ready"}

// calibrationColumns follow where targets or periods have ended: how well what was
// expected by the owner unit of the target came true.
var calibrationColumns = []string{
	"unit_forecasts", "unit_brier", "unit_base_brier", "unit_mean_probability", "unit_reached", "unit_in_80", "unit_in_95", "unit_confidences", "unit_confidence_brier",
}

// CSV is every target of d, one row each, worst first, for a spreadsheet: raw
// numbers in the metric's own unit (a percentage is a fraction), empty where a
// number is not known; gap, drift and share are positive where it is behind.
// Texts that would run as formulas are made inert (see package sheet). The last
// columns repeat what identifies the document; sha256 is that of JSON.
func CSV(d Document) []byte {
	columns, covered := csvColumns, map[string]CoveredTarget{}
	if d.Coverage != nil {
		columns = append(slices.Clone(columns), coverageColumns...)
		covered = byName(d.Coverage.Targets, func(c CoveredTarget) string { return c.Target })
	}
	forecast, said := map[string]Calibrated{}, map[string]Calibrated{}
	if c := d.Calibration; c != nil {
		columns = append(slices.Clone(columns), calibrationColumns...)
		forecast, said = byName(c.Units, unitName), byName(c.Said, unitName)
	}
	if d.Coverage != nil {
		columns = append(columns, readyColumns...)
	}
	s := sheet.New(columns...)
	sum := d.SHA256()
	for i := range d.Targets {
		t := &d.Targets[i]
		for _, text := range []string{
			t.Name, t.Title, t.Objective, t.ObjectiveTitle, t.Strategy, t.Owner, t.Unit, t.Metric.Name, t.Metric.Unit,
			string(t.Form), t.Direction, string(t.Status), statusWord(t.Status).Text, t.Reason,
		} {
			s.Text(text)
		}
		s.Bool(t.Stale)
		s.Text(string(t.LastKnownStatus))
		s.Text(strings.Join(t.Conditions, "; "))
		o := t.Override
		if o == nil {
			o = &Override{}
		}
		s.Text(string(o.Status))
		s.Text(o.Reason)
		s.Text(dateOrNone(o.Expires))
		if t.Confidence != nil {
			s.Integer(int64(*t.Confidence))
		} else {
			s.Text("")
		}
		s.Text(t.Period)
		s.Number(t.Actual)
		s.Text(dateOrNone(t.ActualAt))
		for _, v := range []*float64{t.Baseline, t.Target, t.Lower, t.Upper} {
			s.Number(v)
		}
		s.Text(dateOrNone(t.Due))
		for _, v := range []*float64{t.Expected, t.ExpectedNow, t.Gap, t.Drift, t.Share, t.TargetDrift, t.Progress, t.Score, &t.Weight} {
			s.Number(v)
		}
		s.Text(t.Summary)
		s.Text(noteLine(t.Notes))
		s.Text(t.Explanation.Rule)
		s.Text(strings.ReplaceAll(t.Explanation.revisions(), ", ", " "))
		says(s, t)
		s.Text(dateOrNone(d.AsOf))
		s.Text(uint64String(d.Revision))
		s.Text(d.Policy)
		s.Bool(d.Original)
		s.Text(sum)
		s.Integer(int64(d.ErasureEpoch))
		if d.Coverage != nil {
			covers(s, covered[t.Name])
		}
		if d.Calibration != nil {
			calibrates(s, forecast[t.Unit], said[t.Unit])
		}
		if d.Coverage != nil {
			coversIfReady(s, covered[t.Name])
		}
		s.End()
	}
	return s.Bytes()
}

// covers is what closes the gap of a target.
func covers(s *sheet.Sheet, c CoveredTarget) {
	var names []string
	for _, p := range c.Parts {
		names = append(names, p.Initiative)
	}
	s.Text(strings.Join(names, "; "))
	if names == nil {
		s.Number(nil)
	} else {
		s.Number(&c.Expected)
	}
	s.Number(c.Ready)
	s.Number(c.Unfunded)
	s.Number(c.Residual)
	s.Text(strings.Join(c.Unmeasured, "; "))
	var by []string
	for _, p := range c.Parts {
		by = append(by, p.Initiative+"="+strconv.FormatFloat(p.Expected, 'g', -1, 64))
	}
	s.Text(strings.Join(by, "; "))
}

// coversIfReady is what each initiative is expected to add with people as ready as
// they are: initiative=amount, and nothing behind the sign where they were not measured.
func coversIfReady(s *sheet.Sheet, c CoveredTarget) {
	var by []string
	for _, p := range c.Parts {
		text := p.Initiative + "="
		if p.Ready != nil {
			text += strconv.FormatFloat(*p.Ready, 'g', -1, 64)
		}
		by = append(by, text)
	}
	s.Text(strings.Join(by, "; "))
}

func unitName(c Calibrated) string { return c.Name }

// calibrates is how well what was expected by a unit came true.
func calibrates(s *sheet.Sheet, forecast, said Calibrated) {
	s.Integer(int64(forecast.N))
	for _, v := range []*float64{forecast.Brier, forecast.BaseBrier, forecast.Mean, forecast.BaseRate, forecast.Within80, forecast.Within95} {
		s.Number(v)
	}
	s.Integer(int64(said.N))
	s.Number(said.Brier)
}

// says is what people say about t.
func says(s *sheet.Sheet, t *Target) {
	var o Override
	if t.Override != nil {
		o = *t.Override
	}
	s.Text(string(o.Status))
	s.Text(dateOrNone(o.Expires))
	s.Text(o.Reason)
	var confidence *float64
	if t.Confidence != nil {
		n := float64(*t.Confidence)
		confidence = &n
	}
	s.Number(confidence)
}

// noteLine is all notes on one line, each with what it is about.
func noteLine(notes []Note) string {
	parts := make([]string, len(notes))
	for i, n := range notes {
		about := n.About
		if !n.At.IsZero() {
			about += " " + n.At.String()
		}
		parts[i] = about + ": " + n.Text
	}
	return strings.Join(parts, "; ")
}

func dateOrNone(d calendar.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
)

// metric decides how the measure's values are kept, and gives its values out.
func (f *finisher) metric(m *measure, name string) *strategyv1.MetricSpec {
	d := m.defaults
	if a := f.aggregation(m); a != "" {
		d.Aggregation = a
	}
	s := &strategyv1.MetricSpec{
		Title: f.fit(m.title, "title", name, 1000), Description: f.fit(m.description, "description", name, 20000),
		Note:  f.fit(strings.Join(m.notes, "\n"), "note", name, 20000),
		Owner: f.owner(m), Aggregation: d.Aggregation, Accumulate: d.Accumulate,
	}
	if f.m.FiscalYearStart > 1 {
		s.FiscalYearStart = int32(f.m.FiscalYearStart)
	}
	convert := f.unit(m, s)
	coarsest, finest := calendar.Cadence(""), calendar.Cadence("")
	for i := range m.observed {
		o := &m.observed[i]
		if o.point {
			continue
		}
		if coarsest == "" || coarsest.Finer(o.cadence) {
			coarsest = o.cadence
		}
		if finest == "" || o.cadence.Finer(finest) {
			finest = o.cadence
		}
	}
	target := calendar.Cadence("")
	for _, byPeriod := range m.targets {
		for _, t := range byPeriod {
			if target == "" || target.Finer(t.period.Cadence) {
				target = t.period.Cadence
			}
		}
	}
	cadence := calendar.Cadence(d.Cadence)
	if cadence == "" {
		cadence = target
	}
	if cadence == "" {
		cadence = coarsest
	}
	if cadence == "" {
		cadence = calendar.Yearly
	}
	s.Cadence = string(cadence)
	kept := cadence
	if d.Aggregation != "" && finest != "" && finest.Finer(cadence) {
		kept = finest
		s.ReportedEvery = string(finest)
	}
	slices.SortFunc(m.observed, func(a, b observed) int {
		return cmp.Or(a.day.Compare(b.day), cmp.Compare(a.cadence, b.cadence))
	})
	finer := map[calendar.Date]bool{} // the last days of values of the kept cadence
	for _, o := range m.observed {
		if o.cadence == kept && !o.disputed {
			finer[o.day] = true
		}
	}
	for i := range m.observed {
		o := &m.observed[i]
		f.newest = max(f.newest, o.edition)
		v, why := convert(o.value, o.origin.percent)
		switch spoken := m.spoken(o.origin); {
		case spoken != "":
			why = spoken
		case o.disputed:
			why = "another cell contradicts it: neither is taken"
		case o.point && o.cadence == calendar.Daily && d.Aggregation == "sum":
			why = "it is of one day, and the measure's values are added up"
		case why != "" || o.point || o.cadence == kept:
		case o.cadence.Finer(kept):
			why = fmt.Sprintf("it is a %s value, but the measure has %s ones: aggregation or aggregations in the mapping say how they become one", o.cadence, kept)
		case !finer[o.day] && (d.Cadence != "" && d.Aggregation == "" || d.Aggregation == "last"):
			// The value at the end of the longer period is that of the shorter one.
		default:
			why = fmt.Sprintf("it is a %s value, but %s ones are read", o.cadence, kept)
		}
		if why != "" {
			f.report(o.origin, display(o.value), why)
			continue
		}
		f.horizonOf(o.day)
		f.out.Observations = append(f.out.Observations, Observation{Metric: name, At: o.day, Value: v, Source: f.m.SourceName(), Note: o.origin.remark()})
	}
	m.observed, m.at = nil, nil // 1M cells: what is given out is not held twice
	return s
}

// aggregation is what the mapping says of the measure, by its title or else by
// its unit.
func (f *finisher) aggregation(m *measure) string {
	if len(f.m.Aggregations) == 0 {
		return ""
	}
	if f.aggregations == nil {
		f.aggregations = map[string]string{}
		for word, a := range f.m.Aggregations {
			f.aggregations[foldTitle(word)] = a
		}
	}
	return cmp.Or(f.aggregations[foldTitle(m.title)], f.aggregations[foldTitle(m.said)])
}

// unit sets how values are shown, and gives what makes a value of a number: why
// is set where it cannot be told what the number is.
func (f *finisher) unit(m *measure, s *strategyv1.MetricSpec) func(v float64, percent bool) (float64, string) {
	said := isPercent(m.said)
	asIs := func(v float64, percent bool) (float64, string) {
		switch {
		case !percent:
			return v, ""
		case said && m.largest > 1.5:
			// The others cannot be fractions: 95 and 95 % are the same here.
			p, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 64)+"e2", 64)
			return p, ""
		}
		return v, "it has a per cent sign, and most values of the measure have none: is it a change?"
	}
	switch {
	case m.isYes():
		s.Unit, s.Format = f.fit(m.said, "unit", m.title, 100), "boolean"
		if s.Unit == "" {
			s.Unit = "yes/no"
		}
		return asIs
	case m.ratios > 0:
		s.Unit = f.fit(m.ratioUnit(), "unit", m.title, 100)
		return asIs
	case m.percent && m.said != "" && !said:
		// "97% of calls": the unit names what the share is of.
		s.Unit, s.Format = "fraction", "percent"
	case m.percent, said && m.defaults.Percent != "":
		s.Unit, s.Format = "fraction", "percent"
	case said:
		s.Unit = "%"
		return asIs
	default:
		s.Unit = f.fit(m.said, "unit", m.title, 100)
		currency := m.currency
		if c, ok := currencies[strings.ToUpper(strings.TrimSpace(m.said))]; ok && currency == "" {
			currency = c
		}
		if currency != "" {
			s.Format, s.Currency = "currency", currency
			if s.Unit == "" || currencies[strings.ToUpper(strings.TrimSpace(m.said))] != "" {
				s.Unit = currency
			}
		}
		return asIs
	}
	return func(v float64, percent bool) (float64, string) {
		switch {
		case percent || v == 0 || m.defaults.Percent == "fraction":
			return v, ""
		case m.defaults.Percent == "points":
			p, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 64)+"e-2", 64)
			return p, ""
		}
		return v, "other values of the measure are percentages, and this one has no per cent sign: percent in the mapping says what it is"
	}
}

var currencies = map[string]string{
	"USD": "USD", "EUR": "EUR", "GBP": "GBP", "CHF": "CHF", "BRL": "BRL", "MXN": "MXN", "JPY": "JPY", "INR": "INR", "CAD": "CAD", "AUD": "AUD",
	"SEK": "SEK", "NOK": "NOK", "DKK": "DKK", "PLN": "PLN", "ZAR": "ZAR", "COP": "COP", "CLP": "CLP", "PEN": "PEN", "ARS": "ARS", "CNY": "CNY",
	"$": "USD", "€": "EUR", "£": "GBP", "US$": "USD", "R$": "BRL", "₹": "INR", "DOLLARS": "USD", "EURO": "EUR", "EUROS": "EUR",
}

func (f *finisher) owner(m *measure) string {
	switch {
	case m.owner != "":
		return m.owner
	case m.ownerUnit != nil && f.m.Declares("Unit"):
		return "unit/" + f.unitName[m.ownerUnit.id]
	case m.defaults.Owner != "":
		return m.defaults.Owner
	case m.unit != nil && f.m.Declares("Unit"):
		return "unit/" + f.unitName[m.unit.id]
	}
	return ""
}

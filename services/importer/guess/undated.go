package guess

import (
	"fmt"
	"strings"

	"setpoint.dev/services/importer/mapping"
)

const noPeriodOf = "which period are the values of: "

// undated asks for the period of columns without one, beside columns that have
// one: their values cannot be read without it.
func (p *Proposal) undated() {
	if len(p.Of(Period))+len(p.Of(mapping.Year))+len(p.Of(TargetAt)) > 0 || !p.Wide() {
		return
	}
	var names []string
	for _, r := range []Role{Target, Actual, Value, Min, Max} {
		for _, c := range p.Of(r) {
			names = append(names, fmt.Sprintf("%q", c.Header))
		}
	}
	if len(names) > 0 {
		p.Questions = append(p.Questions, noPeriodOf+strings.Join(names, ", ")+"? Their headers do not say it (period of the column, or defaults.period), and nothing is read without it")
	}
}

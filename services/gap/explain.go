package gap

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// say adds a sentence to the rule.
func (c *comparison) say(format string, args ...any) {
	if c.explain {
		c.clauses = append(c.clauses, fmt.Sprintf(format, args...))
	}
}

// input names a number, a word or a date that the status rests on. A nil
// number is left out: what is not known is absent.
func (c *comparison) input(name string, value any) {
	if !c.explain {
		return
	}
	switch v := value.(type) {
	case *float64:
		if v != nil {
			c.inputs = append(c.inputs, Input{name, *v})
		}
	case string:
		if v != "" {
			c.inputs = append(c.inputs, Input{name, v})
		}
	case float64:
		if finite(v) {
			c.inputs = append(c.inputs, Input{name, v})
		}
	default:
		c.inputs = append(c.inputs, Input{name, v})
	}
}

// rest adds the revision of a declaration the status rests on.
func (c *comparison) rest(revision uint64) {
	if c.explain && revision != 0 {
		c.rests = append(c.rests, revision)
	}
}

// restOn adds the revisions of a period's observations.
func (c *comparison) restOn(p *span) {
	if !c.explain {
		return
	}
	c.s.each(p.Start, p.End, func(o *Observation) { c.rest(o.Revision) })
}

// restOnMetric adds the revisions of the metric, and of those it divides.
func (c *comparison) restOnMetric() {
	c.rest(c.s.m.Revision)
	if q := c.s.ratio; q != nil {
		c.rest(q.num.m.Revision)
		c.rest(q.den.m.Revision)
	}
}

// finish writes the explanation down.
func (c *comparison) finish() {
	if !c.explain {
		return
	}
	r := c.r
	inputs := []Input{{"as of", c.asOf.String()}}
	if r.Direction != Undirected {
		inputs = append(inputs, Input{"direction", r.Direction.String()})
	}
	if r.Actual != nil {
		inputs = append(inputs, Input{"actual", *r.Actual}, Input{"actual at", r.ActualAt.String()})
	}
	if r.Expected != nil {
		inputs = append(inputs, Input{"expected", *r.Expected})
	}
	slices.Sort(c.rests)
	r.Explanation = Explanation{
		Rule:      strings.Join(c.clauses, " "),
		Inputs:    append(inputs, c.inputs...),
		Revisions: slices.Clone(slices.Compact(c.rests)),
	}
}

// String is increase, decrease or "".
func (d Direction) String() string {
	switch d {
	case Increase:
		return "increase"
	case Decrease:
		return "decrease"
	}
	return ""
}

// number shows a value in the format of the metric.
func (c *comparison) number(v float64) string {
	if c.s == nil {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return FormatValue(c.s.m.Format, v)
}

func percent(v float64) string {
	return FormatValue(Format{Style: "percent"}, v)
}

// title begins a sentence with a status.
func title(s Status) string {
	w := words(s)
	if w == "" {
		return ""
	}
	return strings.ToUpper(w[:1]) + w[1:]
}

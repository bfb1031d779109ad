package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
)

// Coverage is how far initiatives in progress close the gaps.
type Coverage struct {
	Sentence string          `json:"sentence"`
	Targets  []CoveredTarget `json:"targets"` // that an initiative in progress contributes to
	// Objectives are those of Targets, in the order of the document.
	Objectives []CoveredObjective `json:"objectives,omitempty"`
	// Unserved are targets with a gap, or of which it is not known, that no
	// initiative in progress or completed contributes to, worst first.
	Unserved []string `json:"unserved"`
	// ServingNothing are initiatives, not cancelled, that contribute to no target.
	ServingNothing []string `json:"servingNothing"`
}

// CoveredTarget is the gap of one target and what is expected to close it.
// Amounts are in the metric's unit; absent ones are not known.
type CoveredTarget struct {
	Target string `json:"target"`
	Title  string `json:"title"`
	// Gap is absent if it is not known; at 0 or below there is nothing to cover.
	Gap        *float64 `json:"gap,omitempty"`
	Expected   float64  `json:"expected"`             // amount × ramp × delivery (heuristic)
	Share      *float64 `json:"share,omitempty"`      // of the gap
	Ready      *float64 `json:"ready,omitempty"`      // with adoption (heuristic); absent where people are unmeasured
	ReadyShare *float64 `json:"readyShare,omitempty"` // of the gap
	Unfunded   *float64 `json:"unfunded,omitempty"`   // the part of the gap that nothing in progress is meant to close
	Residual   *float64 `json:"residual,omitempty"`   // what stays open, adoption counted; the least it can be where people are unmeasured
	Unmeasured []string `json:"unmeasured,omitempty"` // titles of initiatives
	Parts      []Part   `json:"parts"`
}

// Part is what one initiative is expected to add.
type Part struct {
	Initiative string   `json:"initiative"`
	Title      string   `json:"title"`
	Expected   float64  `json:"expected"`
	Ready      *float64 `json:"ready,omitempty"`
	Delivery   float64  `json:"delivery"`
	Ramp       float64  `json:"ramp"` // the share of its amount still to come by the due date
	Adoption   *float64 `json:"adoption,omitempty"`
}

func (b *builder) coverage(chosen []gap.Initiative, targets []Target) *Coverage {
	out := &Coverage{Targets: []CoveredTarget{}, Unserved: []string{}, ServingNothing: []string{}}
	covered := byName(gap.Cover(b.result, chosen), func(c gap.Coverage) string { return c.Target })
	titles, done := map[string]string{}, map[string]bool{}
	for _, i := range chosen {
		titles[i.Name] = cmp.Or(tidy(i.Title), i.Name)
		if len(i.Contributions) == 0 && i.Stage != "cancelled" {
			out.ServingNothing = append(out.ServingNothing, i.Name)
		}
		for _, c := range i.Contributions {
			done[c.Target] = done[c.Target] || i.Stage == "completed"
		}
	}
	open, full := 0, 0
	for k := range targets {
		t := &targets[k]
		c := covered[t.Name]
		behind := t.Gap != nil && *t.Gap > 0
		if behind {
			open++
		}
		if len(c.Covered) == 0 {
			if !done[t.Name] && (t.Gap == nil || behind) {
				out.Unserved = append(out.Unserved, t.Name)
			}
			continue
		}
		one := CoveredTarget{
			Target: t.Name, Title: t.Title, Gap: t.Gap, Expected: c.Expected, Share: finite(c.Share), Ready: finite(c.Ready),
			ReadyShare: finite(c.ReadyShare), Residual: finite(c.Residual), Parts: []Part{},
		}
		if behind {
			left := max(0, *t.Gap-c.Expected)
			one.Unfunded = &left
		}
		for _, name := range c.Unmeasured {
			one.Unmeasured = append(one.Unmeasured, titles[name])
		}
		for _, x := range c.Covered {
			one.Parts = append(one.Parts, Part{
				Initiative: x.Initiative, Title: titles[x.Initiative], Expected: x.Expected, Ready: finite(x.Ready),
				Delivery: x.Delivery, Ramp: x.Ramp, Adoption: finite(x.Adoption),
			})
		}
		if behind && one.ReadyShare != nil && *one.ReadyShare >= 1 {
			full++
		}
		out.Targets = append(out.Targets, one)
	}
	out.Sentence = coverageSentence(open, full, out, targets)
	return out
}

func coverageSentence(open, full int, c *Coverage, targets []Target) string {
	if open == 0 {
		return "No target has a known gap."
	}
	with, unknown := 0, 0
	for _, t := range c.Targets {
		if t.Gap != nil && *t.Gap > 0 {
			with++
			if len(t.Unmeasured) > 0 {
				unknown++
			}
		}
	}
	text := fmt.Sprintf("Initiatives in progress work on %s of %s with a gap", count(with), plural(open, "target"))
	switch {
	case open == 1 && with == 1:
		text = "Initiatives in progress work on the one target with a gap"
		switch {
		case full == 1:
			text += " and are expected to close it"
		case unknown == 0:
			text += "; they are not expected to close it alone"
		}
	case open == 1:
		return "No initiative in progress works on the one target with a gap."
	case with == 0:
	case full == with:
		text += " and are expected to close what they work on"
	case full == 0:
		text += "; none is expected to be closed by them alone"
	default:
		text += fmt.Sprintf("; %s expected to be closed by them", count(full))
	}
	if unknown > 0 {
		text += fmt.Sprintf("; for %s the people it takes are not measured", count(unknown))
	}
	if n := open - with; n > 0 {
		text += fmt.Sprintf("; nobody works on %s", count(n))
	}
	return text + "."
}

// hasGap tells whether there is something to cover.
func (c *CoveredTarget) hasGap() bool { return c.Gap != nil && *c.Gap > 0 }

// unfunded is the part of the gap that nothing in progress is meant to close.
func (c *CoveredTarget) unfunded(m Metric) string {
	switch {
	case c.Unfunded == nil:
		return absent
	case *c.Unfunded == 0:
		return "none"
	}
	return m.size(*c.Unfunded)
}

// residual is the part of the gap that is expected to stay open.
func (c *CoveredTarget) residual(m Metric) string {
	switch {
	case !c.hasGap() || c.Residual == nil:
		return absent
	case len(c.Unmeasured) > 0 && *c.Residual == 0:
		return "unknown"
	case len(c.Unmeasured) > 0:
		return "at least " + m.size(*c.Residual)
	case *c.Residual == 0:
		return "none"
	}
	return m.size(*c.Residual)
}

// left says in few words what stays open.
func (c *CoveredTarget) left(m Metric) string {
	text := clip(m.size(*c.Residual), 16)
	switch {
	case len(c.Unmeasured) > 0 && *c.Residual == 0:
		return "open: unknown"
	case len(c.Unmeasured) > 0:
		return "≥ " + text + " stays open"
	case *c.Residual == 0:
		return "closed"
	}
	return text + " stays open"
}

// ifDelivered and ifReady show an amount with its share of the gap.
func (c *CoveredTarget) ifDelivered(m Metric) string {
	return amountShare(m, &c.Expected, c.Share)
}

func (c *CoveredTarget) ifReady(m Metric) string {
	if c.Ready == nil {
		return "unknown: people not measured"
	}
	return amountShare(m, c.Ready, c.ReadyShare)
}

func amountShare(m Metric, v, share *float64) string {
	text := m.size(*v)
	if *v < 0 {
		text = minus + text
	}
	if share != nil {
		text += " (" + percent(share) + ")"
	}
	return text
}

// parts names the initiatives with what each is expected to add.
func (c *CoveredTarget) parts(m Metric) string { return strings.Join(c.partList(m), "; ") }

func (c *CoveredTarget) partList(m Metric) []string {
	var out []string
	for _, p := range c.Parts {
		text := isolated(p.Title) + ": " + m.size(p.Expected) + ", delivery " + percent(&p.Delivery)
		switch {
		case p.Adoption != nil:
			text += ", adoption " + percent(p.Adoption)
		case p.Ready == nil:
			text += ", people not measured"
		}
		out = append(out, text)
	}
	return out
}

// inOverview is how many bars stand in one picture.
const inOverview = 12

// pictured says how many gaps a picture leaves to the table.
func (c *Coverage) pictured(most int) string {
	n := 0
	for i := range c.Targets {
		if c.Targets[i].hasGap() {
			n++
		}
	}
	if n <= most {
		return ""
	}
	return fmt.Sprintf("The picture has the %d furthest behind; the table has %s more.", most, count(n-most))
}

// segments is the bar of a target, as shares of its gap: what people are ready
// for, what is delivered and not adopted, what rests on people nobody measured,
// and what nothing covers. Together they are 1 or, where more is expected than
// is missing, more.
func (c *CoveredTarget) segments() (ready, lost, unmeasured, open float64) {
	for _, p := range c.Parts {
		v := max(0, p.Expected) / *c.Gap
		if p.Ready == nil {
			unmeasured += v
			continue
		}
		r := max(0, *p.Ready) / *c.Gap
		ready += r
		lost += max(0, v-r)
	}
	return ready, lost, unmeasured, max(0, 1-ready-lost-unmeasured)
}

// serving names initiatives by their titles.
func (d *Document) serving(names []string) []string {
	var out []string
	for _, i := range d.Initiatives {
		if slices.Contains(names, i.Name) {
			out = append(out, i.Title)
		}
	}
	return out
}

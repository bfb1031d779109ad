package gap

import (
	"cmp"
	"math"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// Coverage is what initiatives in progress are expected to add to one target,
// beside its gap.
type Coverage struct {
	Target  string
	Gap     *float64 // nil if not known
	Covered []Covered
	// Expected is the sum of the contributions, delivery included; Ready the same
	// with what people adopt, nil if an audience that matters is unmeasured.
	Expected float64
	Ready    *float64
	// Shares of the gap; nil if the gap is not known or not above 0.
	Share, ReadyShare *float64
	// Residual is the gap that nothing in progress closes, by Ready if that is
	// known, else by Expected; nil if the gap is not known, never below 0.
	Residual *float64
	// Unmeasured names the initiatives whose people have not been measured.
	Unmeasured []string
}

// Covered is one initiative's part.
type Covered struct {
	Initiative, Title, Stage string
	Amount                   float64  // the expected amount at the end of its ramp
	Ramp                     float64  // the share of it that is still to come until due: ramp(due) - ramp(origin)
	Delivery                 float64  // probability
	PeopleDependent          float64  // d
	Adoption                 *float64 // a; nil if unknown, or if no program asks anything of people
	Program                  bool     // there is a change program
	Expected                 float64  // amount × ramp × delivery
	Ready                    *float64 // × (1 - d + d·a); without a program as Expected
}

// ramp is the share of a contribution that is there at the end of a day.
func (c Contribution) ramp(d calendar.Date) float64 {
	switch {
	case !d.Before(c.RampEnd):
		return 1
	case !d.After(c.RampStart):
		return 0
	}
	return float64(d.Sub(c.RampStart)) / float64(c.RampEnd.Sub(c.RampStart))
}

// amount is the mean of two half-normals that meet at the median, with
// σ = distance ÷ 1.2816 to the 10th and the 90th percentile.
func (c Contribution) amount() float64 {
	mean := c.Likely
	half := math.Sqrt(2/math.Pi) / 2
	if c.High != nil {
		mean += half * (*c.High - c.Likely) / z90
	}
	if c.Low != nil {
		mean -= half * (c.Likely - *c.Low) / z90
	}
	return mean
}

// z90 is the 90th percentile of the standard normal distribution.
const z90 = 1.2815515655446004

// Cover compares what initiatives in progress are expected to add with the gaps
// of a result, by target. What has been realized by the last period of data is
// in the gap already, so that only what the ramp adds after it counts.
func Cover(r Result, initiatives []Initiative) []Coverage {
	var out []Coverage
	for _, t := range r.Targets {
		c := Coverage{Target: t.Name, Gap: t.Gap}
		origin := t.ActualAt
		if origin.IsZero() {
			origin = r.AsOf
		}
		ready, unknown := 0.0, false
		for _, i := range initiatives {
			if !i.InProgress() {
				continue
			}
			for _, x := range i.Contributions {
				if x.Target != t.Name {
					continue
				}
				one := covered(i, x, origin, t.Due, r.AsOf)
				c.Covered = append(c.Covered, one)
				c.Expected += one.Expected
				if one.Ready == nil {
					unknown = true
					c.Unmeasured = append(c.Unmeasured, i.Name)
				} else {
					ready += *one.Ready
				}
			}
		}
		slices.SortFunc(c.Covered, func(a, b Covered) int {
			return cmp.Or(cmp.Compare(b.Expected, a.Expected), cmp.Compare(a.Initiative, b.Initiative))
		})
		slices.Sort(c.Unmeasured)
		if !unknown {
			c.Ready = &ready
		}
		if t.Gap != nil {
			best := c.Expected
			if c.Ready != nil {
				best = *c.Ready
			}
			residual := max(0, *t.Gap-best)
			c.Residual = &residual
			if *t.Gap > 0 {
				share := c.Expected / *t.Gap
				c.Share = &share
				if c.Ready != nil {
					readyShare := *c.Ready / *t.Gap
					c.ReadyShare = &readyShare
				}
			}
		}
		out = append(out, c)
	}
	return out
}

func covered(i Initiative, x Contribution, origin, due, asOf calendar.Date) Covered {
	c := Covered{
		Initiative: i.Name, Title: i.Title, Stage: i.Stage, Amount: x.amount(), PeopleDependent: x.PeopleDependent, Delivery: i.Delivery(asOf),
	}
	if x.Delivery != nil {
		c.Delivery = *x.Delivery
	}
	end := 1.0
	if !due.IsZero() {
		end = x.ramp(due)
	}
	c.Ramp = max(0, end-x.ramp(origin))
	c.Expected = c.Amount * c.Ramp * c.Delivery
	readiness, asked := i.Readiness()
	c.Program = asked
	switch {
	case !asked || x.PeopleDependent == 0:
		v := c.Expected
		c.Ready = &v
	case readiness != nil:
		a := Adoption(*readiness)
		v := c.Expected * (1 - x.PeopleDependent + x.PeopleDependent*a)
		c.Adoption, c.Ready = &a, &v
	}
	return c
}

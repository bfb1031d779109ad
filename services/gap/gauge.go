package gap

// at is the score, as a share of Best, of a value that is gap short of the
// goal, where the red flag is flag short of it.
func (k GaugeRule) at(gap, flag float64, met bool) float64 {
	score := 0.0
	switch {
	case flag > 0:
		score = k.Goal - (k.Goal-k.RedFlag)*gap/flag
	case gap <= 0:
		score = k.Goal
	}
	if met {
		score = max(score, k.Goal)
	}
	return clamp(score / k.Best)
}

// status is the band that a score lies in.
func (k GaugeRule) status(score float64) Status {
	switch {
	case score >= k.Goal/k.Best-epsilon:
		return OnTrack
	case score >= k.RedFlag/k.Best-epsilon:
		return AtRisk
	}
	return OffTrack
}

// redFlag is how far short of the goal a path's red flag lies.
func (c *comparison) redFlag(a *aim) float64 {
	s := float64(a.dir)
	if l := c.sp.Levels; l != nil && l.Commit != nil && s*(a.g-*l.Commit) > 0 {
		return s * (a.g - *l.Commit)
	}
	if a.hasB && s*(a.g-a.b) > 0 {
		return s * (a.g - a.b)
	}
	return c.policy.usualFlag(c.sp.Tolerance, a.scale)
}

// usualFlag is the red flag where none is declared: where at risk ends.
func (p *Policy) usualFlag(tolerance, scale float64) float64 {
	return max(p.AtRisk*scale, p.AtRiskTolerances*tolerance)
}

// gauged scores a value by its gap and gives its status.
func (c *comparison) gauged(gap, flag float64, met bool) Status {
	k := c.policy.Gauge
	score := k.at(gap, flag, met)
	c.r.Score = c.num(score)
	status := k.status(score)
	if c.explain {
		c.input("score", c.r.Score)
		c.input("red flag short of the goal by", flag)
		c.say("%s: the score is %.2f of %g; it is %g at the goal and %g at the red flag, which is %s short of it; from %g on track, from %g at risk, else off track.",
			title(status), score*k.Best, k.Best, k.Goal, k.RedFlag, c.number(flag), k.Goal, k.RedFlag)
	}
	return status
}

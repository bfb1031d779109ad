package gap

// levelScore is the OKR score of a value: piecewise linear through (baseline,
// 0) and the declared levels, clamped to [0, 1]; without levels linear from
// baseline to target; where there is no way to go, 1 less the share missing.
func (p *Policy) levelScore(levels *Levels, a *aim, v float64) (float64, bool) {
	s := float64(a.dir)
	type knot struct{ x, score float64 } // x grows towards better
	var knots [4]knot
	n := 0
	add := func(x *float64, score float64) {
		if x != nil && finite(*x) && (n == 0 || s**x > knots[n-1].x) {
			knots[n] = knot{s * *x, score}
			n++
		}
	}
	if a.hasB {
		add(&a.b, 0)
	}
	if levels != nil {
		add(levels.Commit, p.Levels.Commit)
		add(levels.Target, p.Levels.Target)
		add(levels.Stretch, p.Levels.Stretch)
	} else {
		add(&a.g, 1)
	}
	switch {
	case n == 0:
		return 0, false
	case s*v >= knots[n-1].x && n > 1:
		return knots[n-1].score, true
	case n == 1:
		if s*(v-a.g) >= 0 {
			return 1, true
		}
		return clamp(1 - s*(a.g-v)/a.scale), a.scale > 0
	case s*v < knots[0].x:
		// Below the lowest level and without a baseline the score is not known.
		return 0, knots[0].score == 0
	}
	for i := 1; i < n; i++ {
		if lo, hi := knots[i-1], knots[i]; s*v < hi.x {
			return lo.score + (hi.score-lo.score)*(s*v-lo.x)/(hi.x-lo.x), true
		}
	}
	return 0, false
}

// levelStatus is the band of the score; a full score is achieved.
func (c *comparison) levelStatus() Status {
	score, k := c.r.Score, c.policy.Levels
	if score == nil {
		c.say("Off track: the value is below the lowest level, and without a baseline its score is not known.")
		return OffTrack
	}
	status := OffTrack
	switch {
	case *score >= 1-epsilon:
		status = Achieved
	case *score >= k.OnTrack-epsilon:
		status = OnTrack
	case *score >= k.AtRisk-epsilon:
		status = AtRisk
	}
	if c.explain {
		c.input("score", score)
		c.say("%s: the score is %.2f; from %.1f on track, from %.1f at risk, else off track.", title(status), *score, k.OnTrack, k.AtRisk)
	}
	return status
}

// levelVerdict compares the score at the end with what the type of the
// objective expects.
func (c *comparison) levelVerdict() Status {
	kind, want := "an aspirational", c.policy.Levels.Aspirational
	if c.okrType() == "committed" {
		kind, want = "a committed", c.policy.Levels.Committed
	}
	score := 0.0
	if c.r.Score != nil {
		score = *c.r.Score
	}
	status := final(score >= want-epsilon)
	if c.explain {
		c.input("score", c.r.Score)
		c.say("%s: the due period's value decides for good, and of %s key result a score of %.1f is expected; it is %.2f.", title(status), kind, want, max(0, score))
	}
	return status
}

package gap

import "math"

// ε makes thresholds inclusive whatever the last bit of a quotient is.
const epsilon = 1e-9

// reached reports whether a shortfall is at most the tolerance, where both
// are differences of numbers as large as a and b.
func reached(shortfall, tolerance, a, b float64) bool {
	return shortfall <= tolerance+epsilon*max(math.Abs(a), math.Abs(b))
}

// judge turns a shortfall into a status. scale is what it is a share of; 0
// means there is nothing, and then any shortfall beyond the tolerance is off
// track.
func (p *Policy) judge(shortfall, tolerance, scale, size float64) Status {
	if !(scale > 0) || !finite(scale) {
		if reached(shortfall, tolerance, size, 0) {
			return OnTrack
		}
		return OffTrack
	}
	on, risk := p.thresholds(tolerance, scale)
	switch share := shortfall / scale; {
	case share <= on+epsilon:
		return OnTrack
	case share <= risk+epsilon:
		return AtRisk
	}
	return OffTrack
}

// thresholds are the greatest shares that are on track and at risk.
func (p *Policy) thresholds(tolerance, scale float64) (on, risk float64) {
	return max(p.OnTrack, tolerance/scale), max(p.AtRisk, p.AtRiskTolerances*tolerance/scale)
}

// judgeMet is judge for what has no way to go: it is met or it is not.
func (p *Policy) judgeMet(met bool, shortfall, tolerance, scale float64) Status {
	switch {
	case met:
		return OnTrack
	case !(scale > 0) || !finite(scale):
		return OffTrack
	}
	if _, risk := p.thresholds(tolerance, scale); shortfall/scale <= risk+epsilon {
		return AtRisk
	}
	return OffTrack
}

// judgeRow is the status of a period's value that is short of its target by
// gap. met is within the tolerance.
func (p *Policy) judgeRow(met bool, gap, tolerance, scale, size float64) Status {
	switch {
	case p.Score == GaugeScore:
		return p.Gauge.status(p.Gauge.at(gap, p.usualFlag(tolerance, scale), met))
	case p.Share == OfTarget:
		return p.judge(gap, tolerance, scale, size)
	}
	return p.judgeMet(met, gap, tolerance, scale)
}

// scaleOf is what a shortfall from x, a value expected on a path, is a share
// of: the scale of the way, or the size of x (the declared scale where x is
// zero).
func (p *Policy) scaleOf(x float64, a *aim, declared float64) float64 {
	switch {
	case p.Share != OfTarget:
		return a.scale
	case x != 0:
		return math.Abs(x)
	}
	return declared
}

// final turns the verdict on the last value into one for good.
func final(met bool) Status {
	if met {
		return Achieved
	}
	return Missed
}

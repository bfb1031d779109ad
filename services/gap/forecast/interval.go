package forecast

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// levels is how many quantiles the table holds.
const levels = 7

// Probabilities are those quantiles.
var Probabilities = [levels]float64{0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975}

// scores are the standard normal quantiles of Probabilities: between them a
// distribution is a line in them, outside it goes on as it went.
var scores = func() (z [levels]float64) {
	for i, p := range Probabilities {
		z[i] = distuv.UnitNormal.Quantile(p)
	}
	return z
}()

// The scale of a step, as a share of the value where all are positive: how far the
// series is from what theta expected a step before, and how far it moved at all,
// by weight; shrunk towards a prior, as if so many more steps had been seen: two or
// three steps say little.
//
// The prior of a long series is a tenth of its size: what has been quiet may yet
// move. Of a stump, up to ownSteps steps, it is mostly the series' own moves, so
// that the scale of a quiet one is not all prior and its multiples are like those of
// others. Weights and priors are by the yardstick's MSIS and by the coverage of one
// half of the series with multiples fitted to the other (docs/forecasting.md).
const (
	expectedWeight = 0.8
	priorSteps     = 3.0
	priorScale     = 0.1
	ownMoves       = 0.75  // power of the own moves in the prior of a stump
	ownSteps       = 12.0  // from where that fades
	leastMoves     = 0.005 // what moves less counts as this there
)

// stepScale is that scale, and how much the series moves as a share of its size.
// missed is the squared error of theta.
//
// Where values are missing, stride is how many steps there are to a known one. The
// lines over them hide what happened: they move by 1/stride of the variance of what
// goes at random, and theta follows them.
func stepScale(y []float64, stride float64, positive bool, missed float64) (scale, moves float64) {
	size := 1.0
	if positive {
		y = logarithms(y)
	} else {
		mean := 0.0
		for _, v := range y {
			mean += math.Abs(v) / float64(len(y))
		}
		size = mean
	}
	steps := float64(len(y) - 1)
	moved := 0.0
	for i := 1; i < len(y); i++ {
		moved += (y[i] - y[i-1]) * (y[i] - y[i-1]) / steps
	}
	missed /= math.Max(1, steps-1)
	missed += (1 - 1/stride) * math.Max(0, moved-missed)
	missed, moved = missed*stride, moved*stride
	moves = math.Sqrt(moved) / size
	v := expectedWeight*missed + (1-expectedWeight)*moved
	own := ownMoves * math.Min(1, ownSteps/steps)
	prior := size * priorScale * math.Pow(math.Max(moves, leastMoves)/priorScale, own)
	return math.Sqrt((v*steps + priorSteps*prior*prior) / (steps + priorSteps)), moves
}

const (
	// recent is how many of the last values tell how far the series gets.
	recent = 200
	// ownErrors is how many times the series must be as long as so many steps
	// until its own errors count half.
	ownErrors = 10.0
)

// scales are how far the series may get in so many steps: how far it has got, net
// of its drift, in as many steps, as far as it is long enough to show that; else
// the root of the number of steps times the scale of one, as a random walk gets. Of
// the values so many are known, the first and the last among them.
func scales(y []float64, known int, positive bool, horizon int, missed float64) (out []float64, moves float64) {
	stride := float64(len(y)-1) / float64(known-1)
	one, moves := stepScale(y, stride, positive, missed)
	if positive {
		last := y[len(y)-1]
		w := make([]float64, len(y))
		moved := 0.0
		for i, v := range y {
			w[i] = root(v, last)
			if i > 0 {
				moved += (w[i] - w[i-1]) * (w[i] - w[i-1]) / float64(len(y)-1)
			}
		}
		y = w
		// What came from next to nothing has moved by all that it is now, which is 1 as
		// a share, and not by the logarithm of a thousand: it would go on to multiply.
		one = math.Min(one, math.Max(1, math.Sqrt(moved)/2))
	}
	y = y[max(0, len(y)-recent):]
	out = make([]float64, horizon)
	for i := range out {
		h := i + 1
		v := one * one * float64(h)
		if n := len(y) - h; n >= 2 {
			mean, sum := (y[len(y)-1]-y[0])/float64(len(y)-1)*float64(h), 0.0
			for t := range n {
				e := y[t+h] - y[t] - mean
				sum += e * e
			}
			part := float64(n) / float64(h)
			part /= part + ownErrors
			sum *= 1 + (stride-1)/float64(h)
			v = part*sum/float64(n) + (1-part)*v
		}
		out[i] = math.Sqrt(v)
	}
	return out, moves
}

// multiples are the standardized quantiles of each step, by the number of known
// values, interpolated in the logarithms of both.
func multiples(class, n, horizon int) [][levels]float64 {
	out := make([][levels]float64, horizon)
	for h := range out {
		out[h] = lookUp(&table[class], float64(n), float64(h+1))
	}
	return out
}

// classOf is the row of the table for a series: by whether there can be a season
// and whether it has been taken out, and by how much the series moves from step to
// step, as a share of its size.
func classOf(period int, seasonal bool, moves float64) int {
	season := 0
	switch {
	case seasonal:
		season = 2
	case period > 1:
		season = 1
	}
	k := 0
	for k < len(Moves) && moves > Moves[k] {
		k++
	}
	return season*perSeason + k
}

// Moves divide the classes.
var Moves = [...]float64{0.004, 0.012, 0.03, 0.07, 0.15, 0.3}

// Classes is how many there are: so many for each of three seasons.
const (
	perSeason = len(Moves) + 1
	Classes   = 3 * perSeason
)

// Lengths and Steps are where the table has values.
var (
	Lengths = []int{2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 45, 70, 120, 250, 500, 1000}
	Steps   = []int{1, 2, 3, 4, 6, 8, 12, 18}
)

// lookUp interpolates; beyond the ends the multiples stay as they are there.
func lookUp(t *[17][8][levels]float64, n, h float64) (q [levels]float64) {
	i, u := place(Lengths, n)
	j, v := place(Steps, h)
	for k := range q {
		q[k] = (1-u)*((1-v)*t[i][j][k]+v*t[i][j+1][k]) + u*((1-v)*t[i+1][j][k]+v*t[i+1][j+1][k])
	}
	return q
}

// place finds x between two of ascending numbers: at the first, and how far
// towards the next, by logarithms.
func place(at []int, x float64) (i int, part float64) {
	for i < len(at)-2 && x > float64(at[i+1]) {
		i++
	}
	low, high := math.Log(float64(at[i])), math.Log(float64(at[i+1]))
	return i, clamp((math.Log(x)-low)/(high-low), 0, 1)
}

// Quantile is the value that step h, from 1, stays below with a probability; NaN
// where nothing is known.
func (p *Prediction) Quantile(h int, probability float64) float64 {
	if p.Unknown != "" || h < 1 || h > len(p.centre) || !(probability > 0 && probability < 1) {
		return math.NaN()
	}
	return p.at(h, distuv.UnitNormal.Quantile(probability))
}

// Interval holds step h with a probability, half of the rest on each side.
func (p *Prediction) Interval(h int, probability float64) (low, high float64) {
	return p.Quantile(h, (1-probability)/2), p.Quantile(h, (1+probability)/2)
}

// at is the value at a normal score.
func (p *Prediction) at(h int, z float64) float64 {
	v := p.centre[h-1] + p.scales[h-1]*standardized(&p.quantiles[h-1], z)
	if p.positive {
		v = unroot(v, p.sizes[h-1])
	}
	return clamp(v, p.lower, p.upper)
}

// root is the working scale of a positive series: twice the root of how many times
// the last value, with its season, something is. Near that a step of 0.01 is one
// percent, as with logarithms, which measured worse: their upper bounds run away.
func root(v, last float64) float64 { return 2 * math.Sqrt(v/last) }

func unroot(x, last float64) float64 {
	if x < 0 {
		return 0
	}
	return last * (x / 2) * (x / 2)
}

func standardized(q *[levels]float64, z float64) float64 {
	i := 0
	for i < levels-2 && z > scores[i+1] {
		i++
	}
	return q[i] + (z-scores[i])*(q[i+1]-q[i])/(scores[i+1]-scores[i])
}

// Below is the probability that step h is below a value; NaN where nothing is
// known.
func (p *Prediction) Below(h int, value float64) float64 {
	if p.Unknown != "" || h < 1 || h > len(p.centre) || math.IsNaN(value) {
		return math.NaN()
	}
	switch {
	case value <= p.lower:
		return 0
	case value > p.upper:
		return 1
	}
	v := value
	if p.positive {
		if value <= 0 {
			return 0
		}
		v = root(value, p.sizes[h-1])
	}
	x, q := (v-p.centre[h-1])/p.scales[h-1], &p.quantiles[h-1]
	i := 0
	for i < levels-2 && x > q[i+1] {
		i++
	}
	return distuv.UnitNormal.CDF(scores[i] + (x-q[i])*(scores[i+1]-scores[i])/(q[i+1]-q[i]))
}

// AtMost and AtLeast are the probabilities that step h is not above, and not
// below, a value: what a bound cuts off lies on it. NaN where nothing is known.
func (p *Prediction) AtMost(h int, value float64) float64 {
	switch {
	case p.Unknown == "" && h >= 1 && h <= len(p.centre) && value >= p.upper:
		return 1
	case value == p.lower:
		return p.Below(h, math.Nextafter(value, math.Inf(1)))
	}
	return p.Below(h, value)
}

// AtLeast is AtMost for the other side.
func (p *Prediction) AtLeast(h int, value float64) float64 {
	if value == p.upper {
		return 1 - p.Below(h, math.Nextafter(value, math.Inf(-1)))
	}
	return 1 - p.Below(h, value)
}

// Standardized is how far a value is from the forecast of step h, in scales of a
// step on the working scale: what the table holds quantiles of. It is NaN where
// nothing is known, or the value cannot be.
func (p *Prediction) Standardized(h int, value float64) float64 {
	if p.Unknown != "" || h < 1 || h > len(p.centre) || p.positive && !(value > 0) {
		return math.NaN()
	}
	if p.positive {
		value = root(value, p.sizes[h-1])
	}
	return (value - p.centre[h-1]) / p.scales[h-1]
}

// Class is the prediction's row of the table.
func (p *Prediction) Class() int { return p.class }

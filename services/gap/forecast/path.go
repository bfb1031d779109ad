package forecast

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
)

// Paths draws courses of the series over the horizon, each of as many steps as
// there are points; nil where nothing is known. Each step has the distribution of
// Quantile; steps hang together as those of a random walk do, corr(i, j) = √(i/j),
// i before j. The draws are those of the identity and the step: the same for any
// values, and for another horizon.
func (p *Prediction) Paths(identity string, n int) [][]float64 {
	if p.Unknown != "" {
		return nil
	}
	out := make([][]float64, n)
	all := make([]float64, n*len(p.centre))
	for i := range out {
		out[i] = all[i*len(p.centre) : (i+1)*len(p.centre)]
	}
	walk := make([]float64, n)
	for h := range p.centre {
		rng, root := source(identity+"/"+strconv.Itoa(h)), math.Sqrt(float64(h+1))
		for i := range out {
			walk[i] += rng.NormFloat64()
			out[i][h] = p.at(h+1, walk[i]/root)
		}
	}
	return out
}

// At is the value of step h, from 1, at a normal score; NaN where nothing is known.
func (p *Prediction) At(h int, score float64) float64 {
	if p.Unknown != "" || h < 1 || h > len(p.centre) {
		return math.NaN()
	}
	return p.at(h, score)
}

// Normal are standard normal draws of an identity: the first of them are the same
// however many are asked for.
func Normal(identity string, n int) []float64 {
	rng, out := source(identity), make([]float64, n)
	for i := range out {
		out[i] = rng.NormFloat64()
	}
	return out
}

// Uniform are draws from 0 to below 1, as Normal.
func Uniform(identity string, n int) []float64 {
	rng, out := source(identity), make([]float64, n)
	for i := range out {
		out[i] = rng.Float64()
	}
	return out
}

// source is a generator that an identity seeds.
func source(identity string) *rand.Rand {
	h := fnv.New128a()
	_, _ = h.Write([]byte(identity))
	var seed [16]byte
	sum := h.Sum(seed[:0])
	return rand.New(rand.NewPCG(bits(sum[:8]), bits(sum[8:])))
}

func bits(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

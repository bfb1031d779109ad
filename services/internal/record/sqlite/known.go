package sqlite

import (
	"context"
	"fmt"
	"hash/maphash"

	"setpoint.dev/services/internal/record"
)

// known remembers, in little and fixed memory, which observations a file
// holds: it may say that one is there which is not, never the reverse (a Bloom
// filter: B. H. Bloom, Space/time trade-offs in hash coding with allowable
// errors, 1970). While a generation is built nearly every value is a new one,
// and the file need not be asked whether it ends another.
type known struct {
	seed maphash.Seed
	bits []uint64
}

const (
	// At ten million observations two of a hundred new ones are taken for known.
	knownBits   = 1 << 27
	knownProbes = 4
)

// newKnown reads what the file holds.
func newKnown(ctx context.Context, s *Store) (*known, error) {
	k := &known{seed: maphash.MakeSeed(), bits: make([]uint64, knownBits/64)}
	rows, err := s.read.QueryContext(ctx, "SELECT org, metric_id, observed_at, source FROM observation WHERE rev_to = ?", record.Never)
	if err != nil {
		return nil, fmt.Errorf("read the observations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var o record.Observation
		if err := rows.Scan(&o.Org, &o.MetricID, &o.At, &o.Source); err != nil {
			return nil, fmt.Errorf("read the observations: %w", err)
		}
		k.add(&o)
	}
	return k, rows.Err()
}

// add tells whether the observation may have been there, and adds it.
func (k *known) add(o *record.Observation) bool {
	var h maphash.Hash
	h.SetSeed(k.seed)
	for _, part := range [...]string{o.Org, o.MetricID, o.At, o.Source} {
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	sum := h.Sum64()
	step := sum>>32 | 1
	there := true
	for range knownProbes {
		word, bit := &k.bits[sum%knownBits/64], uint64(1)<<(sum%64)
		there = there && *word&bit != 0
		*word |= bit
		sum += step
	}
	return there
}

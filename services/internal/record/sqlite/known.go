package sqlite

import (
	"context"
	"fmt"
	"hash/maphash"

	"setpoint.dev/services/internal/record"
)

// known remembers, in little and bounded memory, which observations a file
// holds: it may say that one is there which is not, never the reverse (a Bloom
// filter: B. H. Bloom, Space/time trade-offs in hash coding with allowable
// errors, 1970; several of growing size: P. S. Almeida and others, Scalable
// Bloom filters, 2007). While a generation is built nearly every value is a new
// one, and the file need not be asked whether it ends another.
type known struct {
	seed  maphash.Seed
	parts []filter // all but the last are full
}

type filter struct {
	bits []uint64
	room int // for so many more
}

const (
	// A million observations take 3 MiB, ten million and any more 15 MiB; of ten
	// million new ones two or three of a hundred are taken for known.
	firstBits   = 1 << 23 // of each next one twice as many
	lastBits    = firstBits << 3
	bitsEach    = 12
	knownProbes = 4
)

func emptyKnown() *known {
	k := &known{seed: maphash.MakeSeed()}
	k.grow(firstBits)
	return k
}

func (k *known) grow(bits int) {
	k.parts = append(k.parts, filter{bits: make([]uint64, bits/64), room: bits / bitsEach})
}

// newKnown reads what the file holds.
func newKnown(ctx context.Context, s *Store) (*known, error) {
	k := emptyKnown()
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
	for i := range k.parts {
		if k.parts[i].has(sum) {
			return true
		}
	}
	last := &k.parts[len(k.parts)-1]
	if bits := 64 * len(last.bits); last.room == 0 && bits < lastBits {
		k.grow(2 * bits)
		last = &k.parts[len(k.parts)-1]
	}
	last.add(sum)
	return false
}

func (f *filter) has(sum uint64) bool {
	step, n := sum>>32|1, uint64(64*len(f.bits))
	for range knownProbes {
		if f.bits[sum%n/64]&(1<<(sum%64)) == 0 {
			return false
		}
		sum += step
	}
	return true
}

func (f *filter) add(sum uint64) {
	step, n := sum>>32|1, uint64(64*len(f.bits))
	for range knownProbes {
		f.bits[sum%n/64] |= 1 << (sum % 64)
		sum += step
	}
	f.room = max(0, f.room-1)
}

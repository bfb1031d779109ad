package cli

// maxChunk is how many observations one request may carry.
const maxChunk = 100_000

// What a request may weigh: the server reads 64 MiB, and the new values of one
// metric are one message of the log, which holds 8.
const (
	maxChunkBytes  = 32 << 20
	maxMetricBytes = 6 << 20
)

// weight is at least what a row takes in the log: a note is encrypted, and written
// in base 64.
func (r observationRow) weight() int {
	w := len(r.at) + len(r.source) + 24
	if r.note != "" {
		w += len(r.note)*4/3 + 160
	}
	return w
}

// light tells whether rows are few and short enough for one request.
func light(rows []observationRow, size int) bool {
	total, byMetric := 0, map[string]int{}
	for _, r := range rows {
		total += r.weight() + len(r.metric)
		if byMetric[r.metric] += r.weight(); byMetric[r.metric] > maxMetricBytes {
			return false
		}
	}
	return len(rows) <= size && total <= maxChunkBytes
}

// upTo is how many of the rows of one metric go in one request.
func upTo(group []observationRow, size int) (n, bytes int) {
	for n < len(group) && n < size {
		w := group[n].weight()
		if n > 0 && bytes+w > maxMetricBytes {
			break
		}
		bytes += w
		n++
	}
	return n, bytes + n*len(group[0].metric)
}

// chunkRows deals rows into requests of at most size rows, each recorded as a
// whole or not at all. What fits into one request stays in the order of the
// table. Otherwise the rows of a metric stay together, in their order, unless
// they alone are more, or weigh more, than a request may carry: then a refusal of
// one metric leaves the others whole.
func chunkRows(rows []observationRow, size int) [][]observationRow {
	if light(rows, size) {
		return [][]observationRow{rows}
	}
	var metrics []string // by first appearance
	byMetric := map[string][]observationRow{}
	for _, r := range rows {
		if _, ok := byMetric[r.metric]; !ok {
			metrics = append(metrics, r.metric)
		}
		byMetric[r.metric] = append(byMetric[r.metric], r)
	}
	var chunks [][]observationRow
	var current []observationRow
	heavy := 0 // bytes of current
	flush := func() {
		if len(current) > 0 {
			chunks = append(chunks, current)
			current, heavy = nil, 0
		}
	}
	for _, m := range metrics {
		group := byMetric[m]
		n, bytes := upTo(group, size)
		if len(current)+len(group) > size || n < len(group) || heavy+bytes > maxChunkBytes {
			flush()
		}
		for n < len(group) {
			chunks = append(chunks, group[:n])
			group = group[n:]
			n, bytes = upTo(group, size)
		}
		current = append(current, group...)
		heavy += bytes
	}
	flush()
	return chunks
}

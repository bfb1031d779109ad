package cli

// maxChunk is how many observations one request may carry.
const maxChunk = 100_000

// chunkRows deals rows into requests of at most size rows, each recorded as a
// whole or not at all. What fits into one request stays in the order of the
// table. Otherwise the rows of a metric stay together, in their order, unless
// they alone are more than a request may carry: then a refusal of one metric
// leaves the others whole.
func chunkRows(rows []observationRow, size int) [][]observationRow {
	if len(rows) <= size {
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
	flush := func() {
		if len(current) > 0 {
			chunks = append(chunks, current)
			current = nil
		}
	}
	for _, m := range metrics {
		group := byMetric[m]
		if len(current)+len(group) > size {
			flush()
		}
		for len(group) > size {
			chunks = append(chunks, group[:size])
			group = group[size:]
		}
		current = append(current, group...)
	}
	flush()
	return chunks
}

package doctor

import (
	"context"
	"fmt"

	"setpoint.dev/services/internal/record"
)

// fewRows is how many rows that differ are told one by one.
const fewRows = 20

// Compare is a Patient's Deep: the projection folds the log again and compares
// every row.
func Compare(p *record.Projection) func(context.Context, func(done, total uint64)) ([]Finding, error) {
	return func(ctx context.Context, progress func(done, total uint64)) ([]Finding, error) {
		v, err := p.Verify(ctx, fewRows, func(at record.Progress) { progress(at.Done, at.Total) })
		if err != nil {
			return nil, err
		}
		if v.Differing == 0 {
			return []Finding{{Severity: OK, Check: "record", Reason: "record.compared", Where: "record",
				Message: fmt.Sprintf("%d rows are what the log makes of them, at revision %d", v.Rows, v.Revision)}}, nil
		}
		const advice = "rebuild the record (setpoint projections rebuild record), and report it: a record is never wrong by itself"
		out := []Finding{{Severity: Error, Check: "record", Reason: "record.differs", Where: "record", Advice: advice,
			Message: fmt.Sprintf("%d of %d rows are not what the log makes of them, at revision %d", v.Differing, v.Rows, v.Revision)}}
		for _, d := range v.Differences {
			what := "has another value"
			switch {
			case d.Live == nil:
				what = "is missing"
			case d.Log == nil:
				what = "should not be there"
			}
			out = append(out, Finding{Severity: Error, Check: "record", Reason: "record.row_differs", Where: d.Table,
				Message: fmt.Sprintf("row %s %s", d.Key, what), Advice: advice})
		}
		return out, nil
	}
}

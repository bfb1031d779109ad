package backup_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"setpoint.dev/services/internal/backup"
	"setpoint.dev/services/internal/eventlog"
)

// BenchmarkBackup tells how many messages of about 300 bytes a second are
// backed up, checked and restored.
func BenchmarkBackup(b *testing.B) {
	const total, size = 50_000, 10_000
	a := openLog(b, b.TempDir())
	for c := range total / size {
		drafts := make([]eventlog.Draft, size)
		for i := range drafts {
			drafts[i] = eventlog.Draft{
				Subject: eventlog.Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: fmt.Sprintf("m%d-%d", c, i)},
				Events:  []eventlog.Event{{Type: "strategy.metric_declared.v1", Payload: fmt.Appendf(make([]byte, 0, 200), "%0200d", c*size+i)}},
			}
		}
		if _, err := a.AppendBatch(b.Context(), eventlog.Command{RequestID: fmt.Sprint(c), Recorded: now}, drafts); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		start := time.Now()
		file := take(b, a.Log)
		taken := time.Now()
		if _, err := backup.Verify(bytes.NewReader(file), nil); err != nil {
			b.Fatal(err)
		}
		verified := time.Now()
		if _, err := restoreInto(b.Context(), b.TempDir(), file); err != nil {
			b.Fatal(err)
		}
		restored := time.Now()
		if _, err := a.Audit(b.Context(), eventlog.AuditOptions{Found: func(d eventlog.Damage) { b.Error(d) }}); err != nil {
			b.Fatal(err)
		}
		per := func(d time.Duration) float64 { return total / d.Seconds() }
		b.ReportMetric(per(taken.Sub(start)), "taken/s")
		b.ReportMetric(per(verified.Sub(taken)), "verified/s")
		b.ReportMetric(per(restored.Sub(verified)), "restored/s")
		b.ReportMetric(per(time.Since(restored)), "audited/s")
		b.ReportMetric(float64(len(file)), "bytes")
	}
}

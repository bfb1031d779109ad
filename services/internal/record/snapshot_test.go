package record_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
)

// A day ends where the organization is, not in Greenwich.
func TestKnownOnADay(t *testing.T) {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "record.db"), kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	zone := func(org, name string) func(uint64, time.Time) record.Change {
		return func(rev uint64, at time.Time) record.Change {
			return record.PutResource{Resource: record.Resource{
				Org: org, Kind: "Organization", Name: org, ID: org, From: rev, To: record.Never,
				Metadata: &commonv1.Metadata{Name: org}, Spec: &strategyv1.OrganizationSpec{TimeZone: name}, Recorded: at,
			}}
		}
	}
	var at record.Checkpoint
	for i, c := range []struct {
		recorded string
		change   func(uint64, time.Time) record.Change
	}{
		{"2018-10-01T12:00:00Z", zone("west", "America/Sao_Paulo")},
		{"2018-10-01T12:00:00Z", zone("east", "Asia/Tokyo")},
		{"2018-11-03T14:59:59Z", nil}, // 23:59:59 in Tokyo
		{"2018-11-03T23:59:59Z", nil}, // of the day in UTC
		{"2018-11-04T02:59:59Z", nil}, // 23:59:59 in Sao Paulo, where the clocks then go to 01:00
		{"2018-11-04T03:00:00Z", nil},
		{"2018-12-01T12:00:00Z", zone("west", "Asia/Tokyo")}, // does not move what was known
	} {
		rev := uint64(i + 1)
		recorded, err := time.Parse(time.RFC3339, c.recorded)
		if err != nil {
			t.Fatal(err)
		}
		changes := []record.Change{record.PutCommit{Org: "west", Revision: rev, Recorded: recorded}}
		if c.change != nil {
			changes = append(changes, c.change(rev, recorded))
		}
		to := record.Checkpoint{LogID: "log", Revision: rev, Hash: []byte{1}}
		if err := store.Write(ctx, at, to, changes); err != nil {
			t.Fatal(err)
		}
		at = to
	}
	rec := record.New(store, at, time.Second, func(context.Context) (uint64, error) { return at.Revision, nil })
	for _, c := range []struct {
		org, day string
		want     uint64
	}{
		{"east", "2018-11-03", 3},
		{"nowhere", "2018-11-03", 4}, // UTC
		{"west", "2018-11-03", 5},
		{"west", "2018-11-04", 6},
		{"west", "2018-09-30", 0},
		{"west", "2200-12-30", 7},
		{"west", "1900-01-02", 0},
	} {
		err := rec.At(ctx, record.Snapshot{Org: c.org, KnownOn: calendar.MustParse(c.day)}, func(_ record.View, got uint64) error {
			if got != c.want {
				t.Errorf("%s on %s: revision %d, want %d", c.org, c.day, got, c.want)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s on %s: %v", c.org, c.day, err)
		}
	}
	err = rec.At(ctx, record.Snapshot{Org: "west", Revision: 3, KnownOn: calendar.MustParse("2018-11-03")}, func(record.View, uint64) error { return nil })
	if fault.ReasonOf(err) != "snapshot.two_selectors" {
		t.Errorf("both: %v", err)
	}
}

package sqlite_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/recordtest"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
)

func TestStore(t *testing.T) {
	dir := t.TempDir()
	recordtest.Run(t, func(t testing.TB, key string) record.Store {
		t.Helper()
		name := strings.NewReplacer("/", "_", " ", "_").Replace(key)
		s, err := sqlite.Open(context.Background(), filepath.Join(dir, name+".db"), kinds.Registry())
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestAFileFromANewerBinaryIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	s, err := sqlite.Open(context.Background(), path, kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Pragma(context.Background(), "user_version = 1000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = sqlite.Open(context.Background(), path, kinds.Registry())
	if got := fault.ReasonOf(err); got != "record.newer_schema" {
		t.Fatalf("reason %q of %v", got, err)
	}
}

package postgres_test

import (
	"testing"

	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/testpostgres"
)

func TestSettings(t *testing.T) {
	d := open(t, postgres.Options{URL: testpostgres.New(t), Schema: "settings"})
	defer func() { _ = d.Close() }()
	s, err := d.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"server_version", "server_encoding", "max_connections", "lc_collate", "connections"} {
		if s[name] == "" {
			t.Errorf("%s is not told: %v", name, s)
		}
	}
}

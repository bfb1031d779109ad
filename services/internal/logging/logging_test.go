package logging_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"setpoint.dev/services/internal/logging"
)

func TestEveryLineOfARequestNamesIt(t *testing.T) {
	var out bytes.Buffer
	l, err := logging.New(&out, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	ctx, id := logging.WithRequestID(t.Context(), "from-the-client.1")
	l.With("a", 1).InfoContext(ctx, "one")
	l.DebugContext(ctx, "below the level")
	l.Info("outside")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || id != "from-the-client.1" {
		t.Fatalf("%q, id %q", lines, id)
	}
	for i, want := range []any{id, nil} {
		var line map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil || line["request_id"] != want {
			t.Errorf("line %d: %v, %v; want %v", i, line, err, want)
		}
	}
}

func TestWhatAClientMayCallItsRequest(t *testing.T) {
	for offered, taken := range map[string]bool{
		"a": true, "5f0c-AB_9.z": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "a\nlevel=ERROR": false, "-rf": false, "jane@example.org": false, "é": false, `"`: false,
	} {
		ctx, id := logging.WithRequestID(t.Context(), offered)
		if (id == offered) != taken || id == "" || logging.RequestID(ctx) != id {
			t.Errorf("%q became %q", offered, id)
		}
	}
}

func TestWhatNewRefuses(t *testing.T) {
	for _, o := range [][2]string{{"xml", "info"}, {"json", "loud"}, {"", "info"}, {"json", ""}} {
		if _, err := logging.New(&bytes.Buffer{}, o[0], o[1]); err == nil || !strings.Contains(err.Error(), "legal are") {
			t.Errorf("%q: %v", o, err)
		}
	}
}

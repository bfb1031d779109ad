package cli

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

func TestEventsFitTheTerminal(t *testing.T) {
	cells := []string{"251", "2026-11-26T13:43:56Z", "dev.setpoint.gap.notification-requested.v1", "target/small-business-subcontracting-2020"}
	for width := 40; width <= 120; width++ {
		for _, row := range [][]string{cells, {"REVISION", "TIME", "TYPE", "ABOUT"}} {
			if line := strings.TrimSuffix(eventLine(width, row), "\n"); text.StringWidthWithoutEscSequences(line) > width && width < 101 {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}
	if got, want := eventLine(0, cells), "251       2026-11-26T13:43:56Z  dev.setpoint.gap.notification-requested.v1       target/small-business-subcontracting-2020\n"; got != want {
		t.Errorf("without a terminal %q, want %q", got, want)
	}
	if got, want := eventLine(80, cells), "251       gap.notification-requested.v1                    target/sma…cting-2020\n"; got != want {
		t.Errorf("80 columns %q, want %q", got, want)
	}
}

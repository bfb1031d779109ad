package cli

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func sampleSuggestion() *gapv1.SuggestResponse {
	return &gapv1.SuggestResponse{
		AsOf: "2026-11-27", Revision: 59, Currency: "EUR", Closed: 0.505, UpperBound: 0.505, Optimal: true, Residual: 3.57, Cost: "60000", Capacity: 2,
		Unknown: []string{"t9"},
		Chosen:  []*gapv1.SuggestedInitiative{{Initiative: "c", Cost: proto.String("60000"), Capacity: proto.Float64(2), Closed: 0.505, Unmeasured: true}},
		LeftOut: []*gapv1.LeftOutInitiative{
			{Initiative: "b", Cost: proto.String("100000"), Capacity: proto.Float64(4), Closed: 0.376, Reason: "no_room", Message: "does not fit beside the chosen, which close more for what they take"},
			{Initiative: "e", Capacity: proto.Float64(1), Closed: 0.177, Reason: "no_budget", Message: "declares no budget, so that what it costs is not known"},
			{Initiative: "f", Cost: proto.String("1000"), Closed: 0.177, Reason: "no_room", Message: "does not fit beside the chosen, which close more for what they take"},
		},
	}
}

// What is left out has its reason in full, however narrow the terminal.
func TestSuggestion(t *testing.T) {
	res := sampleSuggestion()
	columns, rows := suggestRows(res)
	wide := suggestTable(columns, rows, 0, false)
	if !strings.Contains(wide, "no      b           100000         4  37.6 %  does not fit beside the chosen, which close more for what they take\n") {
		t.Errorf("wide:\n%s", wide)
	}
	for _, width := range []int{80, 50} {
		got := suggestTable(columns, rows, width, false) + suggestNotes(res, width)
		for line := range strings.SplitSeq(got, "\n") {
			if text.StringWidthWithoutEscSequences(line) > width {
				t.Errorf("%d columns: %q", width, line)
			}
		}
		plain := strings.Join(strings.Fields(got), " ")
		for _, part := range []string{
			"Not b, f: does not fit beside the chosen, which close more for what they take", "Not e: declares no budget, so that what it costs is not known",
			"their gap is not known: t9", "their readiness is not known: c",
		} {
			if !strings.Contains(plain, part) {
				t.Errorf("%d columns: %q is missing in\n%s", width, part, got)
			}
		}
	}
	if got, want := suggestWords(&gapv1.SuggestRequest{Budget: "130000", Capacity: proto.Float64(6)}, res),
		"Closes 0.51 of 3.57 gaps that are open, each target's counted as one: no set closes more. Costs 60000 of 130000 EUR, takes 2 of 6 of the capacity."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	res.Optimal, res.UpperBound = false, 0.51005
	if got := suggestWords(&gapv1.SuggestRequest{}, res); !strings.Contains(got, "no set closes over 1.00 % more. Costs 60000 EUR.") {
		t.Error(got)
	}
}

// A probability that the point does not look like is explained by the middle.
func TestForecastThatLeans(t *testing.T) {
	target := func(direction string, value, median, attained float64) *gapv1.TargetGap {
		return &gapv1.TargetGap{Direction: direction, Target: proto.Float64(70), Attainment: &attained, Forecast: &gapv1.Forecast{Value: &value, Median: &median, Period: "2027-Q4"}}
	}
	for _, c := range []struct {
		of   *gapv1.TargetGap
		want string
	}{
		{target("increase", 67.6, 70.1, 0.507), "as likely above 70.1 as below"},
		{target("increase", 67.6, 68, 0.4), ""},
		{target("decrease", 69, 70.2, 0.49), "as likely above 70.2 as below"},
		{target("decrease", 72, 71, 0.4), ""},
		{target("", 67.6, 70.1, 0.507), ""},
	} {
		got := ""
		for _, l := range outlookLines(c.of, shownAs(nil)) {
			if l[0] == "Middle" {
				got = l[1]
			}
		}
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.of, got, c.want)
		}
	}
}

package breadth_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// pledge is one line of the table of targets: this much percent less than in
// the base year, by the end of the year in which it is due.
type pledge struct {
	name, state string
	base, due   int
	percent     int
}

// climate is both tables: the targets of states, and the emissions of states
// and territories in million tonnes of CO2 equivalents by year.
type climate struct {
	pledges   []pledge
	emissions map[string]map[int]float64
}

func states(t testing.TB) climate {
	c := climate{emissions: map[string]map[int]float64{}}
	whole := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, r := range read(t, climateTargets) {
		if r["target_unit"] != "percent" || r["target_type"] != "Absolute emission reduction" {
			t.Fatalf("a target of another type: %v", r)
		}
		state := strings.ToLower(r["actor_id"])
		c.pledges = append(c.pledges, pledge{
			name: state + "-" + r["target_year"], state: state,
			base: whole(r["baseline_year"]), due: whole(r["target_year"]), percent: whole(r["target_value"]),
		})
	}
	for _, r := range read(t, climateEmissions) {
		actor := strings.ToLower(r["actor_id"])
		if c.emissions[actor] == nil {
			c.emissions[actor] = map[int]float64{}
		}
		c.emissions[actor][whole(r["year"])] = float64(whole(r["total_emissions"])) / 1e6
	}
	return c
}

func yearEnd(year int) time.Time { return day(year, 12, 31) }

// manifests declares an objective a state, a metric an actor, a target a
// pledge. mirror is −1 to measure what is avoided instead of what is emitted:
// the percentages stay, the direction turns round.
func (c *climate) manifests(mirror float64) *declarationv1.Manifests {
	var top, metrics, targets strings.Builder
	top.WriteString(document("Organization", "name: states", "title: US states"))
	top.WriteString(document("Strategy", "name: climate", "title: Emission targets, horizon: {start: 2020-12-31, end: 2050-12-31}"))
	for actor := range c.emissions {
		metrics.WriteString(document("Metric", "name: "+actor, fmt.Sprintf("title: %s, unit: Mt CO2e, cadence: yearly, decimals: 1", quoted("Emissions of "+actor))))
	}
	direction := "decrease"
	if mirror < 0 {
		direction = "increase"
	}
	seen := map[string]bool{}
	for _, p := range c.pledges {
		if !seen[p.state] {
			seen[p.state] = true
			top.WriteString(document("Objective", "name: "+p.state, fmt.Sprintf("strategy: climate, title: %s", quoted("Less from "+p.state))))
		}
		targets.WriteString(document("Target", "name: "+p.name, fmt.Sprintf(
			`metric: %s, objective: %s, direction: %s, baseline: {date: %s}, changeFromBaseline: "%s", due: %s`,
			p.state, p.state, direction, text(yearEnd(p.base)), fmt.Sprintf("-%d%%", p.percent), text(yearEnd(p.due)))))
	}
	return &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{
		file("strategy.yaml", top.String()), file("metrics.yaml", metrics.String()), file("targets.yaml", targets.String()),
	}}
}

func (c *climate) observations(mirror float64) []*strategyv1.Observation {
	var out []*strategyv1.Observation
	for actor, years := range c.emissions {
		for year, v := range years {
			if v *= mirror; v == 0 {
				v = 0 // no negative zero
			}
			out = append(out, observation(actor, text(yearEnd(year)), v, "EPA"))
		}
	}
	return out
}

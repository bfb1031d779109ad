//go:build unix

package gap

import (
	"reflect"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Forecasts are made several at a time, and come out as those made one after
// another.
func TestForecastsDoNotDependOnHowManyAreMadeAtATime(t *testing.T) {
	p := large(100)
	policy, _ := PolicyNamed("default")
	many := Evaluate(p, benchAsOf, policy, Options{Forecast: true})
	before := runtime.GOMAXPROCS(1)
	one := Evaluate(p, benchAsOf, policy, Options{Forecast: true})
	runtime.GOMAXPROCS(before)
	forecasts := 0
	for i := range many.Targets {
		a, b := many.Targets[i], one.Targets[i]
		if a.Outlook != nil && a.Outlook.Attainment != nil {
			forecasts++
		}
		if d := cmp.Diff(b, a, cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
			t.Fatalf("%s:\n%s", a.Name, d)
		}
	}
	if forecasts < 10 {
		t.Errorf("only %d forecasts were made", forecasts)
	}
}

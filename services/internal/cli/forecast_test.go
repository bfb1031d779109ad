package cli

import (
	"testing"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func fraction(v float64) *float64 { return &v }

func TestForecastText(t *testing.T) {
	by := "2021-12-31"
	f := fraction
	res := &gapv1.ForecastResponse{
		AsOf: "2020-06-30", Revision: 42,
		Target: &gapv1.TargetGap{
			Name: "vacant-space", Title: "Vacant space", Status: "at_risk", Direction: "decrease", Actual: f(0.033), ActualAt: said("2019-12-31"),
			Target: f(0.03), Due: said("2021-12-31"), Attainment: f(0.42), AttainmentDate: &by,
			Format: &gapv1.NumberFormat{Style: "percent"},
			Forecast: &gapv1.Forecast{
				Value: f(0.031), Lower80: f(0.027), Upper80: f(0.036), Period: "2021", At: "2021-12-31", Origin: "2019-12-31", Steps: 2,
				Method: "theta, drift", Observations: 8, RequiredRate: f(0.0015), CurrentRate: f(0.001),
			},
		},
		Course: []*gapv1.ForecastStep{
			{Period: "2020", End: "2020-12-31", Value: 0.032, Lower80: f(0.029), Upper80: f(0.035), Lower95: f(0.027), Upper95: f(0.038)},
			{Period: "2021", End: "2021-12-31", Value: 0.031, Lower80: f(0.027), Upper80: f(0.036), Lower95: f(0.024), Upper95: f(0.040)},
		},
	}
	golden(t, "forecast", forecastText(res, shownAs(res.GetTarget().GetFormat()), 80, paint(false)))
	// What is not known says why, and is nowhere a number.
	res.Target.Attainment, res.Target.AttainmentDate, res.Course = nil, nil, nil
	res.Target.Forecast = &gapv1.Forecast{Value: f(0.033), Period: "2021", Origin: "2019-12-31", Unknown: "one value does not tell how much the next may differ", Method: "last value", Observations: 1}
	golden(t, "forecast-unknown", forecastText(res, shownAs(res.GetTarget().GetFormat()), 80, paint(false)))
	res.Target.Forecast = nil
	golden(t, "forecast-none", forecastText(res, shownAs(res.GetTarget().GetFormat()), 80, paint(false)))
}

func said(s string) *string { return &s }

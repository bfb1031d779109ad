package rpc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/gap/report"
)

// Years go by: what was forecast at each lead is made anew from what was on record
// then, whatever was corrected since, and scored when the end has come.
func TestReportTellsCalibration(t *testing.T) {
	c := &clock{at: time.Date(2013, 1, 10, 12, 0, 0, 0, time.UTC)}
	s := start(t, c.now, nil)
	const targets = 8
	var b strings.Builder
	b.WriteString("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: ops}, spec: {title: Ops}}\n")
	for i := range targets {
		fmt.Fprintf(&b, `---
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: m%d}, spec: {unit: count, cadence: yearly}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: t%d}, spec: {metric: m%d, owner: unit/ops, direction: increase, baseline: {value: 10, date: 2012-12-31}, value: %d, due: 2020-12-31}}
`, i, i, i, 20+2*i)
	}
	s.apply("acme", b.String())
	client := strategyv1connect.NewStrategyServiceClient(&http.Client{Transport: asOrg("acme")}, s.url)
	var last int64
	observe := func(year int, source string, value func(i int) float64) {
		t.Helper()
		var list []*strategyv1.Observation
		for i := range targets {
			v := value(i)
			list = append(list, &strategyv1.Observation{Metric: fmt.Sprintf("m%d", i), ObservedAt: fmt.Sprintf("%d-12-31", year), Source: source, Value: &v})
		}
		res, err := client.RecordObservations(t.Context(), &strategyv1.RecordObservationsRequest{Observations: list})
		if err != nil {
			t.Fatal(err)
		}
		last = res.GetRevision()
	}
	for year := 2012; year <= 2020; year++ {
		c.set(time.Date(year+1, 1, 15, 12, 0, 0, 0, time.UTC))
		observe(year, "", func(i int) float64 { return 10 + 2*float64(year-2012) + float64((year*7+i*5)%4) })
		if year == 2015 {
			n := int32(9)
			if _, err := client.CheckIn(t.Context(), &strategyv1.CheckInRequest{Target: "t0", Confidence: &n, At: "2016-01-14"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	read := func() *report.Calibration {
		t.Helper()
		res, err := s.client("acme").Report(t.Context(), &gapv1.ReportRequest{Format: "json", AsOf: "2021-02-01", MinRevision: last})
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Document struct{ Calibration *report.Calibration }
		}
		if err := json.Unmarshal(res.GetContent(), &d); err != nil {
			t.Fatal(err)
		}
		return d.Document.Calibration
	}
	got := read()
	if got == nil || got.Forecasts.N != 3*targets || got.Forecasts.Hindsight != 0 || got.Forecasts.Brier == nil || *got.Forecasts.Brier > 0.5 ||
		len(got.Units) != 1 || got.Units[0].Name != "ops" || got.Forecasts.Within80 == nil || got.Confidence.N != 2 || got.Confidence.Brier != nil {
		t.Fatalf("%+v", got)
	}
	md, err := s.client("acme").Report(t.Context(), &gapv1.ReportRequest{AsOf: "2021-02-01", MinRevision: last})
	if err != nil || !strings.Contains(string(md.GetContent()), "## Calibration") {
		t.Errorf("no section: %v", err)
	}
	html, err := s.client("acme").Report(t.Context(), &gapv1.ReportRequest{AsOf: "2021-02-01", Format: "html", MinRevision: last})
	if err != nil || !strings.Contains(string(html.GetContent()), "<h2>Calibration</h2>") {
		t.Errorf("no section: %v", err)
	}
	// So do the other formats, and the result itself where it is asked for.
	for format, sign := range map[string]string{"csv": "unit_brier", "pdf": "C\x00a\x00l\x00i\x00b\x00r\x00a\x00t\x00i\x00o\x00n", "xlsx": ""} {
		res, err := s.client("acme").Report(t.Context(), &gapv1.ReportRequest{AsOf: "2021-02-01", Format: format, MinRevision: last})
		if err != nil || !strings.Contains(string(res.GetContent()), sign) {
			t.Errorf("%s has no calibration: %v", format, err)
		}
	}
	for _, asked := range []bool{true, false} {
		res, err := s.client("acme").Evaluate(t.Context(), &gapv1.EvaluateRequest{AsOf: "2021-02-01", MinRevision: last, WithCalibration: asked})
		if err != nil {
			t.Fatal(err)
		}
		if c := res.GetCalibration(); asked != (c != nil) || asked && (c.GetForecasts().GetBrier() != *got.Forecasts.Brier || c.GetForecasts().GetN() != 3*targets || c.GetUnits()[0].GetName() != "ops") {
			t.Errorf("asked %v: %v", asked, c)
		}
	}
	if got.Confidence.Hindsight != 0 {
		t.Errorf("confidences said later: %d", got.Confidence.Hindsight)
	}
	// What is corrected long after was not known then, and what is said of the past when
	// the end is known does not count before what was said in time.
	for _, target := range []string{"t0", "t1"} {
		n := int32(10)
		if _, err := client.CheckIn(t.Context(), &strategyv1.CheckInRequest{Target: target, Confidence: &n, At: "2016-02-01"}); err != nil {
			t.Fatal(err)
		}
	}
	before := *got.Forecasts.Brier
	observe(2014, "audit", func(int) float64 { return 400 })
	again := read()
	if *again.Forecasts.Brier != before {
		t.Errorf("Brier %v, before the correction %v", *again.Forecasts.Brier, before)
	}
	// Of t0 what was said in time, at two leads; of t1 there is nothing but what was said later.
	if again.Confidence.N != 4 || again.Confidence.Hindsight != 2 {
		t.Errorf("confidences %+v", again.Confidence)
	}
}

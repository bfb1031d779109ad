package rpc_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

func TestAnOverrideStandsBesideTheComputedStatus(t *testing.T) {
	w := start(t)
	before, rollUp := w.target("2026-11-22", 0)
	if before.GetStatus() != "off_track" || before.Override != nil || before.Confidence != nil {
		t.Fatalf("before: %v", before)
	}
	set := w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-10", Confidence: confidence(4), Override: until("2026-12-05")})
	w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-20", Note: "talks go on"})
	cleared := w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-22", Confidence: confidence(0), Note: "n", ClearOverride: true})
	for _, c := range []struct {
		asOf       string
		revision   int64
		override   bool
		confidence int32 // -1: none
	}{
		{"2026-11-22", set - 1, false, -1},
		{"2026-11-22", set, true, 4},
		{"2026-11-09", set, false, -1},
		{"2026-11-10", cleared, true, 4},
		{"2026-11-21", cleared, true, 4},
		{"2026-11-22", cleared, false, 0},
		{"2026-12-05", set, true, 4},
		{"2026-12-06", set, false, 4},
	} {
		got, said := w.target(c.asOf, c.revision)
		computed, _ := w.target(c.asOf, set-1)
		if got.GetStatus() != computed.GetStatus() {
			t.Errorf("as of %s at %d: the computed status %s became %s", c.asOf, c.revision, computed.GetStatus(), got.GetStatus())
		}
		if c.asOf == "2026-11-22" && (said.GetStatus() != rollUp.GetStatus() || said.GetScore() != rollUp.GetScore()) {
			t.Errorf("as of %s at %d: the roll-up became %v", c.asOf, c.revision, said)
		}
		o := got.GetOverride()
		if (o != nil) != c.override {
			t.Errorf("as of %s at %d: override %v", c.asOf, c.revision, o)
		}
		if o != nil && (o.GetStatus() != "at_risk" || o.GetReason() != "a strike" || o.GetExpires() != "2026-12-05" ||
			o.GetPrincipal() != "local" || o.GetRevision() != set) {
			t.Errorf("as of %s at %d: override %v", c.asOf, c.revision, o)
		}
		if n := got.Confidence; (n == nil) != (c.confidence < 0) || n != nil && *n != c.confidence {
			t.Errorf("as of %s at %d: confidence %v, want %d", c.asOf, c.revision, n, c.confidence)
		}
	}
	if f := before.GetFormat(); f.GetStyle() != "currency" || f.GetDecimals() != 1 || f.GetMagnitude() != "billions" || f.GetCurrency() != "EUR" {
		t.Errorf("format %v", f)
	}
}

func told(list []*strategyv1.CheckInEntry) []string {
	var out []string
	for _, c := range list {
		s := c.GetTarget() + " " + c.GetAt() + " by " + c.GetPrincipal()
		if c.Confidence != nil {
			s += fmt.Sprintf(" %d/10", c.GetConfidence())
		}
		if c.GetNote() != "" {
			s += " " + c.GetNote()
		}
		if o := c.GetOverride(); o != nil {
			s += " " + o.GetStatus() + " until " + o.GetExpires() + ": " + o.GetReason()
		}
		if c.GetClearOverride() {
			s += " cleared"
		}
		out = append(out, s)
	}
	return out
}

func TestCheckInsAreListedNewestFirst(t *testing.T) {
	w := start(t)
	first := w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-10", Confidence: confidence(4), Override: until("2026-12-05")})
	w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-20", Note: "talks go on"})
	w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-15", Note: "said late"})
	last := w.checkIn(&strategyv1.CheckInRequest{ClearOverride: true, Note: "settled"})
	want := []string{
		"t 2026-11-22 by local settled cleared",
		"t 2026-11-20 by local talks go on",
		"t 2026-11-15 by local said late",
		"t 2026-11-10 by local 4/10 at_risk until 2026-12-05: a strike",
	}
	all := w.list(&strategyv1.ListCheckInsRequest{})
	if got := told(all.GetCheckIns()); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if all.GetRevision() != last || all.GetCheckIns()[3].GetRevision() != first || all.GetCheckIns()[0].GetRecorded() == "" {
		t.Errorf("revisions of %v", all)
	}
	if got := told(w.list(&strategyv1.ListCheckInsRequest{Revision: first}).GetCheckIns()); !slices.Equal(got, want[3:]) {
		t.Errorf("as of %d: %v", first, got)
	}
	// Pages are of one picture, whatever is said meanwhile, and however the
	// picture was selected.
	req := &strategyv1.ListCheckInsRequest{PageSize: 3, KnownAt: "2199-01-01"}
	page := w.list(req)
	w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-12", Note: "meanwhile"})
	req.PageToken = page.GetNextPageToken()
	rest := w.list(req)
	if got := append(told(page.GetCheckIns()), told(rest.GetCheckIns())...); !slices.Equal(got, want) || rest.GetNextPageToken() != "" {
		t.Errorf("in pages: %v", got)
	}
}

func TestCheckInsThatAreRefused(t *testing.T) {
	w := start(t)
	seen := w.checkIn(&strategyv1.CheckInRequest{Confidence: confidence(4), Note: "n"})
	w.checkIn(&strategyv1.CheckInRequest{Confidence: confidence(5), Note: "n"})
	for _, c := range []struct {
		reason string
		req    *strategyv1.CheckInRequest
	}{
		{"strategy.target_unknown", &strategyv1.CheckInRequest{Target: "tt", Note: "x"}},
		{"strategy.checkin_empty", &strategyv1.CheckInRequest{Target: "t"}},
		{"request.invalid", &strategyv1.CheckInRequest{Target: "t", Confidence: confidence(11)}},
		{"request.invalid", &strategyv1.CheckInRequest{Target: "t", Override: &strategyv1.OverrideRequest{Status: "green", Reason: "r", Expires: "2026-12-31"}}},
		{"request.invalid", &strategyv1.CheckInRequest{Target: "t", Override: &strategyv1.OverrideRequest{Status: "at_risk", Expires: "2026-12-31"}}},
		{"request.invalid", &strategyv1.CheckInRequest{Target: "t", Note: strings.Repeat("x", 4001)}},
		{"strategy.checkin_at", &strategyv1.CheckInRequest{Target: "t", At: "2026-11-23", Note: "x"}},
		{"strategy.override_expires", &strategyv1.CheckInRequest{Target: "t", Override: until("2027-11-23")}},
		{"strategy.override_expires", &strategyv1.CheckInRequest{Target: "t", Override: until("2026-11-21")}},
		{"strategy.checkin_override_and_clear", &strategyv1.CheckInRequest{Target: "t", Override: until("2026-12-31"), ClearOverride: true}},
		{"strategy.checkin_note", &strategyv1.CheckInRequest{Target: "t", Confidence: confidence(6)}},
		{"strategy.checkin_note", &strategyv1.CheckInRequest{Target: "t", At: "2026-10-31", Confidence: confidence(6), Note: " "}},
		{"strategy.checkins_changed", &strategyv1.CheckInRequest{Target: "t", Note: "x", ExpectedRevision: seen}},
	} {
		if _, err := w.strategy.CheckIn(w.ctx, c.req); reason(err) != c.reason {
			t.Errorf("%v: got %v, want %s", c.req, err, c.reason)
		}
	}
	if got := w.list(&strategyv1.ListCheckInsRequest{}).GetCheckIns(); len(got) != 2 {
		t.Errorf("on record: %v", told(got))
	}
	if _, err := w.strategy.ListCheckIns(w.ctx, &strategyv1.ListCheckInsRequest{Target: "tt"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("got %v", err)
	}
}

// A request id counts once, also after a restart and a rebuild of the record;
// without one, the same words of the same person on the same day are one
// check-in.
func TestACheckInCountsOnce(t *testing.T) {
	w := start(t)
	req := &strategyv1.CheckInRequest{RequestId: "r1", Confidence: confidence(4), Note: "n"}
	first := w.checkIn(req)
	w.checkIn(&strategyv1.CheckInRequest{Confidence: confidence(5), Note: "n"})
	before := w.list(&strategyv1.ListCheckInsRequest{})
	for _, rebuild := range []bool{false, true} {
		if err := w.server.Close(); err != nil {
			t.Fatal(err)
		}
		if rebuild {
			if err := os.Remove(filepath.Join(w.dir, "record.db")); err != nil {
				t.Fatal(err)
			}
		}
		w.open()
		if again := w.checkIn(req); again != first {
			t.Errorf("revision %d, first it was %d", again, first)
		}
		after := w.list(&strategyv1.ListCheckInsRequest{})
		before.Revision, after.Revision = 0, 0 // the loop may have told of something
		if !proto.Equal(before, after) {
			t.Errorf("rebuilt %v: %v, before it was %v", rebuild, after, before)
		}
	}
	w.checkIn(&strategyv1.CheckInRequest{Confidence: confidence(5), Note: "n"})
	if _, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{RequestId: "r1", Target: "t", Note: "other"}); reason(err) != "request.id_reused" {
		t.Errorf("got %v", err)
	}
	if got := told(w.list(&strategyv1.ListCheckInsRequest{}).GetCheckIns()); len(got) != 2 {
		t.Errorf("on record: %v", got)
	}
}

// Many check in at once: each is kept, none twice.
func TestCheckInsDoNotLoseEachOther(t *testing.T) {
	w := start(t)
	const writers = 20
	var gate, done sync.WaitGroup
	gate.Add(1)
	errs := make(chan error, writers)
	for i := range writers {
		done.Go(func() {
			gate.Wait()
			_, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "t", Note: fmt.Sprint("note ", i)})
			errs <- err
		})
	}
	gate.Done()
	done.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	seen := map[string]bool{}
	for _, c := range w.list(&strategyv1.ListCheckInsRequest{}).GetCheckIns() {
		seen[c.GetNote()] = true
	}
	if len(seen) != writers {
		t.Errorf("%d of %d are on record", len(seen), writers)
	}
}

// What was said about a target goes with it: a new one of the same name starts
// without, and a renamed one keeps it.
func TestWordsBelongToTheirTarget(t *testing.T) {
	w := start(t)
	w.checkIn(&strategyv1.CheckInRequest{Confidence: confidence(4), Override: until("2026-12-31")})
	w.apply(strings.Replace(plan[strings.LastIndex(plan, "---"):], "{name: t}", "{name: u, renamedFrom: t}", 1))
	if got, _ := w.target("2026-11-22", 0); got.GetName() != "u" || got.GetConfidence() != 4 || got.GetOverride() == nil {
		t.Errorf("renamed: %v", got)
	}
	if _, err := w.declare.Delete(w.ctx, &declarationv1.DeleteRequest{Kind: "Target", Name: "u"}); err != nil {
		t.Fatal(err)
	}
	w.apply(plan)
	if got, _ := w.target("2026-11-22", 0); got.GetName() != "t" || got.Confidence != nil || got.GetOverride() != nil {
		t.Errorf("a new target: %v", got)
	}
	if got := w.list(&strategyv1.ListCheckInsRequest{}).GetCheckIns(); len(got) != 0 {
		t.Errorf("a new target: %v", told(got))
	}
}

func TestANewValueBesideAnotherSourcesIsSaid(t *testing.T) {
	w := start(t)
	for _, c := range []struct {
		name    string
		correct bool
		value   *strategyv1.Observation
		want    string // part of the one warning; empty: none
	}{
		{"the same identity", true, observation("2026-10-31", "REXUS", 13), ""},
		{"another date", false, observation("2026-09-30", "", 11), ""},
		{"a forgotten source", true, observation("2026-10-31", "", 14), `name its source "REXUS"`},
		{"again, now a correction", true, observation("2026-10-31", "", 15), ""},
		{"a mistyped year", false, observation("2062-10-31", "", 14), "a value at 2062-10-31, a period still to come"},
		{"a third source", false, observation("2026-10-31", "audit", 14), `from "REXUS"`},
	} {
		res := w.observe(c.correct, c.value)
		if got := res.GetWarnings(); (c.want == "") != (len(got) == 0) || len(got) > 1 || len(got) == 1 && !strings.Contains(got[0], c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// field is what the first fault of a refusal is about.
func field(c *connect.Error) string {
	for _, d := range c.Details() {
		if m, err := d.Value(); err == nil {
			if e, ok := m.(*commonv1.ErrorDetail); ok && len(e.GetFaults()) > 0 {
				return e.GetFaults()[0].GetField()
			}
		}
	}
	return ""
}

// Whether a note is needed is decided by the status on the day that the
// check-in is about, with all that was recorded before it.
func TestARedStatusNeedsANote(t *testing.T) {
	w := start(t)
	bare := func(at string) string {
		_, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "t", At: at, Confidence: confidence(6)})
		return reason(err)
	}
	if got := bare("2025-12-31"); got != "" { // before the target began to count there is nothing to explain
		t.Errorf("before it began: %q", got)
	}
	_, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "t", Confidence: confidence(6)})
	var c *connect.Error
	if !errors.As(err, &c) || c.Code() != connect.CodeFailedPrecondition || !strings.Contains(c.Message(), "off track on 2026-11-22") || field(c) != "note" {
		t.Errorf("red: %v, of field %q", err, field(c))
	}
	w.observe(true, observation("2026-10-31", "REXUS", 109))
	if got := bare(""); got != "" {
		t.Errorf("with a value that is on track: %q", got)
	}
	if got := bare("2026-09-30"); got != "" { // no value by then: unknown is not red
		t.Errorf("before the value: %q", got)
	}
	w.observe(true, observation("2026-10-31", "REXUS", 12))
	if got := bare(""); got != "" { // the same person has just said so
		t.Errorf("again: %q", got)
	}
	if got := bare("2026-11-21"); got != "strategy.checkin_note" {
		t.Errorf("red again: %q", got)
	}
}

// Where a value comes along, it is what asks for a note: also in a period that still
// runs, where what was known is out of date, and after the same was said without it.
func TestAValueInTheRedNeedsANote(t *testing.T) {
	w := start(t)
	w.apply(`apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: hours}
spec: {unit: hours, cadence: monthly, reportingLag: 10d}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: sold}
spec: {unit: houses, cadence: monthly, reportingLag: 10d, aggregation: sum}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: quick, effective: 2025-12-31}
spec: {metric: hours, baseline: {date: 2025-12-31, value: 30}, value: 18, due: 2026-12-31}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: sales, effective: 2025-12-31}
spec: {metric: sold, direction: increase, baseline: {date: 2025-12-31, value: 20}, value: 40, due: 2027-12-31}
`)
	april, october := 26.0, 29.0
	w.observe(false, &strategyv1.Observation{Metric: "hours", ObservedAt: "2026-04", Value: &april}, &strategyv1.Observation{Metric: "sold", ObservedAt: "2026-10", Value: &october})
	if _, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "quick", Confidence: confidence(5)}); err != nil {
		t.Fatalf("out of date, and no value: %v", err)
	}
	for _, c := range []struct {
		name, target, at string
		value            float64
		reason           string
	}{
		{"a closed period, the newest value out of date", "quick", "2026-05", 29, "strategy.checkin_note"},
		{"a closed period", "quick", "2026-10", 29, "strategy.checkin_note"},
		{"the running period", "quick", "", 29, "strategy.checkin_note"},
		{"the running period, in the green", "quick", "", 19, ""},
		{"an earlier day than the newest", "quick", "2026-11-03", 29, ""},
		{"what has come together so far", "sales", "", 3, ""},
	} {
		_, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: c.target, Confidence: confidence(5), Value: &c.value, ObservedAt: c.at})
		if got := reason(err); got != c.reason {
			t.Errorf("%s: %q, want %q", c.name, got, c.reason)
		}
	}
}

package report

import (
	"bytes"
	"strings"
	"testing"

	"setpoint.dev/services/gap"
)

// What people say stands beside what was computed, in every form of the
// report, and changes nothing else.
func TestWhatPeopleSayStandsBeside(t *testing.T) {
	p, r := fixture()
	before := Build(p, r, Options{Strategy: "plan"})
	for i := range r.Targets {
		if r.Targets[i].Name == "revenue" {
			r.Targets[i].Override = &gap.Override{Status: gap.AtRisk, Reason: "A one-off | refund", Expires: date("2019-03-31"), Principal: "p", Revision: 4700}
			r.Targets[i].Confidence = one(6)
		}
	}
	said := map[string]Said{"revenue": {At: date("2018-11-20"), Note: "Two leases | end in March."}, "nothing of the kind": {Note: "x"}}
	after := Build(p, r, Options{Strategy: "plan", Said: said})
	if board := JSON(Build(p, r, Options{Strategy: "plan", Said: said, Audience: Board})); bytes.Contains(board, []byte("end in March")) {
		t.Error("the report for a board has notes of check-ins")
	}

	for _, c := range []struct {
		name  string
		text  []byte
		wants []string
	}{
		{"Markdown", Markdown(after), []string{"▼ Off track (said: at risk until 2019-03-31)", `*Override*: A one-off \| refund`, "Confidence 6 of 10", `*Check-in 2018-11-20*: Two leases \| end in March.`}},
		{"HTML", HTML(after), []string{"said: at risk until 2019-03-31", "A one-off | refund", "6 of 10", "<b>Check-in 2018-11-20</b>"}},
		{"JSON", JSON(after), []string{`"override":{"expires":"2019-03-31","reason":"A one-off | refund","revision":"4700","status":"at_risk"}`, `"confidence":6`}},
	} {
		for _, want := range c.wants {
			if !bytes.Contains(c.text, []byte(want)) {
				t.Errorf("%s does not say %q", c.name, want)
			}
		}
	}
	for _, row := range readCSV(t, CSV(after)) {
		want := [4]string{}
		if row["target"] == "revenue" {
			want = [4]string{"at_risk", "2019-03-31", "A one-off | refund", "6"}
		}
		if got := [4]string{row["override"], row["override_expires"], row["override_reason"], row["confidence"]}; got != want {
			t.Errorf("CSV of %s: %q, want %q", row["target"], got, want)
		}
	}

	if before.SHA256() == after.SHA256() {
		t.Error("the digest does not cover what people say")
	}
	for i := range after.Targets {
		x := &after.Targets[i]
		if x.Name == "revenue" && x.Status != gap.OffTrack {
			t.Errorf("the computed status became %s", x.Status)
		}
		if x.Override != nil {
			x.Override, x.Confidence, x.Notes = nil, nil, x.Notes[2:]
		}
	}
	if before.SHA256() != after.SHA256() {
		t.Error("something else changed")
	}
	if strings.Contains(string(Markdown(before)), "said:") {
		t.Error("somebody is said to have said something")
	}
}

package change

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

var readinessElements = []string{"satisfaction", "commitment", "readiness"}

// unitReadiness reads the three waves of a real survey (R package multilevel,
// data univbct) with battalions and companies as audiences.
func unitReadiness(t *testing.T) []Round {
	t.Helper()
	dir := os.Getenv("SETPOINT_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	f, err := os.Open(filepath.Join(dir, "unit_readiness_survey", "readiness_3waves.csv"))
	if os.IsNotExist(err) && os.Getenv("SETPOINT_DATA") == "" {
		t.Skip("NOT RUN: there is no survey data (set SETPOINT_DATA)")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rounds := make([]Round, 3)
	for i := range rounds {
		rounds[i].Wave = &WaveState{Wave: strconv.Itoa(i), Elements: readinessElements, BarrierAt: DefaultBarrier}
		if i > 0 {
			rounds[i].Earlier = &rounds[i-1]
		}
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		battalion, company := row[1], row[1]+"-"+row[2]
		for _, r := range rounds {
			if !seen[battalion] {
				r.Wave.Audiences = append(r.Wave.Audiences, &changev1.WaveAudience{Audience: battalion})
			}
			if !seen[company] {
				r.Wave.Audiences = append(r.Wave.Audiences, &changev1.WaveAudience{Audience: company, Parent: battalion})
			}
		}
		seen[battalion], seen[company] = true, true
		wave, err := strconv.Atoi(row[3])
		if err != nil {
			t.Fatal(err)
		}
		a := Answer{Respondent: row[0], Audience: company, Scores: map[string]float64{}}
		for i, e := range readinessElements {
			if row[4+i] == "NA" || row[4+i] == "" {
				continue
			}
			if a.Scores[e], err = strconv.ParseFloat(row[4+i], 64); err != nil {
				t.Fatal(err)
			}
		}
		rounds[wave].Answers = append(rounds[wave].Answers, a)
	}
	return rounds
}

func cell(r *changev1.WaveResults, audience string) *changev1.Cell {
	for _, c := range r.GetCells() {
		if c.GetAudience() == audience {
			return c
		}
	}
	return nil
}

func element(c *changev1.Cell, name string) *changev1.ElementResult {
	for _, e := range c.GetElements() {
		if e.GetElement() == name {
			return e
		}
	}
	return nil
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The figures that were published of this survey, and those worked by hand.
func TestARealSurvey(t *testing.T) {
	rounds := unitReadiness(t)
	want := []float64{3.010, 3.109, 3.212}
	for i := range rounds {
		rounds[i].Wave.Results = Results(rounds[i])
		all := cell(rounds[i].Wave.Results, "")
		near(t, "mean readiness of wave "+strconv.Itoa(i), element(all, "readiness").GetMean(), want[i], 0.0005)
	}
	first := cell(rounds[0].Wave.Results, "")
	b := first.GetBarriers()
	got := []int32{b.GetElements()[0].GetCount(), b.GetElements()[1].GetCount(), b.GetElements()[2].GetCount(), b.GetNone(), b.GetUnknown()}
	for i, n := range []int32{202, 28, 77, 156, 32} {
		if got[i] != n {
			t.Errorf("barriers %v, want 202 28 77 156 32", got)
			break
		}
	}
	near(t, "readiness", first.GetReadiness(), 0.4329, 0.00005)
	if first.GetComplete() != 454 {
		t.Errorf("complete answers: %d, want 454", first.GetComplete())
	}
	second := element(cell(rounds[1].Wave.Results, ""), "readiness")
	near(t, "paired change of readiness", second.GetChange(), 0.1187, 0.00005)
	if second.GetPairs() != 438 {
		t.Errorf("pairs: %d, want 438", second.GetPairs())
	}
}

// A company below five that is alone so in its battalion takes a second cell,
// or the battalion, with it.
func TestACompanyThatCouldBeToldByDifference(t *testing.T) {
	rounds := unitReadiness(t)
	r := Results(rounds[0])
	people := map[string]int{}
	for _, a := range rounds[0].Answers {
		people[a.Audience]++
	}
	small := 0
	for _, a := range rounds[0].Wave.GetAudiences() {
		if a.GetParent() == "" {
			continue
		}
		c := cell(r, a.GetAudience())
		if n := people[a.GetAudience()]; n < 5 {
			small++
			if c.Respondents != nil || len(c.GetElements()) > 0 || c.Barriers != nil || c.Readiness != nil {
				t.Errorf("%s, %d people: %v", a.GetAudience(), n, c)
			}
		} else if n < 10 && (c.Barriers != nil) {
			t.Errorf("%s, %d people: barrier counts are shown", a.GetAudience(), n)
		}
	}
	if small == 0 {
		t.Fatal("the data has no small company")
	}
	for _, battalion := range []string{"1022", "4", "1010"} {
		var hidden, n int
		for _, a := range rounds[0].Wave.GetAudiences() {
			if a.GetParent() == battalion && cell(r, a.GetAudience()).Respondents == nil {
				hidden++
				n += people[a.GetAudience()]
			}
		}
		if whole := cell(r, battalion); whole.Respondents != nil && (hidden < 2 || n < 5) {
			t.Errorf("battalion %s is shown and %d companies of %d people together are not", battalion, hidden, n)
		}
	}
}

package change

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// WaveState is one wave of a program's survey.
type WaveState = changev1.WaveState

// OpenWave is the wish to begin a round of the survey.
type OpenWave struct {
	Wave, At string
	Today    calendar.Date
	// Audiences are the program's, each with its nearest ancestor that is an
	// audience of the program too, and its size.
	Audiences []*changev1.WaveAudience
	// Invited replaces sizes, by audience.
	Invited map[string]int32
	// Open names the program's wave that is still open; empty if none is.
	Open string
	// Closed is the day on which the newest wave was closed; empty if none was.
	Closed string
}

// DecideOpen returns the event that opens a wave; have is the wave of that name,
// nil if there is none.
func DecideOpen(p Program, have *WaveState, c OpenWave) (*changev1.WaveOpened, error) {
	if len(p.Framework.GetElements()) == 0 {
		return nil, fault.New(fault.Rule, "change.nothing_to_ask", "program: its framework, %s, assesses no elements", p.Name).
			WithHint("a survey needs a framework with elements: adkar, or a ChangeFramework with spec.elements")
	}
	if have.GetClosed() != "" {
		return nil, fault.New(fault.Rule, "change.wave_closed", "wave: %q was closed on %s", c.Wave, have.GetClosed()).
			WithHint("open another one: results are computed once")
	}
	if have != nil {
		return nil, nil
	}
	if c.Open != "" {
		return nil, fault.New(fault.Rule, "change.wave_open", "wave: %q is still open", c.Open).WithHint("close it first: setpoint change wave close")
	}
	at, err := day("at", c.At, c.Today)
	if err != nil {
		return nil, err
	}
	if at.String() < c.Closed {
		return nil, fault.New(fault.Invalid, "change.wave_before", "at: %s is before %s, when the wave before it was closed", at, c.Closed)
	}
	e := &changev1.WaveOpened{Wave: c.Wave, At: at.String(), BarrierAt: Barrier(p.Framework)}
	for _, x := range p.Framework.GetElements() {
		if !x.GetAfterGoLive() || p.Spec.GetGoLive() != "" && p.Spec.GetGoLive() <= at.String() {
			e.Elements = append(e.Elements, x.GetName())
		}
	}
	if len(e.GetElements()) == 0 {
		return nil, fault.New(fault.Rule, "change.nothing_to_ask", "program: all elements of its framework apply only after its go-live").
			WithHint("give the program a goLive that has come")
	}
	known := map[string]bool{}
	for _, a := range c.Audiences {
		known[a.GetAudience()] = true
		invited, given := c.Invited[a.GetAudience()]
		if !given {
			invited = a.GetInvited()
		}
		if invited < 0 {
			return nil, fault.New(fault.Invalid, "change.invited", "invited[%q]: %d is negative", a.GetAudience(), invited)
		}
		e.Audiences = append(e.Audiences, &changev1.WaveAudience{Audience: a.GetAudience(), Parent: a.GetParent(), Invited: invited})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Invited)) {
		if !known[name] {
			return nil, fault.New(fault.Invalid, "change.audience_elsewhere", "invited[%q]: no audience of the program", name).
				WithHint("legal are %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return e, nil
}

// Largest is how many bytes the state of a wave may take once it is closed:
// every audience shown with every number, however many answer.
func Largest(opened *changev1.WaveOpened) int {
	most := int32(math.MaxInt32)
	counts := []int32{most, most, most, most, most}
	number := 1.0
	day := "2000-01-01"
	s := EvolveWave(nil, opened, nil)
	s.Closed = day
	s.Results = &changev1.WaveResults{Least: most, LeastDistribution: most, Previous: strings.Repeat("x", 63)}
	of := func(audience string) *changev1.Cell {
		c := &changev1.Cell{
			Audience: audience, Invited: most, Respondents: &most, Complete: &most, Readiness: &number,
			Barriers: &changev1.Barriers{None: most, Unknown: most},
		}
		for _, e := range opened.GetElements() {
			c.Barriers.Elements = append(c.Barriers.Elements, &changev1.ElementCount{Element: e, Count: most})
			c.Elements = append(c.Elements, &changev1.ElementResult{
				Element: e, Mean: &number, Respondents: &most, Change: &number, Pairs: &most, Distribution: counts,
			})
		}
		return c
	}
	s.Results.Cells = append(s.Results.Cells, of(""))
	for _, a := range opened.GetAudiences() {
		s.Results.Cells = append(s.Results.Cells, of(a.GetAudience()))
	}
	return proto.Size(s)
}

// Answer is what one person answered, read.
type Answer struct {
	Respondent string // identifies the person within the program
	Audience   string
	Scores     map[string]float64 // by element; absent is missing
	// Sealed tells that the answer cannot be read any more: the person was erased.
	Sealed bool
}

// CheckAnswers refuses answers that may not be recorded in a wave: all of them,
// with every fault named by its place. answered are the respondents who have
// answered before.
func CheckAnswers(w *WaveState, answered map[string]bool, answers []Answer) error {
	if w == nil {
		return fault.New(fault.NotFound, "change.wave_unknown", "wave: there is no wave of that name").WithHint("open it first: setpoint change wave open")
	}
	if w.GetClosed() != "" {
		return fault.New(fault.Rule, "change.wave_closed", "wave: %q was closed on %s; late answers are refused", w.GetWave(), w.GetClosed()).
			WithHint("what a closed wave found is never computed again; record them in the next wave")
	}
	known := map[string]bool{}
	for _, a := range w.GetAudiences() {
		known[a.GetAudience()] = true
	}
	bad := fault.New(fault.Invalid, "change.answers", "nothing was recorded")
	seen := map[string]int{}
	for i, a := range answers {
		at := func(field, format string, args ...any) {
			bad.At(fmt.Sprintf("answers[%d].%s", i, field), format, args...)
		}
		if j, again := seen[a.Respondent]; again {
			at("respondent", "the same respondent as answers[%d]; each answers once in a wave", j)
		} else if answered[a.Respondent] {
			at("respondent", "has answered in this wave; each answers once")
		}
		seen[a.Respondent] = i
		if !known[a.Audience] {
			at("audience", "%q is no audience of the wave", a.Audience)
		}
		for _, name := range slices.Sorted(maps.Keys(a.Scores)) {
			v := a.Scores[name]
			switch {
			case !slices.Contains(w.GetElements(), name):
				at("scores["+name+"]", "the wave does not ask for it; legal are %s", strings.Join(w.GetElements(), ", "))
			case math.IsNaN(v) || v < 1 || v > 5:
				at("scores["+name+"]", "%v is not from 1 to 5", v)
			}
		}
		if len(bad.Places) >= 50 {
			break // enough to see what is wrong
		}
	}
	if len(bad.Places) > 0 {
		return bad
	}
	return nil
}

// Overfull warns of audiences of which more people have answered than were
// asked, with what they answer now; those within an audience count for it. How
// many have answered is not said: the wave is open.
func Overfull(w *WaveState, before, now []Answer) []string {
	parents := map[string]string{}
	for _, a := range w.GetAudiences() {
		parents[a.GetAudience()] = a.GetParent()
	}
	answered := map[string]int32{}
	for _, a := range slices.Concat(before, now) {
		name := a.Audience
		for range len(parents) { // a tree is no deeper than it has nodes
			if name == "" {
				break
			}
			answered[name]++
			name = parents[name]
		}
	}
	var out []string
	for _, a := range w.GetAudiences() {
		if answered[a.GetAudience()] > a.GetInvited() {
			out = append(out, fmt.Sprintf("more people of %s have answered than were asked, %d: the response rate of wave %s is above 1, see the size of the audience",
				a.GetAudience(), a.GetInvited(), w.GetWave()))
		}
	}
	return out
}

// EvolveWave returns the state after an event; it does not change s.
func EvolveWave(s *WaveState, opened *changev1.WaveOpened, closed *changev1.WaveClosed) *WaveState {
	if opened != nil {
		return &WaveState{
			Wave: opened.GetWave(), Opened: opened.GetAt(), Elements: opened.GetElements(), Audiences: opened.GetAudiences(), BarrierAt: opened.GetBarrierAt(),
		}
	}
	return &WaveState{
		Wave: s.GetWave(), Opened: s.GetOpened(), Elements: s.GetElements(), Audiences: s.GetAudiences(), BarrierAt: s.GetBarrierAt(),
		Closed: closed.GetAt(), Results: closed.GetResults(),
	}
}

// DecideClose returns the event that closes a wave with its results, and the one
// that tells the program; both nil if it is closed already.
func DecideClose(w *WaveState, at string, today calendar.Date, now Round) (*changev1.WaveClosed, *changev1.ReadinessMeasured, error) {
	if w == nil {
		return nil, nil, fault.New(fault.NotFound, "change.wave_unknown", "wave: there is no wave of that name")
	}
	if w.GetClosed() != "" {
		return nil, nil, nil
	}
	d, err := day("at", at, today)
	if err != nil {
		return nil, nil, err
	}
	if d.String() < w.GetOpened() {
		return nil, nil, fault.New(fault.Invalid, "change.closed_before_opened", "at: %s is before %s, when the wave was opened", d, w.GetOpened())
	}
	closed := &changev1.WaveClosed{Wave: w.GetWave(), At: d.String(), Results: Results(now)}
	measured := &changev1.ReadinessMeasured{Wave: w.GetWave(), At: d.String()}
	for _, c := range closed.GetResults().GetCells() {
		if c.GetAudience() != "" {
			measured.Audiences = append(measured.Audiences, &changev1.AudienceReadiness{
				Audience: c.GetAudience(), Readiness: c.Readiness, Respondents: c.Complete,
			})
		}
	}
	return closed, measured, nil
}

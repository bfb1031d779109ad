package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Schema names the shape of the JSON form; it changes when a field is renamed,
// removed or changes its meaning, not when one is added.
const Schema = "setpoint.dev/gap-report/v1"

// Document is a gap report as a value. Targets are sorted worst first;
// objectives by pillar, then title; strategies and units by title. Absent
// numbers are nil.
type Document struct {
	Title        string        `json:"title"`
	Organization string        `json:"organization,omitempty"`
	Strategy     string        `json:"strategy,omitempty"` // the filter, "" for all
	AsOf         calendar.Date `json:"asOf"`
	Revision     uint64        `json:"revision,string"`
	Policy       string        `json:"policy"`
	// ErasureEpoch is how many people of the organization were erased when the
	// report was made: with another one, texts may be gone from it.
	ErasureEpoch int    `json:"erasureEpoch,omitempty"`
	Original     bool   `json:"originalTargets,omitempty"` // judged against the targets as first declared
	Audience     string `json:"audience,omitempty"`        // board, owner or analyst; "" is analyst
	Reproduce    string `json:"reproduce"`                 // the command that gives this document again

	Headline    Headline     `json:"headline"`
	Strategies  []Strategy   `json:"strategies"`
	Objectives  []Objective  `json:"objectives"`
	Units       []RollUp     `json:"units"`
	Targets     []Target     `json:"targets"`
	Grids       []Grid       `json:"grids"`
	Quality     []Issue      `json:"dataQuality"`
	Definitions []Definition `json:"definitions"`

	Since  *Since `json:"since,omitempty"`  // nil: compared with nothing
	Misses []Miss `json:"misses,omitempty"` // the least likely to be reached first
	Heat   []Heat `json:"heat,omitempty"`   // by cadence, the longest first

	// Only where initiatives or change programs are declared.
	Initiatives []Initiative `json:"initiatives,omitempty"` // most alive first, by title
	Coverage    *Coverage    `json:"coverage,omitempty"`
	Actions     []Action     `json:"actions,omitempty"`   // corrective ones that are open, by due date
	Readiness   []Program    `json:"readiness,omitempty"` // by title

	Decisions   []Decision   `json:"decisions,omitempty"`   // of the last reviews
	Calibration *Calibration `json:"calibration,omitempty"` // only where targets have ended
	digest      *digest
}

// digest is the hash of a document that is not written to any more.
type digest struct {
	once sync.Once
	body []byte
	sum  string
}

// Headline is what a reader takes away in five seconds.
type Headline struct {
	Sentence string  `json:"sentence"`
	Detail   string  `json:"detail,omitempty"`
	Counts   []Count `json:"counts"` // every status, worst first
	Total    int     `json:"total"`
	Behind   int     `json:"behind"`   // off track, missed or at risk
	Well     int     `json:"well"`     // on track or achieved
	Unjudged int     `json:"unjudged"` // no data
	// Worst and Missing name targets, the worst first.
	Worst   []string `json:"worst"`
	Missing []string `json:"missing"`
	Hints   []string `json:"hints"`
}

// Count is how many targets have a status.
type Count struct {
	Status gap.Status `json:"status"`
	Count  int        `json:"count"`
}

// Strategy is a declared plan with its roll-up.
type Strategy struct {
	RollUp
	Description string        `json:"description,omitempty"`
	Vision      string        `json:"vision,omitempty"`
	Start       calendar.Date `json:"start,omitzero"`
	End         calendar.Date `json:"end,omitzero"`
	Owner       string        `json:"owner,omitempty"`
}

// Objective is a section of the report; Targets are worst first. The objective
// with an empty name gathers the targets that serve none.
type Objective struct {
	RollUp
	Description string   `json:"description,omitempty"`
	Pillar      string   `json:"pillar,omitempty"`
	Perspective string   `json:"perspective,omitempty"`
	OKRType     string   `json:"okrType,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Serves      []string `json:"serves,omitempty"` // titles of the objectives it contributes to
	// ContributesTo are their names.
	ContributesTo []string `json:"contributesTo,omitempty"`
	Members       []string `json:"members"` // names of its own targets
}

// RollUp is the weighted summary of a strategy, an objective or a unit. Known
// is the share of the weight that could be judged, 0 to 1.
type RollUp struct {
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Status      gap.Status  `json:"status"`
	Score       *float64    `json:"score,omitempty"`
	Progress    *float64    `json:"progress,omitempty"`
	Known       float64     `json:"known"`
	Targets     int         `json:"targets"`
	Counts      []Count     `json:"counts,omitempty"` // those above 0, worst first
	Explanation Explanation `json:"explanation"`
}

// Target is one compared setpoint. Gap, Drift, Share and TargetDrift are
// positive where it is behind (or was loosened).
type Target struct {
	Name           string `json:"name"`
	Title          string `json:"title"`
	Objective      string `json:"objective,omitempty"`
	ObjectiveTitle string `json:"objectiveTitle,omitempty"`
	Strategy       string `json:"strategy,omitempty"`
	Owner          string `json:"owner,omitempty"`
	Unit           string `json:"unit,omitempty"`
	Metric         Metric `json:"metric"`

	Form            gap.Form   `json:"form"`
	Direction       string     `json:"direction,omitempty"` // increase, decrease
	Status          gap.Status `json:"status"`
	Reason          string     `json:"reason,omitempty"` // why it has no verdict, in a word or two
	Stale           bool       `json:"stale,omitempty"`
	LastKnownStatus gap.Status `json:"lastKnownStatus,omitempty"`
	Conditions      []string   `json:"conditions,omitempty"`
	Summary         string     `json:"summary"` // the verdict in one sentence

	Override   *Override `json:"override,omitempty"`
	Confidence *int      `json:"confidence,omitempty"` // 0 to 10

	Period      string        `json:"period,omitempty"`
	Actual      *float64      `json:"actual,omitempty"`
	ActualAt    calendar.Date `json:"actualAt,omitzero"`
	Baseline    *float64      `json:"baseline,omitempty"`
	Target      *float64      `json:"target,omitempty"`
	Lower       *float64      `json:"lower,omitempty"`
	Upper       *float64      `json:"upper,omitempty"`
	Due         calendar.Date `json:"due,omitzero"`
	Forecast    calendar.Date `json:"forecast,omitzero"` // when a milestone is said to be done
	Expected    *float64      `json:"expected,omitempty"`
	ExpectedNow *float64      `json:"expectedNow,omitempty"`
	Gap         *float64      `json:"gap,omitempty"`
	Drift       *float64      `json:"drift,omitempty"`
	Share       *float64      `json:"share,omitempty"`
	TargetDrift *float64      `json:"targetDrift,omitempty"`
	Progress    *float64      `json:"progress,omitempty"`
	Score       *float64      `json:"score,omitempty"`
	Weight      float64       `json:"weight"`

	Outlook     *Outlook    `json:"outlook,omitempty"` // nil: there is nothing to forecast
	Periods     []Period    `json:"periods"`
	Notes       []Note      `json:"notes"`
	Data        Data        `json:"data"`
	Explanation Explanation `json:"explanation"`
	Chart       *Chart      `json:"chart,omitempty"` // nil: there is nothing to draw
}

// Override is a status that a person set; it stands beside the computed one.
type Override struct {
	Status   gap.Status    `json:"status"`
	Reason   string        `json:"reason"`
	Expires  calendar.Date `json:"expires"`
	Revision Rev           `json:"revision"`
}

// Metric is what a target is measured by, and how its values are shown.
type Metric struct {
	Name        string           `json:"name"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	Unit        string           `json:"unit,omitempty"`
	Source      string           `json:"source,omitempty"`
	Cadence     calendar.Cadence `json:"cadence,omitempty"`
	Format      Format           `json:"format"`
}

// Format says how the numbers of a metric are shown; see gap.Format.
type Format struct {
	Style     string `json:"style,omitempty"`
	Decimals  *int   `json:"decimals,omitempty"`
	Magnitude string `json:"magnitude,omitempty"`
	Currency  string `json:"currency,omitempty"`
}

// Period is one period of a target: what was to be, what was, the difference.
type Period struct {
	Period   string          `json:"period"`
	Start    calendar.Date   `json:"start,omitzero"`
	End      calendar.Date   `json:"end,omitzero"`
	Target   *float64        `json:"target,omitempty"`
	Lower    *float64        `json:"lower,omitempty"`
	Upper    *float64        `json:"upper,omitempty"`
	Actual   *float64        `json:"actual,omitempty"`
	Variance *float64        `json:"variance,omitempty"`
	Expected *float64        `json:"expected,omitempty"`
	State    gap.PeriodState `json:"state"`
	Note     string          `json:"note,omitempty"`
}

// Note is a text that people attached to what a target rests on.
type Note struct {
	About string        `json:"about"` // Override, Check-in, Target, Metric, Source, Observation, Method break, Period
	At    calendar.Date `json:"at,omitzero"`
	Text  string        `json:"text"`
}

// Data is what a reader must know about the data behind a target.
type Data struct {
	Observations int           `json:"observations"`
	Missing      int           `json:"missing"`
	Excluded     int           `json:"excluded"`
	Corrected    int           `json:"corrected"`
	LastValueAt  calendar.Date `json:"lastValueAt,omitzero"`
	NextDue      calendar.Date `json:"nextDue,omitzero"`
}

// Explanation is how a status came about.
type Explanation struct {
	Rule      string  `json:"rule"`
	Inputs    []Input `json:"inputs"`
	Revisions []Rev   `json:"revisions"`
}

// Input is one named number, date or word of an explanation.
type Input struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Rev is a log position; JSON shows it as a string, as everywhere.
type Rev uint64

// Grid is the table of periods of all targets with one cadence. Columns are at
// most maxColumns consecutive periods; Omitted counts what does not fit and is
// found under each target.
type Grid struct {
	Cadence string      `json:"cadence"`
	Columns []Column    `json:"columns"`
	Omitted int         `json:"omitted,omitempty"`
	Groups  []GridGroup `json:"groups"`
}

// Column is one period of a grid.
type Column struct {
	Period string        `json:"period"`
	End    calendar.Date `json:"end"`
}

// GridGroup is the rows of one objective.
type GridGroup struct {
	Objective string    `json:"objective"`
	Title     string    `json:"title"`
	Rows      []GridRow `json:"rows"`
}

// GridRow is one target; Cells has an index into the target's Periods for each
// column, -1 where it has none.
type GridRow struct {
	Target string `json:"target"`
	Cells  []int  `json:"cells"`
}

// Issue is one thing wrong with the data, and why it matters.
type Issue struct {
	Kind   string `json:"kind"` // see issueKinds
	Target string `json:"target"`
	Title  string `json:"title"`
	Why    string `json:"why"`
}

// Definition explains one term of the report.
type Definition struct {
	Term    string `json:"term"`
	Meaning string `json:"meaning"`
}

// MarshalJSON writes the position as a string: 64 bits do not fit a JavaScript
// number.
func (r Rev) MarshalJSON() ([]byte, error) { return json.Marshal(uint64String(uint64(r))) }

// SHA256 is the hexadecimal digest of the canonical JSON of d: keys sorted, no
// white space, absent values left out. It is what "document" holds in the
// output of JSON.
func (d Document) SHA256() string {
	_, sum := d.canonical()
	return sum
}

// Frozen is d with its hash kept once it is computed: nothing may write to it
// from then on. Hashing a large document takes as long as rendering it.
func (d Document) Frozen() Document {
	d.digest = &digest{}
	return d
}

// canonical is the canonical JSON of d and its hash.
func (d Document) canonical() ([]byte, string) {
	kept := d.digest
	if kept == nil {
		kept = &digest{}
	}
	kept.once.Do(func() {
		kept.body = canonical(d)
		sum := sha256.Sum256(kept.body)
		kept.sum = hex.EncodeToString(sum[:])
	})
	return kept.body, kept.sum
}

// JSON is {"schema", "sha256", "document"} in canonical form, with a line feed
// at the end; sha256 is that of the document member alone.
func JSON(d Document) []byte {
	body, sum := d.canonical()
	var b bytes.Buffer
	b.Grow(len(body) + 200)
	b.WriteString(`{"document":`)
	b.Write(body)
	b.WriteString(`,"schema":"` + Schema + `","sha256":"` + sum + "\"}\n")
	return b.Bytes()
}

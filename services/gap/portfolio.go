package gap

import "setpoint.dev/services/internal/calendar"

// Portfolio is everything an evaluation looks at: the declared and the
// observed state of one organization at one revision. References are names;
// a reference that resolves to nothing makes the referrer's result no_data,
// never a panic.
type Portfolio struct {
	Revision   uint64 // the log position the portfolio was read at
	Units      []Unit
	Strategies []Strategy
	Objectives []Objective
	Metrics    []Metric
	Targets    []Target
	// Initiatives are looked at by Cover, not by Evaluate.
	Initiatives []Initiative
	// Actions are the corrective actions, open or closed; nothing is computed of
	// them.
	Actions []Action
	// Decisions are what reviews decided by the day.
	Decisions []Decision
	// Programs are all change programs; those of an initiative stand there too.
	Programs []Program
}

// Unit is a division or team; Parent is "" at the top.
type Unit struct {
	Name, Title, Parent string
	Revision            uint64
}

// Strategy is a declared plan.
type Strategy struct {
	Name, Title, Description, Vision string
	Start, End                       calendar.Date
	Pillars                          []string
	Owner                            string
	Revision                         uint64
}

// Objective is a qualitative desired state; the weight sits on the edge.
type Objective struct {
	Name, Title, Description, Strategy, Pillar, Perspective string
	OKRType                                                 string // committed, aspirational or ""
	ContributesTo                                           []Edge
	Owner                                                   string
	Weight                                                  float64 // in its strategy if it is a root; 0 means 1
	Revision                                                uint64
}

// Edge says that an objective serves another; Weight 0 means 1.
type Edge struct {
	Objective string
	Weight    float64
}

// Metric is what is measured, with what was observed, in any order.
type Metric struct {
	ID                                           string // of its aggregate; nothing is computed of it
	Name, Title, Description, Unit, Source, Note string
	Format                                       Format
	Cadence                                      calendar.Cadence
	ReportedEvery                                calendar.Cadence // "" means Cadence
	ReportingLagDays                             int              // < 0 means half the next period
	Calendar                                     calendar.Calendar
	Aggregation                                  Aggregation
	Ratio                                        *Ratio // of the aggregation ratio
	Accumulate                                   bool   // targets are on the total since their start
	Breaks                                       []Break
	Lower, Upper                                 *float64 // bounds of the possible
	Observations                                 []Observation
	Revision                                     uint64
}

// Format says how values are shown.
type Format struct {
	Style     string // number, integer, percent, currency, boolean
	Decimals  *int   // nil: as many as the style usually has
	Magnitude string // "", thousands, millions, billions: what one unit of the value stands for
	Currency  string // ISO 4217
}

// Aggregation is how the values of a period become one.
type Aggregation string

const (
	Last Aggregation = "last"
	Sum  Aggregation = "sum"
	Mean Aggregation = "mean"
	Min  Aggregation = "min"
	Max  Aggregation = "max"
	// RatioOf divides the sums of two metrics: ΣN/ΣD, never a mean of ratios.
	RatioOf Aggregation = "ratio"
)

// Ratio names the metrics that are divided.
type Ratio struct{ Numerator, Denominator string }

// Break is a date from which values are not comparable with earlier ones.
type Break struct {
	Date   calendar.Date
	Reason string
}

// Observation is a measured value, true for the period or instant that ends
// at At. Sources with the same date are ranked by Revision: the highest wins.
type Observation struct {
	At          calendar.Date
	Value       float64
	Source      string
	Note        string
	Revision    uint64
	Corrections int // how often it was corrected
}

// Target is a setpoint with all its declared versions, oldest first.
type Target struct {
	Name, Title, Description, Note string
	Objective, Metric, Owner       string
	Weight                         float64 // in its objective; 0 means 1
	Versions                       []Setpoint
}

// Setpoint is one declared version of a target. Exactly one of the forms is
// set: Value or ChangeFromBaseline with Due (a path), Periods, Maintain, or
// Milestone.
type Setpoint struct {
	Effective calendar.Date // from when it counts
	Revision  uint64

	Direction Direction // Undirected: from baseline to value
	Tolerance float64   // τ ≥ 0
	Scale     float64   // 0: none declared

	Baseline           *Baseline
	Value              *float64
	ChangeFromBaseline *float64 // -0.4 for -40 %
	Due                calendar.Date
	Trajectory         Trajectory
	Levels             *Levels

	Periods   []PeriodTarget
	Maintain  *Maintain
	Milestone *Milestone
}

// Direction is the sign s: +1 increase, -1 decrease, 0 not declared.
type Direction int

const (
	Undirected Direction = 0
	Increase   Direction = 1
	Decrease   Direction = -1
)

// Baseline is where a path starts; a nil Value is taken from the metric.
type Baseline struct {
	Date  calendar.Date
	Value *float64
}

// Shape is the form of a trajectory.
type Shape string

const (
	Linear      Shape = "linear"
	Exponential Shape = "exponential"
	SCurve      Shape = "s-curve"
	Step        Shape = "step"
	Points      Shape = "points"
)

// Trajectory is the expected way to the final value; the zero value is linear.
type Trajectory struct {
	Shape  Shape
	Points []Point
	Steps  bool // between points: hold the earlier value instead of a line
	Start  *Point
}

// Point is a value at a date.
type Point struct {
	Date  calendar.Date
	Value float64
}

// Levels are OKR levels; a nil one is not declared.
type Levels struct{ Commit, Target, Stretch *float64 }

// PeriodTarget is the setpoint of one period.
type PeriodTarget struct {
	Period       string // as declared: FY2018
	Value        *float64
	Lower, Upper *float64
	Excluded     string // why it is not judged
}

// Maintain is a band to stay in; at least one bound is set.
type Maintain struct {
	Lower, Upper *float64
	From, To     calendar.Date // zero: open
}

// Milestone is done when its metric reaches 1; Forecast is zero if nobody
// said when.
type Milestone struct{ Forecast calendar.Date }

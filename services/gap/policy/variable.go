package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
)

// The kinds that reactions are about.
const (
	Target    = "Target"
	Review    = "Review"
	Objective = "Objective"
	Strategy  = "Strategy"
	Unit      = "Unit"
)

// about are the kinds that a reaction can be about; one whose expression does not
// say is about the first that has all that it mentions.
var about = []string{Target, Review, Objective, Strategy, Unit}

// Variable is something that an expression can look at.
type Variable struct {
	Name, Type, About string
	Of                []string // the kinds that have it
	typ               *cel.Type
}

// Variables are all that there is, in the order of their documentation. Those
// whose value is not known make an expression that needs them not hold.
func Variables() []Variable { return slices.Clone(variables) }

// VariableNames are their names.
func VariableNames() []string {
	var out []string
	for _, v := range variables {
		out = append(out, v.Name)
	}
	return out
}

var plural = map[string]string{Target: "targets", Review: "reviews", Objective: "objectives", Strategy: "strategies", Unit: "units"}

var (
	types = map[string]*cel.Type{
		"string": cel.StringType, "int": cel.IntType, "double": cel.DoubleType, "bool": cel.BoolType, "list(string)": cel.ListType(cel.StringType),
	}
	ofTargets = []string{Target}
	ofReviews = []string{Review}
	assessed  = []string{Target, Objective, Strategy, Unit} // what has the six conditions
)

func variable(of []string, name, typ, says string) Variable {
	t, ok := types[typ]
	if !ok {
		panic("policy: no type " + typ)
	}
	return Variable{Name: name, Type: typ, About: says, Of: of, typ: t}
}

var variables = slices.Concat([]Variable{
	variable(ofTargets, "target.name", "string", "name of the target"),
	variable(ofTargets, "target.metric", "string", "name of its metric"),
	variable(ofTargets, "target.objective", "string", "name of its objective"),
	variable(ofTargets, "target.strategy", "string", "name of its strategy"),
	variable(ofTargets, "target.owner", "string", "unit/NAME or person/ID, empty if nobody"),
	variable(ofTargets, "target.form", "string", "path, periods, maintain, milestone"),
	variable(ofTargets, "target.status", "string", "not_started, no_data, on_track, at_risk, off_track, achieved, missed"),
	variable(ofTargets, "target.daysToDue", "int", "days until it is due, negative after; not known without a due date"),
	variable(ofTargets, "gap.open", "bool", "a gap was told and has not closed"),
	variable(ofTargets, "gap.known", "bool", "there is a gap to speak of: the actual is known"),
	variable(ofTargets, "gap.value", "double", "to the final state, in the metric's unit; positive is behind"),
	variable(ofTargets, "gap.share", "double", "drift as a share of the way"),
	variable(ofTargets, "gap.drift", "double", "off the path, in the metric's unit"),
	variable(ofTargets, "gap.actual", "double", "the value judged"),
	variable(ofTargets, "gap.expected", "double", "what was expected of it"),
	variable(ofTargets, "gap.coverage", "double", "share of the gap that initiatives in progress are expected to close"),
	variable(assessed, "condition.OnTrack", "string", "True, False, Unknown"),
	variable(assessed, "condition.DataFresh", "string", "True, False, Unknown"),
	variable(assessed, "condition.FinalPending", "string", "True, False, Unknown"),
	variable(assessed, "condition.Covered", "string", "True, False, Unknown"),
	variable(assessed, "condition.ForecastAttains", "string", "True, False, Unknown"),
	variable(assessed, "condition.ChangeReady", "string", "True, False, Unknown"),
	variable(about, "transition.last", "string", "what was told last: GapOpened, GapWidened, DataWentStale …"),
	variable(assessed, "days.onTrack", "int", "days since OnTrack last changed"),
	variable(assessed, "days.dataFresh", "int", "days since DataFresh last changed"),
	variable(ofTargets, "days.data", "int", "days since the last day that the actual covers"),
	variable(about, "units", "list(string)", "the owning unit and those above it, nearest first; of a unit itself and those above it"),
	variable(ofTargets, "actions.open", "int", "open corrective actions on the target that people opened"),
	variable(ofReviews, "review.name", "string", "name of a review"),
	variable(ofReviews, "review.owner", "string", "unit/NAME or person/ID, empty if nobody"),
	variable(ofReviews, "review.cadence", "string", "daily, weekly, monthly, quarterly, annual"),
	variable(ofReviews, "review.strategy", "string", "the strategy it looks at; not known if it looks at something else"),
	variable(ofReviews, "review.period", "string", "the latest period that it is owed for; not known if none is"),
	variable(ofReviews, "review.daysOverdue", "int", "days since the first one in a row that is not held was due, 0 if none is late"),
	variable(ofReviews, "review.missed", "int", "how many in a row are late"),
	variable(ofReviews, "condition.ReviewOverdue", "string", "True, False"),
}, ofRollUp(Objective), ofRollUp(Strategy), ofRollUp(Unit))

// ofRollUp are the variables of a kind that rolls targets up. Each kind has its own,
// so that one cause does not act at every level unless a reaction is written for each.
func ofRollUp(kind string) []Variable {
	group := strings.ToLower(kind)
	of := []string{kind}
	out := []Variable{variable(of, group+".name", "string", fmt.Sprintf("name of the %s", group))}
	if kind == Objective {
		out = append(out, variable(of, group+".strategy", "string", "name of its strategy"))
	}
	if kind != Unit {
		out = append(out, variable(of, group+".owner", "string", "unit/NAME or person/ID, empty if nobody"))
	}
	return append(out,
		variable(of, group+".status", "string", "not_started, no_data, on_track, at_risk, off_track"),
		variable(of, group+".score", "double", "what it is rolled up to, from 0 to 1; not known without data"),
		variable(of, group+".known", "double", "share of the weight below it that is known"),
		variable(of, group+".targets", "int", "targets below it"),
		variable(of, group+".atRisk", "int", "those of them that are at risk"),
		variable(of, group+".offTrack", "int", "those of them that are off track or missed"),
	)
}

// used are the variables that an expression mentions, outside of what is quoted.
func used(when string) (out []Variable) {
	when = literal.ReplaceAllString(when, "''")
	words := map[string]bool{}
	for _, w := range word.FindAllString(when, -1) {
		words[w] = true
	}
	for _, v := range variables {
		if words[v.Name] {
			out = append(out, v)
		}
	}
	return out
}

// kindOf is what an expression is about: the first kind that has all that it
// mentions; "" if nothing has.
func kindOf(when string) string {
	mentioned := used(when)
	for _, kind := range about {
		if !slices.ContainsFunc(mentioned, func(v Variable) bool { return !slices.Contains(v.Of, kind) }) {
			return kind
		}
	}
	return ""
}

// clash says which two of the variables that an expression mentions are never known
// of one resource.
func clash(when string) string {
	mentioned := used(when)
	for i, a := range mentioned {
		for _, b := range mentioned[:i] {
			if !slices.ContainsFunc(a.Of, func(kind string) bool { return slices.Contains(b.Of, kind) }) {
				return fmt.Sprintf("%s is of %s and %s of %s", b.Name, several(b.Of), a.Name, several(a.Of))
			}
		}
	}
	return ""
}

// several names kinds.
func several(kinds []string) string {
	var out []string
	for _, k := range kinds {
		out = append(out, plural[k])
	}
	if n := len(out); n > 1 {
		return strings.Join(out[:n-1], ", ") + " and " + out[n-1]
	}
	return out[0]
}

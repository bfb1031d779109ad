package cli

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// kind is what the command line knows of a kind of resource: how it is called
// and what a table of it shows. The server knows the rest.
type kind struct {
	Name    string // as in manifests
	Plural  string
	Spec    proto.Message // orders the fields; nil: by name
	Columns []kindColumn
}

// kindColumn takes a cell from the spec; numbers of a metric read as it declares.
type kindColumn struct {
	column
	cell func(spec map[string]*structpb.Value, as shown) string
}

var (
	titleColumn = kindColumn{column{Title: "TITLE", Shrink: 16, Cap: longestTitle}, field("title")}
	ownerColumn = kindColumn{column{Title: "OWNER", Shrink: 10, Drop: 3}, field("owner")}
	plain       = []kindColumn{titleColumn, ownerColumn}
)

// longestTitle is how much of a title is shown where no terminal limits it.
const longestTitle = 60

var kinds = []kind{
	{"Organization", "organizations", &strategyv1.OrganizationSpec{}, []kindColumn{
		titleColumn, {column{Title: "TIME ZONE"}, field("timeZone")}, {column{Title: "CURRENCY"}, field("currency")},
		{column{Title: "FISCAL YEAR STARTS", Right: true}, field("fiscalYearStart")}}},
	{"Unit", "units", &strategyv1.UnitSpec{}, []kindColumn{
		titleColumn, {column{Title: "PARENT"}, field("parent")}}},
	{"Person", "people", &strategyv1.PersonSpec{}, []kindColumn{
		{column{Title: "DISPLAY NAME", Shrink: 12}, field("displayName")}, {column{Title: "EMAIL", Shrink: 12, Drop: 4}, field("email")},
		{column{Title: "TITLE", Shrink: 10, Drop: 5}, field("title")}, {column{Title: "UNIT", Name: true}, field("unit")}}},
	{"Audience", "audiences", &changev1.AudienceSpec{}, []kindColumn{
		titleColumn, {column{Title: "UNIT", Shrink: 10, Name: true}, field("unit")}, {column{Title: "PARENT", Shrink: 10, Name: true}, field("parent")},
		{column{Title: "SIZE", Right: true}, field("size")}, {column{Title: "IMPACT", Right: true}, field("impact")}}},
	{"Strategy", "strategies", &strategyv1.StrategySpec{}, []kindColumn{
		titleColumn, {column{Title: "START"}, field("horizon.start")}, {column{Title: "END"}, field("horizon.end")}, ownerColumn}},
	{"Objective", "objectives", &strategyv1.ObjectiveSpec{}, []kindColumn{
		titleColumn, {column{Title: "STRATEGY", Shrink: 12, Name: true}, field("strategy")}, {column{Title: "PILLAR", Shrink: 10}, field("pillar")},
		{column{Title: "OKR TYPE", Drop: 4}, field("okrType")}, ownerColumn}},
	{"Metric", "metrics", &strategyv1.MetricSpec{}, []kindColumn{
		titleColumn, {column{Title: "UNIT", Shrink: 8}, field("unit")}, {column{Title: "CADENCE"}, field("cadence")},
		{column{Title: "AGGREGATION", Drop: 4}, field("aggregation")}}},
	{"Target", "targets", &strategyv1.TargetSpec{}, []kindColumn{
		{column{Title: "METRIC", Shrink: 12, Name: true}, field("metric")}, {column{Title: "OBJECTIVE", Shrink: 12, Drop: 4, Name: true}, field("objective")},
		{column{Title: "FORM", Drop: 5}, targetForm}, {column{Title: "TARGET", Right: true}, targetValue},
		{column{Title: "DUE"}, targetDue}, ownerColumn}},
	{"Initiative", "initiatives", &initiativev1.InitiativeSpec{}, []kindColumn{
		titleColumn, {column{Title: "START"}, field("start")}, {column{Title: "END"}, field("end")}, ownerColumn}},
	{"ChangeProgram", "changeprograms", &changev1.ChangeProgramSpec{}, []kindColumn{
		titleColumn, {column{Title: "FRAMEWORK"}, field("framework")}, {column{Title: "INITIATIVE", Shrink: 12, Name: true}, field("initiative")},
		{column{Title: "START"}, field("start")}, {column{Title: "END"}, field("end")}, ownerColumn}},
	{"ChangeFramework", "changeframeworks", &changev1.ChangeFrameworkSpec{}, []kindColumn{titleColumn, {column{Title: "SOURCE", Shrink: 16, Cap: longestTitle}, field("source")}}},
	{"Policy", "policies", &gapv1.PolicySpec{}, []kindColumn{
		titleColumn, {column{Title: "BEGINS WITH"}, policyPreset}, {column{Title: "REACTIONS", Shrink: 12}, policyReactions}}},
	{"Review", "reviews", &strategyv1.ReviewSpec{}, []kindColumn{
		titleColumn, {column{Title: "CADENCE"}, field("cadence")}, {column{Title: "WITHIN", Drop: 4}, field("within")}, ownerColumn}},
	{"Connector", "connectors", nil, plain},
	{"Webhook", "webhooks", &eventv1.WebhookSpec{}, []kindColumn{
		titleColumn, {column{Title: "URL", Shrink: 20, Cap: longestTitle}, field("url")}, {column{Title: "PAUSED"}, field("paused")}}},
}

// kindNamed finds a kind by its singular or plural name, whatever the case.
func kindNamed(name string) (kind, error) {
	want := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
	var names []string
	for _, k := range kinds {
		singular := strings.ToLower(k.Name)
		if want == singular || want == k.Plural || want == singular+"s" {
			return k, nil
		}
		names = append(names, k.Plural, singular)
	}
	e := usagef("unknown kind %q", name)
	if near := nearest(want, names); near != "" {
		e.hint = "did you mean " + near + "?"
	} else {
		e.hint = "legal are " + strings.Join(kindNames(), ", ")
	}
	return kind{}, e
}

func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Plural)
	}
	return names
}

// splitKind takes KIND NAME or KIND/NAME apart; name is "" if there is none.
func splitKind(args []string) (kind, string, error) {
	first, name := args[0], ""
	if len(args) > 1 {
		name = args[1]
	} else if before, after, found := strings.Cut(first, "/"); found {
		first, name = before, after
	}
	k, err := kindNamed(first)
	return k, name, err
}

func field(path string) func(map[string]*structpb.Value, shown) string {
	return func(spec map[string]*structpb.Value, _ shown) string { return cellText(lookup(spec, path)) }
}

func lookup(spec map[string]*structpb.Value, path string) *structpb.Value {
	name, rest, more := strings.Cut(path, ".")
	if !more {
		return spec[name]
	}
	return lookup(spec[name].GetStructValue().GetFields(), rest)
}

func cellText(v *structpb.Value) string {
	switch k := v.GetKind().(type) {
	case *structpb.Value_StringValue:
		return printable(k.StringValue)
	case *structpb.Value_NumberValue:
		return formatNumber(k.NumberValue)
	case *structpb.Value_BoolValue:
		return fmt.Sprint(k.BoolValue)
	}
	return ""
}

func targetForm(spec map[string]*structpb.Value, _ shown) string {
	switch {
	case spec["periods"] != nil:
		return "periods"
	case spec["maintain"] != nil:
		return "maintain"
	case spec["milestone"] != nil:
		return "milestone"
	}
	return "path"
}

func targetValue(spec map[string]*structpb.Value, as shown) string {
	if v := numberIn(spec, "value"); v != nil {
		return as.value(*v)
	}
	if s := cellText(spec["changeFromBaseline"]); s != "" {
		return s
	}
	if m := spec["maintain"].GetStructValue().GetFields(); m != nil {
		return as.band(numberIn(m, "lower"), numberIn(m, "upper"))
	}
	if p := spec["periods"].GetListValue().GetValues(); len(p) > 0 {
		last := p[len(p)-1].GetStructValue().GetFields()
		if v := numberIn(last, "value"); v != nil {
			return as.value(*v)
		}
		return as.band(numberIn(last, "lower"), numberIn(last, "upper"))
	}
	if l := spec["levels"].GetStructValue().GetFields(); l != nil {
		for _, level := range []string{"target", "stretch", "commit"} {
			if v := numberIn(l, level); v != nil {
				return as.value(*v)
			}
		}
	}
	return ""
}

func policyPreset(spec map[string]*structpb.Value, _ shown) string {
	if s := cellText(lookup(spec, "evaluation.preset")); s != "" {
		return s
	}
	return "default"
}

func policyReactions(spec map[string]*structpb.Value, _ shown) string {
	var names []string
	for _, r := range spec["reactions"].GetListValue().GetValues() {
		names = append(names, cellText(r.GetStructValue().GetFields()["name"]))
	}
	return strings.Join(names, ", ")
}

func targetDue(spec map[string]*structpb.Value, _ shown) string {
	if s := cellText(spec["due"]); s != "" {
		return s
	}
	if p := spec["periods"].GetListValue().GetValues(); len(p) > 0 {
		return cellText(lookup(p[len(p)-1].GetStructValue().GetFields(), "period"))
	}
	return cellText(lookup(spec, "maintain.to"))
}

func numberIn(m map[string]*structpb.Value, name string) *float64 {
	if n, ok := m[name].GetKind().(*structpb.Value_NumberValue); ok {
		return &n.NumberValue
	}
	return nil
}

// resourceTable is the table of a list; formats are those of the metrics.
func resourceTable(k kind, resources []*commonv1.Resource, formats map[string]shown, width int, color paint) string {
	columns := []column{{Title: "NAME", Shrink: 20, Name: true}}
	for _, c := range k.Columns {
		columns = append(columns, c.column)
	}
	columns = append(columns, column{Title: "SET", Drop: 1}, column{Title: "REVISION", Right: true, Drop: 2})
	rows := make([][]string, len(resources))
	for i, r := range resources {
		row := []string{printable(r.GetMetadata().GetName())}
		for _, c := range k.Columns {
			spec := r.GetSpec().GetFields()
			row = append(row, c.cell(spec, formats[spec["metric"].GetStringValue()]))
		}
		rows[i] = append(row, printable(r.GetProvenance().GetSet()), itoa(r.GetProvenance().GetRevision()))
	}
	return renderTable(dropEmpty(columns, rows, width, color))
}

// dropEmpty leaves out the columns that say nothing, except the first.
func dropEmpty(columns []column, rows [][]string, width int, color paint) ([]column, [][]string, int, paint) {
	keep := func(i int) bool {
		for _, r := range rows {
			if r[i] != "" {
				return true
			}
		}
		return i == 0
	}
	var kept []column
	out := make([][]string, len(rows))
	for i, c := range columns {
		if !keep(i) {
			continue
		}
		kept = append(kept, c)
		for j, r := range rows {
			out[j] = append(out[j], r[i])
		}
	}
	return kept, out, width, color
}

// fieldOrder ranks the JSON names of a message's fields as they are declared.
func fieldOrder(d protoreflect.MessageDescriptor) map[string]int {
	order := map[string]int{}
	for i := range d.Fields().Len() {
		order[d.Fields().Get(i).JSONName()] = i
	}
	return order
}

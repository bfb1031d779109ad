package postgres

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"google.golang.org/protobuf/reflect/protoreflect"

	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// A readModel is a view that other programs read: over the live generation,
// with columns of real types, without notes and personal data.
type readModel struct {
	name, comment string
	columns       []modelColumn
	from          string // {g} is the schema of the generation
}

type modelColumn struct {
	name, kind, comment string
	text                string // its expression, {c} is the schema of the views
}

// visible are the columns of each table that the role of readers may see.
var visible = map[string]string{
	"resource":      `org, kind, name, rev_from, rev_to, id, created, set_name, effective, recorded, manager, doc`,
	"resource_name": `org, kind, name`,
	"observation":   `org, metric_id, observed_at, source, rev_from, rev_to, value, recorded, corrections`,
	"check_in":      `org, target_id, at, rev, confidence, status, expires, clear, recorded`,
	"commit_time":   `revision, org, recorded`,
}

// partitioned are the tables with an organization in each row.
var partitioned = []string{"aggregate", "check_in", "commit_time", "erasure", "observation", "request", "resource", "resource_name", "state"}

var never = fmt.Sprint(uint64(record.Never))

// standing selects the version of each name that stands: one seek for a name.
func standingOf(kind string) string {
	where := ""
	if kind != "" {
		where = "n.kind = '" + kind + "' AND "
	}
	return `{g}.resource_name n CROSS JOIN LATERAL (SELECT v.rev_from, v.rev_to, v.id, v.created, v.set_name, v.effective, v.recorded, v.manager, v.doc
		FROM {g}.resource v WHERE v.org = n.org AND v.kind = n.kind AND v.name = n.name ORDER BY v.rev_from DESC LIMIT 1) r
	WHERE ` + where + `r.rev_to = ` + never
}

func nameColumns(from string) []modelColumn {
	return []modelColumn{
		{"org", "text", "The organization.", from + ".org"},
		{"name", "text", "The name.", from + ".name"},
		{"id", "text", "Stays the same when the resource is renamed.", "r.id"},
	}
}

var versionColumns = []modelColumn{
	{"revision", "bigint", "The revision that wrote this version.", "r.rev_from"},
	{"created_revision", "bigint", "The revision that created the resource.", "r.created"},
	{"effective", "date", "The calendar date from which this version counts.", "{c}.as_date(r.effective)"},
	{"recorded", "timestamptz", "When this version was recorded.", "{c}.as_instant(r.recorded)"},
	{"manager", "text", "What wrote it: cli, git, console, policy, api.", "r.manager"},
	{"set_name", "text", "The set that applied it; empty for the default set.", "r.set_name"},
	{"labels", "jsonb", "The labels.", "r.doc -> 'labels'"},
}

var specColumn = modelColumn{"spec", "jsonb", "The spec, as in a manifest.", "r.doc -> 'spec'"}

func until(column string) modelColumn {
	return modelColumn{"until_revision", "bigint", "The revision that ended it; NULL if it stands.", "NULLIF(" + column + ", " + never + ")"}
}

func valueColumns(metric string) []modelColumn {
	return []modelColumn{
		{"org", "text", "The organization.", "o.org"},
		{"metric", "text", "The name of the metric.", metric},
		{"metric_id", "text", "Its id, which stays the same when it is renamed.", "o.metric_id"},
		{"observed_on", "date", "The date that the value is for.", "{c}.as_date(o.observed_at)"},
		{"observed_at", "text", "The date or instant (RFC 3339, UTC) that the value is for, as it was recorded.", "o.observed_at"},
		{"source", "text", "Where the value comes from; empty for the usual source.", "o.source"},
		{"value", "double precision", "The value, in the unit of the metric.", "o.value"},
		{"revision", "bigint", "The revision that recorded it.", "o.rev_from"},
		{"recorded", "timestamptz", "When it was recorded.", "{c}.as_instant(o.recorded)"},
		{"corrections", "integer", "How many values of this date and source came before it.", "o.corrections"},
	}
}

// readModels are the views for a registry of kinds.
func readModels(kinds *resource.Registry) []readModel {
	join := func(parts ...[]modelColumn) []modelColumn { return slices.Concat(parts...) }
	kind := func(from string) []modelColumn {
		return []modelColumn{{"kind", "text", "The kind: Metric, Target …", from + ".kind"}}
	}
	var out []readModel
	for _, k := range kinds.Kinds() {
		message := k.NewSpec().ProtoReflect().Descriptor()
		comment, _, _ := strings.Cut(comments()[string(message.FullName())], ".")
		out = append(out, readModel{
			name:    snake(k.Name),
			comment: fmt.Sprintf("Each %s that stands: %s.", k.Name, afterIs(comment)),
			columns: join(nameColumns("n"), specColumns(message, nil, ""), versionColumns),
			from:    standingOf(k.Name),
		})
	}
	return append(out,
		readModel{
			name: "resource", comment: "Every resource that stands, of all kinds.",
			columns: join(kind("n"), nameColumns("n"), versionColumns, []modelColumn{specColumn}), from: standingOf(""),
		},
		readModel{
			name:    "resource_history",
			comment: "Every version of every resource. What stood at revision R has revision <= R and until_revision NULL or > R.",
			columns: join(kind("r"), nameColumns("r"), []modelColumn{until("r.rev_to")}, versionColumns, []modelColumn{specColumn}),
			from:    `{g}.resource r`,
		},
		readModel{
			name: "observation", comment: "Every observed value that stands, of metrics that stand.",
			columns: valueColumns("m.name"),
			from: `(SELECT n.org, n.name, r.id FROM ` + standingOf("Metric") + `) m
			JOIN {g}.observation o ON o.org = m.org AND o.metric_id = m.id WHERE o.rev_to = ` + never,
		},
		readModel{
			name:    "observation_history",
			comment: "Every observed value that ever was, also of metrics that are gone. What stood at revision R has revision <= R and until_revision NULL or > R.",
			columns: join(valueColumns("m.name"), []modelColumn{until("o.rev_to")}),
			from: `{g}.observation o LEFT JOIN LATERAL (SELECT r.name FROM {g}.resource r
				WHERE r.org = o.org AND r.kind = 'Metric' AND r.id = o.metric_id ORDER BY r.rev_from DESC LIMIT 1) m ON true`,
		},
		readModel{
			name: "check_in", comment: "What owners said about the targets that stand: how confident they are, and overrides of the status.",
			columns: []modelColumn{
				{"org", "text", "The organization.", "c.org"},
				{"target", "text", "The name of the target.", "t.name"},
				{"target_id", "text", "Its id, which stays the same when it is renamed.", "c.target_id"},
				{"said_on", "date", "The day it speaks about.", "{c}.as_date(c.at)"},
				{"confidence", "integer", "0 to 10; NULL if none was given.", "c.confidence::integer"},
				{"status", "text", "The status that overrides the computed one; NULL for none.", "NULLIF(c.status, '')"},
				{"expires", "date", "The last day on which the override counts.", "{c}.as_date(c.expires)"},
				{"withdraws", "boolean", "Whether it withdraws the override in force.", "c.clear"},
				{"revision", "bigint", "The revision that recorded it.", "c.rev"},
				{"recorded", "timestamptz", "When it was recorded.", "{c}.as_instant(c.recorded)"},
			},
			from: `(SELECT n.org, n.name, r.id FROM ` + standingOf("Target") + `) t
			JOIN {g}.check_in c ON c.org = t.org AND c.target_id = t.id`,
		},
		readModel{
			name: "revision", comment: "When each revision was recorded. Revisions of an organization have gaps: they count the whole log.",
			columns: []modelColumn{
				{"org", "text", "The organization.", "c.org"},
				{"revision", "bigint", "The revision.", "c.revision"},
				{"recorded", "timestamptz", "When it was recorded.", "{c}.as_instant(c.recorded)"},
			},
			from: `{g}.commit_time c`,
		})
}

// afterIs is what a message's comment says the thing is.
func afterIs(comment string) string {
	_, what, ok := strings.Cut(comment, " ")
	if !ok {
		return "a declared resource"
	}
	return strings.TrimPrefix(what, "is ")
}

// dates are the fields of specs that hold calendar dates.
var dates = []protoreflect.Name{"due", "date", "start", "end", "from", "to", "forecast"}

// specColumns are the fields of a spec: those of messages in it, one level
// deep, too; what is deeper, and lists, are JSON.
func specColumns(m protoreflect.MessageDescriptor, path []string, prefix string) []modelColumn {
	var out []modelColumn
	for i := range m.Fields().Len() {
		field := m.Fields().Get(i)
		if personal(field) {
			continue
		}
		name := prefix + string(field.Name())
		here := append(slices.Clone(path), field.JSONName())
		comment := comments()[string(field.FullName())]
		if comment == "" {
			comment = "spec." + strings.Join(here, ".") + " of the manifest."
		}
		if field.Message() != nil && !field.IsList() && !field.IsMap() && len(path) == 0 {
			out = append(out, specColumns(field.Message(), here, name+"_")...)
			continue
		}
		column := modelColumn{name: name, comment: comment}
		text := "r.doc #>> '{spec," + strings.Join(here, ",") + "}'"
		switch {
		case field.IsList() || field.IsMap() || field.Message() != nil:
			column.kind, column.text = "jsonb", strings.Replace(text, "#>>", "#>", 1)
		case field.Kind() == protoreflect.BoolKind:
			column.kind, column.text = "boolean", "coalesce(("+text+")::boolean, false)"
		case field.Kind() == protoreflect.DoubleKind || field.Kind() == protoreflect.FloatKind:
			column.kind, column.text = "double precision", "("+text+")::double precision"
		case field.Kind() == protoreflect.Int32Kind || field.Kind() == protoreflect.Sint32Kind:
			column.kind, column.text = "integer", "("+text+")::integer"
		case field.Kind() == protoreflect.Int64Kind || field.Kind() == protoreflect.Uint32Kind:
			column.kind, column.text = "bigint", "("+text+")::bigint"
		case field.Kind() == protoreflect.StringKind && slices.Contains(dates, field.Name()):
			column.kind, column.text = "date", "{c}.as_date("+text+")"
		default:
			column.kind, column.text = "text", text
		}
		out = append(out, column)
	}
	return out
}

// snake is a kind's name as that of a view: ChangeProgram is change_program.
func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// The comments of the messages of specs and of their fields, a line each; the
// tests make the file of the protos.
//
//go:embed comments.txt
var commentLines string

var comments = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(commentLines) {
		name, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		out[name] = text
	}
	return out
})

// sql is the statements that make the view, over a generation.
func (m readModel) sql(control, schema string) (create string, describe []string) {
	fill := strings.NewReplacer("{c}", control, "{g}", schema)
	view := control + "." + m.name
	var columns []string
	describe = append(describe, "COMMENT ON VIEW "+view+" IS "+quote(m.comment))
	for _, c := range m.columns {
		columns = append(columns, fill.Replace(c.text)+` AS "`+c.name+`"`)
		describe = append(describe, "COMMENT ON COLUMN "+view+`."`+c.name+`" IS `+quote(c.comment))
	}
	// Whoever reads a view reads the tables behind it in his own name.
	return "CREATE OR REPLACE VIEW " + view + " WITH (security_invoker = true) AS SELECT " + strings.Join(columns, ", ") +
		" FROM " + fill.Replace(m.from), describe
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

package manifest

import (
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
)

// APIVersion is the only version of the manifest format.
const APIVersion = "setpoint.dev/v1"

// File is a manifest file. Path is shown in faults; if it ends in .json the
// content is read as JSON: one resource, several, an array of them, or an
// object {"items": [...]}.
type File struct {
	Path    string
	Content []byte
}

// Position is a place in a file: 1-based, columns in characters. The zero
// value means unknown.
type Position struct{ Line, Column int }

// Document is one declared resource.
type Document struct {
	File         string
	Line, Column int // where the resource begins; 0 if it did not come from a file
	Kind         string
	Metadata     *commonv1.Metadata
	Spec         proto.Message // the kind's spec message

	// Fields says where the value of each written field is. Paths are those
	// of the manifest: metadata.name, spec.baseline.date,
	// spec.periods[2].value.
	Fields map[string]Position

	// Mask lists the field paths the document sets, sorted: a message is
	// represented by its fields, a list or a map by itself, null is not
	// setting. metadata.name (identity) and metadata.renamedFrom (an act) are
	// not in it.
	Mask []string
}

// Name is the resource as Kind/name.
func (d Document) Name() string { return d.Kind + "/" + d.Metadata.GetName() }

// Place makes a fault of the document at the position of the field, or of the
// nearest enclosing field that was written.
func (d Document) Place(field, reason, message, hint string) fault.Place {
	at := nearest(d.Fields, field, Position{d.Line, d.Column})
	return fault.Place{
		File: d.File, Line: at.Line, Column: at.Column, Field: field,
		Resource: d.Name(), Reason: reason, Message: message, Hint: hint,
	}
}

// Resource is the document in the generic form of the API.
func (d Document) Resource() (*commonv1.Resource, error) {
	spec, err := structOf(d.Spec)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "manifest.spec_unencodable", "the spec of %s has no JSON form", d.Name())
	}
	return &commonv1.Resource{
		ApiVersion: APIVersion,
		Kind:       d.Kind,
		Metadata:   proto.CloneOf(d.Metadata),
		Spec:       spec,
	}, nil
}

func structOf(m proto.Message) (*structpb.Struct, error) {
	spec := &structpb.Struct{}
	content, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	return spec, protojson.Unmarshal(content, spec)
}

func nearest(fields map[string]Position, field string, top Position) Position {
	for field != "" {
		if at, ok := fields[field]; ok {
			return at
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return top
}

// Kinds is the registry of what can be declared.
type Kinds interface {
	// Names lists the kinds.
	Names() []string
	// NewSpec returns an empty spec message of the kind, false if there is no
	// such kind.
	NewSpec(kind string) (proto.Message, bool)
}

// Limits bounds what is read. A zero field stands for the default.
type Limits struct {
	Documents     int // in all files together: 19,999
	FileBytes     int // 32 MiB
	DocumentBytes int // 1 MiB
	Depth         int // levels of nesting in a document: 32
	Nodes         int // keys and values in a document: 100,000
	Faults        int // listed before the rest is only counted: 1,000
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.Documents, 19_999},
		{&l.FileBytes, 32 << 20},
		{&l.DocumentBytes, 1 << 20},
		{&l.Depth, 32},
		{&l.Nodes, 100_000},
		{&l.Faults, 1_000},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return l
}

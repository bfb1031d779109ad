package rpc

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
)

func changes(p declaration.Plan) []*declarationv1.Change {
	out := make([]*declarationv1.Change, 0, len(p.Changes))
	for _, c := range p.Changes {
		m := &declarationv1.Change{Kind: c.Kind, Name: c.Name, Action: string(c.Action), RenamedFrom: c.RenamedFrom, Overwrites: overwritten(c, "")}
		m.Fields = fields(c.Fields)
		for _, f := range m.Fields {
			f.Overwrites = overwritten(c, f.GetPath())
		}
		out = append(out, m)
	}
	return out
}

func fields(in []declaration.FieldChange) []*declarationv1.FieldChange {
	var out []*declarationv1.FieldChange
	for _, f := range in {
		out = append(out, &declarationv1.FieldChange{Path: f.Path, From: value(f.From), To: value(f.To)})
	}
	return out
}

// value is nil for nil: absent, not null.
func value(v any) *structpb.Value {
	if v == nil {
		return nil
	}
	out, err := structpb.NewValue(v)
	if err != nil {
		return nil
	}
	return out
}

func summary(p declaration.Plan) *declarationv1.Summary {
	s := &declarationv1.Summary{Unchanged: int32(p.Unchanged)}
	for _, c := range p.Changes {
		count(s, string(c.Action))
	}
	return s
}

func count(s *declarationv1.Summary, action string) {
	switch declaration.Action(action) {
	case declaration.Create:
		s.Create++
	case declaration.Update, declaration.Rename:
		s.Update++
	case declaration.Delete:
		s.Delete++
	}
}

// replay is the answer to a request that was carried out before, from what the
// log remembers: what was touched, without the fields.
func replay(r *record.Request) (done, error) {
	var changed declarationv1.Changed
	if err := proto.Unmarshal(r.Detail, &changed); err != nil {
		return done{}, err
	}
	d := done{summary: &declarationv1.Summary{}}
	for _, t := range changed.GetTouched() {
		d.changes = append(d.changes, &declarationv1.Change{Kind: t.GetKind(), Name: t.GetName(), Action: t.GetAction()})
		count(d.summary, t.GetAction())
	}
	return d, nil
}

func places(in []fault.Place) []*commonv1.Fault {
	out := make([]*commonv1.Fault, 0, len(in))
	for _, p := range in {
		out = append(out, rpc.Fault(p))
	}
	return out
}

package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/sheet"
)

// The CSV of each command. Columns only grow at the end; numbers are raw.

// specPaths lists the fields of a spec as people write them, nested ones with
// dots: horizon.start. Lists are one field.
func specPaths(d protoreflect.MessageDescriptor, prefix string) []string {
	var out []string
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		path := prefix + f.JSONName()
		if f.Message() != nil && !f.IsList() && !f.IsMap() {
			out = append(out, specPaths(f.Message(), path+".")...)
			continue
		}
		out = append(out, path)
	}
	return out
}

// resourceCSV has every field of the kind as a column, whether set or not.
func resourceCSV(k kind, resources []*commonv1.Resource) ([]byte, error) {
	paths := []string{"title", "owner"}
	if k.Spec != nil {
		paths = specPaths(k.Spec.ProtoReflect().Descriptor(), "")
	}
	columns := append(append([]string{"name"}, paths...),
		"labels", "protected", "set", "revision", "created_revision", "recorded", "principal", "manager", "effective")
	s := sheet.New(columns...)
	for _, r := range resources {
		s.Text(r.GetMetadata().GetName())
		for _, path := range paths {
			if err := rawCell(s, lookup(r.GetSpec().GetFields(), path)); err != nil {
				return nil, err
			}
		}
		var labels []string
		for _, l := range slices.Sorted(maps.Keys(r.GetMetadata().GetLabels())) {
			labels = append(labels, l+"="+r.GetMetadata().GetLabels()[l])
		}
		p := r.GetProvenance()
		s.Text(strings.Join(labels, "; "))
		s.Bool(r.GetMetadata().GetProtected())
		s.Text(p.GetSet())
		s.Integer(p.GetRevision())
		s.Integer(p.GetCreatedRevision())
		s.Text(p.GetRecorded())
		s.Text(p.GetPrincipal())
		s.Text(p.GetManager())
		s.Text(p.GetEffective())
		s.End()
	}
	return s.Bytes(), nil
}

// rawCell is a value as it was declared; what has parts is JSON.
func rawCell(s *sheet.Sheet, v *structpb.Value) error {
	switch v := v.GetKind().(type) {
	case nil, *structpb.Value_NullValue:
		s.Text("")
	case *structpb.Value_NumberValue:
		s.Number(&v.NumberValue)
	case *structpb.Value_BoolValue:
		s.Bool(v.BoolValue)
	case *structpb.Value_StringValue:
		s.Text(v.StringValue)
	default:
		raw, err := (&structpb.Value{Kind: v}).MarshalJSON()
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			return err
		}
		s.Text(b.String())
	}
	return nil
}

// observationCSV begins with the columns that observe -f reads.
func observationCSV(observations []*strategyv1.Observation) []byte {
	s := sheet.New(append(slices.Clone(tableColumns), ignoredColumns...)...)
	for _, o := range observations {
		s.Text(o.GetMetric())
		s.Text(o.GetObservedAt())
		s.Number(o.Value)
		s.Text(o.GetSource())
		s.Text(o.GetNote())
		s.Integer(int64(o.GetCorrections()))
		s.Integer(o.GetRevision())
		s.Text(o.GetRecorded())
		s.End()
	}
	return s.Bytes()
}

// gapsCSV is one row for each target, by name.
func gapsCSV(res *gapv1.EvaluateResponse, original, header bool) []byte {
	s := sheet.New("target", "title", "objective", "strategy", "owner", "unit", "metric", "form", "direction",
		"status", "override_status", "override_reason", "override_expires", "stale", "last_known_status", "conditions", "confidence",
		"period", "actual", "actual_at", "baseline", "target_value", "lower", "upper", "due", "expected", "expected_now",
		"gap", "drift", "share", "target_drift", "progress", "score", "weight", "rule", "revisions",
		"as_of", "revision", "policy", "original_targets")
	head := len(s.Bytes())
	for _, t := range res.GetTargets() {
		for _, text := range []string{
			t.GetName(), t.GetTitle(), t.GetObjective(), t.GetStrategy(), t.GetOwner(), t.GetUnit(), t.GetMetric(), t.GetForm(), t.GetDirection(),
			t.GetStatus(), t.GetOverride().GetStatus(), t.GetOverride().GetReason(), t.GetOverride().GetExpires(),
		} {
			s.Text(text)
		}
		s.Bool(t.GetStale())
		s.Text(t.GetLastKnownStatus())
		s.Text(strings.Join(t.GetConditions(), "; "))
		if t.Confidence != nil {
			s.Integer(int64(t.GetConfidence()))
		} else {
			s.Text("")
		}
		s.Text(t.GetPeriod())
		s.Number(t.Actual)
		s.Text(t.GetActualAt())
		for _, v := range []*float64{t.Baseline, t.Target, t.Lower, t.Upper} {
			s.Number(v)
		}
		s.Text(t.GetDue())
		for _, v := range []*float64{t.Expected, t.ExpectedNow, t.Gap, t.Drift, t.Share, t.TargetDrift, t.Progress, t.Score, &t.Weight} {
			s.Number(v)
		}
		s.Text(t.GetExplanation().GetRule())
		var revisions []string
		for _, r := range t.GetExplanation().GetRevisions() {
			revisions = append(revisions, itoa(r))
		}
		s.Text(strings.Join(revisions, " "))
		s.Text(res.GetAsOf())
		s.Integer(res.GetRevision())
		s.Text(res.GetPolicy())
		s.Bool(original)
		s.End()
	}
	if !header {
		return s.Bytes()[head:]
	}
	return s.Bytes()
}

// changesCSV is one row for each field that changes; a change without fields,
// such as a deletion, is a row of its own.
func changesCSV(changes []*declarationv1.Change) ([]byte, error) {
	s := sheet.New("action", "kind", "name", "renamed_from", "field", "from", "to")
	for _, c := range changes {
		fields := c.GetFields()
		if len(fields) == 0 {
			fields = []*declarationv1.FieldChange{{}}
		}
		for _, f := range fields {
			for _, text := range []string{c.GetAction(), c.GetKind(), c.GetName(), c.GetRenamedFrom(), f.GetPath()} {
				s.Text(text)
			}
			for _, v := range []*structpb.Value{f.GetFrom(), f.GetTo()} {
				if err := rawCell(s, v); err != nil {
					return nil, err
				}
			}
			s.End()
		}
	}
	return s.Bytes(), nil
}

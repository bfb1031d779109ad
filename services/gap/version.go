package gap

import "setpoint.dev/services/internal/calendar"

// InForce is the version that counts on day d: among those effective by then
// the one with the greatest (Effective, Revision); before the first, among
// those with the least Effective the one with the greatest Revision. It is nil
// if there are no versions.
func (t *Target) InForce(d calendar.Date) *Setpoint {
	var in, first *Setpoint
	for i := range t.Versions {
		v := &t.Versions[i]
		if first == nil || v.Effective.Before(first.Effective) || (v.Effective == first.Effective && v.Revision > first.Revision) {
			first = v
		}
		if v.Effective.After(d) {
			continue
		}
		if in == nil || v.Effective.After(in.Effective) || (v.Effective == in.Effective && v.Revision > in.Revision) {
			in = v
		}
	}
	if in == nil {
		return first
	}
	return in
}

// FirstDeclared is the version with the lowest revision; nil if there are none.
func (t *Target) FirstDeclared() *Setpoint {
	var out *Setpoint
	for i := range t.Versions {
		if v := &t.Versions[i]; out == nil || v.Revision < out.Revision {
			out = v
		}
	}
	return out
}

// form is which of the four forms is declared; "" if none is.
func (sp *Setpoint) form() Form {
	switch {
	case sp.Milestone != nil:
		return MilestoneForm
	case sp.Maintain != nil:
		return MaintainForm
	case len(sp.Periods) > 0:
		return PeriodsForm
	case sp.Value != nil || sp.ChangeFromBaseline != nil || sp.Levels != nil:
		return PathForm
	}
	return ""
}

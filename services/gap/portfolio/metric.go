package portfolio

import (
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/record"
)

// IDs are the ids of the resources of a kind, by name, and the names by id.
func IDs(v record.View, org, kind string, at uint64) (ids, names map[string]string, err error) {
	list, err := v.Resources(org, kind, at, "", 0)
	ids, names = make(map[string]string, len(list)), make(map[string]string, len(list))
	for _, r := range list {
		ids[r.Name], names[r.ID] = r.ID, r.Name
	}
	return ids, names, err
}

// Observe reads the values of one metric anew, as they were known at a
// revision; m has everything else of it.
func Observe(v record.View, org, metricID string, at uint64, m *gap.Metric) error {
	l := loader{v: v, org: org, at: at, zone: record.Location(v, org, at)}
	list, err := v.Observations(org, metricID, at, record.ObservationKey{}, 0)
	if err != nil {
		return err
	}
	m.Observations = make([]gap.Observation, 0, len(list))
	for _, o := range list {
		if err := l.add(m, o); err != nil {
			return err
		}
	}
	return nil
}

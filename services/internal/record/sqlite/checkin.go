package sqlite

import (
	"time"

	"setpoint.dev/services/internal/record"
)

func scanCheckIn(row scanner) (record.CheckIn, error) {
	var c record.CheckIn
	var o record.Override
	var recorded int64
	err := row.Scan(&c.Org, &c.TargetID, &c.At, &c.Revision, &c.Confidence, &c.Note,
		&o.Status, &o.Reason, &o.Expires, &c.Clear, &recorded, &c.Principal)
	if o.Status != "" {
		c.Override = &o
	}
	c.Recorded = time.Unix(0, recorded).UTC()
	return c, err
}

func (v *view) CheckIns(org, targetID string, since, at uint64, before record.CheckInKey, limit int) ([]record.CheckIn, error) {
	if before == (record.CheckInKey{}) {
		before = record.CheckInKey{At: "~", Revision: record.Never} // after every date
	}
	var out []record.CheckIn
	err := v.rows("check-ins", func(row scanner) error {
		c, err := scanCheckIn(row)
		out = append(out, c)
		return err
	}, org, targetID, since, at, before.At, before.Revision, orAll(limit))
	return out, err
}

func (v *view) AllCheckIns(org string, at uint64, f func(record.CheckIn) error) error {
	return v.rows("all check-ins", func(row scanner) error {
		c, err := scanCheckIn(row)
		if err != nil {
			return err
		}
		return f(c)
	}, org, at)
}

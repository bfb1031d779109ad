package sqlite

import (
	"strings"
	"time"

	"setpoint.dev/services/internal/record"
)

func (w *writer) erasures(b *batch) error {
	for _, e := range b.erasures {
		if err := w.exec("put erasure", e.Org, e.Kind, e.ID, e.Revision, e.Name, strings.Join(e.Holders, " "), e.Reason,
			e.Recorded.UnixNano(), e.Principal); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) Organizations(kind string) (out []string, err error) {
	err = v.rows("organizations", func(row scanner) error {
		var org string
		err := row.Scan(&org)
		out = append(out, org)
		return err
	}, kind)
	return out, err
}

func (v *view) Erasures(org string) (out []record.Erasure, err error) {
	err = v.rows("erasures", func(row scanner) error {
		var e record.Erasure
		var holders string
		var recorded int64
		if err := row.Scan(&e.Org, &e.Kind, &e.ID, &e.Revision, &e.Name, &holders, &e.Reason, &recorded, &e.Principal); err != nil {
			return err
		}
		e.Holders, e.Recorded = strings.Fields(holders), time.Unix(0, recorded).UTC()
		out = append(out, e)
		return nil
	}, org)
	return out, err
}

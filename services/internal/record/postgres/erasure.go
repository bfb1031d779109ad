package postgres

import (
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"setpoint.dev/services/internal/record"
)

const erasureColumns = `org, kind, id, revision, name, holders, reason, recorded, principal`

func (v *view) Organizations(kind string) (out []string, err error) {
	err = v.rows("organizations", v.texts.tenants, []any{kind}, func(row pgx.Row) error {
		var org string
		err := row.Scan(&org)
		out = append(out, org)
		return err
	})
	return out, err
}

func (v *view) Erasures(org string) (out []record.Erasure, err error) {
	err = v.rows("erasures", v.texts.erasures, []any{org}, func(row pgx.Row) error {
		var e record.Erasure
		var holders string
		var recorded int64
		err := row.Scan(&e.Org, &e.Kind, &e.ID, &e.Revision, &e.Name, &holders, &e.Reason, &recorded, &e.Principal)
		e.Holders, e.Recorded = strings.Fields(holders), time.Unix(0, recorded).UTC()
		out = append(out, e)
		return err
	})
	return out, err
}

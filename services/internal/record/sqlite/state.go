package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"setpoint.dev/services/internal/record"
)

func scanState(row scanner, s *record.State) error {
	var recorded int64
	err := row.Scan(&s.ID, &s.From, &s.Payload, &recorded)
	s.Recorded = time.Unix(0, recorded).UTC()
	return err
}

func (v *view) State(org, service, kind, id string, at uint64) (*record.State, error) {
	s := record.State{Org: org, Service: service, Kind: kind}
	err := scanState(v.row("state", org, service, kind, id, at), &s)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	return &s, nil
}

func (v *view) States(org, service, kind string, at uint64, f func(record.State) error) error {
	return v.rows("states", func(row scanner) error {
		s := record.State{Org: org, Service: service, Kind: kind}
		if err := scanState(row, &s); err != nil {
			return err
		}
		return f(s)
	}, org, service, kind, at)
}

package record

import (
	"context"
	"errors"
	"log/slog"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Projector follows a log and keeps a store up to date.
type Projector struct {
	log    *eventlog.Log
	kinds  *resource.Registry
	store  Store
	record *Record
	logger *slog.Logger
}

// NewProjector makes a projector that tells record how far it is.
func NewProjector(log *eventlog.Log, kinds *resource.Registry, store Store, record *Record, logger *slog.Logger) *Projector {
	return &Projector{log: log, kinds: kinds, store: store, record: record, logger: logger}
}

// Check refuses a store that does not belong to this log: another log's, or
// one that is ahead of it.
func Check(ctx context.Context, log *eventlog.Log, at Checkpoint) error {
	if at.Revision == 0 {
		return nil
	}
	if at.LogID != log.ID() {
		return fault.New(fault.Unavailable, "record.other_log",
			"the record was made from log %q, this log is %q", at.LogID, log.ID()).
			WithHint("delete the record's file: it is rebuilt from the log")
	}
	last, err := log.LastRevision(ctx)
	if err != nil {
		return err
	}
	if at.Revision > last {
		return fault.New(fault.Unavailable, "record.ahead_of_log",
			"the record stands at revision %d, the log ends at %d", at.Revision, last).
			WithHint("the log has lost its tail or was restored: restore the newest backup, or delete the record's file to rebuild it from this log")
	}
	return nil
}

// Run follows the log until ctx ends or the projection halts; a halt is logged
// once and told to everybody who waits.
func (p *Projector) Run(ctx context.Context) error {
	at, err := p.store.Checkpoint(ctx)
	if err == nil {
		err = Check(ctx, p.log, at)
	}
	if err == nil {
		err = p.log.Follow(ctx, at.Revision, func(batch []*eventlog.Record) error {
			return p.write(ctx, &at, batch)
		})
	}
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("the log ended")
	}
	p.logger.Error("the record's projection halted", "revision", at.Revision, "error", err)
	p.record.halt(err)
	return err
}

// write folds whole commits and moves the checkpoint in one transaction.
func (p *Projector) write(ctx context.Context, at *Checkpoint, batch []*eventlog.Record) error {
	if len(batch) == 0 {
		return nil
	}
	var changes []Change
	for _, m := range batch {
		c, err := Fold(p.kinds, m)
		if err != nil {
			return err
		}
		changes = append(changes, c...)
	}
	last := batch[len(batch)-1]
	to := Checkpoint{LogID: p.log.ID(), Revision: last.Revision, Hash: last.Hash}
	if err := p.store.Write(ctx, *at, to, changes); err != nil {
		return err
	}
	*at = to
	orgs := map[string]uint64{}
	for _, m := range batch {
		orgs[m.Subject.Org] = m.Revision
	}
	p.record.advance(to.Revision, orgs)
	return nil
}

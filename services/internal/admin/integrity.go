package admin

import (
	"bufio"
	"context"
	"time"

	"connectrpc.com/connect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/backup"
	"setpoint.dev/services/internal/doctor"
	"setpoint.dev/services/internal/fault"
)

const (
	// tellEvery is how often a long call says how far it is.
	tellEvery = 500 * time.Millisecond
	// part is how much of a backup goes in one message; it is below 1 MiB.
	part = 512 << 10
)

// Diagnose implements AdminService.
func (s *Service) Diagnose(ctx context.Context, req *adminv1.DiagnoseRequest, stream *connect.ServerStream[adminv1.DiagnoseResponse]) error {
	p := s.patient
	p.Version, p.Log, p.Sync = s.version, s.log, s.sync
	p.Halted = func() error { _, err := s.record.Status(); return err }
	switch {
	case !req.GetDeep():
		p.Deep = nil
	case p.Deep == nil:
		return fault.New(fault.Rule, "diagnosis.no_projection", "this process keeps no record that could be compared").
			WithHint("ask the process that projects")
	default:
		select {
		case s.verifying <- struct{}{}:
			defer func() { <-s.verifying }()
		default:
			return fault.New(fault.Exhausted, "projection.verifying", "a verification is under way").WithHint("try again when it is done")
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	send := func(m *adminv1.DiagnoseResponse) {
		if err := stream.Send(m); err != nil {
			cancel(err)
		}
	}
	var told time.Time
	sum, err := doctor.Diagnose(ctx, p, func(f doctor.Finding) {
		send(&adminv1.DiagnoseResponse{Part: &adminv1.DiagnoseResponse_Finding{Finding: doctor.Message(f)}})
	}, func(check string, done, total uint64) {
		if now := time.Now(); now.Sub(told) >= tellEvery {
			told = now
			send(&adminv1.DiagnoseResponse{Part: &adminv1.DiagnoseResponse_Progress{
				Progress: &adminv1.DiagnoseProgress{Check: check, Done: done, Total: total},
			}})
		}
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	return stream.Send(&adminv1.DiagnoseResponse{Part: &adminv1.DiagnoseResponse_Summary{Summary: doctor.SummaryMessage(sum)}})
}

// Backup implements AdminService.
func (s *Service) Backup(ctx context.Context, _ *adminv1.BackupRequest, stream *connect.ServerStream[adminv1.BackupResponse]) error {
	parts := &backupStream{stream: stream}
	out := bufio.NewWriterSize(parts, part)
	now := time.Now
	if s.patient.Now != nil {
		now = s.patient.Now
	}
	err := backup.Take(ctx, s.log, out, backup.Options{Version: s.version, Now: now(), Progress: parts.progress})
	if err != nil {
		return err
	}
	return out.Flush()
}

// backupStream sends what is written, in parts.
type backupStream struct {
	stream      *connect.ServerStream[adminv1.BackupResponse]
	done, total uint64
}

func (b *backupStream) progress(done, total uint64) { b.done, b.total = done, total }

// Write implements io.Writer.
func (b *backupStream) Write(p []byte) (int, error) {
	for sent := 0; sent < len(p); {
		n := min(part, len(p)-sent)
		if err := b.stream.Send(&adminv1.BackupResponse{Data: p[sent : sent+n], Done: b.done, Total: b.total}); err != nil {
			return sent, err
		}
		sent += n
	}
	return len(p), nil
}

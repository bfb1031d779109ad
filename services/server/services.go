package server

import (
	"context"
	"fmt"

	declarationrpc "setpoint.dev/services/declaration/rpc"
	gaprpc "setpoint.dev/services/gap/rpc"
	"setpoint.dev/services/internal/admin"
	"setpoint.dev/services/internal/doctor"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/runner"
	strategyrpc "setpoint.dev/services/strategy/rpc"
)

func (s *Server) serve(service rpc.Service) error {
	s.services = append(s.services, service)
	return nil
}

func startCommands(_ context.Context, s *Server) error {
	s.commands = runner.New(s.log, s.record, s.opts.Now)
	s.commands.Observe(s.telemetry.Runner())
	return nil
}

func startDeclaration(_ context.Context, s *Server) error {
	return s.serve(declarationrpc.New(s.commands, s.record, s.kinds))
}

func startStrategy(_ context.Context, s *Server) error {
	return s.serve(strategyrpc.New(s.commands, s.record, s.kinds, statusOf))
}

func startGap(_ context.Context, s *Server) error {
	return s.serve(gaprpc.New(s.record, s.opts.Now))
}

// startAdmin serves the operator's calls, which every process answers.
func startAdmin(_ context.Context, s *Server) error {
	return s.serve(admin.New(s.opts.Version, s.sync, s.log, s.record, admin.Operates(s.projection), admin.Examines(doctor.Patient{
		Kinds: s.kinds, Record: s.database, Data: s.opts.Data, Embedded: s.sync == "always", Now: s.opts.Now,
		Deep: s.differences,
	})))
}

// differences compares every row of the record with a fresh fold of the log.
func (s *Server) differences(ctx context.Context, progress func(done, total uint64)) ([]doctor.Finding, error) {
	found, err := s.projection.Verify(ctx, 1, func(p record.Progress) { progress(p.Done, max(p.Total, p.Done)) })
	if err != nil || found.Differing == 0 {
		return nil, err
	}
	first := found.Differences[0]
	return []doctor.Finding{{
		Severity: doctor.Error, Check: "record", Reason: "record.differs", Where: "record " + first.Table,
		Message: fmt.Sprintf("%d of %d rows are not what the log makes of them", found.Differing, found.Rows),
		Advice:  "setpoint projections verify describes them, setpoint projections rebuild makes the record anew",
		First:   found.Revision, Last: found.Revision,
	}}, nil
}

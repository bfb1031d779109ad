package server

import (
	"context"

	changerpc "setpoint.dev/services/change/rpc"
	declarationrpc "setpoint.dev/services/declaration/rpc"
	gaprpc "setpoint.dev/services/gap/rpc"
	initiativerpc "setpoint.dev/services/initiative/rpc"
	"setpoint.dev/services/internal/admin"
	"setpoint.dev/services/internal/doctor"
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
	return s.serve(declarationrpc.New(s.commands, s.record, s.kinds, consequencesOf))
}

func startStrategy(_ context.Context, s *Server) error {
	return s.serve(strategyrpc.New(s.commands, s.record, s.kinds, statusOf, packOf))
}

func startInitiative(_ context.Context, s *Server) error {
	return s.serve(initiativerpc.New(s.commands, s.record))
}

func startChange(_ context.Context, s *Server) error {
	return s.serve(changerpc.New(s.commands, s.record))
}

func startGap(_ context.Context, s *Server) error {
	return s.serve(gaprpc.New(s.record, s.opts.Now, reviewsOf))
}

// startAdmin serves the operator's calls, which every process answers.
func startAdmin(_ context.Context, s *Server) error {
	p := doctor.Patient{Kinds: s.kinds, Record: s.database, Embedded: !s.opts.external(), Now: s.opts.Now}
	if !s.opts.external() || !s.opts.shared() {
		p.Data = s.opts.Data
	}
	if s.projection != nil {
		p.Deep = doctor.Compare(s.projection)
	}
	p.Keys = personalKeys{s}
	return s.serve(admin.New(s.opts.Version, s.sync, s.log, s.record, admin.Operates(s.projection), admin.Forwards(s.forwards()), admin.Erases(s.eraser), admin.Examines(p)))
}

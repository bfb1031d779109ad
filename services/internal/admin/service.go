// Package admin is the operator's door: where the log and the projections
// stand, whether they are sound, and a copy of the log.
package admin

import (
	"context"
	"net/http"

	"connectrpc.com/connect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	"setpoint.dev/services/internal/doctor"
	"setpoint.dev/services/internal/erasure"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
)

// Service implements AdminService.
type Service struct {
	adminv1connect.UnimplementedAdminServiceHandler
	version string
	sync    string
	log     *eventlog.Log
	record  *record.Record
	patient doctor.Patient

	projection *record.Projection // nil where there is none to operate
	rebuilder  Rebuilder          // nil: this process rebuilds itself
	verifying  chan struct{}      // a place for each verification
	erasure    *erasure.Eraser
}

// Option adds what only some of the calls need.
type Option func(*Service)

// Examines lets Diagnose look at more than the log and the record's state: the
// database, the folder.
func Examines(p doctor.Patient) Option { return func(s *Service) { s.patient = p } }

// Operates lets the calls about projections do something.
func Operates(p *record.Projection) Option { return func(s *Service) { s.projection = p } }

// Rebuilder asks the process that projects for a rebuild of the record, and
// tells how far it is until it ended; asked is false if there is no other
// process that answers, and nothing was done.
type Rebuilder func(ctx context.Context, tell func(record.Progress)) (asked bool, err error)

// Forwards has rebuilds carried out by another process where there is one that
// projects; r may be nil.
func Forwards(r Rebuilder) Option { return func(s *Service) { s.rebuilder = r } }

// Erases lets ErasePerson, BackupKeys and RestoreKeys work.
func Erases(e *erasure.Eraser) Option { return func(s *Service) { s.erasure = e } }

var _ adminv1connect.AdminServiceHandler = (*Service)(nil)

// New returns the service to mount; sync is how the log reaches the disk.
func New(version, sync string, log *eventlog.Log, rec *record.Record, opts ...Option) rpc.Service {
	s := &Service{version: version, sync: sync, log: log, record: rec, verifying: make(chan struct{}, 1)}
	for _, o := range opts {
		o(s)
	}
	return rpc.Service{
		Name: adminv1connect.AdminServiceName,
		Mount: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return adminv1connect.NewAdminServiceHandler(s, opts...)
		},
	}
}

// GetStatus implements AdminService.
func (s *Service) GetStatus(ctx context.Context, _ *adminv1.GetStatusRequest) (*adminv1.GetStatusResponse, error) {
	info, err := s.log.Info(ctx)
	if err != nil {
		return nil, err
	}
	at, halted := s.record.Status()
	p := &adminv1.ProjectionStatus{Name: "record", Stream: info.Stream, Revision: int64(at), State: "running"}
	var vacant error
	p.Projector, vacant = s.record.Writer()
	if trouble := s.record.Troubled(); halted != nil {
		p.State, p.Message = "halted", halted.Error()
	} else if trouble != nil {
		p.State, p.Message = "waiting", trouble.Error()
	} else if vacant != nil {
		p.State, p.Message = "waiting", vacant.Error()
	}
	return &adminv1.GetStatusResponse{
		Version:     s.version,
		Logs:        []*adminv1.LogStatus{{Stream: info.Stream, LogId: info.ID, LastRevision: int64(info.Last), Sync: s.sync}},
		Projections: []*adminv1.ProjectionStatus{p},
	}, nil
}

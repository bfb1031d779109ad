package admin

import (
	"context"
	"time"

	"connectrpc.com/connect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/erasure"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/runner"
)

// chunk is how much of a file goes in one message.
const chunk = 256 << 10

// ErasePerson implements AdminService.
func (s *Service) ErasePerson(ctx context.Context, req *adminv1.ErasePersonRequest) (*adminv1.ErasePersonResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	digest, err := runner.Digest(req)
	if err != nil {
		return nil, err
	}
	manager := req.GetManager()
	if manager == "" {
		manager = "api"
	}
	done, err := s.erasure.Erase(ctx, erasure.Command{
		Command: runner.Command{Org: p.Org, RequestID: req.GetRequestId(), Digest: digest, Principal: p.ID, Manager: manager},
		Name:    req.GetName(), Why: req.GetReason(), Expected: uint64(req.GetExpectedRevision()),
	})
	if err != nil {
		return nil, err
	}
	return &adminv1.ErasePersonResponse{
		Revision: int64(done.Revision), Erased: !done.Before, ErasureEpoch: int32(done.Epoch), Holders: done.Holders,
	}, nil
}

// BackupKeys implements AdminService. Only the keys of the caller's
// organization are given.
func (s *Service) BackupKeys(ctx context.Context, _ *adminv1.BackupKeysRequest, stream *connect.ServerStream[adminv1.BackupKeysResponse]) error {
	p, err := principal.From(ctx)
	if err != nil {
		return err
	}
	content, err := s.erasure.Backup(ctx, p.Org, s.log.ID(), time.Now())
	if err != nil {
		return err
	}
	s.erasure.Tell("the keys of personal data were backed up", p)
	for len(content) > 0 {
		n := min(chunk, len(content))
		if err := stream.Send(&adminv1.BackupKeysResponse{Content: content[:n]}); err != nil {
			return err
		}
		content = content[n:]
	}
	return nil
}

// RestoreKeys implements AdminService.
func (s *Service) RestoreKeys(ctx context.Context, req *adminv1.RestoreKeysRequest) (*adminv1.RestoreKeysResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	done, err := s.erasure.Restore(ctx, p.Org, req.GetContent())
	if err != nil {
		return nil, err
	}
	s.erasure.Tell("keys of personal data were restored", p)
	res := &adminv1.RestoreKeysResponse{Restored: int32(done.Restored), Unchanged: int32(done.Unchanged)}
	for _, h := range done.Erased {
		res.Erased = append(res.Erased, string(h))
	}
	return res, nil
}

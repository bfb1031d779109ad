package rpc_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	"setpoint.dev/services/devserver"
	"setpoint.dev/services/internal/rpc"
)

// as calls for an organization.
type as string

func (a as) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(rpc.OrgHeader, string(a))
	return http.DefaultTransport.RoundTrip(r)
}

func TestFollowTellsOfTheOrganizationOnly(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	s, err := devserver.Start(ctx, devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	client := func(org string) declarationv1connect.DeclarationServiceClient {
		return declarationv1connect.NewDeclarationServiceClient(&http.Client{Transport: as(org)}, s.URL())
	}
	apply := func(org, name string) int64 {
		t.Helper()
		res, err := client(org).Apply(ctx, &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{
			{Path: "u.yaml", Content: []byte("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: " + name + "}, spec: {title: T}}")}}}})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetRevision()
	}
	following, leave := context.WithCancel(ctx)
	stream, err := client("acme").Follow(following, &declarationv1.FollowRequest{})
	if err != nil {
		t.Fatal(err)
	}
	next := func() int64 {
		t.Helper()
		if !stream.Receive() {
			t.Fatalf("the stream ended: %v", stream.Err())
		}
		return stream.Msg().GetRevision()
	}
	if at := next(); at != 0 {
		t.Errorf("at first %d", at)
	}
	first := apply("acme", "north")
	if at := next(); at < first {
		t.Errorf("told of %d, written was %d", at, first)
	}
	apply("umbrella", "north") // were it told, it would stand where the next is expected
	second := apply("acme", "south")
	if at := next(); at < second {
		t.Errorf("told of %d, written was %d", at, second)
	}
	leave()
	if stream.Receive() || connect.CodeOf(stream.Err()) != connect.CodeCanceled {
		t.Errorf("after leaving: %v", stream.Err())
	}
}

package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/testpostgres"
)

// externalNATS is a server that others run, and its URL.
func externalNATS(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := embeddednats.Start(embeddednats.Options{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	text, err := os.ReadFile(filepath.Join(dir, embeddednats.CredentialsFile))
	if err != nil {
		t.Fatal(err)
	}
	var c embeddednats.Credentials
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(c.User, c.Password)
	return u.String()
}

func TestWhatMakesNoSenseTogetherIsRefused(t *testing.T) {
	external := NATS{URL: "nats://127.0.0.1:1"}
	for name, c := range map[string]struct {
		o      Options
		reason string
	}{
		"a part on an embedded log":     {Options{Targets: []string{"gap"}}, "server.target"},
		"parts on an embedded log":      {Options{Targets: []string{"gap", "projector"}, DatabaseURL: "postgres:"}, "server.target"},
		"an unknown part":               {Options{Targets: []string{"console"}, NATS: external}, "server.target"},
		"a projector that nobody reads": {Options{Targets: []string{"projector"}, NATS: external}, "server.target"},
		"two logs":                      {Options{NATS: external, NATSListen: "127.0.0.1:0"}, "server.two_logs"},
		"credentials for nothing":       {Options{NATS: NATS{Creds: "file"}}, "server.no_nats_url"},
		"copies for nothing":            {Options{NATS: NATS{Replicas: 3}}, "server.no_nats_url"},
		"two copies":                    {Options{NATS: NATS{URL: external.URL, Replicas: 2}}, "server.replicas"},
	} {
		c.o.Data, c.o.Listen = t.TempDir(), "127.0.0.1:0"
		s, err := Start(t.Context(), c.o)
		if err == nil {
			_ = s.Close()
		}
		if fault.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, want %s", name, err, c.reason)
		}
	}
}

func TestMoreCopiesThanThereAreServers(t *testing.T) {
	_, err := Start(t.Context(), Options{
		Data: t.TempDir(), Listen: "127.0.0.1:0", NATS: NATS{URL: externalNATS(t), Replicas: 3},
	})
	if fault.ReasonOf(err) != "log.replicas" || !strings.Contains(err.Error(), "3 copies") {
		t.Errorf("%v", err)
	}
}

// A database that does not answer is named after a while; its password is not.
func TestADatabaseThatDoesNotAnswer(t *testing.T) {
	const address = "127.0.0.1:1" // which nobody is given, as a free port may be
	_, err := Start(t.Context(), Options{
		Data: t.TempDir(), Listen: "127.0.0.1:0", NATS: NATS{URL: externalNATS(t), Within: time.Second},
		DatabaseURL: "postgres://setpoint:s3cret-word@" + address + "/setpoint",
	})
	if fault.ReasonOf(err) != "record.database_unreachable" || strings.Contains(err.Error(), "s3cret-word") {
		t.Errorf("%v", err)
	}
}

// Processes may share a log only, each with a record of its own.
func TestReplicasWithRecordsOfTheirOwn(t *testing.T) {
	nats := externalNATS(t)
	var clients []declarationv1connect.DeclarationServiceClient
	for _, targets := range [][]string{{All}, {"declaration"}} {
		s := startServer(t, Options{Data: t.TempDir(), Targets: targets, NATS: NATS{URL: nats}})
		clients = append(clients, declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, s.URL()))
		if strings.Contains(s.Where(), "@") {
			t.Errorf("a secret is told: %s", s.Where())
		}
		if err := s.Healthy(t.Context()); err != nil {
			t.Error(err)
		}
	}
	ctx := context.Background()
	for i, c := range clients {
		name := []string{"sales", "service"}[i]
		res, err := c.Apply(ctx, &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{
			Path: "u.yaml", Content: []byte("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: " + name + "}, spec: {}}"),
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := clients[1-i].Get(ctx, &declarationv1.GetRequest{Kind: "unit", Name: name, MinRevision: res.GetRevision()}); err != nil {
			t.Errorf("%s, read from the other replica: %v", name, err)
		}
	}
}

// What halts the projection is told by every process, whichever projects, also
// after another one has tried.
func TestEveryReplicaTellsWhatHaltedTheProjection(t *testing.T) {
	address, database := externalNATS(t), testpostgres.New(t)
	var all []*Server
	for _, target := range []string{"projector", "projector", "declaration"} {
		all = append(all, startServer(t, Options{
			Data: t.TempDir(), Targets: []string{target}, NATS: NATS{URL: address}, DatabaseURL: database,
		}))
	}
	for _, s := range all {
		eventually(t, "every process is healthy", func() bool { return s.Healthy(t.Context()) == nil })
	}
	nc, err := nats.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	log, err := eventlog.Open(t.Context(), nc, eventlog.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = log.Append(t.Context(), eventlog.Command{RequestID: "r", Principal: "p", Manager: "api", Recorded: time.Now()}, eventlog.Draft{
		Subject: eventlog.Subject{Org: "default", Service: "strategy", Kind: "wish", ID: "w"},
		Events:  []eventlog.Event{{Type: "strategy.wish_declared.v9", Payload: []byte{1}}},
	}); err != nil {
		t.Fatal(err)
	}
	tells := func(s *Server) bool {
		_, halted := s.record.Status()
		return halted != nil && strings.Contains(halted.Error(), "strategy.wish_declared.v9")
	}
	for _, s := range all {
		eventually(t, "every process tells", func() bool { return tells(s) })
		eventually(t, "every process is unhealthy", func() bool { return s.Healthy(t.Context()) != nil })
	}
}

// A process that is killed leaves its name in the lease; nobody is told that it
// still projects.
func TestStatusWhereNobodyProjects(t *testing.T) {
	address, database := externalNATS(t), testpostgres.New(t)
	start := func(target string) *Server {
		return startServer(t, Options{
			Data: t.TempDir(), Targets: []string{target}, NATS: NATS{URL: address}, DatabaseURL: database,
		})
	}
	s := start("declaration")
	admin := adminv1connect.NewAdminServiceClient(http.DefaultClient, s.URL())
	is := func(state string, projected bool, message string) func() bool {
		return func() bool {
			res, err := admin.GetStatus(t.Context(), &adminv1.GetStatusRequest{})
			if err != nil {
				return false
			}
			p := res.GetProjections()[0]
			return p.GetState() == state && (p.GetProjector() != "") == projected && strings.Contains(p.GetMessage(), message)
		}
	}
	// Held once and never renewed, as by a process that was killed.
	nc, err := nats.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(t.Context(), "SETPOINT_LEASES")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(t.Context(), s.projecting(), `{"holder":"killed/1/ABC"}`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the holder is named", is("running", true, ""))
	eventually(t, "nobody is named", is("waiting", false, "no process projects"))
	start("projector")
	eventually(t, "the next holder is named", is("running", true, ""))
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for !f() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

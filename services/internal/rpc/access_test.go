package rpc

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	"setpoint.dev/proto/gen/setpoint/change/v1/changev1connect"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/internal/principal"
)

// everyMethod is each method of each service of setpoint, by procedure.
func everyMethod(t *testing.T) map[string]protoreflect.MethodDescriptor {
	t.Helper()
	out := map[string]protoreflect.MethodDescriptor{}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				if m := s.Methods().Get(j); strings.HasPrefix(string(s.FullName()), "setpoint.") {
					out["/"+string(s.FullName())+"/"+string(m.Name())] = m
				}
			}
		}
		return true
	})
	if len(out) < 15 {
		t.Fatalf("only %d methods are registered", len(out))
	}
	return out
}

func TestEveryMethodHasARole(t *testing.T) {
	methods := everyMethod(t)
	for procedure, m := range methods {
		role, known := Access[procedure]
		if !known || !role.Allows(principal.Viewer) {
			t.Errorf("%s: nobody decided which role may call it: say so in access.go", procedure)
		}
		reads := m.Name() == "Forecast" // of a target; initiatives are told theirs
		for _, verb := range []string{"Get", "List", "History", "Export", "Diff", "Plan", "Evaluate", "Watch", "Report", "Follow", "Cover", "TestPolicy", "Sensitivity", "Suggest", "WhatIf", "Subscribe"} {
			reads = reads || strings.HasPrefix(string(m.Name()), verb)
		}
		if !reads && role == principal.Viewer {
			t.Errorf("%s writes, and a viewer may call it", procedure)
		}
		if strings.Contains(procedure, "AdminService") && role != principal.Admin {
			t.Errorf("%s is for the operator, and a %v may call it", procedure, role)
		}
	}
	for procedure := range Access {
		if _, there := methods[procedure]; !there && !strings.HasPrefix(procedure, "/grpc.reflection.") {
			t.Errorf("%s is in the table, and there is no such method", procedure)
		}
	}
	for procedure := range bulk {
		if _, there := Access[procedure]; !there {
			t.Errorf("%s may be large, and has no role", procedure)
		}
	}
}

func TestADoorWithAMethodWithoutRoleIsNotOpened(t *testing.T) {
	role := Access[gapv1connect.GapServiceReportProcedure]
	delete(Access, gapv1connect.GapServiceReportProcedure)
	defer func() { Access[gapv1connect.GapServiceReportProcedure] = role }()
	_, err := NewDoor(Options{Logger: silent, Healthy: healthy}, everyService()...)
	if err == nil || !strings.Contains(err.Error(), "GapService/Report: nobody decided") {
		t.Errorf("%v", err)
	}
	if _, err := NewDoor(Options{Logger: silent, Healthy: healthy}, Service{Name: "setpoint.none.v1.NoService"}); err == nil {
		t.Error("a service nobody described was mounted")
	}
}

func healthy(context.Context) error { return nil }

// everyService does nothing: Unimplemented says that a call got through.
func everyService() []Service {
	return []Service{
		{declarationv1connect.DeclarationServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
			return declarationv1connect.NewDeclarationServiceHandler(declarationv1connect.UnimplementedDeclarationServiceHandler{}, o...)
		}},
		{strategyv1connect.StrategyServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
			return strategyv1connect.NewStrategyServiceHandler(strategyv1connect.UnimplementedStrategyServiceHandler{}, o...)
		}},
		{gapv1connect.GapServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
			return gapv1connect.NewGapServiceHandler(gapv1connect.UnimplementedGapServiceHandler{}, o...)
		}},
		{initiativev1connect.InitiativeServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
			return initiativev1connect.NewInitiativeServiceHandler(initiativev1connect.UnimplementedInitiativeServiceHandler{}, o...)
		}},
		{changev1connect.ChangeServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
			return changev1connect.NewChangeServiceHandler(changev1connect.UnimplementedChangeServiceHandler{}, o...)
		}},
		{eventv1connect.EventServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
			return eventv1connect.NewEventServiceHandler(eventv1connect.UnimplementedEventServiceHandler{}, o...)
		}},
		{adminv1connect.AdminServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
			return adminv1connect.NewAdminServiceHandler(adminv1connect.UnimplementedAdminServiceHandler{}, o...)
		}},
	}
}

// Each role calls each method: what the table says is what happens, and what
// gets through is Unimplemented or finds the empty message invalid.
func TestRolesReachWhatTheTableSays(t *testing.T) {
	tokens := fakeTokens{}
	for _, name := range principal.RoleNames() {
		role, err := principal.ParseRole(name)
		if err != nil {
			t.Fatal(err)
		}
		tokens[name] = principal.Principal{Org: "acme", ID: name, Role: role}
	}
	tokens["nobody"] = principal.Principal{Org: "acme", ID: "nobody"}
	door := newDoor(t, Options{Tokens: tokens}, everyService()...)
	for _, procedure := range slices.Sorted(maps.Keys(everyMethod(t))) {
		for name, p := range tokens {
			body, kind := "{}", "application/json"
			if door.streams[procedure] {
				body, kind = "\x00\x00\x00\x00\x02{}", "application/connect+json"
			}
			r := httptest.NewRequest(http.MethodPost, procedure, strings.NewReader(body))
			r.Header.Set("Content-Type", kind)
			r.Header.Set("Authorization", "Bearer "+name)
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			got := w.Body.String()
			denied := strings.Contains(got, `"permission_denied"`)
			through := strings.Contains(got, `"unimplemented"`) || strings.Contains(got, `"invalid_argument"`)
			if want := p.Role.Allows(Access[procedure]); through != want || denied == want {
				t.Errorf("%s as %s: %d %s", procedure, name, w.Code, got)
			}
		}
	}
	// A table that denies nothing would have passed.
	if principal.Viewer.Allows(Access[declarationv1connect.DeclarationServiceApplyProcedure]) ||
		principal.Contributor.Allows(Access[declarationv1connect.DeclarationServiceDeleteProcedure]) ||
		principal.Editor.Allows(Access[adminv1connect.AdminServiceGetStatusProcedure]) ||
		!principal.Contributor.Allows(Access[strategyv1connect.StrategyServiceCheckInProcedure]) {
		t.Error("the table has changed: is that meant?")
	}
}

// The page on security says what the table says.
func TestTheRolesAreDocumented(t *testing.T) {
	content, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]principal.Role{}
	row := regexp.MustCompile(`(?m)^\| (viewer|contributor|editor|admin) \| (.*) \|$`)
	for _, m := range row.FindAllStringSubmatch(string(content), -1) {
		role, err := principal.ParseRole(m[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range regexp.MustCompile("`(\\w+Service)`: ((?:`\\w+` ?)+)").FindAllStringSubmatch(m[2], -1) {
			for _, method := range strings.Fields(s[2]) {
				rows[s[1]+"/"+strings.Trim(method, "`")] = role
			}
		}
	}
	for procedure, role := range Access {
		_, short, _ := strings.Cut(procedure, ".v1.")
		if strings.HasPrefix(procedure, "/grpc.") {
			continue
		}
		if rows[short] != role {
			t.Errorf("docs/security.md: %s is for %v, the page says %v", short, role, rows[short])
		}
		delete(rows, short)
	}
	if len(rows) > 0 {
		t.Errorf("docs/security.md: there is no %v", rows)
	}
}

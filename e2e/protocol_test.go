package e2e_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

func TestConnectGRPCAndGRPCWebOnOnePort(t *testing.T) {
	url := service(t)
	for name, opts := range map[string][]connect.ClientOption{
		"connect": nil, "connect json": {connect.WithProtoJSON()}, "grpc-web": {connect.WithGRPCWeb()}, "grpc": {connect.WithGRPC()},
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, url, "default", opts...)
			if name == "grpc" {
				c = connectH2C(t, url, opts...)
			}
			c.apply("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: sales}, spec: {title: Sales}}")
			if got := c.names("unit"); len(got) != 1 || got[0] != "sales" {
				t.Errorf("units %v", got)
			}
			_, err := c.declare.Get(context.Background(), &declarationv1.GetRequest{Kind: "unit", Name: "sale"})
			if connect.CodeOf(err) != connect.CodeNotFound || detail(err).GetReason() != "declaration.not_found" {
				t.Errorf("error %v, detail %v", err, detail(err))
			}
			contains(t, "hint", detail(err).GetHint(), `did you mean "sales"?`)
		})
	}
}

// connectH2C speaks HTTP/2 in the clear, as gRPC needs.
func connectH2C(t *testing.T, url string, opts ...connect.ClientOption) client {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: &p}
	t.Cleanup(tr.CloseIdleConnections)
	return connectWith(t, &http.Client{Transport: tr}, url, opts...)
}

func TestHealthAndReflectionAnswer(t *testing.T) {
	url := serve(t, t.TempDir()).URL()
	post := func(path, body string) string {
		res, err := http.Post(url+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s", path, res.Status, b)
		}
		return string(b)
	}
	contains(t, "health", post("/grpc.health.v1.Health/Check", `{}`), "SERVING")
	contains(t, "health of a service", post("/grpc.health.v1.Health/Check", `{"service":"setpoint.gap.v1.GapService"}`), "SERVING")
	res, err := http.Get(url + "/healthz")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("healthz: %v %v", res, err)
	}
	_ = res.Body.Close()
}

func TestPagesOfOtherOriginsAreRefused(t *testing.T) {
	url := serve(t, t.TempDir()).URL()
	for name, c := range map[string]struct {
		host, origin string
		want         int
	}{
		"a rebound name":   {host: "evil.example", want: http.StatusMisdirectedRequest},
		"a foreign origin": {origin: "https://evil.example", want: http.StatusForbidden},
		"a local page":     {origin: "http://localhost:3000", want: http.StatusOK},
	} {
		r, _ := http.NewRequest(http.MethodGet, url+"/healthz", nil)
		if c.host != "" {
			r.Host = c.host
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, c.want)
		}
	}
}

func TestOrganizationsDoNotSeeEachOther(t *testing.T) {
	url := service(t)
	acme, umbrella := connectTo(t, url, "acme"), connectTo(t, url, "umbrella")
	acme.apply("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: sales}, spec: {}}")
	if got := umbrella.names("unit"); len(got) != 0 {
		t.Errorf("umbrella sees %v", got)
	}
	fs := umbrella.refused("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: team}, spec: {parent: sales}}")
	contains(t, "fault", fs[0].GetMessage(), `there is no unit "sales"`)
	_, err := connectTo(t, url, "Not A Label").declare.List(context.Background(), &declarationv1.ListRequest{Kind: "unit"})
	if connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("a bad organization: %v", err)
	}
}

func TestAMisspeltFieldIsRefused(t *testing.T) {
	url := service(t)
	for body, want := range map[string]string{
		`{"asof":"2018-12-31"}`: "asof",
		`{"asOf":"yesterday"}`:  "a date such as 2018-09-30",
		``:                      "send {}",
	} {
		res, err := http.Post(url+"/setpoint.gap.v1.GapService/Evaluate", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", body, res.Status)
		}
		contains(t, body, string(text), want)
	}
}

package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

func TestUsageEndsWith64(t *testing.T) {
	tests := []struct {
		args   string
		stderr string
	}{
		{"nonsense", `unknown command "nonsense"`},
		{"pln", "did you mean plan?"},
		{"help nonsense", `unknown command "nonsense"`},
		{"report nonsense", `unknown command "nonsense"`},
		{"report", "missing the report"},
		{"plan", "missing -f PATH"},
		{"plan -f x extra", `unexpected argument "extra"`},
		{"plan --fil x", "did you mean --file?"},
		{"plan -f x --set Not_A_Name", "--set:"},
		{"apply", "missing -f PATH or --plan FILE"},
		{"apply -f x --plan y", "exclude each other"},
		{"apply --plan y --prune", "part of the saved plan"},
		{"apply -f x --manager nobody", "legal are cli, git"},
		{"get", "missing KIND"},
		{"get metrcs", "did you mean metrics?"},
		{"get observations", "missing METRIC"},
		{"get metrics a b", `unexpected argument "b"`},
		{"get metrics -o xml", "legal are table, json, yaml and csv"},
		{"get metrics --revision -1", "--revision: -1"},
		{"get metrics --revision 1 --known-at 2020-01-01T00:00:00Z", "exclude each other"},
		{"describe metric", "missing NAME"},
		{"delete target", "missing NAME"},
		{"observe", "missing METRIC and VALUE"},
		{"observe m", "missing VALUE"},
		{"initiative spend a -x", "unknown shorthand flag"},
		{"initiative spend a -10", "missing --period"},
		{"observe m 1,234", "write it without separators: 1234"},
		{"observe m 3%", "0.03"},
		{"observe m NaN", "not a number"},
		{"observe M 1", "not the name of a metric"},
		{"observe m 1 --at 2018-02-30", "--at:"},
		{"observe m 1 -f x.csv", "exclude each other"},
		{"observe -f x.csv --source s", "columns"},
		{"gaps --as-of yesterday", "legal is YYYY-MM-DD"},
		{"gaps --org UPPER", "--org:"},
		{"gaps --server localhost:8080", "for example http://127.0.0.1:8080"},
		{"gaps --timeout 0s", "not a positive duration"},
		{"token", "missing what to do"},
		{"token creat", "did you mean create?"},
		{"token create --role viewer", "missing --file"},
		{"token create --file x", "missing --role"},
		{"token create --file x --role owner", "legal are viewer, contributor, editor and admin"},
		{"token create --file x --role viewer --expires never", "neither a number of days"},
		{"token revoke --file x", "missing ID"},
		{"report gap --format docx", "legal are md, html, pdf, xlsx, json, csv"},
		{"get metrics --revision 0", "--revision: 0 is not a revision"},
		{"gaps --known-at yesterday", "neither an instant nor a date"},
		{"gaps --known-at 2026-02-30", "neither an instant nor a date"},
		{"report gap --revision 3 --known-at 2026-03-31", "exclude each other"},
		{"describe target x --revision 3 --known-at 2026-03-31", "exclude each other"},
		{"describe metric x --as-of 2018-12-31", "nothing else is evaluated"},
		{"gaps --watch --revision 3", "stand still"},
		{"describe metric x -o csv", "legal are table, json and yaml"},
		{"plan --offline -f x --out y", "--offline knows nothing of what is declared"},
		{"plan --offline", "missing -f PATH"},
		{"schema connector", "has no schema"},
		{"person", "legal are erase and keys"},
		{"person erase", "missing NAME"},
		{"person erase p-1 --yes", "missing --reason WHY"},
		{"person erase p-1 --reason x", "give --yes"},
		{"person keys backup", "missing --out FILE"},
		{"person keys restore", "missing FILE"},
		{"schema metrcs", "did you mean metrics?"},
		{"dev --listen 8080", "not HOST:PORT"},
		{"dev --telemetry 9464", "--telemetry: \"9464\" is not HOST:PORT"},
		{"dev --log-format xml", "legal are text, json"},
		{"serve --log-level loud", "legal are debug, info, warn, error"},
		{"dev --drain -1s", "--drain"},
		{"dev --shutdown-timeout 0", "--shutdown-timeout"},
		{"serve --target=gapp", "did you mean gap?"},
		{"completion nonsense", "unknown command"},
		{"get metrics --revision x", `--revision: "x" is not a whole number`},
		{"get metrics --revision 99999999999999999999", "--revision: 99999999999999999999 is too large"},
		{"gaps --timeout soon", `--timeout: "soon" is not a duration`},
		{"gaps --as-of=", "--as-of is empty"},
		{"gaps --strategy=", "--strategy is empty"},
		{"observe m 1 --at=", "--at is empty"},
		{"apply -f x --prune --set=", "--set is empty"},
		{"apply --file=", "--file is empty"},
		{"dev --token-file=", "--token-file is empty"},
		{"suggest --budget 1,000", `--budget: "1,000" is not an amount`},
		{"suggest --budget -1", `--budget: "-1" is not an amount`},
		{"suggest --capacity -1", "--capacity: -1 is no capacity"},
		{"suggest --capacity NaN", "--capacity: NaN is no capacity"},
		{"suggest --currency EUR", "--currency belongs to --budget AMOUNT"},
		{"gaps --as-of 9999-12-31", `--as-of: "9999-12-31" is not of the years 1900 to 2200`},
		{"policy test p --since 1899-12-31", `--since: "1899-12-31" is not of the years 1900 to 2200`},
		{"checkin due --confidence 3", "setpoint checkin target/due"},
		{"checkin request --note x", "setpoint checkin target/request"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			got := session{}.run(t, strings.Fields(tt.args)...).want(t, exitUsage).wantStderr(t, "error: ", tt.stderr, "help: ")
			if got.stdout != "" {
				t.Errorf("stdout: %s", got.stdout)
			}
		})
	}
}

func TestHelpHasAnExampleForEveryCommand(t *testing.T) {
	for _, command := range []string{
		"plan", "apply", "get", "schema", "describe", "delete", "observe", "gaps", "report", "report gap", "dev", "serve", "token create", "token list", "token revoke", "status", "version", "help",
	} {
		got := session{}.run(t, append(strings.Fields(command), "--help")...).want(t, exitOK)
		got.wantStdout(t, "Examples:", "  setpoint "+strings.Fields(command)[0])
		if got.stderr != "" {
			t.Errorf("%s: stderr: %s", command, got.stderr)
		}
	}
	session{}.run(t).want(t, exitOK).wantStdout(t, "Declare:", "Observe:", "Compare:", "Operate:")
	session{}.run(t, "help", "observe").want(t, exitOK).wantStdout(t, "setpoint observe -f actuals.csv")
	session{}.run(t, "completion", "bash").want(t, exitOK).wantStdout(t, "setpoint")
	session{}.run(t, "__complete", "get", "m").want(t, exitOK).wantStdout(t, "metrics")
}

func TestFlagsComeFromTheEnvironmentAndTheCommandLineWins(t *testing.T) {
	f := &fake{evaluate: func(r *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		return &gapv1.EvaluateResponse{AsOf: r.GetAsOf(), Policy: r.GetPolicy()}, nil
	}}
	s := session{server: f.serve(t), env: map[string]string{
		"SETPOINT_ORG": "acme", "SETPOINT_TOKEN": "secret\n", "SETPOINT_AS_OF": "2018-12-31", "SETPOINT_POLICY": "okr",
	}}
	s.run(t, "gaps").want(t, exitOK).wantStdout(t, "As of 2018-12-31", "policy okr")
	h := f.headers[0]
	for name, want := range map[string]string{
		"Setpoint-Org": "acme", "Setpoint-Actor": "", "Authorization": "Bearer secret",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}

	s.run(t, "gaps", "--org=other", "--as-of", "2020-01-01", "--actor", "u-42").want(t, exitOK).wantStdout(t, "As of 2020-01-01")
	h = f.headers[1]
	if h.Get("Setpoint-Org") != "other" || h.Get("Setpoint-Actor") != "u-42" {
		t.Errorf("the command line does not win: %v", h)
	}

	s.env["SETPOINT_TOKEN"] = "" // as good as unset
	s.run(t, "gaps").want(t, exitOK)
	if v, ok := f.headers[2]["Authorization"]; ok {
		t.Errorf("Authorization = %q without a token", v)
	}

	s.env["SETPOINT_TIMEOUT"] = "soon"
	s.run(t, "gaps").want(t, exitUsage).wantStderr(t, `SETPOINT_TIMEOUT="soon"`)
}

func TestNoServer(t *testing.T) {
	const address = "http://127.0.0.1:1"
	got := session{server: address}.run(t, "gaps").want(t, exitError)
	if want := "error: no setpoint server at " + address + "\nhint: start one with: setpoint dev\n"; got.stderr != want {
		t.Errorf("stderr %q, want %q", got.stderr, want)
	}
}

func TestAnotherServer(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	session{server: s.URL}.run(t, "gaps").want(t, exitError).wantStderr(t, "hint: ", s.URL)
}

func TestUnavailableIsAskedAgainWithTheSameRequest(t *testing.T) {
	var ids []string
	f := &fake{record: func(r *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
		ids = append(ids, r.GetRequestId())
		if len(ids) < 3 {
			return nil, refuse(connect.CodeUnavailable, "the log is electing a leader", nil)
		}
		return &strategyv1.RecordObservationsResponse{Revision: 7, Recorded: 1}, nil
	}}
	s := session{server: f.serve(t)}
	s.run(t, "observe", "m", "1").want(t, exitOK).wantStdout(t, "1 recorded", "Revision 7")
	if len(ids) != 3 || ids[0] == "" || ids[0] != ids[1] || ids[1] != ids[2] {
		t.Fatalf("request ids %q", ids)
	}
	first := ids[0]
	ids = []string{"", ""}
	s.run(t, "observe", "m", "1").want(t, exitOK)
	if ids[2] == first {
		t.Error("two commands with one request id")
	}
}

func TestUnavailableIsGivenUp(t *testing.T) {
	asked := 0
	f := &fake{evaluate: func(*gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		asked++
		return nil, refuse(connect.CodeUnavailable, "the record is catching up", nil)
	}}
	session{server: f.serve(t)}.run(t, "gaps").want(t, exitError).wantStderr(t, "error: the record is catching up")
	if asked != attempts {
		t.Errorf("asked %d times, want %d", asked, attempts)
	}
}

func TestOtherRefusalsAreFinal(t *testing.T) {
	asked := 0
	f := &fake{evaluate: func(*gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		asked++
		return nil, refuse(connect.CodeNotFound, "no strategy x", nil)
	}}
	session{server: f.serve(t)}.run(t, "gaps").want(t, exitError).wantStderr(t, "error: no strategy x")
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestTimeoutNamesTheServer(t *testing.T) {
	f := &fake{status: func(ctx context.Context) (*adminv1.GetStatusResponse, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	server := f.serve(t)
	session{server: server}.run(t, "status", "--timeout", "20ms").want(t, exitError).
		wantStderr(t, "20ms", "hint: a longer wait: --timeout")
}

func TestInterruptedEndsWith130(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{status: func(request context.Context) (*adminv1.GetStatusResponse, error) {
		cancel()
		<-request.Done()
		return nil, request.Err()
	}}
	session{server: f.serve(t)}.runContext(ctx, "status").want(t, exitInterrupted).wantStderr(t, "error: interrupted")
}

// onWrite calls a function when a text is written.
type onWrite struct {
	text string
	call func()
}

func (o onWrite) Write(p []byte) (int, error) {
	if strings.Contains(string(p), o.text) {
		o.call()
	}
	return len(p), nil
}

// Ctrl-C ends a command that waits for an answer, or for standard input.
func TestWaitingForInputIsInterrupted(t *testing.T) {
	for _, args := range [][]string{
		{"delete", "metric", "m"}, {"observe", "-f", "-"}, {"plan", "-f", "-"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		never, unblock := io.Pipe()
		opts := Options{
			Args: args, Stdin: never, Stdout: io.Discard, Stderr: onWrite{"[y/N]", cancel},
			Env: func(string) (string, bool) { return "", false }, IsTerminal: func(any) bool { return true },
		}
		if args[0] != "delete" {
			cancel()
		}
		if code := Run(ctx, opts); code != exitInterrupted {
			t.Errorf("%v: exit code %d", args, code)
		}
		cancel()
		if err := unblock.Close(); err != nil {
			t.Error(err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestAResultThatCannotBeWrittenIsAnError(t *testing.T) {
	var stderr strings.Builder
	code := Run(t.Context(), Options{Args: []string{"version"}, Stdout: fullDisk{}, Stderr: &stderr, Env: func(string) (string, bool) { return "", false }})
	if code != exitError || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}

func TestNegativeNumbersAreValuesOfObserve(t *testing.T) {
	var got []*strategyv1.Observation
	f := &fake{record: func(r *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
		got = r.GetObservations()
		return &strategyv1.RecordObservationsResponse{Revision: 1}, nil
	}}
	s := session{server: f.serve(t)}
	for _, args := range [][]string{
		{"observe", "leased-revenue", "-0.004", "--note", "-5 less than planned", "--at", "2018-09-30"},
		{"observe", "leased-revenue", "--at", "2018-09-30", "--note=-5 less than planned", "--", "-0.004"},
		{"--org", "acme", "observe", "--at", "2018-09-30", "--note", "-5 less than planned", "leased-revenue", "-.004"},
	} {
		got = nil
		s.run(t, args...).want(t, exitOK)
		if len(got) != 1 || got[0].GetValue() != -0.004 || got[0].GetNote() != "-5 less than planned" || got[0].GetMetric() != "leased-revenue" {
			t.Errorf("%q sent %v", args, got)
		}
	}
}

func TestWritesWaitForTheRecord(t *testing.T) {
	var waited int64
	f := &fake{
		apply: func(*declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
			return &declarationv1.ApplyResponse{Revision: 42, Summary: &declarationv1.Summary{}}, nil
		},
		list: func(r *declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
			waited = r.GetMinRevision()
			return &declarationv1.ListResponse{}, nil
		},
	}
	file := write(t, t.TempDir(), "m.yaml", "kind: Metric\n")
	session{server: f.serve(t)}.run(t, "apply", "-f", file).want(t, exitOK)
	if waited != 42 {
		t.Errorf("waited for revision %d, want 42", waited)
	}
}

func TestServeIsHandedItsOptions(t *testing.T) {
	var got ServeOptions
	s := session{serve: func(_ context.Context, o ServeOptions) error {
		got = o
		_, err := io.WriteString(o.Stdout, "listening\n")
		return err
	}}
	s.run(t, "dev", "--data", "d", "--listen", "127.0.0.1:1", "--nats", "127.0.0.1:2").want(t, exitOK).wantStdout(t, "listening")
	if got.Data != "d" || got.Listen != "127.0.0.1:1" || got.NATSListen != "127.0.0.1:2" || !slices.Equal(got.Targets, []string{"all"}) {
		t.Errorf("dev: %+v", got)
	}
	s.env = map[string]string{"SETPOINT_DATA": "elsewhere"}
	s.run(t, "serve", "--target=").want(t, exitUsage).wantStderr(t, "--target: no part is named; legal are ")
	s.run(t, "serve", "--target=gap,projector").want(t, exitOK)
	if got.Data != "elsewhere" || !slices.Equal(got.Targets, []string{"gap", "projector"}) {
		t.Errorf("serve: %+v", got)
	}
	session{}.run(t, "dev").want(t, exitError).wantStderr(t, "client only")

	ctx, cancel := context.WithCancel(t.Context())
	s.serve = func(ctx context.Context, _ ServeOptions) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	s.runContext(ctx, "dev").want(t, exitOK)
}

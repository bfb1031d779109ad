package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// topologyEnv says what the journeys run on: "one" process (the default), or
// "split" in parts.
const topologyEnv = "SETPOINT_E2E_TOPOLOGY"

// split is the deployment that all journeys share, each in an organization of
// its own. It ends in TestMain.
var split = sync.OnceValues(func() (*deployment, error) { return deploy(context.Background()) })

func isSplit() bool { return os.Getenv(topologyEnv) == "split" }

// service is setpoint for a journey: a process of its own with nothing in it,
// or an entrance to the deployment in which no organization exists.
func service(t testing.TB) string {
	t.Helper()
	if !isSplit() {
		return serve(t, t.TempDir()).URL()
	}
	d, err := split()
	if err != nil {
		t.Fatal(err)
	}
	return entrance(t, d)
}

// journeys are the tests that use service, as a pattern for -test.run: the
// others are about one process, whatever they run on.
func journeys() (string, error) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		return "", err
	}
	var names []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return "", err
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if called, ok := call.Fun.(*ast.Ident); ok && called.Name == "service" {
						names = append(names, f.Name.Name)
					}
				}
				return true
			})
		}
	}
	if len(names) == 0 {
		return "", errors.New("there are no journeys")
	}
	return "^(" + strings.Join(names, "|") + ")$", nil
}

// runJourneys lets a run on the split topology be of the journeys, unless the
// command line says which tests it is of.
func runJourneys() error {
	if run := flag.Lookup("test.run"); !isSplit() || run.Value.String() != "" {
		return nil
	}
	pattern, err := journeys()
	if err != nil {
		return err
	}
	return flag.Set("test.run", pattern)
}

var entrances atomic.Int64

// entrance spreads requests over the replicas, each to the next one in turn, as
// a load balancer does, and gives the organizations names that nobody else uses.
func entrance(t testing.TB, d *deployment) string {
	t.Helper()
	mine := fmt.Sprintf("-e2e-%d", entrances.Add(1))
	var turn atomic.Int64
	var plain, h2c http.Protocols
	plain.SetHTTP1(true)
	h2c.SetUnencryptedHTTP2(true)
	oldFashioned, gRPC := &http.Transport{Protocols: &plain}, &http.Transport{Protocols: &h2c}
	t.Cleanup(oldFashioned.CloseIdleConnections)
	t.Cleanup(gRPC.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			replicas := d.api["declaration"]
			for target, some := range d.api {
				if target == "reactor" {
					target = "event" // the service that it serves
				}
				if strings.HasPrefix(r.In.URL.Path, "/setpoint."+target+".") {
					replicas = some
				}
			}
			to, err := url.Parse(replicas[int(turn.Add(1))%len(replicas)].url)
			if err != nil {
				panic(err)
			}
			r.SetURL(to)
			r.Out.Host = r.In.Host
			org := r.In.Header.Get("Setpoint-Org")
			if org == "" {
				org = "default"
			}
			r.Out.Header.Set("Setpoint-Org", org+mine)
		},
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") && r.ProtoMajor == 2 {
				return gRPC.RoundTrip(r)
			}
			return oldFashioned.RoundTrip(r)
		}),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				t.Errorf("%s: %v", r.URL.Path, err)
			}
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var both http.Protocols
	both.SetHTTP1(true)
	both.SetUnencryptedHTTP2(true)
	server := &http.Server{Protocols: &both, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without it, HTTP/1 takes what is left of a request away when the answer begins:
		// a replica that answers before the request has ended would be cut off.
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// written is the newest revision that a service has told a test, by the test
// and the URL: a later server may get the port of an earlier one.
var written sync.Map

type teller struct{ test, url string }

// readsOwnWrites asks in every read for at least what was written: the answer
// may come from another replica than the one that wrote.
func readsOwnWrites(t testing.TB, url string) connect.Interceptor {
	test, _, _ := strings.Cut(t.Name(), "/")
	newest, _ := written.LoadOrStore(teller{test, url}, new(atomic.Int64))
	return ownWrites{newest: newest.(*atomic.Int64)}
}

type ownWrites struct{ newest *atomic.Int64 }

func (o ownWrites) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		message, _ := req.Any().(proto.Message)
		if message != nil {
			o.ask(message.ProtoReflect())
		}
		res, err := next(ctx, req)
		if err == nil && message != nil && field(message.ProtoReflect(), "request_id") != nil {
			if done, ok := res.Any().(proto.Message); ok {
				o.note(done.ProtoReflect())
			}
		}
		return res, err
	}
}

func (o ownWrites) ask(m protoreflect.Message) {
	if f := field(m, "min_revision"); f != nil && !m.Has(f) {
		m.Set(f, protoreflect.ValueOfInt64(o.newest.Load()))
	}
}

func (o ownWrites) note(m protoreflect.Message) {
	f := field(m, "revision")
	if f == nil {
		return
	}
	for revision := m.Get(f).Int(); ; {
		old := o.newest.Load()
		if old >= revision || o.newest.CompareAndSwap(old, revision) {
			return
		}
	}
}

func field(m protoreflect.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(name)
}

func (o ownWrites) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (o ownWrites) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

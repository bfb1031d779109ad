package server

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"setpoint.dev/services/internal/rpc"
)

// connectCodes are the codes of a refusal that is the client's doing, or
// passes. "internal" and "unknown" would be a defect of ours.
var connectCodes = map[string]bool{
	"invalid_argument": true, "not_found": true, "already_exists": true, "failed_precondition": true, "aborted": true,
	"out_of_range": true, "resource_exhausted": true, "unimplemented": true, "deadline_exceeded": true, "unavailable": true,
	"permission_denied": true,
}

// unaryProcedures are what FuzzRequests calls, in a stable order.
func unaryProcedures() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(rpc.Access)), func(p string) bool {
		name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(p, "/"), "/", "."))
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
		m, ok := d.(protoreflect.MethodDescriptor)
		return err != nil || !ok || m.IsStreamingServer() || strings.HasPrefix(p, "/grpc.")
	})
}

// Whatever arrives, as JSON or as protobuf, plain or said to be compressed, is
// answered or refused in the form of the protocol: no panic, no internal error.
func FuzzRequests(f *testing.F) {
	dir, err := os.MkdirTemp("", "setpoint-fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := startServer(f, Options{Data: dir})
	handler := s.http.Handler
	procedures := unaryProcedures()
	if len(procedures) < 15 {
		f.Fatalf("only %d procedures", len(procedures))
	}

	for i := range procedures {
		f.Add(uint8(i), false, "", []byte(`{}`))
		f.Add(uint8(i), true, "", []byte{})
	}
	at := func(name string) uint8 {
		i := slices.IndexFunc(procedures, func(p string) bool { return strings.HasSuffix(p, "/"+name) })
		if i < 0 {
			f.Fatalf("no procedure %s", name)
		}
		return uint8(i)
	}
	manifest := `{"manifests":{"files":[{"path":"a.yaml","content":"e2FwaVZlcnNpb246IHNldHBvaW50LmRldi92MSwga2luZDogTWV0cmljLCBtZXRhZGF0YToge25hbWU6IGF9LCBzcGVjOiB7fX0="}]}}`
	f.Add(at("Apply"), false, "", []byte(manifest))
	f.Add(at("Plan"), false, "", []byte(manifest))
	f.Add(at("Plan"), false, "", []byte(`{"manifests":{"resources":[{"kind":"Target","metadata":{"name":"a"},"spec":{"metric":"a","periods":[{"period":"FY2020","value":1}]}}]}}`))
	f.Add(at("RecordObservations"), false, "", []byte(`{"observations":[{"metric":"a","observedAt":"2020-12-31","value":"NaN"}]}`))
	f.Add(at("RecordObservations"), false, "", []byte(`{"observations":[{"metric":"a","observedAt":"FY2020","value":1e308}]}`))
	f.Add(at("CheckIn"), false, "", []byte(`{"target":"a","confidence":11}`))
	f.Add(at("Evaluate"), false, "", []byte(`{"asOf":"0000-00-00","revision":"9223372036854775807"}`))
	f.Add(at("Evaluate"), true, "", []byte{0x12, 0x04, '2', '0', '2', '0', 0xa0, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add(at("List"), false, "", []byte(`{"kind":"Metric","pageToken":"W10","pageSize":-1}`))
	f.Add(at("Report"), false, "gzip", []byte{0x1f, 0x8b, 8, 0})
	f.Add(at("Export"), false, "", []byte(`{"kinds":["\ud800"]}`))

	f.Fuzz(func(t *testing.T, which uint8, binary bool, compression string, body []byte) {
		procedure := procedures[int(which)%len(procedures)]
		kind := "application/json"
		if binary {
			kind = "application/proto"
		}
		r := httptest.NewRequest(http.MethodPost, procedure, bytes.NewReader(body))
		r.Host = "localhost"
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Connect-Protocol-Version", "1")
		r.Header.Set("Connect-Timeout-Ms", "200") // who asks for a revision to come waits for it
		if compression != "" {
			r.Header.Set("Content-Encoding", compression)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == http.StatusOK {
			if got := w.Header().Get("Content-Type"); got != kind {
				t.Errorf("%s: the answer is %q to %q", procedure, got, kind)
			}
			return
		}
		var refusal struct {
			Code, Message string
			Details       []struct{ Type, Value string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &refusal); err != nil {
			t.Fatalf("%s: %d is no Connect error: %v\n%s", procedure, w.Code, err, w.Body)
		}
		if !connectCodes[refusal.Code] || refusal.Message == "" {
			t.Fatalf("%s: %d %s", procedure, w.Code, w.Body)
		}
	})
}

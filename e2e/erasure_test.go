package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/devserver"
)

// Canaries are words that stand nowhere but in personal fields.
const (
	canaryName     = "Zyxquilla Vontrapp"
	canaryEmail    = "zyxmail@vontrapp.example"
	canaryTitle    = "Zyxchief of leases"
	canaryReason   = "zyxreason because she said so"
	canaryNote     = "zyxnote counted by hand"
	canaryCheckIn  = "zyxcheckin I feel good"
	canaryOverride = "zyxoverride trust me"
	canaryDelete   = "zyxdelete no longer needed"
)

var canaries = []string{"Zyxquilla", "Vontrapp", "zyxmail", "Zyxchief", "zyxreason", "zyxnote", "zyxcheckin", "zyxoverride", "zyxdelete"}

const personPlan = `
apiVersion: setpoint.dev/v1
kind: Strategy
metadata: {name: s}
spec: {title: S, horizon: {start: 2026-01-01, end: 2026-12-31}, owner: person/p-1}
---
apiVersion: setpoint.dev/v1
kind: Person
metadata: {name: p-1}
spec:
  displayName: ` + canaryName + `
  email: ` + canaryEmail + `
  title: ` + canaryTitle + `
  principals: [u-42]
---
apiVersion: setpoint.dev/v1
kind: Person
metadata: {name: p-2}
spec: {displayName: Somebody Else, principals: [u-43]}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: o}
spec: {title: O, strategy: s}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: m}
spec: {title: M, unit: number, cadence: monthly}
---
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: gone}
spec: {title: Gone}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: t}
spec: {objective: o, metric: m, baseline: {date: 2025-12-31, value: 0}, value: 100, due: 2026-12-31, owner: person/p-1}
`

// as is a client that acts as a principal.
func as(t testing.TB, url, actor string) (client, adminv1connect.AdminServiceClient) {
	h := &http.Client{Transport: header{"Setpoint-Org": "acme", "Setpoint-Actor": actor}}
	return connectWith(t, h, url), adminv1connect.NewAdminServiceClient(h, url)
}

// found lists where a folder holds any of the words, in the clear or in the
// base64 that might hide them.
func found(t testing.TB, dir string, words ...string) (out []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, w := range words {
			if bytes.Contains(content, []byte(w)) || bytes.Contains(content, []byte(base64.StdEncoding.EncodeToString([]byte(w)))) {
				out = append(out, filepath.Base(path)+" holds "+w)
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files in %s: %v", files, dir, err)
	}
	return out
}

// readable is all that can be read of the organization.
func readable(t testing.TB, c client) string {
	t.Helper()
	ctx := context.Background()
	var b strings.Builder
	list, err := c.declare.List(ctx, &declarationv1.ListRequest{Kind: "Person"})
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString(list.String())
	export, err := c.declare.Export(ctx, &declarationv1.ExportRequest{})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(export.GetContent())
	for _, of := range [][2]string{{"Person", "p-1"}, {"Unit", "gone"}, {"Target", "t"}} {
		history, err := c.declare.History(ctx, &declarationv1.HistoryRequest{Kind: of[0], Name: of[1]})
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(history.String())
	}
	diff, err := c.declare.Diff(ctx, &declarationv1.DiffRequest{})
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString(diff.String())
	notes, err := c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "m"})
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString(notes.String())
	said, err := c.observe.ListCheckIns(ctx, &strategyv1.ListCheckInsRequest{Target: "t"})
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString(said.String())
	b.WriteString(c.gaps("2026-04-15").String())
	for _, format := range []string{"md", "html", "json", "csv"} {
		report, err := c.gap.Report(ctx, &gapv1.ReportRequest{Format: format, AsOf: "2026-04-15"})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(report.GetContent())
	}
	return b.String()
}

func TestErasure(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := serve(t, dir)
	u42, _ := as(t, s.URL(), "u-42")
	_, boss := as(t, s.URL(), "boss")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v %v", err, faults(err))
		}
	}

	// Everything that can be personal is written.
	request := &declarationv1.ApplyRequest{Manifests: manifests(personPlan), Reason: canaryReason, RequestId: "apply-1"}
	_, err := u42.declare.Apply(ctx, request)
	must(err)
	again, err := u42.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(personPlan)})
	must(err)
	if n := again.GetSummary().GetUnchanged(); n != 7 || len(again.GetChanges()) != 0 {
		t.Errorf("the same manifests again change %v", again.GetChanges())
	}
	replayed, err := u42.declare.Apply(ctx, request)
	must(err)
	if replayed.GetSummary().GetCreate() != 7 {
		t.Errorf("the same request again: %v", replayed)
	}
	_, err = u42.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(personPlan), Reason: "another", RequestId: "apply-1"})
	if connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("the same request id for another reason: %v", err)
	}
	noted := value("m", "2026-03", 20)
	noted.Note = canaryNote
	_, err = u42.observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{
		Observations: []*strategyv1.Observation{value("m", "2026-01", 8), noted}, Reason: canaryReason})
	must(err)
	confidence := int32(7)
	// The server's clock decides what is to come: a day that has been.
	said := &strategyv1.CheckInRequest{RequestId: "check-in-1", Target: "t", At: "2026-01-05", Confidence: &confidence, Note: canaryCheckIn,
		Override: &strategyv1.OverrideRequest{Status: "at_risk", Reason: canaryOverride, Expires: "2026-12-31"}}
	_, err = u42.observe.CheckIn(ctx, said)
	must(err)
	said.RequestId = "check-in-2"
	_, err = u42.observe.CheckIn(ctx, said)
	must(err)
	// Not by the revision, which what reacts to the first may move on.
	if list, err := u42.observe.ListCheckIns(ctx, &strategyv1.ListCheckInsRequest{Target: "t"}); err != nil || len(list.GetCheckIns()) != 1 {
		t.Errorf("saying the same again: %v, %v", list, err)
	}
	_, err = u42.declare.Delete(ctx, &declarationv1.DeleteRequest{Kind: "Unit", Name: "gone", Reason: canaryDelete})
	must(err)

	before := readable(t, u42)
	for _, w := range []string{canaryName, canaryEmail, canaryTitle, canaryReason, canaryNote, canaryCheckIn, canaryOverride, canaryDelete} {
		if !strings.Contains(before, w) {
			t.Errorf("%q cannot be read", w)
		}
	}
	if w := found(t, dir, canaries...); len(w) > 0 {
		t.Errorf("in the clear on the disk: %v", w)
	}
	numbers := u42.gaps("2026-04-15")

	// Unknown people, and principals of two.
	_, err = boss.ErasePerson(ctx, &adminv1.ErasePersonRequest{Name: "p-9", Reason: "r"})
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a person who never was: %v", err)
	}
	clash := u42.refused("apiVersion: setpoint.dev/v1\nkind: Person\nmetadata: {name: p-3}\nspec: {principals: [u-42]}\n")
	if clash[0].GetReason() != "declaration.claimed" {
		t.Errorf("a principal of two: %v", clash)
	}

	// The keys are backed up, as they must not open anything later.
	backup := keysBackup(t, boss)
	done, err := boss.ErasePerson(ctx, &adminv1.ErasePersonRequest{Name: "p-1", Reason: "request 118", RequestId: "erase-1"})
	must(err)
	if !done.GetErased() || done.GetErasureEpoch() != 1 || strings.Join(done.GetHolders(), " ") != "person/p-1 principal/u-42" {
		t.Errorf("erased: %v", done)
	}
	for id, want := range map[string]bool{"erase-1": true, "erase-2": false} {
		res, err := boss.ErasePerson(ctx, &adminv1.ErasePersonRequest{Name: "p-1", Reason: "request 118", RequestId: id})
		if err != nil || res.GetErased() != want || res.GetRevision() != done.GetRevision() || res.GetErasureEpoch() != 1 {
			t.Errorf("erasing again with %s: %v, %v", id, res, err)
		}
	}

	sum := ""
	check := func(t *testing.T, c client) {
		t.Helper()
		report, err := c.gap.Report(ctx, &gapv1.ReportRequest{Format: "json", AsOf: "2026-04-15", Revision: done.GetRevision()})
		if err != nil || report.GetErasureEpoch() != 1 || sum != "" && report.GetSha256() != sum {
			t.Errorf("the report of the same day, revision and epoch: %s, before %s, %v", report.GetSha256(), sum, err)
		}
		sum = report.GetSha256()
		after := readable(t, c)
		for _, w := range canaries {
			if strings.Contains(after, w) {
				t.Errorf("%q can still be read", w)
			}
		}
		if n := strings.Count(after, "[erased]"); n < 10 {
			t.Errorf("[erased] stands at %d places only", n)
		}
		for _, w := range []string{"Somebody Else", "request 118", "erasure epoch", `"erasureEpoch":1`} {
			if !strings.Contains(after, w) {
				t.Errorf("%q is missing", w)
			}
		}
		now := c.gaps("2026-04-15")
		if now.GetErasureEpoch() != 1 {
			t.Errorf("epoch %d", now.GetErasureEpoch())
		}
		a, b := numbers.GetTargets()[0], now.GetTargets()[0]
		if a.GetStatus() != b.GetStatus() || a.GetActual() != b.GetActual() || a.GetGap() != b.GetGap() ||
			b.GetConfidence() != 7 || b.GetOverride().GetStatus() != "at_risk" || b.GetOverride().GetReason() != "[erased]" {
			t.Errorf("the numbers changed: %v, %v", a, b)
		}
		if w := found(t, dir, canaries...); len(w) > 0 {
			t.Errorf("in the clear on the disk: %v", w)
		}
	}
	check(t, u42)

	// Nobody comes back by an old manifest, and nobody writes in that name.
	back := u42.refused(personPlan)
	if back[0].GetReason() != "declaration.erased" || back[0].GetResource() != "Person/p-1" {
		t.Errorf("declared again: %v", back)
	}
	// What an export of an earlier revision says of them changes nothing, so that
	// all else in it can be applied again.
	stays, err := u42.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(
		"apiVersion: setpoint.dev/v1\nkind: Person\nmetadata: {name: p-1}\nspec: {displayName: '[erased]', email: '[erased]'}\n")})
	must(err)
	if stays.GetSummary().GetUnchanged() != 1 || len(stays.GetChanges()) != 0 || stays.GetWarnings()[0].GetReason() != "declaration.erased_stays" {
		t.Errorf("as shown: %v", stays)
	}
	exportsAgain(t, s.URL(), u42)
	_, err = u42.observe.CheckIn(ctx, &strategyv1.CheckInRequest{Target: "t", Note: "personal"})
	if connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("an erased principal checked in with a note: %v", err)
	}
	if _, err = u42.record(value("m", "2026-02", 12)); err != nil {
		t.Errorf("an erased principal records a number: %v", err)
	}
	if _, err = u42.record(func() *strategyv1.Observation { o := value("m", "2026-04", 12); o.Note = "x"; return o }()); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("an erased principal wrote a note: %v", err)
	}
	export, err := u42.declare.Export(ctx, &declarationv1.ExportRequest{})
	must(err)
	applied := u42.apply(string(export.GetContent()))
	if len(applied.GetChanges()) != 0 {
		t.Errorf("what was exported changes %v", applied.GetChanges())
	}
	marked := u42.refused("apiVersion: setpoint.dev/v1\nkind: Person\nmetadata: {name: p-3}\nspec: {displayName: '[erased]'}\n")
	if marked[0].GetReason() != "declaration.marker" {
		t.Errorf("a marker is declared: %v", marked)
	}

	// The backup of the keys brings back nobody who was erased.
	restored, err := boss.RestoreKeys(ctx, &adminv1.RestoreKeysRequest{Content: backup})
	must(err)
	if restored.GetRestored() != 0 || restored.GetUnchanged() != 1 || len(restored.GetErased()) != 2 {
		t.Errorf("restored: %v", restored)
	}
	check(t, u42)

	// Nor does a restart, or a rebuild of the record.
	must(s.Close())
	restart := func(name string, prepare func()) {
		t.Run(name, func(t *testing.T) {
			prepare()
			s, err := devserver.Start(ctx, devserver.Options{Data: dir, Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test"})
			if err != nil {
				t.Fatal(err)
			}
			c, _ := as(t, s.URL(), "u-99")
			check(t, c)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	restart("after a restart", func() {})
	restart("after a rebuild", func() {
		files, _ := filepath.Glob(filepath.Join(dir, "record*"))
		for _, f := range files {
			if err := os.RemoveAll(f); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// An export after an erasure says what is gone, changes nothing here, and
// declares everything else elsewhere.
func exportsAgain(t *testing.T, url string, here client) {
	t.Helper()
	ctx := context.Background()
	elsewhere := connectTo(t, url, "elsewhere")
	export, err := here.declare.Export(ctx, &declarationv1.ExportRequest{Dated: true})
	if err != nil {
		t.Fatal(err)
	}
	yaml := string(export.GetContent())
	if strings.Contains(yaml, "[erased]") || !strings.Contains(yaml, "# erased, and therefore left out: displayName, email, title\n") {
		t.Errorf("the export does not say what is gone:\n%s", yaml)
	}
	again, err := here.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(yaml)})
	if err != nil || len(again.GetChanges()) != 0 {
		t.Errorf("applied where it was exported: %v, %v %v", again.GetChanges(), err, faults(err))
	}
	if res := elsewhere.apply(yaml); len(res.GetChanges()) != int(export.GetCount()) {
		t.Errorf("elsewhere %d of %d are declared", len(res.GetChanges()), export.GetCount())
	}
	copied, err := elsewhere.declare.Export(ctx, &declarationv1.ExportRequest{Dated: true})
	if err != nil {
		t.Fatal(err)
	}
	var without []string
	for line := range strings.Lines(yaml) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			without = append(without, line)
		}
	}
	if want := strings.Join(without, ""); string(copied.GetContent()) != want {
		t.Errorf("elsewhere:\n%s\nwant\n%s", copied.GetContent(), want)
	}
}

func keysBackup(t *testing.T, admin adminv1connect.AdminServiceClient) (content []byte) {
	t.Helper()
	stream, err := admin.BackupKeys(context.Background(), &adminv1.BackupKeysRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for stream.Receive() {
		content = append(content, stream.Msg().GetContent()...)
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return content
}

// The log comes back from a copy that has no keys, and the keys from their own
// backup: nothing can be read in between, everything after.
func TestKeysComeBackApart(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := serve(t, dir)
	c, admin := as(t, s.URL(), "u-42")
	if _, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(personPlan), Reason: canaryReason}); err != nil {
		t.Fatal(err)
	}
	backup := keysBackup(t, admin)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The bucket is a stream of its own.
	buckets, err := filepath.Glob(filepath.Join(dir, "nats", "jetstream", "*", "streams", "KV_SETPOINT_KEYS_0"))
	if err != nil || len(buckets) != 1 {
		t.Fatalf("the bucket of keys: %v, %v", buckets, err)
	}
	if err := os.RemoveAll(buckets[0]); err != nil {
		t.Fatal(err)
	}
	s = serve(t, dir)
	c, admin = as(t, s.URL(), "u-42")
	name := func() string {
		t.Helper()
		res, err := c.declare.Get(ctx, &declarationv1.GetRequest{Kind: "Person", Name: "p-1"})
		if err != nil {
			t.Fatal(err)
		}
		return res.GetResource().GetSpec().GetFields()["displayName"].GetStringValue()
	}
	if got := name(); got != "[unreadable]" {
		t.Errorf("without keys: %q", got)
	}
	// Meanwhile somebody writes, and gets a new key.
	if _, err := c.declare.Delete(ctx, &declarationv1.DeleteRequest{Kind: "Unit", Name: "gone", Reason: canaryDelete}); err != nil {
		t.Fatal(err)
	}
	for i, tampered := range [][]byte{backup[:len(backup)-10], bytes.Replace(backup, []byte("u-42"), []byte("u-43"), 1), []byte("x")} {
		if _, err := admin.RestoreKeys(ctx, &adminv1.RestoreKeysRequest{Content: tampered}); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("damaged file %d: %v", i, err)
		}
	}
	res, err := admin.RestoreKeys(ctx, &adminv1.RestoreKeysRequest{Content: backup})
	if err != nil || res.GetRestored() != 3 {
		t.Fatalf("restored %v, %v", res, err)
	}
	if got := name(); got != canaryName {
		t.Errorf("with the keys: %q", got)
	}
	history, err := c.declare.History(ctx, &declarationv1.HistoryRequest{Kind: "Unit", Name: "gone"})
	if err != nil {
		t.Fatal(err)
	}
	if e := history.GetEntries(); len(e) != 2 || e[0].GetReason() != canaryDelete || e[1].GetReason() != canaryReason {
		t.Errorf("reasons under two keys: %v", e)
	}
}

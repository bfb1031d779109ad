package manifest_test

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/declaration/manifest"
)

// Inputs made to exhaust a reader are refused with a clear fault. Each takes a
// fraction of a second; anything quadratic takes minutes.
func TestHostileInput(t *testing.T) {
	const mib = 1 << 20
	fill := func(s string, n int) string { return strings.Repeat(s, n/len(s)) }
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%[1]c [%s]\n", c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	for _, c := range []struct {
		name, path, content, reason string
	}{
		{"10 MB in one document", "p.yaml", "a: " + fill("x", 10*mib), "manifest.document_too_large"},
		{"10 MB in one JSON object", "p.json", `{"a": "` + fill("x", 10*mib) + `"}`, "manifest.document_too_large"},
		{"file too large", "p.yaml", fill("#\n", 33*mib), "manifest.file_too_large"},
		{"NUL in YAML", "p.yaml", "apiVersion: setpoint.dev/v1\nkind: Unit\nmetadata: {name: u}\nspec: {title: \"a\\0b\"}", "manifest.wrong_type"},
		{"NUL in JSON", "p.json", `{"apiVersion": "setpoint.dev/v1", "kind": "Unit", "metadata": {"name": "u"}, "spec": {"title": "a\u0000b"}}`, "manifest.wrong_type"},
		{"brackets", "p.yaml", fill("[", mib), "manifest.too_many_nodes"},
		{"fewer brackets", "p.yaml", fill("[", 100_000), "manifest.too_deep"},
		{"closed brackets", "p.yaml", fill("[", 9_000) + fill("]", 9_000), "manifest.too_deep"},
		{"braces", "p.yaml", fill("{a: ", 100_000), "manifest.too_deep"},
		{"nested sequences", "p.yaml", fill("- ", 100_000), "manifest.too_deep"},
		{"explicit keys", "p.yaml", fill("? ", 100_000), "manifest.too_deep"},
		{"JSON brackets", "p.json", fill("[", 20*mib), "manifest.too_deep"},
		{"JSON brackets that fit", "p.json", fill("[", 1000) + fill("]", 1000), "manifest.too_deep"},
		{"JSON braces", "p.json", fill(`{"a":`, mib/2), "manifest.too_deep"},
		{"many values", "p.yaml", "[" + fill("1,", mib-10) + "1]", "manifest.too_many_nodes"},
		{"many keys", "p.yaml", "{" + fill("a,", 150_000) + "a: 1}", "manifest.too_many_nodes"},
		{"many JSON values", "p.json", `{"a":[` + fill("1,", 300_000) + "1]}", "manifest.too_many_nodes"},
		{"comments", "p.yaml", fill("#\n", mib-10) + "a: 1", "manifest.unknown_field"},
		{"indented comments", "p.yaml", "a:\n" + fill(" # x\n", mib-100) + " b: 1", "manifest.unknown_field"},
		{"billion laughs", "p.yaml", bomb, "manifest.anchor"},
		{"long key", "p.yaml", fill("k", mib-10) + ": 1", "manifest.syntax"},
		{"long quoted text", "p.yaml", `"` + fill(`\x41`, mib-10), "manifest.syntax"},
		{"unclosed quotes", "p.yaml", fill(`"`, mib-11), "manifest.syntax"},
		{"spaces", "p.yaml", "a:" + fill(" ", mib-10), "manifest.unknown_field"},
		{"blank lines in a block", "p.yaml", "a: |\n" + fill("\n", 190_000) + " x", "manifest.unknown_field"},
		{"tabs", "p.yaml", fill("\t", mib-10), ""},
		{"empty documents", "p.yaml", fill("---\n", 8*mib), ""},
		{"null documents", "p.yaml", fill("--- ~\n", 8*mib), "manifest.too_many_documents"},
		{"broken documents", "p.yaml", fill("---\n[\n", 8*mib), "manifest.too_many_faults"},
		{"JSON nulls", "p.json", "[" + fill("null,", 8*mib) + "null]", "manifest.too_many_documents"},
		{"JSON lists", "p.json", "[" + fill("[],", 8*mib) + "[]]", "manifest.too_many_faults"},
		{"unknown fields", "p.yaml", "metadata: {name: a}\nkind: Unit\nspec:\n" + manyKeys(45_000), "manifest.too_many_faults"},
		{"misindented", "p.yaml", fill("a: 1\n", 60<<10) + " b: 1", "manifest.syntax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := worked(t)
			documents, places := manifest.Parse([]manifest.File{{Path: c.path, Content: []byte(c.content)}}, kinds, manifest.Limits{})
			if took := worked(t) - start; took > 20*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
			if len(documents) > 0 {
				t.Errorf("%d documents", len(documents))
			}
			if c.reason == "" {
				return
			}
			for _, p := range places {
				if p.Reason == c.reason {
					return
				}
			}
			t.Errorf("no fault %s in\n%.500s", c.reason, render(places))
		})
	}
}

// worked is how long processors have worked for this process: what others do on
// the machine does not count.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  descripti%d: x\n", i)
	}
	return b.String()
}

func TestLimits(t *testing.T) {
	var three bytes.Buffer
	for i := range 3 {
		three.WriteString(unit(fmt.Sprint("u", i)) + "---\n")
	}
	for _, c := range []struct {
		name      string
		limits    manifest.Limits
		content   string
		documents int
		want      string
	}{
		{"documents", manifest.Limits{Documents: 2}, three.String(), 2, "p.yaml:11:1: there are more than 2 resources (apply them in several sets)\n"},
		{"documents that just fit", manifest.Limits{Documents: 3}, three.String(), 3, ""},
		{"bytes of a document", manifest.Limits{DocumentBytes: 100}, unit("a") + "---\n" + unit(strings.Repeat("b", 50)), 1, "p.yaml:5:1: the document is larger than 100 bytes (split it into several documents)\n"},
		{"bytes of a file", manifest.Limits{FileBytes: 1024}, strings.Repeat("#", 1025), 0, "p.yaml: the file is larger than 1 KiB (split it into several files)\n"},
		{"depth", manifest.Limits{Depth: 2}, unit("a") + "---\n{metadata: {labels: {a: b}}}\n", 1, "p.yaml:6:21: the document is nested deeper than 2 levels\n"},
		{"nodes", manifest.Limits{Nodes: 13}, unit("a") + "---\n" + unit("b") + "  \n---\n[a, b, c, d, e, f, g, h, i, j, k, l, m, n]", 2, "p.yaml:12:1: the document has more than 13 keys and values (split it into several documents)\n"},
		{"faults", manifest.Limits{Faults: 2}, unit("a") + "x: 1\ny: 1\nz: 1\nzz: 1\n", 0, "p.yaml:5:1: Unit/a x: unknown field \"x\" (one of apiVersion, kind, metadata, spec)\np.yaml:6:1: Unit/a y: unknown field \"y\" (one of apiVersion, kind, metadata, spec)\nthere are more than 2 faults; the rest is not listed (correct these first)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			documents, places := manifest.Parse([]manifest.File{{Path: "p.yaml", Content: []byte(c.content)}}, kinds, c.limits)
			if len(documents) != c.documents {
				t.Errorf("%d documents, want %d", len(documents), c.documents)
			}
			if got := render(places); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestDefaultLimitOfDocuments(t *testing.T) {
	resources := make([]*commonv1.Resource, 20_001)
	for i := range resources {
		resources[i] = &commonv1.Resource{Kind: "Unit", Metadata: &commonv1.Metadata{Name: fmt.Sprint("u", i)}}
	}
	documents, places := manifest.FromResources(resources, kinds)
	if len(documents) != 19_999 || render(places) != "resources[19999]: there are more than 19999 resources (apply them in several sets)\n" {
		t.Errorf("%d documents and\n%s", len(documents), render(places))
	}
}

func TestDeepResource(t *testing.T) {
	deep := structpb.NewStringValue("x")
	for range 5000 {
		deep = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{deep}})
	}
	_, places := manifest.FromResources([]*commonv1.Resource{{
		Kind: "Unit", Metadata: &commonv1.Metadata{Name: "a"},
		Spec: &structpb.Struct{Fields: map[string]*structpb.Value{"title": deep}},
	}}, kinds)
	if got, want := render(places), "resources[0]: the document is nested deeper than 32 levels\n"; got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

func BenchmarkParse10000(b *testing.B) {
	var content bytes.Buffer
	for i := range 10_000 {
		content.WriteString("---\n" + strings.Replace(target, "fedramp-2020", fmt.Sprint("t", i), 1))
	}
	b.SetBytes(int64(content.Len()))
	for b.Loop() {
		documents, places := manifest.Parse([]manifest.File{{Path: "p.yaml", Content: content.Bytes()}}, kinds, manifest.Limits{})
		if len(documents) != 10_000 || len(places) > 0 {
			b.Fatalf("%d documents, %d faults", len(documents), len(places))
		}
	}
}

package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// The export of an earlier revision, applied again with prune, brings that state
// back as new events: what was deleted since is there again, what was renamed
// has its name, what was changed its value, and what was created since is gone.
// Every revision in between reads as it did.
func TestAnEarlierStateIsRestoredWhateverHappenedSince(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	unit := func(name, metadata, title string) string {
		return fmt.Sprintf("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: %s%s}, spec: {title: %s}}\n---\n", name, metadata, title)
	}
	plan := inSet("plan", true)
	apply := func(parts ...string) int64 {
		t.Helper()
		return c.applyWith(strings.Join(parts, ""), plan).GetRevision()
	}
	at := func(revision int64) []byte {
		t.Helper()
		return c.export(func(r *declarationv1.ExportRequest) { r.Revision, r.Set = revision, "plan" }).GetContent()
	}
	base := small + "\n---\n"
	r := apply(base, unit("kept", "", "Kept"), unit("gone", "", "Gone"), unit("old", "", "Old"), revenue(100, ", labels: {from: board}"))
	revisions := []int64{
		apply(base, unit("kept", "", "Kept"), unit("old", "", "Old"), revenue(80, "")),                                // deleted, re-targeted
		apply(base, unit("kept", "", "Changed"), unit("fresh", ", renamedFrom: old", "Old"), revenue(80, "")),         // renamed, changed
		apply(base, unit("kept", "", "Changed"), unit("fresh", "", "Newer"), unit("new", "", "New"), revenue(70, "")), // created
	}
	before := map[int64][]byte{}
	for _, revision := range revisions {
		before[revision] = at(revision)
	}
	past := at(r)

	restored := c.applyWith(string(past), plan)
	for _, part := range []string{
		"create Unit/gone", "create Unit/old", "delete Unit/fresh", "delete Unit/new", "update Unit/kept",
		"[metadata.labels.from: <nil> → board]", "[spec.value: 70 → 100]",
	} {
		contains(t, "restored", told(restored.GetChanges()), part)
	}
	if got := at(restored.GetRevision()); !bytes.Equal(got, past) {
		t.Errorf("restored is\n%s\nit was\n%s", got, past)
	}
	diff, err := c.declare.Diff(ctx, &declarationv1.DiffRequest{From: r})
	if err != nil || len(diff.GetChanges()) != 0 {
		t.Errorf("it differs from then by %s, %v", told(diff.GetChanges()), err)
	}
	for revision, want := range before {
		if got := at(revision); !bytes.Equal(got, want) {
			t.Errorf("revision %d is\n%s\nit was\n%s", revision, got, want)
		}
	}
	if again := c.applyWith(string(past), plan); len(again.GetChanges()) != 0 {
		t.Errorf("once more: %s", told(again.GetChanges()))
	}
	h, err := c.declare.History(ctx, &declarationv1.HistoryRequest{Kind: "Target", Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.GetEntries()) != 4 || h.GetEntries()[0].GetRevision() != restored.GetRevision() {
		t.Errorf("the target's history is %s", historyTold(h.GetEntries()))
	}
}

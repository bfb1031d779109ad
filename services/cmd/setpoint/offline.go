package main

import (
	"strings"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/internal/cli"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/kinds"
)

// planOffline reads manifests as the server would in an organization where
// nothing is declared: the same parser, the same rules, every fault at once.
func planOffline(files []*declarationv1.ManifestFile) (*cli.OfflinePlan, error) {
	registry := kinds.Registry()
	in := make([]manifest.File, len(files))
	for i, f := range files {
		in[i] = manifest.File{Path: f.GetPath(), Content: f.GetContent()}
	}
	docs, faults := manifest.Parse(in, registry, manifest.Limits{})
	if len(faults) > 0 {
		return nil, invalid(faults)
	}
	var wish declaration.Wish
	count := map[string]int{}
	for _, d := range docs {
		wish.Items = append(wish.Items, declaration.Item{Kind: d.Kind, Metadata: d.Metadata, Spec: d.Spec, Mask: d.Mask, Place: d.Place})
		count[d.Kind]++
	}
	if len(wish.Items) == 0 {
		return nil, fault.New(fault.Invalid, "declaration.nothing", "the manifests declare nothing").
			WithHint("a manifest has apiVersion, kind, metadata and spec")
	}
	plan, faults := declaration.Make(registry, declaration.Current{}, wish)
	if len(faults) > 0 {
		return nil, invalid(faults)
	}
	out := &cli.OfflinePlan{Warnings: plan.Warnings}
	for _, k := range registry.Kinds() {
		if n := count[k.Name]; n > 0 {
			out.Counts = append(out.Counts, cli.KindCount{Kind: k.Name, Count: n})
		}
	}
	return out, nil
}

// invalid has the words of the server, and says what offline means where a
// reference leads out of the files.
func invalid(faults []fault.Place) error {
	word := "fault"
	if len(faults) != 1 {
		word = "faults"
	}
	e := fault.New(fault.Invalid, "declaration.invalid", "the manifests have %d %s", len(faults), word)
	e.Places = faults
	for _, f := range faults {
		if strings.HasPrefix(f.Reason, "declaration.reference_") {
			return e.WithHint("%s", "offline, only what is in these files exists: give every folder of the plan with -f")
		}
	}
	return e
}

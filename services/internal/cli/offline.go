package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/internal/fault"
)

// OfflinePlan is what can be said of manifests without a server.
type OfflinePlan struct {
	Counts   []KindCount // in the order in which kinds refer to each other
	Warnings []fault.Place
}

// KindCount is how many resources of a kind there are.
type KindCount struct {
	Kind  string
	Count int
}

// offlineResult is the JSON form; faults have the form of the API's.
type offlineResult struct {
	Valid    bool           `json:"valid"`
	Message  string         `json:"message,omitempty"`
	Counts   map[string]int `json:"counts"`
	Faults   []offlineFault `json:"faults"`
	Warnings []offlineFault `json:"warnings"`
}

type offlineFault struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Resource string `json:"resource,omitempty"`
	Field    string `json:"field,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func offlineFaults(places []fault.Place) []offlineFault {
	out := make([]offlineFault, len(places))
	for i, p := range places {
		out[i] = offlineFault{p.File, p.Line, p.Column, p.Resource, p.Field, p.Reason, p.Message, p.Hint}
	}
	return out
}

// planOffline checks manifests by themselves. Faults are printed as the server
// would print them; as data they are results, and go to standard output.
func (a *app) planOffline(ctx context.Context, paths []string, f format) error {
	if f == asCSV {
		return usagef("--output: with --offline there are no changes to list; legal are table, json and yaml")
	}
	if a.opts.PlanOffline == nil {
		return fault.New(fault.Unavailable, "cli.client_only", "this build of setpoint cannot check manifests without a server")
	}
	files, err := a.readManifests(ctx, paths)
	if err != nil {
		return err
	}
	plan, err := a.opts.PlanOffline(files)
	if f != asTable {
		return a.writeOffline(plan, err, f)
	}
	if err != nil {
		return err
	}
	if len(plan.Warnings) > 0 {
		var warnings []*commonv1.Fault
		for _, p := range plan.Warnings {
			warnings = append(warnings, &commonv1.Fault{
				File: p.File, Line: int32(p.Line), Column: int32(p.Column), Field: p.Field,
				Message: p.Message, Hint: p.Hint, Reason: p.Reason, Resource: p.Resource,
			})
		}
		a.printf("%s\n", renderWarnings(warnings))
	}
	var counts []string
	total := 0
	for _, c := range plan.Counts {
		k, err := kindNamed(c.Kind)
		if err != nil {
			k = kind{Name: c.Kind, Plural: strings.ToLower(c.Kind) + "s"}
		}
		counts = append(counts, fmt.Sprintf("%s %s", groupDigits(fmt.Sprint(c.Count)), plural(c.Count, strings.ToLower(k.Name), k.Plural)))
		total += c.Count
	}
	a.printf("Valid: %s in %s (%s).\n", counted(total, "resource", "resources"), counted(len(files), "file", "files"), strings.Join(counts, ", "))
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (a *app) writeOffline(plan *OfflinePlan, err error, f format) error {
	res := offlineResult{Valid: err == nil, Counts: map[string]int{}, Faults: []offlineFault{}, Warnings: []offlineFault{}}
	var refused *fault.Error
	switch {
	case errors.As(err, &refused):
		res.Message, res.Faults = refused.Message, offlineFaults(refused.Places)
	case err != nil:
		return err
	default:
		for _, c := range plan.Counts {
			res.Counts[c.Kind] = c.Count
		}
		res.Warnings = offlineFaults(plan.Warnings)
	}
	if err := a.writeStructured(f, res); err != nil {
		return err
	}
	if !res.Valid {
		return exitCode(exitError)
	}
	return nil
}

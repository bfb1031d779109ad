package rpc

import (
	"fmt"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/report"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
)

// wordsOn is what people say about targets on a day, by the target's name, as
// far as it was on record at a revision. What was said about a target that had
// the name before, and is gone, does not count.
func wordsOn(v record.View, org string, at uint64, day calendar.Date) (map[string]record.Word, error) {
	var said []record.CheckIn
	err := v.AllCheckIns(org, at, func(c record.CheckIn) error {
		if c.At <= day.String() {
			said = append(said, c)
		}
		return nil
	})
	if err != nil || len(said) == 0 {
		return nil, err
	}
	targets, err := v.Resources(org, "Target", at, "", 0)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*record.Resource, len(targets))
	for _, t := range targets {
		byID[t.ID] = t
	}
	words := map[string]record.Word{}
	for _, c := range said {
		if t := byID[c.TargetID]; t != nil && c.Revision >= t.Created {
			words[t.Name] = words[t.Name].Hear(c)
		}
	}
	for name, w := range words {
		words[name] = w.On(day.String())
	}
	return words, nil
}

// attach puts what people say beside what was computed.
func attach(r *gap.Result, words map[string]record.Word) error {
	for i := range r.Targets {
		t := &r.Targets[i]
		w := words[t.Name]
		t.Confidence = w.Confidence
		if w.Override == nil {
			continue
		}
		o := w.Override.Override
		expires, err := calendar.ParseDate(o.Expires)
		if err != nil {
			return fmt.Errorf("the override of target %s at revision %d: %w", t.Name, w.Override.Revision, err)
		}
		t.Override = &gap.Override{
			Status: gap.Status(o.Status), Reason: o.Reason, Expires: expires,
			Principal: w.Override.Principal, Revision: w.Override.Revision,
		}
	}
	return nil
}

// lastNotes are the last notes that people gave with check-ins.
func lastNotes(words map[string]record.Word) (map[string]report.Said, error) {
	out := map[string]report.Said{}
	for name, w := range words {
		if w.Noted == nil {
			continue
		}
		at, err := calendar.ParseDate(w.Noted.At)
		if err != nil {
			return nil, fmt.Errorf("the check-in on target %s at revision %d: %w", name, w.Noted.Revision, err)
		}
		out[name] = report.Said{At: at, Note: w.Noted.Note}
	}
	return out, nil
}

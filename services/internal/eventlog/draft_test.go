package eventlog

import (
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
)

func TestDraftAndCommandValidation(t *testing.T) {
	command := Command{RequestID: "id", Recorded: time.Unix(0, 0)}
	draft := Draft{
		Subject: Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: "m"},
		Events:  []Event{{Type: "strategy.metric_declared.v1"}},
	}
	for name, c := range map[string]struct {
		change func(*Command, *Draft)
		field  string // "" is legal
	}{
		"smallest":               {func(*Command, *Draft) {}, ""},
		"effective":              {func(_ *Command, d *Draft) { d.Effective = "2018-02-28" }, ""},
		"existing":               {func(_ *Command, d *Draft) { d.Expected, d.PreviousHash = 3, make([]byte, 32) }, ""},
		"no request id":          {func(c *Command, _ *Draft) { c.RequestID = "" }, "request_id"},
		"long request id":        {func(c *Command, _ *Draft) { c.RequestID = strings.Repeat("x", 129) }, "request_id"},
		"header in request id":   {func(c *Command, _ *Draft) { c.RequestID = "a\r\nSp-Types: x" }, "request_id"},
		"space in request id":    {func(c *Command, _ *Draft) { c.RequestID = "a b" }, "request_id"},
		"short digest":           {func(c *Command, _ *Draft) { c.RequestDigest = []byte{1} }, "request_digest"},
		"no time":                {func(c *Command, _ *Draft) { c.Recorded = time.Time{} }, "recorded"},
		"bad subject":            {func(_ *Command, d *Draft) { d.Subject.Org = "A" }, "org"},
		"no hash":                {func(_ *Command, d *Draft) { d.Expected = 3 }, "previous_hash"},
		"hash of nothing":        {func(_ *Command, d *Draft) { d.PreviousHash = make([]byte, 32) }, "previous_hash"},
		"no events":              {func(_ *Command, d *Draft) { d.Events = nil }, "events"},
		"no version":             {func(_ *Command, d *Draft) { d.Events[0].Type = "strategy.metric_declared" }, "events.type"},
		"no service":             {func(_ *Command, d *Draft) { d.Events[0].Type = "metric_declared.v1" }, "events.type"},
		"version nought":         {func(_ *Command, d *Draft) { d.Events[0].Type = "strategy.a.v0" }, "events.type"},
		"two types in one":       {func(_ *Command, d *Draft) { d.Events[0].Type = "strategy.a.v1,strategy.b.v1" }, "events.type"},
		"effective is no date":   {func(_ *Command, d *Draft) { d.Effective = "2018-02-30" }, "effective"},
		"effective is a instant": {func(_ *Command, d *Draft) { d.Effective = "2018-02-28T00:00:00Z" }, "effective"},
	} {
		t.Run(name, func(t *testing.T) {
			command, draft := command, draft
			draft.Events = []Event{draft.Events[0]}
			c.change(&command, &draft)
			err := validateBatch(command, []Draft{draft})
			if c.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.field+": ") {
				t.Fatalf("got %v, want Invalid on %s", err, c.field)
			}
		})
	}
}

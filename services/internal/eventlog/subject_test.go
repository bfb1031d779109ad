package eventlog

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/fault"
)

func TestSubjectValidate(t *testing.T) {
	ok := Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: "vacant-space"}
	with := func(change func(*Subject)) Subject { s := ok; change(&s); return s }
	for name, c := range map[string]struct {
		s     Subject
		field string // "" is legal
	}{
		"plain":                {ok, ""},
		"digits first":         {with(func(s *Subject) { s.Org = "2b" }), ""},
		"tilde in id":          {with(func(s *Subject) { s.ID = "a~2018-09-30" }), ""},
		"longest label":        {with(func(s *Subject) { s.Kind = strings.Repeat("k", 63) }), ""},
		"longest id":           {with(func(s *Subject) { s.ID = strings.Repeat("k", 253) }), ""},
		"empty org":            {with(func(s *Subject) { s.Org = "" }), "org"},
		"dot in org":           {with(func(s *Subject) { s.Org = "a.b" }), "org"},
		"wildcard org":         {with(func(s *Subject) { s.Org = "*" }), "org"},
		"tilde in org":         {with(func(s *Subject) { s.Org = "a~b" }), "org"},
		"upper case service":   {with(func(s *Subject) { s.Service = "Strategy" }), "service"},
		"long kind":            {with(func(s *Subject) { s.Kind = strings.Repeat("k", 64) }), "kind"},
		"full wildcard id":     {with(func(s *Subject) { s.ID = ">" }), "id"},
		"id begins with tilde": {with(func(s *Subject) { s.ID = "~a" }), "id"},
		"id ends with hyphen":  {with(func(s *Subject) { s.ID = "a-" }), "id"},
		"space in id":          {with(func(s *Subject) { s.ID = "a b" }), "id"},
		"long id":              {with(func(s *Subject) { s.ID = strings.Repeat("k", 254) }), "id"},
		"letter beyond ASCII":  {with(func(s *Subject) { s.ID = "mü" }), "id"},
		"line break in id":     {with(func(s *Subject) { s.ID = "a\r\nb" }), "id"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.s.Validate()
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

func TestParseSubjectRefuses(t *testing.T) {
	for _, subject := range []string{
		"", "sp", "sp.0.acme.strategy.metric", "sp.0.acme.strategy.metric.a.b", "xx.0.acme.strategy.metric.a",
		"sp.-1.acme.strategy.metric.a", "sp.00.acme.strategy.metric.a", "sp.+1.acme.strategy.metric.a",
		"sp.x.acme.strategy.metric.a", "sp.0..strategy.metric.a", "sp.0.acme.strategy.metric.>",
	} {
		if _, s, err := ParseSubject(subject); fault.ReasonOf(err) != "log.subject_invalid" {
			t.Errorf("%q parsed as %+v, %v", subject, s, err)
		}
	}
}

func TestSubjectRoundTrip(t *testing.T) {
	label := rapid.StringMatching(`[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		s := Subject{
			Org: label.Draw(t, "org"), Service: label.Draw(t, "service"), Kind: label.Draw(t, "kind"),
			ID: rapid.StringMatching(`[a-z0-9]([a-z0-9~-]{0,40}[a-z0-9])?`).Draw(t, "id"),
		}
		shard := rapid.IntRange(0, 1_000_000).Draw(t, "shard")
		gotShard, got, err := ParseSubject(s.String(shard))
		if err != nil || got != s || gotShard != shard {
			t.Fatalf("%s parsed as %d %+v, %v", s.String(shard), gotShard, got, err)
		}
	})
}

func TestDeclarationGuardSubject(t *testing.T) {
	if got := DeclarationGuard("acme").String(3); got != "sp.3.acme.declaration.changes.all" {
		t.Errorf("got %s", got)
	}
}

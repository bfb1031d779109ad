package doctor

import (
	"context"
	"errors"
	"testing"

	"setpoint.dev/services/internal/record"
)

// keys is a bucket as it may be.
type keys struct {
	there      bool
	unsafe     []string
	err        error
	unfinished []record.Erasure
	unread     error
}

func (k keys) Bucket(context.Context) (bool, []string, error) { return k.there, k.unsafe, k.err }

func (k keys) Unfinished(context.Context) ([]record.Erasure, error) { return k.unfinished, k.unread }

func TestTheKeysAreJudged(t *testing.T) {
	left := []record.Erasure{{Org: "acme", Kind: "Person", ID: "p-1", Name: "kim", Revision: 7}}
	for name, c := range map[string]struct {
		keys Keys
		want map[string]Severity
	}{
		"nobody asks":    {nil, map[string]Severity{}},
		"well":           {keys{there: true}, map[string]Severity{"keys.bucket": OK}},
		"of a folder":    {keys{there: true, unread: ErrNotLooked}, map[string]Severity{"keys.bucket": OK}},
		"no bucket":      {keys{}, map[string]Severity{"keys.no_bucket": Warning}},
		"unreachable":    {keys{err: errors.New("timeout")}, map[string]Severity{"keys.unreadable": Warning}},
		"keys left":      {keys{there: true, unfinished: left}, map[string]Severity{"keys.erasure_unfinished": Warning}},
		"not comparable": {keys{there: true, unread: errors.New("timeout")}, map[string]Severity{"keys.unreadable": Warning}},
		"other settings": {keys{there: true, unsafe: []string{"keys expire"}}, map[string]Severity{"personal.bucket_unsafe": Warning, "keys.bucket": OK}},
		"both":           {keys{there: true, unsafe: []string{"keys expire"}, unfinished: left}, map[string]Severity{"personal.bucket_unsafe": Warning, "keys.erasure_unfinished": Warning}},
	} {
		got := map[string]Severity{}
		Patient{Keys: c.keys}.examineKeys(t.Context(), newReport(func(f Finding) {
			got[f.Reason] = f.Severity
			if f.Severity >= Warning && (f.Advice == "" || f.Where == "") {
				t.Errorf("%s: without advice: %+v", name, f)
			}
		}))
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		for reason, s := range c.want {
			if have, ok := got[reason]; !ok || have != s {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}

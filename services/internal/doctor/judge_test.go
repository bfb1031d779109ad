package doctor

import (
	"testing"
)

func TestJudgements(t *testing.T) {
	for name, c := range map[string]struct {
		got  []Finding
		want Severity
	}{
		"room":           {[]Finding{judgeDisk("/d", 100<<30, 200<<30)}, OK},
		"a little room":  {[]Finding{judgeDisk("/d", 1<<30, 10<<30)}, Warning},
		"5 % of much":    {[]Finding{judgeDisk("/d", 40<<30, 1000<<30)}, Warning},
		"no room":        {[]Finding{judgeDisk("/d", 1<<20, 10<<30)}, Error},
		"inodes":         {[]Finding{judgeInodes("/d", 1_000_000, 2_000_000)}, OK},
		"few inodes":     {[]Finding{judgeInodes("/d", 10_000, 2_000_000)}, Warning},
		"no inodes":      {[]Finding{judgeInodes("/d", 10, 2_000_000)}, Error},
		"postgres":       {judgeDatabase(map[string]string{"server_version": "17.2 (Debian)", "server_encoding": "UTF8", "max_connections": "100", "connections": "9", "lc_collate": "C"}), OK},
		"old postgres":   {judgeDatabase(map[string]string{"server_version": "12.1"}), Error},
		"not Unicode":    {judgeDatabase(map[string]string{"server_version": "17.2", "server_encoding": "LATIN1"}), Error},
		"no connections": {judgeDatabase(map[string]string{"max_connections": "100", "connections": "95"}), Warning},
	} {
		worst := OK
		for _, f := range c.got {
			worst = max(worst, f.Severity)
			if f.Severity > Note && f.Advice == "" {
				t.Errorf("%s: without advice: %+v", name, f)
			}
		}
		if worst != c.want {
			t.Errorf("%s: %v, want %v", name, worst, c.want)
		}
	}
	if got := size(1536 << 20); got != "1.5 GiB" {
		t.Error(got)
	}
}

// How the log is synced is judged by what is known of it.
func TestDurability(t *testing.T) {
	for sync, want := range map[string]Severity{"always": OK, "2m0s": Warning, "set by the NATS servers": Note, "": Note} {
		var got Finding
		Patient{Sync: sync}.durability(newReport(func(f Finding) { got = f }))
		if got.Severity != want {
			t.Errorf("%q: %+v", sync, got)
		}
	}
}

// Ten thousand findings of one kind are fifty, and how many more there were.
func TestFindingsAlikeAreBounded(t *testing.T) {
	var told []Finding
	r := newReport(func(f Finding) { told = append(told, f) })
	for i := range 10_000 {
		r.add(Finding{Severity: Error, Reason: "log.hole", Message: "gone", First: uint64(i)})
	}
	r.rest()
	if len(told) != mostAlike+1 || r.counts[Error] != 10_000 || told[mostAlike].Message != "9950 more findings of this kind; the last: gone" {
		t.Errorf("%d told, %d counted, %+v", len(told), r.counts[Error], told[len(told)-1])
	}
}

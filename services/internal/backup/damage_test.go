package backup_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/backup"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"

	backupv1 "setpoint.dev/proto/gen/setpoint/backup/v1"
)

// sample is a backup of a few hundred messages in many sections, and the places
// where its sections begin.
var sample = sync.OnceValues(func() ([]byte, []int) {
	var whole bytes.Buffer
	var starts []int
	cut := &cutter{w: &whole, starts: &starts}
	w, err := backup.NewWriter(cut, &backupv1.Header{LogId: "0123", First: 1, Last: 40, Created: "2026-01-01T00:00:00Z"})
	if err != nil {
		panic(err)
	}
	for i := range 40 {
		body := bytes.Repeat([]byte{byte(i), 0xA5, byte(3 * i)}, 30_000)
		if err := w.Add(&eventlog.Stored{
			Sequence: uint64(i + 1), Subject: "sp.0.acme.strategy.metric.m", Body: body,
			Headers: []eventlog.Header{{Name: "Sp-Request-Id", Value: "r"}},
		}); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return whole.Bytes(), append(starts, whole.Len())
})

// cutter notes where each write begins: the writer writes section by section.
type cutter struct {
	w      *bytes.Buffer
	starts *[]int
}

func (c *cutter) Write(p []byte) (int, error) {
	*c.starts = append(*c.starts, c.w.Len())
	return c.w.Write(p)
}

// readAll reads a backup to its end.
func readAll(file []byte) (n int, err error) {
	in, err := backup.NewReader(bytes.NewReader(file))
	for err == nil {
		var part []eventlog.Stored
		part, err = in.Next()
		n += len(part)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// refusals are how a file that is no whole backup is refused.
var refusals = []string{"backup.damaged", "backup.truncated", "backup.not_a_backup", "backup.newer"}

func TestTheSampleIsWhole(t *testing.T) {
	file, starts := sample()
	if n, err := readAll(file); n != 40 || err != nil {
		t.Fatal(n, err)
	}
	if len(starts) < 8 {
		t.Errorf("only %d sections", len(starts))
	}
}

func TestAnyFlippedBitIsFound(t *testing.T) {
	file, starts := sample()
	refused := func(t interface{ Errorf(string, ...any) }, at int, bit byte) {
		broken := slices.Clone(file)
		broken[at] ^= bit
		if _, err := readAll(broken); !slices.Contains(refusals, fault.ReasonOf(err)) {
			t.Errorf("bit %#x at byte %d of %d: %v", bit, at, len(file), err)
		}
	}
	// The heads and the ends of all sections, bit by bit.
	for _, start := range starts {
		for at := max(start-6, 0); at < min(start+12, len(file)); at++ {
			for bit := byte(1); bit != 0; bit <<= 1 {
				refused(t, at, bit)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		refused(t, rapid.IntRange(0, len(file)-1).Draw(t, "at"), 1<<rapid.IntRange(0, 7).Draw(t, "bit"))
	})
}

func TestAnyOtherLengthIsFound(t *testing.T) {
	file, starts := sample()
	refused := func(t interface{ Errorf(string, ...any) }, n int) {
		if _, err := readAll(file[:n]); !slices.Contains(refusals, fault.ReasonOf(err)) {
			t.Errorf("cut off at byte %d of %d: %v", n, len(file), err)
		}
	}
	for n := range 64 {
		refused(t, n)
	}
	for _, start := range starts[1:] {
		for n := start - 10; n < min(start+20, len(file)); n++ {
			refused(t, n)
		}
	}
	rapid.Check(t, func(t *rapid.T) { refused(t, rapid.IntRange(0, len(file)-1).Draw(t, "n")) })
	if _, err := readAll(append(slices.Clone(file), 0)); fault.ReasonOf(err) != "backup.damaged" {
		t.Errorf("a byte follows: %v", err)
	}
	// A section that is whole, left out or there twice.
	for i := 1; i+1 < len(starts); i++ {
		without := slices.Concat(file[:starts[i]], file[starts[i+1]:])
		if _, err := readAll(without); !slices.Contains(refusals, fault.ReasonOf(err)) {
			t.Errorf("without section %d: %v", i, err)
		}
		twice := slices.Concat(file[:starts[i+1]], file[starts[i]:])
		if _, err := readAll(twice); !slices.Contains(refusals, fault.ReasonOf(err)) {
			t.Errorf("section %d twice: %v", i, err)
		}
	}
}

// Nothing of a damaged file is restored: the server stays empty.
func TestADamagedFileLeavesTheServerAsItWas(t *testing.T) {
	a := openLog(t, t.TempDir())
	newWriter(a.Log, "w", 5).commits(t, 30)
	file := take(t, a.Log)
	data := t.TempDir()
	for name, broken := range map[string][]byte{
		"cut off": file[:len(file)-1],
		"altered": func() []byte { b := slices.Clone(file); b[len(b)/2] ^= 1; return b }(),
		"empty":   {},
		"text":    []byte("this is not a backup, but a text that is longer than its first bytes"),
	} {
		if _, err := restoreInto(t.Context(), data, broken); !slices.Contains(refusals, fault.ReasonOf(err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	streams, _ := filepath.Glob(filepath.Join(natsDir(data), "jetstream", "$G", "streams", "*"))
	if len(streams) > 0 {
		t.Errorf("it left %v", streams)
	}
}

// A backup of a log that was damaged before is told from a good one, although
// the file itself is whole.
func TestVerifyChecksTheLogInTheFile(t *testing.T) {
	a := openLog(t, t.TempDir())
	newWriter(a.Log, "w", 5).commits(t, 30)
	good := stored(t, a.Log, revision(t, a.Log))
	for name, alter := range map[string]func([]eventlog.Stored) []eventlog.Stored{
		"the end of a commit is missing": func(m []eventlog.Stored) []eventlog.Stored { return m[:len(m)-1] },
		"an envelope was altered": func(m []eventlog.Stored) []eventlog.Stored {
			// The payload, so that it still decodes; its successor finds it.
			m[0].Body = slices.Clone(m[0].Body)
			m[0].Body[len(m[0].Body)-1] ^= 1
			return m
		},
		"an envelope is none": func(m []eventlog.Stored) []eventlog.Stored { m[4].Body = []byte("?"); return m },
	} {
		messages := alter(slices.Clone(good))
		last := uint64(len(messages))
		var file bytes.Buffer
		w, err := backup.NewWriter(&file, &backupv1.Header{LogId: "x", First: 1, Last: last})
		if err != nil {
			t.Fatal(err)
		}
		for i := range messages {
			if err := w.Add(&messages[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Verify(&file, nil); fault.ReasonOf(err) != "backup.log_damaged" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A damaged log is not backed up as if it were whole.
func TestADamagedLogIsNotBackedUp(t *testing.T) {
	data := t.TempDir()
	a := openLog(t, data)
	newWriter(a.Log, "w", 5).commits(t, 60)
	a.close()
	blocks, _ := filepath.Glob(filepath.Join(natsDir(data), "jetstream", "$G", "streams", "SETPOINT_0", "msgs", "*.blk"))
	flip(t, blocks[0], 4_000)

	off, err := eventlog.OpenOffline(natsDir(data), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := backup.TakeOffline(t.Context(), off, io.Discard, backup.Options{}); fault.ReasonOf(err) != "log.hole" {
		t.Errorf("of the folder: %v", err)
	}
	if err := off.Close(); err != nil {
		t.Fatal(err)
	}
	b := openLog(t, data)
	if err := backup.Take(t.Context(), b.Log, io.Discard, backup.Options{}); fault.ReasonOf(err) != "log.hole" {
		t.Errorf("of the server: %v", err)
	}
}

func flip(t *testing.T, file string, at int64) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	var one [1]byte
	if _, err := f.ReadAt(one[:], at); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 0x10
	if _, err := f.WriteAt(one[:], at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func FuzzReader(f *testing.F) {
	var small bytes.Buffer
	w, err := backup.NewWriter(&small, &backupv1.Header{LogId: "x", First: 1, Last: 2})
	if err != nil {
		f.Fatal(err)
	}
	for i := range uint64(2) {
		if err := w.Add(&eventlog.Stored{Sequence: i + 1, Subject: "sp.0.acme.strategy.metric.m", Body: []byte("body")}); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	f.Add(small.Bytes()[:40])
	f.Add([]byte("setpoint-backup\x01H\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		n, err := readAll(file)
		if err != nil && !slices.Contains(refusals, fault.ReasonOf(err)) {
			t.Errorf("refused without a word: %v", err)
		}
		if err == nil && n == 0 && len(file) == 0 {
			t.Error("nothing is a backup")
		}
		_, _ = backup.Verify(bytes.NewReader(file), nil)
	})
}

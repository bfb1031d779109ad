package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"setpoint.dev/services/internal/backup"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

// What was restored is the same log, record by record and byte by byte, under
// another name.
func TestRoundTrip(t *testing.T) {
	a := openLog(t, t.TempDir())
	w := newWriter(a.Log, "w", 7)
	w.commits(t, 120)
	last := revision(t, a.Log)
	file := take(t, a.Log)

	data := t.TempDir()
	done, err := restoreInto(t.Context(), data, file)
	if err != nil {
		t.Fatal(err)
	}
	b := openLog(t, data)
	if got := revision(t, b.Log); got != last || done.Revision != last {
		t.Fatalf("restored up to %d, and says %d, of %d", got, done.Revision, last)
	}
	same(t, "records", lines(t, a.Log, last), lines(t, b.Log, last))
	same(t, "messages", stored(t, a.Log, last), stored(t, b.Log, last))
	if b.ID() == a.ID() || b.ID() != done.LogID || b.Origin() != (eventlog.Origin{LogID: a.ID(), Revision: last}) {
		t.Errorf("%s was restored from %v, of %s", b.ID(), b.Origin(), a.ID())
	}
	// Writing goes on where it was, guards and chains included.
	w.log = b.Log
	w.commits(t, 50)
	audit, err := b.Audit(t.Context(), eventlog.AuditOptions{Found: func(d eventlog.Damage) { t.Errorf("%v", d) }})
	if err != nil || audit.Revision != revision(t, b.Log) {
		t.Errorf("%+v, %v", audit, err)
	}

	// And a backup of the copy is a backup of the same messages.
	again := t.TempDir()
	file = take(t, b.Log)
	if _, err := restoreInto(t.Context(), again, file); err != nil {
		t.Fatal(err)
	}
	c := openLog(t, again)
	last = revision(t, b.Log)
	same(t, "messages of the second copy", stored(t, b.Log, last), stored(t, c.Log, last))
}

func TestAnEmptyLogRoundTrips(t *testing.T) {
	a := openLog(t, t.TempDir())
	data := t.TempDir()
	if _, err := restoreInto(t.Context(), data, take(t, a.Log)); err != nil {
		t.Fatal(err)
	}
	b := openLog(t, data)
	if r := revision(t, b.Log); r != 0 || b.Origin().LogID != a.ID() {
		t.Errorf("revision %d of %v", r, b.Origin())
	}
	newWriter(b.Log, "w", 1).commits(t, 3)
}

// A backup that is taken while others write holds whole commits, all that were
// acknowledged before it began, and nothing twice.
func TestABackupWhileOthersWrite(t *testing.T) {
	a := openLog(t, t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var writing sync.WaitGroup
	begun := make(chan struct{}, 4)
	for i := range 4 {
		writing.Go(func() {
			w := newWriter(a.Log, fmt.Sprint("w", i), uint64(i))
			for n := 0; ; n++ {
				if err := w.commit(ctx); err != nil {
					if ctx.Err() == nil {
						t.Error(err)
					}
					return
				}
				if n == 20 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range 4 {
		<-begun
	}
	var files [][]byte
	var least []uint64
	for range 4 {
		least = append(least, revision(t, a.Log))
		files = append(files, take(t, a.Log))
	}
	stop()
	writing.Wait()
	for i, file := range files {
		c, err := backup.Verify(bytes.NewReader(file), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Revision < least[i] || c.Revision != c.Header.Last || c.Messages != c.Revision {
			t.Errorf("backup %d holds %+v; %d was there when it began", i, c.Audit, least[i])
		}
	}
	data := t.TempDir()
	done, err := restoreInto(t.Context(), data, files[3])
	if err != nil {
		t.Fatal(err)
	}
	b := openLog(t, data)
	same(t, "records", lines(t, a.Log, done.Revision), lines(t, b.Log, done.Revision))
}

// The files of a server that does not run give the same backup.
func TestABackupOfAStoppedFolder(t *testing.T) {
	data := t.TempDir()
	a := openLog(t, data)
	newWriter(a.Log, "w", 9).commits(t, 200)
	want := stored(t, a.Log, revision(t, a.Log))
	if _, err := eventlog.OpenOffline(natsDir(data), 0); fault.ReasonOf(err) != "nats.data_in_use" {
		t.Errorf("a folder in use was opened: %v", err)
	}
	a.close()
	off, err := eventlog.OpenOffline(natsDir(data), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embeddednats.Start(embeddednats.Options{Dir: natsDir(data)}); fault.ReasonOf(err) != "nats.data_in_use" {
		t.Errorf("a server started on a folder that is being read: %v", err)
	}
	var file bytes.Buffer
	if err := backup.TakeOffline(t.Context(), off, &file, backup.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	if err := off.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := backup.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	var got []eventlog.Stored
	for err == nil {
		var part []eventlog.Stored
		part, err = in.Next()
		got = append(got, part...)
	}
	same(t, "messages", want, got)
	if in.Header.LogId != a.ID() {
		t.Errorf("%v", in.Header)
	}
}

func TestARestoreGoesIntoAnEmptyServerOnly(t *testing.T) {
	data := t.TempDir()
	a := openLog(t, data)
	newWriter(a.Log, "w", 3).commits(t, 5)
	file := take(t, a.Log)
	want := stored(t, a.Log, revision(t, a.Log))
	a.close()
	_, err := restoreInto(t.Context(), data, file)
	var f *fault.Error
	if !errors.As(err, &f) || f.Reason != "restore.not_empty" || !bytes.Contains([]byte(f.Message), []byte(a.ID())) {
		t.Fatalf("restored into a log: %v", err)
	}
	b := openLog(t, data)
	if b.ID() != a.ID() {
		t.Error("the log is another one")
	}
	same(t, "messages", want, stored(t, b.Log, revision(t, b.Log)))
}

package erasure

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/internal/record"
)

// The file of keys is lines of JSON: a head, one line for each key, and a foot
// with the number of keys and the SHA-256 of all lines before it.

const fileFormat = "setpoint-keys/1"

type head struct {
	Format string    `json:"format"`
	Org    string    `json:"org"`
	LogID  string    `json:"logId"`
	Made   time.Time `json:"made"`
}

type line struct {
	Holder personal.Holder `json:"holder"`
	ID     string          `json:"id"`
	Key    []byte          `json:"key"`
}

type foot struct {
	Count  *int   `json:"count"`
	SHA256 string `json:"sha256"`
}

// Backup is the file of an organization's keys.
func (e *Eraser) Backup(ctx context.Context, org, logID string, now time.Time) ([]byte, error) {
	kept, err := e.keys.All(ctx, org)
	if err != nil {
		return nil, err
	}
	return encode(head{Format: fileFormat, Org: org, LogID: logID, Made: now.UTC()}, kept)
}

func encode(h head, kept []personal.Kept) ([]byte, error) {
	var b bytes.Buffer
	w := json.NewEncoder(&b)
	if err := w.Encode(h); err != nil {
		return nil, err
	}
	for _, k := range kept {
		if err := w.Encode(line{k.Holder, k.Key.ID, k.Key.Secret()}); err != nil {
			return nil, err
		}
	}
	sum, n := sha256.Sum256(b.Bytes()), len(kept)
	err := w.Encode(foot{&n, hex.EncodeToString(sum[:])})
	return b.Bytes(), err
}

// decode reads a file of keys, or says that it is none (Invalid,
// personal.keys_file).
func decode(content []byte) (head, []personal.Kept, error) {
	var h head
	var kept []personal.Kept
	body := bytes.TrimSuffix(content, []byte("\n"))
	last := bytes.LastIndexByte(body, '\n')
	if last < 0 {
		return h, nil, notKeys("it has no head and foot")
	}
	var f foot
	sum := sha256.Sum256(body[:last+1])
	if err := strict(body[last+1:], &f); err != nil || f.Count == nil {
		return h, nil, notKeys("it has no foot: it is cut off")
	}
	if f.SHA256 != hex.EncodeToString(sum[:]) {
		return h, nil, notKeys("its checksum does not match: it was changed or damaged")
	}
	lines := bufio.NewScanner(bytes.NewReader(body[:last+1]))
	lines.Buffer(nil, 1<<20)
	for first := true; lines.Scan(); first = false {
		if first {
			if err := strict(lines.Bytes(), &h); err != nil || h.Format != fileFormat {
				return h, nil, notKeys("it is not of the format " + fileFormat)
			}
			continue
		}
		var l line
		if err := strict(lines.Bytes(), &l); err != nil || !l.Holder.Valid() {
			return h, nil, notKeys("a line of it names no holder")
		}
		key, err := personal.ParseKey(l.ID, l.Key)
		if err != nil {
			return h, nil, notKeys(err.Error())
		}
		kept = append(kept, personal.Kept{Holder: l.Holder, Key: key})
	}
	if err := lines.Err(); err != nil || len(kept) != *f.Count {
		return h, nil, notKeys("it does not hold as many keys as its foot says")
	}
	return h, kept, nil
}

func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}

func notKeys(why string) error {
	return fault.New(fault.Invalid, "personal.keys_file", "this is no file of keys: %s", why).
		WithHint("give a file that setpoint person keys backup wrote")
}

// Restoring tells what became of a file of keys.
type Restoring struct {
	Restored, Unchanged int
	Erased              []personal.Holder
}

// Restore puts the keys of a file back that are missing. Who is erased stays
// erased, whether the log says so or a tombstone does.
func (e *Eraser) Restore(ctx context.Context, org string, content []byte) (Restoring, error) {
	var out Restoring
	h, kept, err := decode(content)
	if err != nil {
		return out, err
	}
	if h.Org != org {
		return out, fault.New(fault.Invalid, "personal.keys_of_another", "the keys are of the organization %.80q, not of %q", h.Org, org).
			WithHint("give --org %s, or a token of it", h.Org)
	}
	// An erasure that the log holds and the record has not folded yet counts.
	last, err := e.runner.LastRevision(ctx)
	if err != nil {
		return out, err
	}
	if err := e.record.Wait(ctx, last); err != nil {
		return out, err
	}
	erased := map[personal.Holder]bool{}
	if err := e.record.View(ctx, func(v record.View) error {
		list, err := v.Erasures(org)
		for _, x := range list {
			for _, h := range x.Holders {
				erased[personal.Holder(h)] = true
			}
		}
		return err
	}); err != nil {
		return out, err
	}
	for _, k := range kept {
		what := personal.StaysErased
		if !erased[k.Holder] {
			if what, err = e.keys.Restore(ctx, org, k); err != nil {
				return out, err
			}
		}
		switch what {
		case personal.PutBack:
			out.Restored++
		case personal.WasThere:
			out.Unchanged++
		case personal.StaysErased:
			out.Erased = append(out.Erased, k.Holder)
		}
	}
	return out, nil
}

package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/internal/fault"
)

const (
	savedPlanFormat = 1
	maxSavedPlan    = 1 << 30
)

// savedPlan is the file that `plan --out` writes: the manifests as they were
// read, and the revision that the plan rests on.
type savedPlan struct {
	FormatVersion int               `json:"formatVersion"`
	Organization  string            `json:"organization"`
	Set           string            `json:"set"`
	Prune         bool              `json:"prune"`
	Revision      int64             `json:"revision,string"`
	Files         []savedFile       `json:"files"`
	Changes       []json.RawMessage `json:"changes"` // for readers; the server plans anew
}

type savedFile struct {
	Path    string `json:"path"`
	Content []byte `json:"content"` // base64
}

func newSavedPlan(org string, m *declarationv1.Manifests, res *declarationv1.PlanResponse) (*savedPlan, error) {
	p := &savedPlan{
		FormatVersion: savedPlanFormat, Organization: org, Set: m.GetSet(), Prune: m.GetPrune(),
		Revision: res.GetRevision(), Changes: []json.RawMessage{},
	}
	for _, f := range m.GetFiles() {
		p.Files = append(p.Files, savedFile{Path: f.GetPath(), Content: f.GetContent()})
	}
	for _, c := range res.GetChanges() {
		raw, err := encode(c, false)
		if err != nil {
			return nil, err
		}
		p.Changes = append(p.Changes, raw)
	}
	return p, nil
}

func (p *savedPlan) manifests() *declarationv1.Manifests {
	m := &declarationv1.Manifests{Set: p.Set, Prune: p.Prune}
	for _, f := range p.Files {
		m.Files = append(m.Files, &declarationv1.ManifestFile{Path: f.Path, Content: f.Content})
	}
	return m
}

func (p *savedPlan) write(ctx context.Context, name string) error {
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(ctx, name, append(raw, '\n'))
}

func readSavedPlan(ctx context.Context, name string) (*savedPlan, error) {
	raw, err := readFile(ctx, name, maxSavedPlan)
	if err != nil {
		return nil, err
	}
	var p savedPlan
	if err := json.Unmarshal(raw, &p); err != nil || p.FormatVersion == 0 || len(p.Files) == 0 {
		return nil, fault.New(fault.Invalid, "cli.not_a_plan", "%s is not a saved plan", name).
			WithHint("setpoint plan -f PATH --out FILE writes one")
	}
	if p.FormatVersion != savedPlanFormat {
		return nil, fault.New(fault.Invalid, "cli.plan_format", "%s has format %d; this setpoint reads format %d",
			name, p.FormatVersion, savedPlanFormat).WithHint("make the plan again with this version")
	}
	return &p, nil
}

// writeFile replaces name as a whole or leaves it alone.
func writeFile(ctx context.Context, name string, content []byte) error {
	return writeFileAs(ctx, name, content, 0o666)
}

// writeFileAs does so with a mode, less what the process takes off.
func writeFileAs(ctx context.Context, name string, content []byte, mode fs.FileMode) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		_, err := unlessInterrupted(ctx, func() (struct{}, error) {
			return struct{}{}, os.WriteFile(name, content, 0o644) // a pipe, /dev/stdout
		})
		return pathError(err)
	}
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text())
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return pathError(&fs.PathError{Path: name, Err: errors.Unwrap(err)})
	}
	_, err = f.Write(content)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		_ = os.Remove(temporary)
		return fmt.Errorf("cannot write %s: %w", name, err)
	}
	return nil
}

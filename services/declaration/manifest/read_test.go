package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/internal/fault"
)

// tree makes files in a new folder; a content "-> x" makes a link to x.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if to, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(to, path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReadPath(t *testing.T) {
	root := tree(t, map[string]string{
		"b.yaml": "b", "a.yml": "a", "sub/c.JSON": "c", "sub/.hidden.yaml": "h", ".git/d.yaml": "d",
		"README.md": "no", "sub.yaml/e.yaml": "e",
		".data/real.yaml": "r", "link.yaml": "-> .data/real.yaml", "loop": "-> .",
	})
	files, err := manifest.ReadPath(root, nil, manifest.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		name, err := filepath.Rel(root, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(name)+"="+string(f.Content))
	}
	want := []string{"a.yml=a", "b.yaml=b", "link.yaml=r", "sub.yaml/e.yaml=e", "sub/c.JSON=c"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	files, err = manifest.ReadPath(filepath.Join(root, "README.md"), nil, manifest.Limits{})
	if err != nil || len(files) != 1 || string(files[0].Content) != "no" {
		t.Errorf("a file named itself: %v %v", files, err)
	}
	files, err = manifest.ReadPath("-", strings.NewReader("x"), manifest.Limits{})
	if diff := cmp.Diff([]manifest.File{{Path: "stdin", Content: []byte("x")}}, files); err != nil || diff != "" {
		t.Errorf("stdin: %v %s", err, diff)
	}
}

func TestReadPathErrors(t *testing.T) {
	outside := tree(t, map[string]string{"secret.yaml": "s"})
	small := manifest.Limits{FileBytes: 4}
	for _, c := range []struct {
		name   string
		files  map[string]string
		path   string
		limits manifest.Limits
		kind   fault.Kind
		reason string
	}{
		{"no such path", nil, "x", manifest.Limits{}, fault.NotFound, "manifest.no_such_path"},
		{"nothing in it", map[string]string{"a.txt": "a"}, "", manifest.Limits{}, fault.NotFound, "manifest.none_found"},
		{"link leads out", map[string]string{"a.yaml": "-> " + filepath.Join(outside, "secret.yaml")}, "", manifest.Limits{}, fault.Invalid, "manifest.link_leads_out"},
		{"link leads nowhere", map[string]string{"a.yaml": "-> b.yaml"}, "", manifest.Limits{}, fault.Invalid, "manifest.link_leads_out"},
		{"too large in a folder", map[string]string{"a.yaml": "12345"}, "", small, fault.Invalid, "manifest.file_too_large"},
		{"too large", map[string]string{"a.yaml": "12345"}, "a.yaml", small, fault.Invalid, "manifest.file_too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := manifest.ReadPath(filepath.Join(tree(t, c.files), c.path), nil, c.limits)
			if fault.KindOf(err) != c.kind || fault.ReasonOf(err) != c.reason {
				t.Errorf("got %v (%s), want %s", err, fault.ReasonOf(err), c.reason)
			}
		})
	}
	_, err := manifest.ReadPath("-", strings.NewReader("12345"), small)
	if fault.ReasonOf(err) != "manifest.file_too_large" {
		t.Errorf("stdin: %v", err)
	}
}

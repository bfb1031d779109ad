package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"setpoint.dev/services/internal/fault"
)

// maxFiles is how many files a request may carry.
const maxFiles = 10_000

// ReadPath reads a manifest file, or all .yaml, .yml and .json files in a
// folder and its folders, sorted by path. "-" reads stdin. Hidden files and
// folders are passed over. Symbolic links to files inside the folder are read;
// those that lead out of it are refused. A file named itself is read whatever
// its name.
//
// Errors: NotFound if there is no such path or no manifest in it, Invalid for
// too large files and links that lead out.
func ReadPath(path string, stdin io.Reader, limits Limits) ([]File, error) {
	limits = limits.withDefaults()
	if path == "-" {
		return one(stdin, "stdin", limits)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(err, path)
	}
	if !info.IsDir() {
		f, err := os.Open(path)
		if err != nil {
			return nil, unreadable(err, path)
		}
		defer f.Close()
		return one(f, path, limits)
	}
	return folder(path, limits)
}

func one(r io.Reader, path string, limits Limits) ([]File, error) {
	content, err := bounded(r, path, limits)
	if err != nil {
		return nil, err
	}
	return []File{{Path: path, Content: content}}, nil
}

// folder reads through os.Root, so that no link leads out of it.
func folder(path string, limits Limits) ([]File, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, unreadable(err, path)
	}
	defer root.Close()
	var names []string
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return unreadable(err, filepath.Join(path, name))
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case !entry.IsDir() && isManifest(name):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(names) > maxFiles {
		return nil, fault.New(fault.Invalid, "manifest.too_many_files", "%s holds %d manifest files, more than %d", path, len(names), maxFiles)
	}
	slices.Sort(names)
	var files []File
	for _, name := range names {
		shown := filepath.Join(path, filepath.FromSlash(name))
		info, err := root.Stat(name)
		if err != nil {
			if link, linkErr := root.Lstat(name); linkErr == nil && link.Mode()&fs.ModeSymlink != 0 {
				return nil, fault.Wrap(err, fault.Invalid, "manifest.link_leads_out", "%s is a link that leads out of %s, or nowhere", shown, path)
			}
			return nil, unreadable(err, shown)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		f, err := root.Open(name)
		if err != nil {
			return nil, unreadable(err, shown)
		}
		content, err := bounded(f, shown, limits)
		f.Close()
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: shown, Content: content})
	}
	if len(files) == 0 {
		return nil, fault.New(fault.NotFound, "manifest.none_found", "there is no manifest in %s", path).
			WithHint("manifests end in .yaml, .yml or .json")
	}
	return files, nil
}

func isManifest(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func bounded(r io.Reader, path string, limits Limits) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, int64(limits.FileBytes)+1))
	if err != nil {
		return nil, unreadable(err, path)
	}
	if len(content) > limits.FileBytes {
		return nil, fault.New(fault.Invalid, "manifest.file_too_large", "%s is larger than %s", path, size(limits.FileBytes)).
			WithHint("split it into several files")
	}
	return content, nil
}

func unreadable(err error, path string) error {
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "manifest.no_such_path", "there is no file or folder %s", path)
	}
	return fault.Wrap(err, fault.Invalid, "manifest.unreadable", "%s", fmt.Sprintf("%s cannot be read", path))
}

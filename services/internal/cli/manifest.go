package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/internal/fault"
)

// What one request to the server may carry.
const (
	maxManifestFiles = 10_000
	maxManifestBytes = 32 << 20 // of one file
)

// readManifests reads files, folders (walked in sorted order for .yaml, .yml
// and .json) and standard input ("-") as they are: the server parses them.
func (a *app) readManifests(ctx context.Context, paths []string) ([]*declarationv1.ManifestFile, error) {
	var files []*declarationv1.ManifestFile
	seen := map[string]bool{}
	add := func(path string, read func() ([]byte, error)) error {
		if seen[path] {
			return nil
		}
		seen[path] = true
		content, err := read()
		if err != nil {
			return err
		}
		if len(content) > maxManifestBytes {
			return fault.New(fault.Exhausted, "cli.manifest_too_large", "%s has more than 32 MiB", path).
				WithHint("split it into several files")
		}
		files = append(files, &declarationv1.ManifestFile{Path: path, Content: content})
		if len(files) > maxManifestFiles {
			return fault.New(fault.Exhausted, "cli.too_many_manifests", "more than 10,000 manifest files")
		}
		return nil
	}
	for _, path := range paths {
		if path == "-" {
			err := add("stdin", func() ([]byte, error) {
				return readAll(ctx, io.LimitReader(a.opts.Stdin, maxManifestBytes+1))
			})
			if err != nil {
				return nil, err
			}
			continue
		}
		names, err := manifestPaths(path)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := add(name, func() ([]byte, error) { return readFile(ctx, name, maxManifestBytes+1) }); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// manifestPaths is path itself, or the manifests below it if it is a folder.
// Hidden files and folders are passed over.
func manifestPaths(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, pathError(err)
	}
	if !info.IsDir() {
		return []string{filepath.Clean(path)}, nil
	}
	var names []string
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return pathError(err)
		case p != path && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir(), !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0:
			return nil
		}
		switch strings.ToLower(filepath.Ext(p)) {
		case ".yaml", ".yml", ".json":
			names = append(names, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fault.New(fault.NotFound, "cli.no_manifests", "%s holds no manifests", path).
			WithHint("manifests end in .yaml, .yml or .json")
	}
	slices.Sort(names)
	return names, nil
}

// pathError says what is wrong with a file without the name of a system call.
func pathError(err error) error {
	var p *fs.PathError
	if !errors.As(err, &p) {
		return err
	}
	kind := fault.Invalid
	if errors.Is(err, fs.ErrNotExist) {
		kind = fault.NotFound
	}
	return fault.New(kind, "cli.file", "%s: %s", p.Path, p.Err)
}

package natsfault

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// blocks are the files of messages of a stream under a server's folder, in the
// order of their messages.
func blocks(dir, stream string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".blk" && filepath.Base(filepath.Dir(path)) == "msgs" &&
			filepath.Base(filepath.Dir(filepath.Dir(path))) == stream {
			found = append(found, path)
		}
		return err
	})
	sort.Slice(found, func(i, j int) bool { // 1.blk … 10.blk
		return len(found[i]) < len(found[j]) || len(found[i]) == len(found[j]) && found[i] < found[j]
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has no blocks under %s", stream, dir)
	}
	return found, err
}

// FlipBit flips a bit where a text stands in a stream's files. The server must
// not run.
func FlipBit(dir, stream string, text []byte) error {
	files, err := blocks(dir, stream)
	if err != nil {
		return err
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if at := bytes.Index(data, text); at >= 0 {
			data[at] ^= 1
			return os.WriteFile(path, data, 0o600)
		}
	}
	return fmt.Errorf("no block of %s holds %q", stream, text)
}

// Truncate cuts the last bytes off the last block of a stream. The server must
// not run.
func Truncate(dir, stream string, bytes int64) error {
	files, err := blocks(dir, stream)
	if err != nil {
		return err
	}
	last := files[len(files)-1]
	info, err := os.Stat(last)
	if err != nil {
		return err
	}
	if info.Size() < bytes {
		return fmt.Errorf("%s has only %d bytes", last, info.Size())
	}
	return os.Truncate(last, info.Size()-bytes)
}

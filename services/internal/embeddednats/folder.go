//go:build unix

package embeddednats

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/minio/highwayhash"

	"setpoint.dev/services/internal/fault"
)

// Folder is the data folder of a server that does not run, read as the files
// are. Starting a server on damaged files may cut off all that follows the
// damage in a file; a Folder changes nothing.
//
// It knows the file store of the nats-server that this module is built with:
// blocks of records, each with a checksum, neither compressed nor encrypted.
type Folder struct {
	dir    string // of the stream
	stream string
	lock   *os.File

	// Config is the stream's configuration as the server stores it, JSON.
	Config json.RawMessage
	// Metadata are the stream's labels.
	Metadata map[string]string
	// Least is a sequence that the stream is known to have reached, 0 if nothing
	// tells.
	Least uint64
	// Batches tells whether a batch was being stored when the server ended; it
	// finishes or forgets it at its next start.
	Batches bool
	// Notes are what is odd about the files and does no harm.
	Notes []string
}

// LookInto looks into a data folder of a stopped server at one of its streams.
// It holds the folder until Close, so that no server starts meanwhile.
//
// Errors: Rule nats.data_in_use if a server runs on it; NotFound
// nats.stream_missing if there is no such stream, with what there is instead;
// Internal nats.stream_damaged if its description cannot be read.
func LookInto(dir, stream string) (_ *Folder, err error) {
	if i, err := os.Stat(dir); err != nil || !i.IsDir() {
		return nil, fault.New(fault.NotFound, "nats.data_missing", "there is no event log in %s", filepath.Dir(dir)).
			WithHint("give the folder that the service was started with as --data")
	}
	f := &Folder{stream: stream, dir: filepath.Join(dir, "jetstream", "$G", "streams", stream)}
	if f.lock, err = share(filepath.Join(dir, lockFile)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if err := f.describe(); err != nil {
		return nil, err
	}
	f.Least = f.reached()
	batches, _ := os.ReadDir(filepath.Join(f.dir, "batches"))
	f.Batches = len(batches) > 0
	return f, nil
}

// Close gives the folder free.
func (f *Folder) Close() error {
	if f.lock == nil {
		return nil
	}
	return f.lock.Close()
}

// share takes the lock of a folder along with others who only read; nil if the
// folder has none, as a copy.
func share(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "nats.data_unusable", "the data folder %s cannot be read", filepath.Dir(path))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		defer f.Close()
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		return nil, fault.New(fault.Rule, "nats.data_in_use", "the data folder %s is in use by process %s", filepath.Dir(path), strings.TrimSpace(string(holder))).
			WithHint("ask the running server (without --data), or stop that process")
	}
	return f, nil
}

func (f *Folder) describe() error {
	meta, err := os.ReadFile(filepath.Join(f.dir, "meta.inf"))
	if err != nil {
		there, _ := os.ReadDir(filepath.Dir(f.dir))
		var names []string
		for _, e := range there {
			names = append(names, e.Name())
		}
		if slices.Contains(names, f.stream) {
			return fault.Wrap(err, fault.Internal, "nats.stream_damaged", "the description of stream %s is missing, and a server would not find the log", f.stream).
				WithHint("do not start the service on this folder: restore the log from a backup")
		}
		return fault.New(fault.NotFound, "nats.stream_missing", "there is no stream %s in %s; there is %s",
			f.stream, filepath.Dir(f.dir), orNothing(names))
	}
	var c struct {
		Name        string            `json:"name"`
		Metadata    map[string]string `json:"metadata"`
		Compression json.RawMessage   `json:"compression"`
	}
	sum, _ := os.ReadFile(filepath.Join(f.dir, "meta.sum"))
	if err := json.Unmarshal(meta, &c); err != nil || c.Name != f.stream {
		return fault.Wrap(err, fault.Internal, "nats.stream_damaged", "the description of stream %s cannot be read", f.stream).
			WithHint("do not start the service on this folder: restore the log from a backup")
	}
	key := sha256.Sum256([]byte(f.stream))
	h, err := highwayhash.New64(key[:])
	if err != nil {
		return err
	}
	_, _ = h.Write(meta)
	if got := fmt.Sprintf("%x", h.Sum(nil)); got != strings.TrimSpace(string(sum)) {
		return fault.New(fault.Internal, "nats.stream_damaged", "the description of stream %s does not match its checksum", f.stream).
			WithHint("do not start the service on this folder: restore the log from a backup")
	}
	f.Config, f.Metadata = meta, c.Metadata
	return nil
}

func orNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// reached is the last sequence that the server's own index of the stream
// tells of. It is written when a server stops and every few minutes.
func (f *Folder) reached() uint64 {
	const magic, header, checksum = 11, 2, 8
	b, err := os.ReadFile(filepath.Join(f.dir, "msgs", "index.db"))
	if errors.Is(err, fs.ErrNotExist) {
		f.Notes = append(f.Notes, "the stream's index (msgs/index.db) is not there: the server was killed before it wrote one, or it was deleted; the server makes it anew from the blocks")
		return 0
	}
	if err != nil || len(b) < 32 {
		f.Notes = append(f.Notes, "the stream's index (msgs/index.db) cannot be read; the server makes it anew from the blocks")
		return 0
	}
	key := sha256.Sum256([]byte(f.stream))
	h, err := highwayhash.New64(key[:])
	if err != nil {
		return 0
	}
	body := b[:len(b)-checksum]
	_, _ = h.Write(body)
	if string(h.Sum(nil)) != string(b[len(b)-checksum:]) || body[0] != magic {
		f.Notes = append(f.Notes, "the stream's index (msgs/index.db) does not match its checksum; the server makes it anew from the blocks")
		return 0
	}
	body = body[header:]
	// Messages, bytes, first sequence, first time, last sequence.
	var last uint64
	for range 5 {
		v, n := binary.Uvarint(body)
		if n <= 0 {
			return 0
		}
		last, body = v, body[n:]
	}
	return last
}

// Message is one message of a block.
type Message struct {
	Sequence     uint64
	Subject      string
	Header, Body []byte
}

// Lost is a stretch of a block that is no record, or no block where there must
// have been one.
type Lost struct {
	File   string // in the stream's msgs folder
	Offset int64
	Bytes  int64
	// End says that nothing follows in the last block: a write that a crash cut
	// off looks the same.
	End bool
	Why string
}

// Read hands over the messages in the order of the files, and what is lost
// between them. What the last block ends with may be a write that never was
// acknowledged.
func (f *Folder) Read(ctx context.Context, message func(Message) error, lost func(Lost)) error {
	msgs := filepath.Join(f.dir, "msgs")
	blocks, err := blockNumbers(msgs)
	if err != nil {
		return err
	}
	var last uint64
	for i, n := range blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i > 0 && blocks[i-1] != n-1 {
			lost(Lost{File: fmt.Sprintf("%d.blk", n-1), Why: "the file is missing"})
		}
		name := fmt.Sprintf("%d.blk", n)
		data, err := os.ReadFile(filepath.Join(msgs, name))
		if err != nil {
			lost(Lost{File: name, Why: fmt.Sprintf("the file cannot be read: %v", err)})
			continue
		}
		b, err := newBlock(f.stream, n, name, last, data)
		if err != nil {
			return err
		}
		if err := b.read(message, func(l Lost) {
			l.End = l.End && i == len(blocks)-1
			lost(l)
		}); err != nil {
			return err
		}
		last = b.last
	}
	return nil
}

func blockNumbers(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "nats.stream_damaged", "the blocks of the stream cannot be listed")
	}
	var numbers []int
	for _, e := range entries {
		var n int
		if c, err := fmt.Sscanf(e.Name(), "%d.blk", &n); err == nil && c == 1 && e.Name() == fmt.Sprintf("%d.blk", n) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// Has tells whether a data folder holds a stream of this name, whether or not a
// server runs on it.
func Has(dir, stream string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, "jetstream", "$G", "streams", stream, "meta.inf"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

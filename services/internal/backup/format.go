package backup

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"setpoint.dev/services/internal/fault"
)

// A file is the magic, and then sections:
//
//	kind(1) raw length(4) stored length(4) payload checksum(4)
//
// in big-endian; the payload is a message of setpoint.backup.v1 compressed with
// zstd, and the checksum the CRC-32C of everything in the section before it.
// The kinds are H, once and first, R, any number of times, and T, once and
// last.
const (
	magic   = "setpoint-backup"
	version = 1

	kindHeader  = 'H'
	kindRecords = 'R'
	kindTrailer = 'T'

	sectionHead = 9
	sectionSum  = 4

	// maxRaw bounds a section: a message of the log has at most 8 MiB.
	maxRaw = 32 << 20
	// A section ends at whichever comes first.
	sectionBytes   = 1 << 20
	sectionRecords = 4_096
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func damaged(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "backup.damaged", "the backup is damaged: "+format, args...).
		WithHint("take another copy of the file, or an older backup; nothing was restored of this one")
}

func truncated(what string) *fault.Error {
	return fault.New(fault.Invalid, "backup.truncated", "the backup is cut off %s", what).
		WithHint("take another copy of the file, or an older backup; nothing was restored of this one")
}

// sections writes the sections of a file.
type sections struct {
	w       io.Writer
	encoder *zstd.Encoder
	buffer  []byte
}

func newSections(w io.Writer) (*sections, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(append([]byte(magic), version)); err != nil {
		return nil, err
	}
	return &sections{w: w, encoder: e}, nil
}

func (s *sections) write(kind byte, raw []byte) error {
	b := append(s.buffer[:0], kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(raw)))
	b = append(b, 0, 0, 0, 0)
	b = s.encoder.EncodeAll(raw, b)
	binary.BigEndian.PutUint32(b[5:], uint32(len(b)-sectionHead))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	s.buffer = b
	_, err := s.w.Write(b)
	return err
}

// sectionReader reads the sections of a file.
type sectionReader struct {
	r       io.Reader
	decoder *zstd.Decoder
	stored  []byte // the section as it is in the file
	raw     []byte
	at      int64
}

func newSectionReader(r io.Reader) (*sectionReader, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRaw), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	s := &sectionReader{r: r, decoder: d}
	head := make([]byte, len(magic)+1)
	if n, err := io.ReadFull(r, head); err != nil {
		if isEnd(err) && bytes.HasPrefix([]byte(magic), head[:min(n, len(magic))]) {
			return nil, truncated("in its first bytes")
		}
		if isEnd(err) {
			return nil, notABackup()
		}
		return nil, err
	}
	if string(head[:len(magic)]) != magic {
		return nil, notABackup()
	}
	if v := head[len(magic)]; v != version {
		return nil, fault.New(fault.Rule, "backup.newer", "the backup has format %d, and this binary reads format %d", v, version).
			WithHint("use a release of setpoint at least as new as the one that made the backup")
	}
	s.stored, s.at = head, int64(len(head))
	return s, nil
}

func notABackup() *fault.Error {
	return fault.New(fault.Invalid, "backup.not_a_backup", "the file is no backup of setpoint")
}

func isEnd(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// next is the next section; its payload is valid until the next call.
func (s *sectionReader) next() (kind byte, raw []byte, err error) {
	head := append(s.stored[:0], make([]byte, sectionHead)...)
	if _, err := io.ReadFull(s.r, head); err != nil {
		if isEnd(err) {
			return 0, nil, truncated("before its end")
		}
		return 0, nil, err
	}
	kind = head[0]
	rawSize, size := binary.BigEndian.Uint32(head[1:]), binary.BigEndian.Uint32(head[5:])
	if rawSize > maxRaw || size > maxRaw+maxRaw/8 {
		return 0, nil, damaged("the section at byte %d has an impossible length", s.at)
	}
	// Grown as it is read: a length that is wrong takes no memory.
	rest := bytes.NewBuffer(head)
	if _, err := io.CopyN(rest, s.r, int64(size)+sectionSum); err != nil {
		if isEnd(err) {
			return 0, nil, truncated("inside a section")
		}
		return 0, nil, err
	}
	s.stored = rest.Bytes()
	payload := s.stored[:sectionHead+int(size)]
	if binary.BigEndian.Uint32(s.stored[len(payload):]) != crc32.Checksum(payload, castagnoli) {
		return 0, nil, damaged("the section at byte %d does not match its checksum", s.at)
	}
	if cap(s.raw) < max(int(rawSize), 1) {
		s.raw = make([]byte, 0, max(rawSize, 1))
	}
	// The capacity bounds what it may unpack to.
	if s.raw, err = s.decoder.DecodeAll(payload[sectionHead:], s.raw[:0:max(int(rawSize), 1)]); err != nil || len(s.raw) != int(rawSize) {
		return 0, nil, damaged("the section at byte %d cannot be unpacked", s.at)
	}
	s.at += int64(len(s.stored))
	return kind, s.raw, nil
}

// end makes sure that nothing follows.
func (s *sectionReader) end() error {
	var one [1]byte
	switch _, err := io.ReadFull(s.r, one[:]); {
	case err == io.EOF:
		return nil
	case err != nil:
		return err
	}
	return damaged("something follows its end at byte %d", s.at)
}

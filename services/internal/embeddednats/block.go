package embeddednats

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/minio/highwayhash"
)

// A record of a block, little-endian:
//
//	length(4) sequence(8) time(8) subject length(2) subject
//	[header length(4) header] body checksum(8)
//
// The highest bit of the length says that there are headers; the two highest
// of the sequence mark records that only remember a deletion.
const (
	recordHead   = 22
	recordSum    = 8
	recordMax    = 32 << 20
	recordHeader = 1 << 31
	recordErased = 1 << 63
	recordGone   = 1 << 62
)

// block reads one file of messages.
type block struct {
	name string
	data []byte
	hash hash.Hash64
	last uint64 // the sequence read last
}

func newBlock(stream string, number int, name string, after uint64, data []byte) (*block, error) {
	key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", stream, number))
	h, err := highwayhash.New64(key[:])
	if err != nil {
		return nil, err
	}
	return &block{name: name, data: data, hash: h, last: after}, nil
}

// read hands over every record that is whole. After a damaged one it goes on
// with the next that is.
func (b *block) read(message func(Message) error, lost func(Lost)) error {
	for at := 0; at < len(b.data); {
		m, n, why := b.record(at)
		if why != "" {
			next := b.resync(at)
			lost(Lost{File: b.name, Offset: int64(at), Bytes: int64(next - at), End: next == len(b.data), Why: why})
			at = next
			continue
		}
		at += n
		b.last = m.Sequence &^ (recordErased | recordGone)
		if m.Sequence == 0 || m.Sequence&(recordErased|recordGone) != 0 {
			continue
		}
		if err := message(m); err != nil {
			return err
		}
	}
	return nil
}

// record is the one at an offset and its length, or why there is none.
func (b *block) record(at int) (m Message, n int, why string) {
	rest := b.data[at:]
	if len(rest) < recordHead+recordSum {
		return m, 0, "the file ends inside a record"
	}
	length := binary.LittleEndian.Uint32(rest)
	headers := length&recordHeader != 0
	n = int(length &^ recordHeader)
	subject := int(binary.LittleEndian.Uint16(rest[20:]))
	least := recordHead + subject + recordSum
	if headers {
		least += 4
	}
	switch {
	case n < least || n > recordMax:
		return m, 0, "a record has an impossible length"
	case n > len(rest):
		return m, 0, "the file ends inside a record"
	}
	body := rest[recordHead : n-recordSum]
	b.hash.Reset()
	_, _ = b.hash.Write(rest[4:20])
	_, _ = b.hash.Write(body[:subject])
	m.Sequence = binary.LittleEndian.Uint64(rest[4:])
	m.Subject = string(body[:subject])
	body = body[subject:]
	if headers {
		h := binary.LittleEndian.Uint32(body)
		if body = body[4:]; uint64(h) > uint64(len(body)) {
			return m, 0, "a record has an impossible length"
		}
		_, _ = b.hash.Write(body)
		m.Header, body = body[:h], body[h:]
	} else {
		_, _ = b.hash.Write(body)
	}
	m.Body = body
	if !bytes.Equal(b.hash.Sum(nil), rest[n-recordSum:n]) {
		return m, n, "a record does not match its checksum"
	}
	return m, n, ""
}

// resync is where the next whole record after a damaged one begins, the end of
// the block if nowhere.
func (b *block) resync(at int) int {
	// Its length may be right; else every offset is tried whose sequence may be.
	if _, n, _ := b.record(at); n > 0 && at+n <= len(b.data) {
		if at+n == len(b.data) {
			return at + n
		}
		if _, _, why := b.record(at + n); why == "" {
			return at + n
		}
	}
	for next := at + 1; next+recordHead+recordSum <= len(b.data); next++ {
		sequence := binary.LittleEndian.Uint64(b.data[next+4:]) &^ (recordErased | recordGone)
		if sequence <= b.last || sequence > b.last+recordMax {
			continue
		}
		if _, _, why := b.record(next); why == "" {
			return next
		}
	}
	return len(b.data)
}

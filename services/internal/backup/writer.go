package backup

import (
	"crypto/sha256"
	"hash"
	"io"

	"google.golang.org/protobuf/proto"

	backupv1 "setpoint.dev/proto/gen/setpoint/backup/v1"
	"setpoint.dev/services/internal/eventlog"
)

// Writer writes a backup, message by message.
type Writer struct {
	sections *sections
	sum      hash.Hash
	part     backupv1.Records
	size     int
	trailer  backupv1.Trailer
}

// NewWriter begins a backup.
func NewWriter(w io.Writer, h *backupv1.Header) (*Writer, error) {
	out := &Writer{sum: sha256.New()}
	var err error
	if out.sections, err = newSections(io.MultiWriter(w, out.sum)); err != nil {
		return nil, err
	}
	if err := out.section(kindHeader, h); err != nil {
		return nil, err
	}
	return out, nil
}

// Add adds the next message, which the writer keeps until the section is full.
func (w *Writer) Add(s *eventlog.Stored) error {
	r := &backupv1.Record{Sequence: s.Sequence, Subject: s.Subject, Body: s.Body}
	for _, h := range s.Headers {
		r.Headers = append(r.Headers, &backupv1.RecordHeader{Name: h.Name, Value: h.Value})
	}
	w.part.Records = append(w.part.Records, r)
	w.size += s.Size()
	w.trailer.Records++
	w.trailer.Last = s.Sequence
	w.trailer.Bytes += uint64(len(s.Body))
	if w.size >= sectionBytes || len(w.part.Records) >= sectionRecords {
		return w.flush()
	}
	return nil
}

// Close ends the backup. Without it the file is refused.
func (w *Writer) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	w.trailer.Sha256 = w.sum.Sum(nil)
	return w.section(kindTrailer, &w.trailer)
}

func (w *Writer) flush() error {
	if len(w.part.Records) == 0 {
		return nil
	}
	err := w.section(kindRecords, &w.part)
	clear(w.part.Records)
	w.part.Records, w.size = w.part.Records[:0], 0
	return err
}

func (w *Writer) section(kind byte, m proto.Message) error {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return err
	}
	return w.sections.write(kind, raw)
}

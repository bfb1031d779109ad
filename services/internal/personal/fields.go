package personal

import (
	"fmt"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
)

// Shape tells where a type of message holds personal text: in strings and
// lists of them that carry the option (setpoint.common.v1.personal).
type Shape struct {
	text   map[protowire.Number]protoreflect.FieldDescriptor
	deeper map[protowire.Number]deeper
}

type deeper struct {
	field protoreflect.FieldDescriptor
	shape *Shape
}

var shapes sync.Map // protoreflect.FullName → *Shape

// ShapeOf returns the shape of a type, nil if it holds no personal text. It
// panics on a personal field that is not text, which is a defect.
func ShapeOf(d protoreflect.MessageDescriptor) *Shape {
	if s, ok := shapes.Load(d.FullName()); ok {
		return s.(*Shape)
	}
	s := shape(d, map[protoreflect.FullName]bool{})
	shapes.Store(d.FullName(), s)
	return s
}

func shape(d protoreflect.MessageDescriptor, within map[protoreflect.FullName]bool) *Shape {
	if within[d.FullName()] {
		return nil // no type that holds itself holds personal text
	}
	within[d.FullName()] = true
	defer delete(within, d.FullName())
	s := &Shape{text: map[protowire.Number]protoreflect.FieldDescriptor{}, deeper: map[protowire.Number]deeper{}}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		switch {
		case isPersonal(f):
			if f.Kind() != protoreflect.StringKind || f.IsMap() {
				panic(fmt.Sprintf("personal: %s is personal and no text", f.FullName()))
			}
			s.text[f.Number()] = f
		case f.Message() != nil && !f.IsMap():
			if inner := shape(f.Message(), within); inner != nil {
				s.deeper[f.Number()] = deeper{f, inner}
			}
		}
	}
	if len(s.text)+len(s.deeper) == 0 {
		return nil
	}
	return s
}

func isPersonal(f protoreflect.FieldDescriptor) bool {
	personal, _ := proto.GetExtension(f.Options(), commonv1.E_Personal).(bool)
	return personal
}

// Present tells whether an encoded message of this shape holds any personal
// text, without decoding it; true also for what is no message.
func (s *Shape) Present(b []byte) bool {
	if s == nil {
		return false
	}
	for len(b) > 0 {
		number, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return true
		}
		b = b[n:]
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, typ, b); n < 0 {
				return true
			}
			b = b[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return true
		}
		b = b[n:]
		if _, text := s.text[number]; text && len(v) > 0 {
			return true
		}
		if inner, ok := s.deeper[number]; ok && inner.shape.Present(v) {
			return true
		}
	}
	return false
}

// Each replaces every personal text of a message of this shape that is not
// empty by what f makes of it, given the full name of its field.
func (s *Shape) Each(m protoreflect.Message, f func(field, text string) (string, error)) error {
	if s == nil {
		return nil
	}
	for _, fd := range s.text {
		if !m.Has(fd) {
			continue
		}
		if fd.IsList() {
			list := m.Mutable(fd).List()
			for i := range list.Len() {
				text, err := f(string(fd.FullName()), list.Get(i).String())
				if err != nil {
					return err
				}
				list.Set(i, protoreflect.ValueOfString(text))
			}
			continue
		}
		before := m.Get(fd).String()
		if before == "" {
			continue // set, and empty
		}
		text, err := f(string(fd.FullName()), before)
		if err != nil {
			return err
		}
		m.Set(fd, protoreflect.ValueOfString(text))
	}
	for _, d := range s.deeper {
		if !m.Has(d.field) {
			continue
		}
		if !d.field.IsList() {
			if err := d.shape.Each(m.Mutable(d.field).Message(), f); err != nil {
				return err
			}
			continue
		}
		list := m.Mutable(d.field).List()
		for i := range list.Len() {
			if err := d.shape.Each(list.Get(i).Message(), f); err != nil {
				return err
			}
		}
	}
	return nil
}

// Marked tells whether any personal text of a message is a marker.
func (s *Shape) Marked(m protoreflect.Message) (found string) {
	_ = s.Each(m, func(_, text string) (string, error) {
		if IsMarker(text) {
			found = text
		}
		return text, nil
	})
	return found
}

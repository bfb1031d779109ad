package record

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Into decodes the state.
func (s State) Into(m proto.Message) error {
	if err := proto.Unmarshal(s.Payload, m); err != nil {
		return fmt.Errorf("the state of %s %s: %w", s.Kind, s.ID, err)
	}
	return nil
}

// StateOf reads what the acts made of a declared resource into m, and returns the
// revision from which it is so; 0, and m as it was, if there was none. One that is
// declared again after it was deleted takes its state up, as metrics take up their
// observations: nothing that was published of it may be published anew.
func StateOf(v View, r *Resource, service, kind string, at uint64, m proto.Message) (uint64, error) {
	s, err := v.State(r.Org, service, kind, r.ID, at)
	if err != nil || s == nil {
		return 0, err
	}
	return s.From, s.Into(m)
}

// Parted is the id of a resource, and which part of what belongs to it, of an
// aggregate whose id is both with a ~ between. The resource's may hold a ~ itself:
// that of one which has the name of another one that was renamed does.
func Parted(id string) (of, part string) {
	i := strings.LastIndexByte(id, '~')
	if i < 0 {
		return "", id
	}
	return id[:i], id[i+1:]
}

// Unknown is the refusal of a name that stands for nothing, with what may have
// been meant.
func Unknown(v View, org, kind, name string) error {
	return fault.New(fault.NotFound, "record.unknown_resource", "there is no %s %q", kind, name).
		WithHint("%s", resource.Suggest(name, NewSet(v, org, v.Revision()).Names(kind)))
}

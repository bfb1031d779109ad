// Package event is the integration contract: what is told of the internal log to
// those outside, as CloudEvents.
//
// # Invariants
//
//   - Every internal event type has a decision in the catalogue: public under a
//     name, or kept with a reason. The catalogue only grows; a changed meaning is
//     a new version in the type.
//   - The mapping is pure and needs no state: the same message always gives the
//     same events, to the byte, with the same ids. So whoever publishes twice
//     publishes the same.
//   - Nothing personal: fields marked so are left out, people themselves are not
//     told of, and who acted is an opaque id.
//
// # Reading order
//
// catalogue.go (the decisions), cloudevent.go (the form), map.go (from one to the
// other), about.go (what they are about); stream (where they are kept), process (who publishes), rpc (who may
// read).
package event

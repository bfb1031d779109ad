// Package webhook is the kind Webhook: where public events are sent, and what
// happens to it besides its declaration. It is pure.
//
// # Invariants
//
//   - Nothing secret is in a declaration, an event or a state: the secrets that
//     deliveries are signed with are kept beside the log.
//   - How long to wait before an attempt follows from its number alone, and from
//     what the endpoint asked for.
//   - The id of a message is made of the event's source and id: the same at every
//     attempt, in every process, and when a dead letter is delivered after all.
//
// # Reading order
//
// kind.go (the registry entry and its rules), filter.go (which events), attempt.go
// (when to try again and when to give up), act.go (disabled, enabled, a new
// secret). The package delivery does what is decided here.
package webhook

// Package delivery posts public events to webhooks, by Standard Webhooks 1.0.0
// (https://www.standardwebhooks.com).
//
// # Invariants
//
//   - Each webhook has a durable consumer and a Watermill router of its own: one
//     that is slow or down holds up no other. Any number of processes may run them;
//     one event of a webhook is under way at a time, over all of them.
//   - An event is done with when the endpoint took it, or when it is kept as a dead
//     letter. A process that is killed in between has it delivered again, with the
//     same webhook-id.
//   - Nothing is posted to an address that is not public, whatever its name says:
//     the address that is dialled is checked. Redirects are not followed. A process
//     that must not post to an address takes no event, and leaves it to others; what
//     somebody asks of it, it has another make.
//   - What is told of a failure holds neither the address nor a secret.
//
// # Reading order
//
// manager.go (which webhooks run), deliverer.go (what becomes of one event),
// aside.go (what one does that must not deliver), sender.go (one attempt), ask.go
// (those that somebody asks for), acts.go (what is told of a webhook in the log).
package delivery

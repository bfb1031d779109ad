// Package stream keeps the public events on NATS, in the stream SETPOINT_PUBLIC,
// and gives reactions the messages of the log one by one.
//
// Invariants: events of an organization are in the order of the log; the id of a
// message is that of its event and log, so that the server drops what is published
// again within its window; what it keeps and how long is the operator's to set on
// the stream, which is made with no limits.
//
// Start with Open (the public side) and Subscriber (the log's side).
package stream

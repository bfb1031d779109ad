// Package eventlog is the source of truth: one JetStream stream per shard, one
// subject per aggregate, one message per aggregate and commit. Everything in
// SQL can be rebuilt from it.
//
// Invariants:
//
//   - Every append carries the last stream sequence of exactly its subject;
//     there is no unconditional append.
//   - A commit is one message, or one atomic batch whose messages are
//     consecutive. Only the sequence of its last message is a revision, and no
//     reader sees part of a commit.
//   - The message body is the marshalled envelope. Hashes run over the stored
//     bytes, and each envelope holds the hash of the one before it of the same
//     aggregate.
//   - Stream sequences are dense. A missing one is a *HoleError, never skipped.
//   - A command whose acknowledgement was lost is found again by its request id
//     and reported as the same commit.
//
// Start with Open, Log.Append and Log.Follow; docs/adr/0001 fixes the bytes.
// Only this package, the development server and the reactions know NATS.
package eventlog

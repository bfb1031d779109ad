// Package token holds the bearer tokens that open a server to other machines.
//
// A token reads sp_<id>_<secret>: the id is public and finds the entry, the
// secret is 256 random bits. The file keeps one entry a line, in JSON, with the
// SHA-256 of the token and never the token: what is random cannot be guessed
// from a fast hash, so that a request costs microseconds.
//
// Invariants:
//   - A token belongs to one organization, one principal and one role, and it
//     expires.
//   - The file is replaced as a whole (temporary file, fsync, rename) under a
//     lock on its folder: a reader never sees half of it, and two writers lose
//     nothing.
//   - A file that others can read or the group can write is refused.
//   - A server that runs keeps the last good tokens when the file goes bad, and
//     says so; a server does not start on a bad file.
//   - A stranger learns nothing of why a token was refused.
//
// Start with token.go, then file.go (what is on disk), change.go (create and
// revoke) and keeper.go (the server's side).
package token

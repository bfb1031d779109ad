// Package backup keeps a log in one file, and makes a log of such a file again.
//
// Invariants:
//
//   - A file holds whole commits only, from the first message to the end of the
//     newest commit when it was begun, each message as it is stored.
//   - Every section has a checksum, and the last one the SHA-256 of all before
//     it: a file that is cut off or altered anywhere is refused, and before
//     anything of it is restored.
//   - Memory is bounded by a section of the file, whatever the size of the log.
//   - The keys of personal data are in no backup of the log; they are backed up
//     apart, and a restore does not touch them.
//
// The format is in format.go and docs/adr/0012. Start with Take, Verify and
// Restore.
package backup

// Package cli is the command line of setpoint: a client of the Connect API, and
// the commands that start the server.
//
// Invariants:
//   - Run has no other inputs than its Options: tests run it as a user does.
//   - Exit codes are a contract: 0 ok, 1 error, 64 wrong usage; plan ends with 2
//     where there are changes, an interrupted command with 130.
//   - Results go to standard output, everything about the way there (questions,
//     progress, warnings, errors) to standard error, and nothing but results is
//     written where no terminal is.
//   - The client decides nothing: the server parses manifests, evaluates and
//     refuses. Only tables of observations are read here, because a line number
//     means nothing to the server.
//   - Every write carries a request id, so that trying again writes nothing twice.
//
// Start with run.go, then one file per command; client.go is the way to the
// server, fail.go the way errors reach a person.
package cli

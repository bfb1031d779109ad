// Package containers runs the suites of the log and of the record on NATS and
// Postgres in containers, where a Docker engine is there to run them: other
// builds and versions than those that the modules and this machine have.
//
// Without an engine these tests are skipped and say why; they are the only
// ones that may be.
package containers

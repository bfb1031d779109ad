// Package externalnats connects to a NATS server or cluster that others run,
// and finds out what can be known of it.
//
// Secrets (a password or token in the URL, the seeds in a credentials file) are
// in no message and no log: servers are named by host and port.
//
// What a client connection does not tell is how the servers write to disk
// (sync_interval), and how many servers there are. That a cluster answers is
// known; whether it can keep three copies is known when the stream is made.
//
// Start with Connect.
package externalnats

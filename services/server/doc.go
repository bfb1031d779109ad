// Package server assembles a process out of parts: the log, the record, its
// projection, the commands, the services, the door.
//
// parts.go is the table: each part with what it needs and what it starts, in
// the order of starting. Some of them are targets, which a process is asked
// for by name; what a target needs comes with it. A part is one function,
// start…, in the file of its noun: it starts something, keeps what others need
// in the Server, and says with Server.onStop how it ends. Parts end in the
// reverse order.
//
// To add something to the process, write its function and put a line into the
// table. Start with Start in server.go.
package server

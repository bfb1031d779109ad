// Package natsfault runs real NATS servers for tests, in processes of their
// own, and does to them what happens to servers: they are killed, stopped and
// cut off from one another or from their clients, and what they deliver is
// lost, doubled or out of order on the way.
//
// Invariants: every path between two servers, and from a client to a server,
// leads through a Link of this package, so that each can be cut by itself; a
// cluster has a loopback network of its own (127.x.y.0/24), so that a server
// that starts again finds its ports free; all processes end with the test.
//
// Start with Start and Cluster; Garble is for a single connection. Linux only.
package natsfault

// Package lease elects one process for a role: the one that holds the role's
// lease, an entry in a JetStream key-value bucket.
//
// Invariants:
//
//   - Every write of an entry is a compare-and-set on the revision that was
//     read. Two processes never both believe that they were given a lease.
//   - A holder renews. Who competes takes a lease over when the entry has not
//     changed for the whole time to live, by the competitor's own monotonic
//     clock and counted from when it saw the entry: no clocks are compared, and
//     the server's clock does not matter.
//   - A holder counts from before it sent its last renewal that succeeded, and
//     stops working a margin before the time to live is over: work ends before
//     anybody else could have begun.
//   - A process that stood still (SIGSTOP, a suspended machine) may believe for
//     a moment that it still holds what has been taken over. Therefore a lease
//     alone guards nothing: what the holder writes must fail if somebody else
//     wrote since, as the record's checkpoint does.
//
// Start with Bucket.Hold; docs/adr/0011 says why this way.
package lease

// Package e2e holds journeys through the whole service: what a strategy
// officer, a Git user, an integrator and an operator do, on real NATS and real
// SQLite, with faults. It sees devserver, the examples and the protos, nothing
// behind them.
package e2e

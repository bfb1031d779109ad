// Package devserver runs the whole service in one process: an embedded NATS
// with the log, the record on SQLite, every service, one door. Users start it
// as `setpoint dev`, tests in a temporary folder: both get the same thing.
//
// Start returns when the service answers. What is on disk is in the data
// folder: nats/ is the log, the source of truth; record*.db can be deleted, it
// is rebuilt from the log. Package server has the parts that are started here.
package devserver

import (
	"context"

	"setpoint.dev/services/server"
)

// Options say what to run. Only Data is required.
type Options = server.Options

// Server is a running service.
type Server = server.Server

// Start starts the service in the folder. It fails with an Unavailable fault
// if another process has the folder.
func Start(ctx context.Context, o Options) (*Server, error) { return server.Start(ctx, o) }

// Command setpoint is the server and its command line in one binary; all it
// does is hand the process over to package cli.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/event"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/cli"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/kinds"
	"setpoint.dev/services/server"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks to stop, the second one insists.
	context.AfterFunc(ctx, stop)
	return cli.Run(ctx, cli.Options{
		Args:   os.Args[1:],
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Env:    os.LookupEnv,
		Serve:  serve,

		Maintenance: maintenance{},

		PlanOffline: planOffline,
		Policies:    gap.PolicyNames(),
		Targets:     server.TargetNames(),
		AsyncAPI: func(version string) ([]byte, error) {
			return event.AsyncAPI(version, func(typ string) proto.Message { return record.Message(kinds.Registry(), typ) })
		},
	})
}

package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// Exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitChanges     = 2 // of plan and diff: there is something to apply
	exitUsage       = 64
	exitInterrupted = 130
)

// Options is everything a run depends on. Only Args is required; the rest
// defaults to the process's own.
type Options struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Env looks up a variable of the environment.
	Env func(string) (string, bool)
	// IsTerminal tells whether one of the three streams is a terminal.
	IsTerminal func(stream any) bool
	// Width and Height are the columns and rows of the terminal, 0 if there is
	// no limit.
	Width, Height func() int
	// Now is the clock that "today" is taken from.
	Now func() time.Time
	// RetryDelay is the pause before an unavailable server is asked again; it
	// doubles each time. Default 200 ms.
	RetryDelay time.Duration
	// Version is what `setpoint version` prints; default: from the build.
	Version string
	// Serve starts a server and returns when it has stopped, nil after ctx ended.
	Serve func(context.Context, ServeOptions) error
	// PlanOffline reads manifests as if nothing were declared; nil: this build
	// cannot.
	PlanOffline func([]*declarationv1.ManifestFile) (*OfflinePlan, error)
	// Maintenance is for doctor, backup and restore without a running service;
	// nil: this build cannot.
	Maintenance Maintenance
	// Policies are the presets that --policy completes.
	Policies []string
	// AsyncAPI is the document of the public events of a version; nil: this build
	// cannot.
	AsyncAPI func(version string) ([]byte, error)
	// Targets are the parts that serve runs.
	Targets []string

	chunk    int           // rows of a table that go in one request; default what the API takes
	declared int           // resources that an import declares at once; default what the API takes
	patience time.Duration // before an upload shows its progress
	names    time.Duration // what a shell waits for names at most
}

// ServeOptions says what to start.
type ServeOptions struct {
	Data        string // folder of the log and the projections
	Listen      string // HOST:PORT of the API
	NATSListen  string // HOST:PORT of the embedded NATS; empty: not reachable
	TokenFile   string // tokens of which every request needs one; empty: loopback only, everybody trusted
	TLSCert     string // PEM file; with TLSKey: HTTPS only
	TLSKey      string // PEM file
	BehindProxy bool   // a proxy ends TLS
	PublicURL   string // the address that browsers know
	Telemetry   TelemetryOptions
	Targets     []string // parts of the service; "all" is every part
	NoReactor   bool     // conditions are not kept, and no policy reacts

	EventsMaxAge        time.Duration // of public events; 0: as it is
	EventsMaxBytes      int64         // of all public events; 0: as it is
	WebhookAllowPrivate bool          // webhooks may have addresses that are not public

	NATSURL                              string // of an external NATS; empty: embedded
	NATSCreds, NATSCA, NATSCert, NATSKey string // files
	Replicas                             int    // of the log; 0: as the servers allow
	DatabaseURL                          string // of a shared record on Postgres; empty: SQLite
	DatabaseOwnerURL                     string // as the role that migrates it; empty: DatabaseURL

	Version string // of this build
	Stdout  io.Writer
	Stderr  io.Writer
}

// Run runs one command and returns its exit code.
func Run(ctx context.Context, opts Options) int {
	a := newApp(opts.withDefaults())
	root := a.rootCommand()
	// Never nil, for which cobra would take the process's own arguments.
	root.SetArgs(append([]string{}, negativeNumbersLast(root, a.opts.Args)...))
	err := root.ExecuteContext(ctx)
	if err != nil && !a.started && !errors.As(err, new(*usageError)) {
		// Cobra found fault with the arguments before any command ran.
		err = &usageError{message: err.Error()}
	}
	if a.out.err != nil && err == nil {
		err = a.out.err
	}
	return a.fail(ctx, err)
}

func (o Options) withDefaults() Options {
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.IsTerminal == nil {
		o.IsTerminal = isTerminal
	}
	if o.Width == nil {
		stdout := o.Stdout
		o.Width = func() int { width, _ := terminalSize(stdout); return width }
	}
	if o.Height == nil {
		stdout := o.Stdout
		o.Height = func() int { _, height := terminalSize(stdout); return height }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RetryDelay == 0 {
		o.RetryDelay = 200 * time.Millisecond
	}
	if o.patience == 0 {
		o.patience = patience
	}
	if o.names == 0 {
		o.names = completionWait
	}
	if o.chunk == 0 {
		o.chunk = maxChunk
	}
	if o.declared == 0 {
		o.declared = mostDeclared
	}
	return o
}

func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

func terminalSize(stream any) (width, height int) {
	f, ok := stream.(interface{ Fd() uintptr })
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// stickyWriter remembers the first error, so that a full disk behind a
// redirection is an error of the command and not silence.
type stickyWriter struct {
	w   io.Writer
	err error
}

func (s *stickyWriter) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	s.err = err
	return n, err
}

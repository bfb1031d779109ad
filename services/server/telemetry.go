package server

import (
	"context"
	"fmt"
	"net"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/health"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/telemetry"
)

// TelemetryOptions say what operators are shown; the zero value is nothing
// but health on the API's own port.
type TelemetryOptions struct {
	// Listen is the HOST:PORT of /metrics, /livez and /readyz; "": none. They
	// ask nobody who they are, so that it is loopback unless Open says otherwise.
	Listen string
	Open   bool
	// Traces is the URL of an OpenTelemetry collector (OTLP over HTTP). "" is
	// what the standard OTEL_ variables say, which without an endpoint is none.
	Traces string
}

// maxLag is how old a commit may be that is not on record while the process
// calls itself ready.
const maxLag = 30 * time.Second

// startTelemetry opens what operators look at. It is the first part and the
// last to end, so that probes are answered in the meantime.
func startTelemetry(ctx context.Context, s *Server) error {
	s.health = health.New(func() string { text, _ := s.progress.Load().(string); return text })
	o := s.opts.Telemetry
	traces, err := telemetry.Traces(ctx, o.Traces, s.opts.Version, s.opts.Logger)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "server.traces", "--traces: spans cannot be sent to %q", o.Traces).
			WithHint("for example --traces http://127.0.0.1:4318")
	}
	if o.Listen == "" && traces == nil {
		return nil
	}
	s.telemetry = telemetry.New(s.opts.Version, traces)
	s.onStop(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := s.telemetry.Close(ctx); err != nil {
			s.opts.Logger.Warn("the last spans were not sent", "error", err)
		}
		return nil
	})
	if o.Listen == "" {
		return nil
	}
	if local, err := isLoopback("--telemetry", o.Listen); err != nil {
		return err
	} else if !local && !o.Open {
		return fault.New(fault.Denied, "server.telemetry_not_loopback",
			"--telemetry: %q would show metrics to other machines, and asks nobody who they are", o.Listen).
			WithHint("listen on 127.0.0.1, or give --telemetry-open if only your own network reaches the address")
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "server.listen", "cannot listen on %s for metrics", o.Listen).
			WithHint("another program may have the port: choose one with --telemetry 127.0.0.1:PORT")
	}
	s.telemetryURL = "http://" + l.Addr().String()
	s.onStop(s.telemetry.Serve(l, s.health, s.opts.Logger).Close)
	return nil
}

// TelemetryURL is where /metrics, /livez and /readyz answer; "" if nowhere.
func (s *Server) TelemetryURL() string { return s.telemetryURL }

// startReady says that the process is ready. As it is the last part, it is the
// first to end: whoever sends requests here is told to stop before the door
// closes.
func startReady(_ context.Context, s *Server) error {
	s.telemetry.Show(telemetry.State{
		Log: s.log, Record: s.record, Health: s.health, Folder: s.folder(),
		Generation: s.liveGeneration, Projecting: s.projects.Load, Webhooks: s.webhookFigures,
	})
	if folder := s.folder(); folder != "" {
		s.checks = append(s.checks, health.DiskHasRoom(folder))
	}
	s.health.Begin(s.checks...)
	s.onStop(func() error {
		s.health.Stop()
		s.deadline = time.Now().Add(s.opts.Drain + s.opts.ShutdownTimeout)
		s.opts.Logger.Info("shutting down", "drain", s.opts.Drain.String())
		if s.rest == nil {
			s.rest = time.Sleep
		}
		s.rest(s.opts.Drain)
		return nil
	})
	return nil
}

// finishing is a context for what has to end in the time for shutting down.
func (s *Server) finishing() (context.Context, context.CancelFunc) {
	if s.deadline.IsZero() { // the start failed
		s.deadline = time.Now().Add(s.opts.ShutdownTimeout)
	}
	return context.WithDeadline(context.Background(), s.deadline)
}

// startSettled makes what was acknowledged be on record before the projector
// ends. It is in the log in any case, and another start would find it.
func startSettled(_ context.Context, s *Server) error {
	s.onStop(func() error {
		ctx, cancel := s.finishing()
		defer cancel()
		if err := s.record.Settle(ctx); err != nil {
			s.opts.Logger.Warn("the record ends behind the log, the next start catches up", "error", err)
		}
		return nil
	})
	return nil
}

// folder is where this process keeps data; "" if it keeps none.
func (s *Server) folder() string {
	if s.opts.external() && s.opts.shared() {
		return ""
	}
	return s.opts.Data
}

func (s *Server) liveGeneration(ctx context.Context) (int, error) {
	all, err := s.database.Generations(ctx)
	for _, g := range all {
		if g.Live {
			return g.Number, err
		}
	}
	return 0, err
}

// keepsUp checks that the record goes on and is not far behind.
func (s *Server) keepsUp(ctx context.Context) error {
	if at, err := s.record.Status(); err != nil {
		return fmt.Errorf("the record halted at revision %d: %w", at, err)
	}
	if err := s.record.Troubled(); err != nil {
		return fmt.Errorf("the record's projection waits: %w", err)
	}
	lag, err := s.record.Lag(ctx, s.log)
	if err != nil {
		return nil // the log's own check says so
	}
	return tooFarBehind(lag, time.Now())
}

func tooFarBehind(lag record.Lag, now time.Time) error {
	if behind := lag.Seconds(now); behind > maxLag.Seconds() {
		return fmt.Errorf("the record is %d revisions and %.0f s behind the log", lag.Revisions, behind)
	}
	return nil
}

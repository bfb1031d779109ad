package cli

import (
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"setpoint.dev/services/internal/logging"
)

// TelemetryOptions say what a server shows its operators, and how it stops.
type TelemetryOptions struct {
	Listen          string // HOST:PORT of metrics and probes; empty: none
	Open            bool   // the address may be other than loopback
	Traces          string // URL of an OpenTelemetry collector; empty: what OTEL_ variables say
	LogFormat       string
	LogLevel        string
	Drain           time.Duration
	ShutdownTimeout time.Duration
}

func telemetryFlags(cmd *cobra.Command, o *TelemetryOptions) {
	f := cmd.Flags()
	f.StringVar(&o.Listen, "telemetry", "", "`HOST:PORT` of /metrics, /livez and /readyz, default: none; loopback only, or with --telemetry-open")
	f.BoolVar(&o.Open, "telemetry-open", false, "let --telemetry be reached by other machines, which it does not ask who they are")
	f.StringVar(&o.Traces, "traces", "", "`URL` of an OpenTelemetry collector (OTLP over HTTP), default: what OTEL_EXPORTER_OTLP_ENDPOINT says, or none")
	f.StringVar(&o.LogFormat, "log-format", "text", "`FORMAT` of the log on standard error: "+strings.Join(logging.Formats, " or "))
	f.StringVar(&o.LogLevel, "log-level", "warn", "least `LEVEL` that is logged: "+strings.Join(logging.Levels, ", ")+"; every request is logged at debug")
	f.DurationVar(&o.Drain, "drain", 0, "how long to go on taking requests after a signal to stop, when /readyz says no already")
	f.DurationVar(&o.ShutdownTimeout, "shutdown-timeout", 10*time.Second, "how long requests under way may take to finish when the server stops")
	for name, values := range map[string][]string{"log-format": logging.Formats, "log-level": logging.Levels} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// check finds what is wrong by itself.
func (o TelemetryOptions) check() error {
	if _, _, err := net.SplitHostPort(o.Listen); err != nil && o.Listen != "" {
		return usagef("--telemetry: %q is not HOST:PORT", o.Listen)
	}
	for _, f := range []struct {
		name, value string
		legal       []string
	}{{"log-format", o.LogFormat, logging.Formats}, {"log-level", o.LogLevel, logging.Levels}} {
		if !slices.Contains(f.legal, f.value) {
			return usagef("--%s: %q is none; legal are %s", f.name, f.value, strings.Join(f.legal, ", "))
		}
	}
	if o.Drain < 0 {
		return usagef("--drain: %s is negative", o.Drain)
	}
	if o.ShutdownTimeout <= 0 {
		return usagef("--shutdown-timeout: %s is no time to finish in", o.ShutdownTimeout)
	}
	return nil
}

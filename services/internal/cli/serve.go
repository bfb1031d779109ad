package cli

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"setpoint.dev/services/internal/fault"
)

func serveFlags(cmd *cobra.Command, o *ServeOptions) {
	cmd.Flags().StringVar(&o.Data, "data", ".setpoint", "folder of the log and the projections")
	cmd.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "`HOST:PORT` of the API; other than loopback only with --token-file")
	cmd.Flags().StringVar(&o.NATSListen, "nats", "", "`HOST:PORT` of the embedded NATS, default: not reachable from outside")
	cmd.Flags().StringVar(&o.TokenFile, "token-file", "", "`FILE` of tokens (see token create), of which every request then needs one")
	cmd.Flags().StringVar(&o.TLSCert, "tls-cert", "", "certificate `FILE` (PEM); with --tls-key only HTTPS is answered")
	cmd.Flags().StringVar(&o.TLSKey, "tls-key", "", "key `FILE` (PEM) of the certificate")
	cmd.Flags().BoolVar(&o.BehindProxy, "behind-proxy", false, "serve other addresses than loopback in the clear, because a proxy in front ends TLS")
	cmd.Flags().StringVar(&o.PublicURL, "public-url", "", "`URL` that browsers know, if a proxy in front has another than this server")
	cmd.Flags().BoolVar(&o.NoReactor, "no-reactor", false, "keep no conditions, and let no policy react, while history is loaded for example; it is made up for later")
	cmd.Flags().DurationVar(&o.EventsMaxAge, "events-max-age", 0, "how long public events are kept, at least 1h; it stays when it is not given again, and is for ever at first")
	cmd.Flags().Int64Var(&o.EventsMaxBytes, "events-max-bytes", 0, "how many bytes of public events are kept, at least 1048576; it stays when it is not given again, and is unbounded at first")
	cmd.Flags().BoolVar(&o.WebhookAllowPrivate, "webhook-allow-private", false, "let webhooks have addresses that are not public, such as 127.0.0.1, and http")
	telemetryFlags(cmd, &o.Telemetry)
	_ = cmd.MarkFlagDirname("data")
	for _, file := range []string{"token-file", "tls-cert", "tls-key"} {
		_ = cmd.MarkFlagFilename(file)
	}
}

func (a *app) devCommand() *cobra.Command {
	var o ServeOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the whole service in one process",
		Long: `Dev runs every part of setpoint in one process, on an embedded NATS and SQLite.
Everything is kept in the data folder; Ctrl-C stops it cleanly.`,
		Example: `  setpoint dev
  setpoint dev --data /var/lib/setpoint --listen 127.0.0.1:9090
  setpoint dev --listen 0.0.0.0:8443 --token-file tokens --tls-cert cert.pem --tls-key key.pem`,
		Args: exactArgs(),
	}
	serveFlags(cmd, &o)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		o.Targets = []string{"all"}
		return a.serve(ctx, o)
	})
	return cmd
}

func (a *app) serveCommand() *cobra.Command {
	var o ServeOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service, or a part of it",
		Long: "Serve runs the named parts of setpoint: " + strings.Join(a.opts.Targets, ", ") + `.

Without URLs it is dev: the log on an embedded NATS, the record on SQLite. With
--nats-url the log is on a NATS server or cluster, where any number of processes
may run any of the parts. With --database-url they share a record on Postgres,
and one of those with the projector writes it; without, each process keeps one
of its own on SQLite.

A URL may hold a password. What is on a command line can be read by everybody on
the machine: give the URL in the environment, or as @FILE, the file that holds
it.`,
		Example: `  setpoint serve --target=all --data /var/lib/setpoint --listen 127.0.0.1:8080
  setpoint serve --target=declaration,strategy,gap --nats-url @/etc/setpoint/nats-url --database-url @/etc/setpoint/database-url
  setpoint serve --target=projector --nats-url tls://n1:4222,tls://n2:4222,tls://n3:4222 --nats-creds setpoint.creds --database-url @database-url`,
		Args: exactArgs(),
	}
	serveFlags(cmd, &o)
	cmd.Flags().StringSliceVar(&o.Targets, "target", []string{"all"}, "parts to run, separated by commas")
	cmd.Flags().StringVar(&o.NATSURL, "nats-url", "", "`URL` of the NATS that has the log, several with commas between, or @FILE; default: embedded")
	cmd.Flags().StringVar(&o.NATSCreds, "nats-creds", "", "credentials `FILE` (JWT and seed) for NATS")
	cmd.Flags().StringVar(&o.NATSCA, "nats-ca", "", "certificates `FILE` (PEM) of who is trusted to be NATS; default: the system's")
	cmd.Flags().StringVar(&o.NATSCert, "nats-cert", "", "client certificate `FILE` (PEM) for NATS")
	cmd.Flags().StringVar(&o.NATSKey, "nats-key", "", "key `FILE` (PEM) of the client certificate")
	cmd.Flags().IntVar(&o.Replicas, "replicas", 0, "copies of the log that NATS keeps, when it is made; default: 3 on a cluster, 1 on a single server")
	cmd.Flags().StringVar(&o.DatabaseURL, "database-url", "", "`URL` of the Postgres that has the record, or @FILE; default: SQLite in the data folder")
	cmd.Flags().StringVar(&o.DatabaseOwnerURL, "database-owner-url", "", "`URL` of the role that owns the record's tables, or @FILE; default --database-url")
	for _, file := range []string{"nats-creds", "nats-ca", "nats-cert", "nats-key"} {
		_ = cmd.MarkFlagFilename(file)
	}
	_ = cmd.RegisterFlagCompletionFunc("target", cobra.FixedCompletions(a.opts.Targets, cobra.ShellCompDirectiveNoFileComp))
	for _, other := range []string{"nats-url", "replicas", "database-url"} {
		_ = cmd.RegisterFlagCompletionFunc(other, cobra.NoFileCompletions)
	}
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if len(o.Targets) == 0 {
			return usagef("--target: no part is named; legal are %s", strings.Join(a.opts.Targets, ", "))
		}
		for _, t := range o.Targets {
			if !slices.Contains(a.opts.Targets, t) {
				e := usagef("--target: %q is not a part of setpoint; legal are %s", t, strings.Join(a.opts.Targets, ", "))
				if near := nearest(t, a.opts.Targets); near != "" {
					e.hint = "did you mean " + near + "?"
				}
				return e
			}
		}
		for _, x := range []struct {
			flag string
			url  *string
		}{{"nats-url", &o.NATSURL}, {"database-url", &o.DatabaseURL}, {"database-owner-url", &o.DatabaseOwnerURL}} {
			if err := fromFile(ctx, x.flag, x.url); err != nil {
				return err
			}
		}
		return a.serve(ctx, o)
	})
	return cmd
}

func (a *app) serve(ctx context.Context, o ServeOptions) error {
	for _, x := range []struct{ flag, address string }{{"listen", o.Listen}, {"nats", o.NATSListen}} {
		if _, _, err := net.SplitHostPort(x.address); err != nil && x.address != "" {
			return usagef("--%s: %q is not HOST:PORT", x.flag, x.address)
		}
	}
	if err := o.Telemetry.check(); err != nil {
		return err
	}
	if a.opts.Serve == nil {
		return fault.New(fault.Unavailable, "cli.client_only", "this build of setpoint is a client only")
	}
	o.Stdout, o.Stderr, o.Version = a.out, a.opts.Stderr, a.version()
	err := a.opts.Serve(ctx, o)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // asked to stop, and stopped
	}
	return err
}

// maxSecretFile is how much of a file with a URL is read, in bytes.
const maxSecretFile = 1 << 20

// fromFile replaces @FILE by what is in the file.
func fromFile(ctx context.Context, flag string, value *string) error {
	name, isFile := strings.CutPrefix(*value, "@")
	if !isFile {
		return nil
	}
	content, err := readFile(ctx, name, maxSecretFile)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "cli.file", "--%s: the file cannot be read", flag)
	}
	if *value = strings.TrimSpace(string(content)); *value == "" {
		return fault.New(fault.Invalid, "cli.file", "--%s: %s is empty", flag, name)
	}
	return nil
}

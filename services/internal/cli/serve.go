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
		Use:     "serve",
		Short:   "Run the service, or a part of it",
		Long:    "Serve runs the named parts of setpoint: " + strings.Join(a.opts.Targets, ", ") + ".",
		Example: "  setpoint serve --target=all --data /var/lib/setpoint --listen 127.0.0.1:8080",
		Args:    exactArgs(),
	}
	serveFlags(cmd, &o)
	cmd.Flags().StringSliceVar(&o.Targets, "target", []string{"all"}, "parts to run, separated by commas")
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		for _, t := range o.Targets {
			if !slices.Contains(a.opts.Targets, t) {
				e := usagef("--target: %q is not a part of setpoint; legal are %s", t, strings.Join(a.opts.Targets, ", "))
				if near := nearest(t, a.opts.Targets); near != "" {
					e.hint = "did you mean " + near + "?"
				}
				return e
			}
		}
		return a.serve(ctx, o)
	})
	return cmd
}

func (a *app) serve(ctx context.Context, o ServeOptions) error {
	for flag, address := range map[string]string{"listen": o.Listen, "nats": o.NATSListen} {
		if _, _, err := net.SplitHostPort(address); err != nil && address != "" {
			return usagef("--%s: %q is not HOST:PORT", flag, address)
		}
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

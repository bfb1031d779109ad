package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/fault"
)

// Maintenance is what an operator does without a running service.
type Maintenance interface {
	// Diagnose examines the log and the record at a place.
	Diagnose(ctx context.Context, at Place, found func(*adminv1.Finding), progress Progress) (*adminv1.DiagnoseSummary, error)
	// Backup writes a backup of the log at a place; warn is told what makes it
	// worth less.
	Backup(ctx context.Context, at Place, w io.Writer, progress Progress, warn func(string)) error
	// Verify checks a backup.
	Verify(r io.Reader, progress Progress) (*Backup, error)
	// Restore makes the log in a backup at an empty place.
	Restore(ctx context.Context, at Place, file io.ReadSeeker, progress Progress) (*Backup, error)
}

// Progress is told what is done, and how far it is.
type Progress func(what string, done, total uint64)

// Place is where a log is: in a data folder, or on NATS servers.
type Place struct {
	Data string // folder
	NATS NATSServers
	// Version is of this binary.
	Version string
}

// NATSServers says how to reach NATS servers that others run.
type NATSServers struct {
	URL           string
	Creds         string // file
	CA, Cert, Key string // PEM files
	Replicas      int    // of a stream that is made; 0: what is right for the servers
}

// Backup is what a file holds, and what was made of it.
type Backup struct {
	LogID      string `json:"logId"`
	Shard      int    `json:"shard"`
	Revision   uint64 `json:"revision"`
	Messages   uint64 `json:"messages"`
	Commits    uint64 `json:"commits"`
	Aggregates uint64 `json:"aggregates"`
	Created    string `json:"created"`
	Version    string `json:"version"`
	SHA256     string `json:"sha256"`
	// RestoredAs is the id of the log that was made of the file.
	RestoredAs string `json:"restoredAs,omitempty"`
}

// placeFlags are those of a command that can do without a running service.
type placeFlags struct{ Place }

func (p *placeFlags) register(cmd *cobra.Command, doing string) {
	f := cmd.Flags()
	f.StringVar(&p.Data, "data", "", doing+" the `FOLDER` of a stopped service")
	f.StringVar(&p.NATS.URL, "nats-url", "", doing+" the NATS servers at `URL`, several with commas between, or @FILE")
	f.StringVar(&p.NATS.Creds, "nats-creds", "", "credentials `FILE` for --nats-url")
	f.StringVar(&p.NATS.CA, "nats-ca", "", "`FILE` (PEM) of who is trusted to sign the NATS servers' certificates")
	f.StringVar(&p.NATS.Cert, "nats-cert", "", "certificate `FILE` (PEM) for --nats-url")
	f.StringVar(&p.NATS.Key, "nats-key", "", "key `FILE` (PEM) of the certificate")
	for _, name := range []string{"data", "nats-url"} {
		// They are set in the environment for serve.
		_ = f.SetAnnotation(name, lineOnly, []string{"true"})
	}
	_ = cmd.MarkFlagDirname("data")
	for _, file := range []string{"nats-creds", "nats-ca", "nats-cert", "nats-key"} {
		_ = cmd.MarkFlagFilename(file)
	}
}

// given tells whether a place was named; only one may be.
func (p *placeFlags) given(ctx context.Context) (bool, error) {
	if p.Data != "" && p.NATS.URL != "" {
		return false, &usageError{message: "--data and --nats-url exclude each other", hint: "both say where the log is: keep one of them"}
	}
	if err := fromFile(ctx, "nats-url", &p.NATS.URL); err != nil {
		return false, err
	}
	return p.Data != "" || p.NATS.URL != "", nil
}

func (a *app) maintenance() (Maintenance, error) {
	if a.opts.Maintenance == nil {
		return nil, fault.New(fault.Unavailable, "cli.client_only", "this build of setpoint is a client only")
	}
	return a.opts.Maintenance, nil
}

// steps shows a bar for each step of something long.
type steps struct {
	app  *app
	what string
	bar  *progress
}

// tell says how far a step is; a total of 0 is not known.
func (s *steps) tell(what string, done, total uint64) {
	if s.bar == nil || what != s.what {
		s.bar.end()
		s.what, s.bar = what, s.app.show(&progress{what: what, total: int(total), steps: true}, false)
	}
	if s.bar != nil {
		s.bar.grown.Store(int64(total))
		s.bar.done.Store(int64(done))
	}
}

func (s *steps) end() { s.bar.end() }

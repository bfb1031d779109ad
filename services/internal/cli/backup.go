package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/fault"
)

func (a *app) backupCommand() *cobra.Command {
	var place placeFlags
	var path string
	var force bool
	cmd := &cobra.Command{
		Use:   "backup -o FILE",
		Short: "Copy the log into one file",
		Long: `Backup asks the running server for a copy of its log in one file: whole commits
only, up to the newest one when it began, while others go on writing. The file
is compressed and checksummed; it appears under its name when it is complete and
has been checked.

With --data it reads the files of a stopped service, and changes nothing there.
A log that ends before the record in the folder has lost its end, and is refused.
With --nats-url it reads the log on NATS servers.

The record is not in it: it is rebuilt from the log. The keys that personal data
is encrypted with are not in it either, on purpose: they are backed up apart, so
that what was erased stays erased.`,
		Example: `  setpoint backup -o setpoint-$(date +%F).backup
  setpoint backup -o - | ssh vault 'cat > setpoint.backup'
  setpoint backup --data /var/lib/setpoint -o setpoint.backup
  setpoint backup verify setpoint.backup`,
		Args: exactArgs(),
	}
	place.register(cmd, "read")
	cmd.Flags().StringVarP(&path, "output", "o", "", "`FILE` to write; - for standard output")
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	_ = cmd.Flags().SetAnnotation("output", lineOnly, []string{"true"})
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		elsewhere, err := place.given(ctx)
		if err != nil {
			return err
		}
		if path == "" {
			return &usageError{message: "missing -o FILE", hint: "- for standard output"}
		}
		write := a.download
		if elsewhere {
			m, err := a.maintenance()
			if err != nil {
				return err
			}
			place.Version = a.version()
			write = func(ctx context.Context, w io.Writer, progress Progress) error {
				return m.Backup(ctx, place.Place, w, progress, func(s string) { a.warnf("warning: %s\n", s) })
			}
		}
		bars := &steps{app: a}
		defer bars.end()
		if path == "-" {
			if a.opts.IsTerminal(a.opts.Stdout) {
				return &usageError{message: "a backup is not for a terminal", hint: "send it on, or give a file: -o FILE"}
			}
			return write(ctx, a.out, bars.tell)
		}
		return a.backupTo(ctx, path, force, write, bars)
	})
	cmd.AddCommand(a.backupVerifyCommand())
	return cmd
}

// backupTo writes a backup next to its place, checks it, and moves it there.
func (a *app) backupTo(ctx context.Context, path string, force bool, write func(context.Context, io.Writer, Progress) error, bars *steps) (err error) {
	if _, err := os.Lstat(path); err == nil && !force {
		return fault.New(fault.Exists, "backup.file_exists", "%s is there already", path).
			WithHint("give another name, or --force to replace it")
	}
	temporary := path + ".part"
	f, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "backup.file", "the backup cannot be written")
	}
	done := false
	defer func() {
		_ = f.Close()
		if !done {
			_ = os.Remove(temporary)
		}
	}()
	if err := write(ctx, f, bars.tell); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fault.Wrap(err, fault.Internal, "backup.file", "the backup cannot be written")
	}
	var b *Backup
	if m := a.opts.Maintenance; m != nil {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if b, err = m.Verify(f, bars.tell); err != nil {
			return err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := errors.Join(os.Rename(temporary, path), syncFolder(filepath.Dir(path))); err != nil {
		return fault.Wrap(err, fault.Internal, "backup.file", "the backup cannot be put in its place")
	}
	done = true
	bars.end()
	if b != nil {
		a.printf("%s: %s; checked\n", path, b.describe())
	}
	a.printf("%s bytes; the keys of personal data are not in it (setpoint person keys backup)\n", groupDigits(strconv.FormatInt(info.Size(), 10)))
	return nil
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// download asks the server for a backup.
func (a *app) download(ctx context.Context, w io.Writer, progress Progress) error {
	stream, err := a.client().admin.Backup(ctx, &adminv1.BackupRequest{})
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		m := stream.Msg()
		if _, err := w.Write(m.GetData()); err != nil {
			return fault.Wrap(err, fault.Internal, "backup.file", "the backup cannot be written")
		}
		progress("reading the log", m.GetDone(), m.GetTotal())
	}
	return stream.Err()
}

// describe is "revision 98 of log e7f5…, 98 messages, made 2026-03-04T…".
func (b *Backup) describe() string {
	if b.Messages == 0 {
		return fmt.Sprintf("log %s, which is empty, as of %s", b.LogID, b.Created)
	}
	return fmt.Sprintf("log %s up to revision %d (%s, %s) as of %s, sha256 %s", b.LogID, b.Revision,
		counted(int(b.Messages), "message", "messages"), counted(int(b.Commits), "commit", "commits"), b.Created, b.SHA256)
}

func (a *app) backupVerifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a backup without restoring it",
		Long: `Verify reads a whole backup: that nothing of the file is missing or altered, and
that the log in it is sound.`,
		Example: "  setpoint backup verify setpoint.backup",
		Args:    exactArgs("FILE"),
	}
	f := outputFlag(cmd)
	cmd.RunE = runE(func(_ context.Context, args []string) error {
		m, err := a.maintenance()
		if err != nil {
			return err
		}
		file, err := openBackup(args[0])
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		bars := &steps{app: a}
		defer bars.end()
		b, err := m.Verify(file, bars.tell)
		if err != nil {
			return err
		}
		bars.end()
		if *f != asTable {
			return a.writeStructured(*f, b)
		}
		a.printf("%s is whole: %s\n", args[0], b.describe())
		return nil
	})
	return cmd
}

func openBackup(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "backup.file", "there is no file %s", path)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "backup.file", "the backup cannot be read")
	}
	return f, nil
}

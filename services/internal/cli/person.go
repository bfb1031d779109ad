package cli

import (
	"context"
	"math"
	"strings"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
)

func (a *app) personCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "person",
		Short: "Erase people, and keep the keys of their data",
		Long: `Person erases people's data, and backs up the keys that it is encrypted with.
People are declared like everything else (kind Person).`,
		RunE: needsSubcommand("missing what to do", "legal are erase and keys"),
	}
	cmd.AddCommand(a.personEraseCommand(), a.personKeysCommand())
	return cmd
}

func (a *app) personEraseCommand() *cobra.Command {
	var yes bool
	var w writeFlags
	cmd := &cobra.Command{
		Use:   "erase NAME --reason WHY",
		Short: "Make a person's data unreadable for ever",
		Long: `Erase destroys the keys of a person: of what the resource says in all its
versions, and of the notes and reasons that its principals wrote. They read
[erased] from then on: in the log, the record, reports and every backup of the
log; an export leaves them out. Numbers, dates and statuses stay. It cannot be
undone.

The erasure is an event itself; its reason is kept in the clear for ever, so
nothing personal belongs into it. A backup of the keys that was made before can
still open a copy of the log: delete such backups. See docs/privacy.md.`,
		Example: `  setpoint person erase p-4711 --reason "request 2026-118"
  setpoint person erase p-4711 --reason "request 2026-118" --yes -o json`,
		Args:              exactArgs("NAME"),
		ValidArgsFunction: a.completeName("person", true),
	}
	w.register(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := w.check(); err != nil {
			return err
		}
		name := strings.TrimPrefix(args[0], "person/")
		if strings.TrimSpace(w.reason) == "" {
			return &usageError{message: "missing --reason WHY", hint: "for example the number of the request; nothing personal, it is kept in the clear"}
		}
		if !yes {
			if !a.stdinIsTerminal() {
				return &usageError{message: "an erasure cannot be undone", hint: "give --yes"}
			}
			if goOn, err := a.confirm(ctx, "Erase Person/"+name+" for ever?"); err != nil || !goOn {
				return err
			}
		}
		res, err := a.client().admin.ErasePerson(ctx, &adminv1.ErasePersonRequest{
			RequestId: requestID(), Name: name, Reason: w.reason, Manager: w.manager,
		})
		if err != nil {
			return a.perhaps(err)
		}
		a.settle(ctx, res.GetRevision())
		if *f != asTable {
			return a.writeMessage(*f, res)
		}
		if !res.GetErased() {
			a.printf("Person/%s was erased before, at revision %d. Erasure epoch %d.\n", name, res.GetRevision(), res.GetErasureEpoch())
			return nil
		}
		a.printf("%s\n", a.colors(a.opts.Stdout).with(red, "- Person/"+name+" erased")+
			". Revision "+itoa(res.GetRevision())+", erasure epoch "+itoa(int64(res.GetErasureEpoch()))+".")
		a.printf("Keys destroyed: %s\n", strings.Join(res.GetHolders(), ", "))
		return nil
	})
	return cmd
}

func (a *app) personKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Back up and restore the keys of personal data",
		Long: `Keys backs up, apart from the log, the keys that an organization's personal data
is encrypted with. Who has both a backup of the log and one of the keys can read
everything: keep them in two places, and keep backups of keys for a short time,
as they outlive erasures.`,
		RunE: needsSubcommand("missing what to do", "legal are backup and restore"),
	}
	cmd.AddCommand(a.keysBackupCommand(), a.keysRestoreCommand())
	return cmd
}

func (a *app) keysBackupCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "backup --out FILE",
		Short: "Write an organization's keys to a file",
		Long: `Backup writes the keys of the organization (--org, or the token's) to a file that
only its owner may read, with a checksum. The file is not encrypted.`,
		Example: `  setpoint person keys backup -o keys-acme.jsonl
  setpoint person keys backup -o - | age -r age1… > keys-acme.age`,
		Args: exactArgs(),
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "the `FILE` to write; - is standard output")
	_ = cmd.MarkFlagFilename("out")
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if out == "" {
			return &usageError{message: "missing --out FILE", hint: "- writes to standard output"}
		}
		stream, err := a.client().admin.BackupKeys(ctx, &adminv1.BackupKeysRequest{})
		if err != nil {
			return err
		}
		content, err := keysOf(stream)
		if err != nil {
			return err
		}
		if out == "-" {
			_, err := a.out.Write(content)
			return err
		}
		if err := writeFileAs(ctx, out, content, 0o600); err != nil {
			return err
		}
		a.warnf("%s: %d keys. Keep the file apart from backups of the log\n", out, strings.Count(string(content), "\n")-2)
		return nil
	})
	return cmd
}

func keysOf(stream *connect.ServerStreamForClient[adminv1.BackupKeysResponse]) ([]byte, error) {
	defer func() { _ = stream.Close() }()
	var content []byte
	for stream.Receive() {
		content = append(content, stream.Msg().GetContent()...)
	}
	return content, stream.Err()
}

func (a *app) keysRestoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put back an organization's keys that are missing",
		Long: `Restore puts back what a backup of the keys holds and the server has not. Keys
that are there stay as they are. Who was erased stays erased: restore the log
first, so that its erasures are known.`,
		Example: `  setpoint person keys restore keys-acme.jsonl`,
		Args:    exactArgs("FILE"),
	}
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		content, err := readFile(ctx, args[0], math.MaxInt64)
		if err != nil {
			return err
		}
		res, err := a.client().admin.RestoreKeys(ctx, &adminv1.RestoreKeysRequest{Content: content})
		if err != nil {
			return a.perhaps(err)
		}
		if *f != asTable {
			return a.writeMessage(*f, res)
		}
		a.printf("%d keys restored, %d were there, %d stay erased.\n", res.GetRestored(), res.GetUnchanged(), len(res.GetErased()))
		return nil
	})
	return cmd
}

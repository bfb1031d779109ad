package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) restoreCommand() *cobra.Command {
	var place placeFlags
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the log of a backup, on an empty server",
		Long: `Restore checks a whole backup, and then writes the log in it into an empty data
folder (--data) or onto NATS servers that hold no log (--nats-url). Every message
gets its old revision; the log gets a new id, and remembers the one it comes
from. What was written is read back and compared before the log may be used.

Where there is a log or a record already, nothing is done. A restore that is
stopped midway leaves what no server starts on; run it again, and it begins anew.

The keys of personal data are not touched: restore them first, or after it.`,
		Example: `  setpoint restore setpoint.backup --data /var/lib/setpoint
  setpoint restore setpoint.backup --nats-url nats://a:4222,nats://b:4222 --nats-creds setpoint.creds`,
		Args: exactArgs("FILE"),
	}
	f := outputFlag(cmd)
	place.register(cmd, "restore into")
	cmd.Flags().IntVar(&place.NATS.Replicas, "replicas", 0, "copies of the log on the NATS servers; default 3 on a cluster")
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		given, err := place.given(ctx)
		if err != nil {
			return err
		}
		if !given {
			return &usageError{message: "missing --data FOLDER or --nats-url URL", hint: "they say where the log is to be made"}
		}
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
		b, err := m.Restore(ctx, place.Place, file, bars.tell)
		if err != nil {
			return err
		}
		bars.end()
		if *f != asTable {
			return a.writeStructured(*f, b)
		}
		a.printf("restored %s as log %s\n", b.describe(), b.RestoredAs)
		return nil
	})
	return cmd
}

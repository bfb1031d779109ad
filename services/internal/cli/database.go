package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"setpoint.dev/services/internal/record/postgres"
)

func (a *app) databaseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "database",
		Short: "Prepare the PostgreSQL database of a record",
		RunE:  needsSubcommand("missing what to do", "legal is roles"),
	}
	cmd.AddCommand(a.databaseRolesCommand())
	return cmd
}

func (a *app) databaseRolesCommand() *cobra.Command {
	var schema, database string
	cmd := &cobra.Command{
		Use:   "roles",
		Short: "Print the script that makes the roles owner, writer and reader",
		Long: `Roles prints a script for the database's administrator, to be run once, or
again without harm. It divides who makes and migrates the tables, who writes rows, and who reads the
views, each reader the rows of its organizations only. It is not needed where one
role does everything.`,
		Example: `  setpoint database roles | psql --dbname setpoint
  setpoint database roles --database planning --schema sp`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			script, err := postgres.RolesSQL(schema, database)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), script)
			return err
		},
	}
	cmd.Flags().StringVar(&database, "database", "setpoint", "name of the database")
	cmd.Flags().StringVar(&schema, "schema", "setpoint", "schema of the record, with which the roles' names begin")
	_ = cmd.RegisterFlagCompletionFunc("database", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("schema", cobra.NoFileCompletions)
	return cmd
}

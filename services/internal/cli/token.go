package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/token"
)

func (a *app) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke the tokens of a server",
		Long: `Token keeps the file of tokens that a server is started with (--token-file). A
running server follows the file within a second.`,
		RunE: needsSubcommand("missing what to do", "legal are create, list and revoke"),
	}
	cmd.AddCommand(a.tokenCreateCommand(), a.tokenListCommand(), a.tokenRevokeCommand())
	return cmd
}

// tokenFile is --file, or what the server itself would take.
type tokenFile struct{ path string }

func (f *tokenFile) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.path, "file", "", "the file of tokens; default SETPOINT_TOKEN_FILE")
	_ = cmd.MarkFlagFilename("file")
}

func (a *app) tokenPath(f tokenFile) (string, error) {
	if f.path != "" {
		return f.path, nil
	}
	if path, ok := a.opts.Env(envName("token-file")); ok && path != "" {
		return path, nil
	}
	return "", &usageError{message: "missing --file FILE", hint: "the same file is given to the server as --token-file"}
}

func (a *app) tokenCreateCommand() *cobra.Command {
	var file tokenFile
	var role, id, expires, note string
	cmd := &cobra.Command{
		Use:   "create --file FILE --org ORG --role ROLE",
		Short: "Make a token and print it, once",
		Long: `Create makes a token for one organization (--org) and adds it to the file, which
is made if missing, readable by its owner only. The token is printed this once:
the file holds its hash.

A viewer reads; a contributor also records observations and check-ins; an editor
also applies and deletes; an admin also operates the service.`,
		Example: `  setpoint token create --file tokens --org acme --role editor --note "CI of the strategy office"
  setpoint token create --file tokens --org acme --role viewer --principal board --expires 2027-03-31
  export SETPOINT_TOKEN=$(setpoint token create --file tokens --org acme --role admin --expires 1d)`,
		Args: exactArgs(),
	}
	file.register(cmd)
	cmd.Flags().StringVar(&role, "role", "", "viewer, contributor, editor or admin")
	cmd.Flags().StringVar(&id, "principal", "", "opaque id of who acts, kept in the history; default token-<id>")
	cmd.Flags().StringVar(&expires, "expires", "90d", "days from now, or the last day it is valid on (`90d|DATE`, UTC); at most five years")
	cmd.Flags().StringVar(&note, "note", "", "what it is for, one line")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions(principal.RoleNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = runE(func(context.Context, []string) error {
		path, err := a.tokenPath(file)
		if err != nil {
			return err
		}
		if role == "" {
			return &usageError{message: "missing --role ROLE", hint: "legal are " + listed(principal.RoleNames(), "and")}
		}
		as, err := principal.ParseRole(role)
		if err != nil {
			return usagef("--role: %q is not a role; legal are %s", role, listed(principal.RoleNames(), "and"))
		}
		now := a.opts.Now()
		until, err := token.ParseExpiry(expires, now)
		if err != nil {
			return usagef("--expires: %q is neither a number of days (90d) nor a date (2027-03-31)", expires)
		}
		made, whole, err := token.Create(path, token.Grant{Org: a.org, Principal: id, Role: as, Expires: until, Note: note}, now)
		if err != nil {
			return err
		}
		a.warnf("token %s: %s of %s as %s, until %s\nIt is shown this once:\n", made.ID, made.Role, made.Org, made.Principal, instant(made.Expires))
		a.printf("%s\n", whole)
		return nil
	})
	return cmd
}

// listedToken is a token as -o json shows it.
type listedToken struct {
	ID        string `json:"id"`
	Org       string `json:"org"`
	Role      string `json:"role"`
	Principal string `json:"principal"`
	State     string `json:"state"`
	Created   string `json:"created"`
	Expires   string `json:"expires"`
	Revoked   string `json:"revoked,omitempty"`
	Note      string `json:"note,omitempty"`
}

func (a *app) tokenListCommand() *cobra.Command {
	var file tokenFile
	cmd := &cobra.Command{
		Use:     "list --file FILE",
		Short:   "List the tokens of a file",
		Example: "  setpoint token list --file tokens",
		Args:    exactArgs(),
	}
	file.register(cmd)
	f := outputFlag(cmd)
	cmd.RunE = runE(func(context.Context, []string) error {
		path, err := a.tokenPath(file)
		if err != nil {
			return err
		}
		tokens, err := token.List(path)
		if err != nil {
			return err
		}
		now := a.opts.Now()
		list := make([]listedToken, 0, len(tokens))
		var rows [][]string
		for _, t := range tokens {
			l := listedToken{
				ID: t.ID, Org: t.Org, Role: t.Role.String(), Principal: t.Principal, State: t.State(now),
				Created: instant(t.Created), Expires: instant(t.Expires), Note: t.Note,
			}
			if !t.Revoked.IsZero() {
				l.Revoked = instant(t.Revoked)
			}
			list = append(list, l)
			rows = append(rows, []string{l.ID, l.Org, l.Role, l.Principal, l.State, l.Expires, printable(l.Note)})
		}
		if *f != asTable {
			return a.writeStructured(*f, map[string]any{"tokens": list})
		}
		if len(rows) == 0 {
			a.printf("no tokens\n")
			return nil
		}
		a.printf("%s", renderTable([]column{
			{Title: "ID"}, {Title: "ORG"}, {Title: "ROLE"}, {Title: "PRINCIPAL", Shrink: 12}, {Title: "STATE"},
			{Title: "EXPIRES", Drop: 2}, {Title: "NOTE", Shrink: 10, Drop: 1},
		}, rows, a.width(), a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

func (a *app) tokenRevokeCommand() *cobra.Command {
	var file tokenFile
	cmd := &cobra.Command{
		Use:   "revoke --file FILE ID",
		Short: "End a token",
		Long: `Revoke ends a token at once. It is named by its id, as list shows it, or by the
whole token, if that is what was found where it should not be.`,
		Example: "  setpoint token revoke --file tokens 5xk2n7qe4m",
		Args:    exactArgs("ID"),
	}
	file.register(cmd)
	cmd.RunE = runE(func(_ context.Context, args []string) error {
		path, err := a.tokenPath(file)
		if err != nil {
			return err
		}
		t, err := token.Revoke(path, args[0], a.opts.Now())
		if err != nil {
			return err
		}
		a.printf("token %s (%s of %s as %s) is revoked since %s\n", t.ID, t.Role, t.Org, t.Principal, instant(t.Revoked))
		return nil
	})
	return cmd
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

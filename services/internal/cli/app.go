package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is one run: its options, the global flags, and the clients once a
// command needs the server.
type app struct {
	opts    Options
	out     *stickyWriter
	started bool // a command's own code has begun
	// completing a line of the shell: one quick question, no second try.
	completing bool

	server, org, token, actor string
	named                     struct{ org, actor bool } // on the command line or in the environment
	timeout                   time.Duration
	noColor                   bool

	clients *clients
}

func newApp(opts Options) *app {
	return &app{opts: opts, out: &stickyWriter{w: opts.Stdout}}
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "setpoint COMMAND",
		Short: "Desired-state management for organizations",
		Long: `Setpoint holds an organization's strategy as a desired state: declare it in
manifests, observe what is, compare the two, act on the gaps, repeat. Most
commands ask a server; init, plan --offline, schema and completion need none.

What was known at another time: --revision or --known-at. What is evaluated at
another day: --as-of. Results go to standard output, questions, progress and
errors to standard error.

Every flag can also be set as SETPOINT_<FLAG> in the environment, for example
SETPOINT_SERVER; the command line wins.

Exit codes: 0 ok; 1 error, nothing more was done than the message says; 2 plan
or diff found changes; 64 wrong usage, nothing was asked of the server; 130
interrupted.`,
		Example: `  setpoint dev                                 # the whole service in one process
  setpoint plan -f plan/                       # what would change?
  setpoint apply -f plan/                      # make it so
  setpoint observe vacant-space 0.031 --at FY2018
  setpoint gaps --strategy gsa-2018-2022       # where are we behind?
  setpoint describe target vacant-space        # and why?`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
				return nil // a shell asks: nothing it could show is worth an error
			}
			if err := refuseEmpty(cmd); err != nil {
				return err
			}
			if err := a.flagsFromEnv(cmd.Flags()); err != nil {
				return err
			}
			a.started = true
			a.named.org, a.named.actor = cmd.Flags().Changed("org"), cmd.Flags().Changed("actor")
			return a.checkGlobals()
		},
	}
	root.SetIn(a.opts.Stdin)
	root.SetOut(a.out)
	root.SetErr(a.opts.Stderr)
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{cmd: cmd, message: flagWords(err), hint: flagHint(cmd, err)}
	})

	f := root.PersistentFlags()
	f.StringVar(&a.server, "server", "http://127.0.0.1:8080", "address of the server")
	f.StringVar(&a.org, "org", "default", "organization")
	f.StringVar(&a.token, "token", "", "bearer token")
	f.StringVar(&a.actor, "actor", "local", "opaque id of who acts, kept in the history")
	f.DurationVar(&a.timeout, "timeout", 2*time.Minute, "longest wait for an answer of the server, with all tries; what streams, such as watching and backups, is not bounded")
	f.BoolVar(&a.noColor, "no-color", false, "no colours on a terminal (also NO_COLOR)")
	for _, name := range []string{"server", "org", "token", "actor", "timeout"} {
		_ = root.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}

	root.AddGroup(
		&cobra.Group{ID: "declare", Title: "Declare:"},
		&cobra.Group{ID: "observe", Title: "Observe:"},
		&cobra.Group{ID: "compare", Title: "Compare:"},
		&cobra.Group{ID: "act", Title: "Act:"},
		&cobra.Group{ID: "operate", Title: "Operate:"},
	)
	root.SetCompletionCommandGroupID("operate")
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("declare", a.initCommand(), a.planCommand(), a.applyCommand(), a.diffCommand(),
		a.getCommand(), a.describeCommand(), a.historyCommand(), a.exportCommand(), a.deleteCommand(), a.schemaCommand())
	add("observe", a.observeCommand(), a.importCommand(), a.adoptCommand(), a.checkInCommand())
	add("compare", a.gapsCommand(), a.forecastCommand(), a.whatIfCommand(), a.suggestCommand(), a.reportCommand(), a.policyCommand(), a.eventsCommand())
	add("act", a.initiativeCommand(), a.changeCommand(), a.reviewCommand())
	add("operate", a.devCommand(), a.serveCommand(), a.webhookCommand(), a.tokenCommand(), a.databaseCommand(), a.personCommand(), a.statusCommand(),
		a.projectionsCommand(), a.doctorCommand(), a.backupCommand(), a.restoreCommand(), a.versionCommand())
	root.SetHelpCommand(a.helpCommand(root))
	root.InitDefaultCompletionCmd(a.opts.Args...)
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args = cobra.ArbitraryArgs
		completion.RunE = needsSubcommand("missing the shell", "legal are bash, fish, powershell and zsh")
		completion.Example = "  setpoint completion bash > /etc/bash_completion.d/setpoint"
	}
	return root
}

// needsSubcommand refuses a command that does nothing by itself.
func needsSubcommand(missing, hint string) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return &usageError{cmd: cmd, message: missing, hint: hint}
	}
}

// helpCommand differs from cobra's in that an unknown topic is an error.
func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		GroupID: "operate",
		Short:   "Help about any command",
		Example: "  setpoint help plan",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknownCommand(cmd, rest[0])
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

func (a *app) warnf(format string, args ...any) { fmt.Fprintf(a.opts.Stderr, format, args...) }

func (a *app) stdinIsTerminal() bool { return a.opts.IsTerminal(a.opts.Stdin) }

// colors tells whether w may be written in colour.
func (a *app) colors(stream any) paint {
	if a.noColor || !a.opts.IsTerminal(stream) {
		return false
	}
	if v, ok := a.opts.Env("NO_COLOR"); ok && v != "" {
		return false
	}
	if v, _ := a.opts.Env("TERM"); v == "dumb" {
		return false
	}
	return true
}

// today is the calendar date where the user is.
func (a *app) today() string { return a.opts.Now().Format(time.DateOnly) }

var labelPattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (a *app) checkGlobals() error {
	if !labelPattern.MatchString(a.org) {
		return usagef("--org: %q is not the name of an organization; legal are lower-case letters, digits and - inside, at most 63", a.org)
	}
	if err := checkServerURL(a.server); err != nil {
		return err
	}
	a.server = strings.TrimRight(a.server, "/")
	a.token = strings.TrimSpace(a.token)
	for _, x := range []struct{ flag, v string }{{"token", a.token}, {"actor", a.actor}} {
		if strings.ContainsFunc(x.v, func(r rune) bool { return r < ' ' || r > '~' }) {
			return usagef("--%s: only printable ASCII is legal", x.flag)
		}
	}
	if a.timeout <= 0 {
		return usagef("--timeout: %s is not a positive duration", a.timeout)
	}
	return nil
}

// lineOnly marks a flag that counts on the command line only, because a variable
// that is there for another command would change what this one does.
const lineOnly = "setpoint_line_only"

// flagsFromEnv sets each flag that the command line left alone from
// SETPOINT_<FLAG>; an empty variable counts as unset.
func (a *app) flagsFromEnv(flags *pflag.FlagSet) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || f.Annotations[lineOnly] != nil || err != nil {
			return
		}
		name := envName(f.Name)
		v, ok := a.opts.Env(name)
		if !ok || v == "" {
			return
		}
		if setErr := flags.Set(f.Name, v); setErr != nil {
			err = usagef("%s=%q in the environment: %s", name, v, flagWords(setErr))
		}
	})
	return err
}

// emptyLegal are the flags that may be given as an empty text: it says nothing,
// and nothing else is done than without them.
var emptyLegal = []string{"token", "note", "reason", "source", "evidence", "basis", "title", "response"}

// refuseEmpty refuses flags that the command line gives as "", as a script does
// whose variable is not set. Taken as left out, --set "" --prune would retire what
// belongs to no set, --at "" record a value at today, --token-file "" ask no token.
func refuseEmpty(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			values = many.GetSlice()
		}
		if err == nil && slices.Contains(values, "") && !slices.Contains(emptyLegal, f.Name) {
			err = &usageError{cmd: cmd, message: "--" + f.Name + " is empty",
				hint: "is a variable of the shell not set? Leave the flag out if nothing is meant"}
		}
	})
	return err
}

func envName(flag string) string {
	return "SETPOINT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// numeric are the commands with a number among their arguments. Where a negative
// one is not legal, the command can say so better than the flag parser.
var numeric = []string{
	"setpoint observe", "setpoint initiative spend", "setpoint initiative completion", "setpoint initiative benefit",
}

// negativeNumbersLast moves a value such as -0.004 behind a "--", where the
// flag parser does not take it for a row of short flags.
func negativeNumbersLast(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil || !slices.Contains(numeric, cmd.CommandPath()) {
		return args
	}
	var kept, numbers []string
	for i, arg := range args {
		if arg == "--" {
			return args
		}
		if len(arg) > 1 && arg[0] == '-' && (arg[1] == '.' || arg[1] >= '0' && arg[1] <= '9') &&
			(i == 0 || !takesValue(cmd, args[i-1])) {
			numbers = append(numbers, arg)
			continue
		}
		kept = append(kept, arg)
	}
	if numbers == nil {
		return args
	}
	return append(append(kept, "--"), numbers...)
}

// takesValue reports whether arg is a flag whose value is the next argument.
func takesValue(cmd *cobra.Command, arg string) bool {
	var f *pflag.Flag
	switch {
	case strings.Contains(arg, "="):
	case strings.HasPrefix(arg, "--"):
		if f = cmd.Flags().Lookup(arg[2:]); f == nil {
			f = cmd.InheritedFlags().Lookup(arg[2:])
		}
	case len(arg) == 2 && arg[0] == '-':
		f = cmd.Flags().ShorthandLookup(arg[1:])
	}
	return f != nil && f.NoOptDefVal == ""
}

// runE is the signature of a command without the context's detour.
func runE(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := f(cmd.Context(), args)
		if u, ok := err.(*usageError); ok && u.cmd == nil {
			u.cmd = cmd
		}
		return err
	}
}

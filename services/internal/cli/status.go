package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/fault"
)

func (a *app) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show where the log and the projections stand",
		Long: `Status asks the server for its version, its logs and its projections. It fails
where a projection has halted.`,
		Example: "  setpoint status\n  setpoint status --server http://setpoint.example.org -o json",
		Args:    exactArgs(),
	}
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		res, err := a.client().admin.GetStatus(ctx, &adminv1.GetStatusRequest{})
		if err != nil {
			return err
		}
		if *f != asTable {
			err = a.writeMessage(*f, res)
		} else {
			a.printf("%s", renderStatus(a.server, res, a.width(), a.colors(a.opts.Stdout)))
		}
		if err != nil {
			return err
		}
		for _, p := range res.GetProjections() {
			if p.GetState() == "halted" {
				return fault.New(fault.Unavailable, "cli.projection_halted", "the projection %s has halted at revision %d: %s",
					p.GetName(), p.GetRevision(), p.GetMessage())
			}
		}
		return nil
	})
	return cmd
}

func renderStatus(server string, res *adminv1.GetStatusResponse, width int, color paint) string {
	s := fmt.Sprintf("setpoint %s at %s\n", printable(res.GetVersion()), server)
	heads := map[string]int64{}
	var rows [][]string
	for _, l := range res.GetLogs() {
		heads[l.GetStream()] = l.GetLastRevision()
		rows = append(rows, []string{printable(l.GetStream()), itoa(l.GetLastRevision()), printable(l.GetSync()), printable(l.GetLogId())})
	}
	if len(rows) > 0 {
		s += "\n" + renderTable([]column{
			{Title: "LOG"}, {Title: "REVISION", Right: true}, {Title: "SYNC"}, {Title: "ID", Shrink: 8},
		}, rows, width, color)
	}
	rows = nil
	for _, p := range res.GetProjections() {
		state := printable(p.GetState())
		if p.GetState() == "halted" {
			state = color.with(red, state)
		}
		behind := ""
		if head, ok := heads[p.GetStream()]; ok && head > p.GetRevision() {
			behind = itoa(head - p.GetRevision())
		}
		rows = append(rows, []string{
			printable(p.GetName()), printable(p.GetStream()), itoa(p.GetRevision()), behind, state, printable(p.GetProjector()), printable(p.GetMessage()),
		})
	}
	if len(rows) > 0 {
		s += "\n" + renderTable(dropEmpty([]column{
			{Title: "PROJECTION"}, {Title: "LOG"}, {Title: "REVISION", Right: true}, {Title: "BEHIND", Right: true},
			{Title: "STATE"}, {Title: "PROJECTED BY", Shrink: 10}, {Title: "MESSAGE", Shrink: 20},
		}, rows, width, color))
	}
	return s
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the version of this binary",
		Example: "  setpoint version",
		Args:    exactArgs(),
		RunE: runE(func(context.Context, []string) error {
			a.printf("setpoint %s %s %s/%s\n", a.version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		}),
	}
}

// version is the one given, else the module's, else the commit's.
func (a *app) version() string {
	if a.opts.Version != "" {
		return a.opts.Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}

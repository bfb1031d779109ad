package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/services/internal/fault"
)

func (a *app) doctorCommand() *cobra.Command {
	var place placeFlags
	var deep bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the log and what was made of it, and say what to do",
		Long: `Doctor asks the running server to check the log from end to end (nothing missing,
every commit whole, every envelope and event readable, every hash as it must be),
the record against it, the disk, the clocks, the settings and the versions. Each
finding says how bad it is, where it is, and what to do.

With --data it reads the files of a stopped service instead, also of one that
does not start. Nothing in the folder is changed, except that SQLite may make
its index of a record's write-ahead log anew where the service was killed. With
--nats-url it checks the log on NATS servers.

It fails (exit code 1) where it finds an error.`,
		Example: `  setpoint doctor
  setpoint doctor --deep                       # also compare every row of the record with the log
  setpoint doctor --data /var/lib/setpoint     # a service that does not start
  setpoint doctor -o json | jq '.findings[] | select(.severity=="error")'`,
		Args: exactArgs(),
	}
	f := outputFlag(cmd)
	place.register(cmd, "check")
	cmd.Flags().BoolVar(&deep, "deep", false, "fold the log again and compare every row of the record; takes as long as a rebuild")
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		elsewhere, err := place.given(ctx)
		if err != nil {
			return err
		}
		if elsewhere && deep {
			return &usageError{message: "--deep needs the running service", hint: "leave --data and --nats-url out"}
		}
		var findings []*adminv1.Finding
		found := func(f *adminv1.Finding) { findings = append(findings, f) }
		bars := &steps{app: a}
		defer bars.end()
		var sum *adminv1.DiagnoseSummary
		if elsewhere {
			m, err := a.maintenance()
			if err != nil {
				return err
			}
			place.Version = a.version()
			if sum, err = m.Diagnose(ctx, place.Place, found, bars.tell); err != nil {
				return err
			}
		} else if sum, err = a.diagnose(ctx, deep, found, bars.tell); err != nil {
			return err
		}
		bars.end()
		if err := a.writeDiagnosis(*f, findings, sum); err != nil {
			return err
		}
		if sum.GetErrors() > 0 {
			return exitCode(exitError)
		}
		return nil
	})
	return cmd
}

// diagnose asks the server.
func (a *app) diagnose(ctx context.Context, deep bool, found func(*adminv1.Finding), progress Progress) (*adminv1.DiagnoseSummary, error) {
	stream, err := a.client().admin.Diagnose(ctx, &adminv1.DiagnoseRequest{Deep: deep})
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	var sum *adminv1.DiagnoseSummary
	for stream.Receive() {
		switch p := stream.Msg().GetPart().(type) {
		case *adminv1.DiagnoseResponse_Finding:
			found(p.Finding)
		case *adminv1.DiagnoseResponse_Progress:
			progress("checking the "+printable(p.Progress.GetCheck()), p.Progress.GetDone(), p.Progress.GetTotal())
		case *adminv1.DiagnoseResponse_Summary:
			sum = p.Summary
		}
	}
	if err := stream.Err(); err != nil {
		return nil, err
	}
	if sum == nil {
		return nil, fault.New(fault.Unavailable, "cli.diagnosis_cut_off", "the server ended the diagnosis before its end").
			WithHint("ask again; setpoint status tells whether the server works")
	}
	return sum, nil
}

// severityName is "error" for SEVERITY_ERROR.
func severityName(s adminv1.Finding_Severity) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "SEVERITY_"))
}

// shownFinding is a finding as -o json shows it.
type shownFinding struct {
	Severity string `json:"severity"`
	Check    string `json:"check"`
	Reason   string `json:"reason"`
	Where    string `json:"where"`
	Message  string `json:"message"`
	Advice   string `json:"advice,omitempty"`
	First    uint64 `json:"first,omitempty"`
	Last     uint64 `json:"last,omitempty"`
}

func (a *app) writeDiagnosis(f format, findings []*adminv1.Finding, sum *adminv1.DiagnoseSummary) error {
	if f != asTable {
		shown := make([]shownFinding, 0, len(findings))
		for _, f := range findings {
			shown = append(shown, shownFinding{
				severityName(f.GetSeverity()), f.GetCheck(), f.GetReason(), f.GetWhere(), f.GetMessage(), f.GetAdvice(), f.GetFirst(), f.GetLast(),
			})
		}
		raw, err := encode(sum, true)
		if err != nil {
			return err
		}
		return a.writeStructured(f, struct {
			Findings []shownFinding  `json:"findings"`
			Summary  json.RawMessage `json:"summary"`
		}{shown, raw})
	}
	color := a.colors(a.opts.Stdout)
	var rows [][]string
	for _, f := range findings {
		rows = append(rows, []string{
			severityText(f.GetSeverity(), color), printable(f.GetCheck()), printable(f.GetWhere()), printable(f.GetMessage()),
		})
	}
	a.printf("%s", renderTable([]column{
		{Title: "SEVERITY"}, {Title: "CHECK"}, {Title: "WHERE", Shrink: 16, Name: true}, {Title: "FINDING", Shrink: 30},
	}, rows, a.width(), color))
	a.writeAdvice(findings)
	a.printf("\n%s: %s, %s, %s.\n", summaryHead(sum), counted(int(sum.GetErrors()), "error", "errors"),
		counted(int(sum.GetWarnings()), "warning", "warnings"), counted(int(sum.GetNotes()), "note", "notes"))
	return nil
}

func summaryHead(sum *adminv1.DiagnoseSummary) string {
	return fmt.Sprintf("Log %s at revision %d", printable(sum.GetLogId()), sum.GetRevision())
}

func severityText(s adminv1.Finding_Severity, color paint) string {
	name := severityName(s)
	switch s {
	case adminv1.Finding_SEVERITY_ERROR:
		return color.with(red, name)
	case adminv1.Finding_SEVERITY_WARNING:
		return color.with(yellow, name)
	}
	return name
}

// writeAdvice says once for each kind of finding what to do about it.
func (a *app) writeAdvice(findings []*adminv1.Finding) {
	said := map[string]bool{}
	for _, f := range findings {
		if f.GetAdvice() == "" || f.GetSeverity() < adminv1.Finding_SEVERITY_WARNING || said[f.GetReason()+f.GetAdvice()] {
			continue
		}
		if len(said) == 0 {
			a.printf("\nWhat to do:\n")
		}
		said[f.GetReason()+f.GetAdvice()] = true
		a.printf("  %s: %s\n", printable(f.GetReason()), printable(f.GetAdvice()))
	}
}

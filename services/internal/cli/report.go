package cli

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

var reportFormats = []string{"md", "html", "pdf", "xlsx", "json", "csv"}

var (
	reportAudiences = []string{"board", "owner", "analyst"}
	sinceForm       = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2}|[1-9][0-9]{0,18})?$`)
)

func (a *app) reportCommand() *cobra.Command {
	report := &cobra.Command{
		Use:   "report",
		Short: "Render a document",
		Example: `  setpoint report gap --strategy gsa-2018-2022 --format html -o report.html
  setpoint report gap --format md --as-of 2018-12-31`,
		Args: cobra.ArbitraryArgs,
		RunE: needsSubcommand("missing the report to render", "legal is gap"),
	}
	report.AddCommand(a.reportGapCommand())
	return report
}

func (a *app) reportGapCommand() *cobra.Command {
	var s snapshotFlags
	var out string
	req := &gapv1.ReportRequest{}
	cmd := &cobra.Command{
		Use:   "gap",
		Short: "The gap report of a strategy",
		Long: `Report gap renders the comparison as a document. The same day, the
same revision and the same erasure epoch give the same bytes. Written to a file,
its SHA-256 goes to standard error; it is that of the data, so that every format
has the same.

PDF has the summary on one page, objectives kept on a page, bookmarks, and charts as
vectors; characters that its font lacks are shown as missing, and named on
standard error. XLSX is a workbook with a table a sheet, numbers in their formats
and native charts. CSV is one row for each target, with raw numbers.

--since tells what changed since a revision or a day, and which events did it. Of
a day it is what was known at its end; where nothing was on record by then, it is
that day as it is known now. --audience board is the summary and what stands out;
owner adds an objective a page; analyst how each status came about.`,
		Example: `  setpoint report gap --strategy gsa-2018-2022 --format html -o report.html
  setpoint report gap --format pdf -o report.pdf
  setpoint report gap --format pdf --audience board --since 2018-09-30 -o board.pdf
  setpoint report gap --format xlsx -o gaps.xlsx
  setpoint report gap --format csv --original-targets -o gaps.csv
  setpoint report gap --format json --as-of 2018-12-31 --revision 4711`,
		Args: exactArgs(),
	}
	a.strategyFlag(cmd, &req.Strategy)
	cmd.Flags().StringVar(&req.Format, "format", "md", listed(reportFormats, "or"))
	a.asOfFlag(cmd, &req.AsOf)
	a.policyFlag(cmd, &req.Policy)
	cmd.Flags().BoolVar(&req.OriginalTargets, "original-targets", false, "judge against the targets as first declared")
	cmd.Flags().StringVar(&req.Since, "since", "", "what changed since this `REVISION|DAY`, and which events did it")
	cmd.Flags().StringVar(&req.Audience, "audience", "analyst", "how deep it goes: "+listed(reportAudiences, "or"))
	cmd.Flags().StringVarP(&out, "out", "o", "", "write to this `FILE` instead of standard output")
	_ = cmd.RegisterFlagCompletionFunc("since", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("audience", cobra.FixedCompletions(reportAudiences, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(reportFormats, cobra.ShellCompDirectiveNoFileComp))
	s.register(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if !slices.Contains(reportFormats, req.Format) {
			return usagef("--format: %q is not a format; legal are %s", req.Format, strings.Join(reportFormats, ", "))
		}
		if !slices.Contains(reportAudiences, req.Audience) {
			return usagef("--audience: %q is none; legal are %s", req.Audience, strings.Join(reportAudiences, ", "))
		}
		if !sinceForm.MatchString(req.Since) {
			return &usageError{message: "--since: " + strconv.Quote(req.Since) + " is neither a revision nor a day", hint: "4711 or YYYY-MM-DD"}
		}
		if binary := req.Format == "xlsx" || req.Format == "pdf"; binary && (out == "" || out == "-") && a.opts.IsTerminal(a.opts.Stdout) {
			return &usageError{message: "--format " + req.Format + " is not for a terminal", hint: "-o FILE writes it to a file; -o - to a pipe"}
		}
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		res, err := a.client().gap.Report(ctx, req)
		if err != nil {
			return err
		}
		for _, w := range res.GetWarnings() {
			a.warnf("warning: %s\n", w)
		}
		if out == "" || out == "-" {
			_, err := a.out.Write(res.GetContent())
			return err
		}
		if err := writeFile(ctx, out, res.GetContent()); err != nil {
			return err
		}
		epoch := ""
		if n := res.GetErasureEpoch(); n > 0 {
			epoch = ", erasure epoch " + itoa(int64(n))
		}
		a.warnf("%s: as of %s, revision %d%s, sha256 %s\n", out, res.GetAsOf(), res.GetRevision(), epoch, res.GetSha256())
		return nil
	})
	return cmd
}

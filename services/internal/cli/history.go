package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// historyPage is how many changes are asked for at a time.
const historyPage = 1000

func (a *app) historyCommand() *cobra.Command {
	var s snapshotFlags
	cmd := &cobra.Command{
		Use:   "history KIND NAME",
		Short: "Show who changed a resource, when, from what to what and why",
		Long: `History shows every change of one resource, newest first: who made it, with
what, when, from when it counts, why, and field by field from what to what; of an
initiative, a change program, a review and a webhook also every act, such as a stage
that moved or a review that was locked. It follows a resource through its renames;
one that was deleted is found by the last name it had.`,
		Example: `  setpoint history target vacant-space
  setpoint history metric/fedramp-systems --known-at 2026-03-31
  setpoint history target fedramp-2020 -o json`,
		Args:              betweenArgs(1, 2, "KIND and NAME"),
		ValidArgsFunction: a.completeResource(),
	}
	s.register(cmd)
	f := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		snapshot, err := s.snapshot()
		if err != nil {
			return err
		}
		k, name, err := splitKind(args)
		if err != nil {
			return err
		}
		if name == "" {
			return usagef("missing NAME: which %s?", strings.ToLower(k.Name))
		}
		res, err := a.history(ctx, k, name, snapshot)
		if err != nil {
			return err
		}
		if *f != asTable {
			return a.writeMessage(*f, res)
		}
		color := a.colors(a.opts.Stdout)
		for i, e := range res.GetEntries() {
			if i > 0 {
				a.printf("\n")
			}
			a.printf("%s", renderEntry(k, e, color))
		}
		return nil
	})
	return cmd
}

// history reads all pages and joins them.
func (a *app) history(ctx context.Context, k kind, name string, s *moment) (*declarationv1.HistoryResponse, error) {
	req := &declarationv1.HistoryRequest{Kind: k.Name, Name: name, Revision: s.GetRevision(), KnownAt: s.GetKnownAt(), MinRevision: s.GetMinRevision(), PageSize: historyPage}
	all := &declarationv1.HistoryResponse{}
	for {
		res, err := a.client().declaration.History(ctx, req)
		if err != nil {
			return nil, err
		}
		all.Revision = res.GetRevision()
		all.Entries = append(all.Entries, res.GetEntries()...)
		if res.GetNextPageToken() == "" {
			return all, nil
		}
		if res.GetNextPageToken() == req.PageToken {
			return nil, errPaging()
		}
		req.PageToken = res.GetNextPageToken()
	}
}

// renderEntry is one change: what in the symbols of a plan, then who, when and
// why, then the fields.
func renderEntry(k kind, e *declarationv1.HistoryEntry, color paint) string {
	var b strings.Builder
	name := k.Name + "/" + e.GetName()
	switch e.GetAction() {
	case "create":
		name = color.with(green, "+ "+name+" created")
	case "delete":
		name = color.with(red, "- "+name+" deleted")
	case "act":
		name = color.with(cyan, "* "+printable(e.GetSummary()))
	case "rename":
		name = color.with(cyan, "> "+k.Name+"/"+e.GetRenamedFrom()+" renamed to "+e.GetName())
	default:
		name = color.with(yellow, "~ "+name+" changed")
	}
	fmt.Fprintf(&b, "%s\n", name)
	about := fmt.Sprintf("revision %d, %s, by %s", e.GetRevision(), e.GetRecorded(), actor(e.GetPrincipal(), e.GetManager()))
	if e.GetEffective() != "" && e.GetAction() != "act" { // an act says its day itself
		about += ", effective " + e.GetEffective()
	}
	if e.GetSet() != "" {
		about += ", set " + e.GetSet()
	}
	fmt.Fprintf(&b, "  %s\n", color.with(faint, printable(about)))
	if e.GetReason() != "" {
		fmt.Fprintf(&b, "  why: %s\n", printable(e.GetReason()))
	}
	for _, l := range e.GetLinks() {
		fmt.Fprintf(&b, "  link: %s\n", printable(l))
	}
	if len(e.GetMask()) > 0 && e.GetAction() != "create" {
		fmt.Fprintf(&b, "  sets: %s\n", clip(printable(strings.Join(e.GetMask(), ", ")), longestValue))
	}
	lines := changed(e.GetFields())
	if e.GetAction() == "create" {
		lines = created(e.GetFields())
	}
	for _, l := range lines {
		fmt.Fprintf(&b, "    %s\n", l)
	}
	return b.String()
}

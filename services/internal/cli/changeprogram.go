package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

func (a *app) changeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "change COMMAND",
		Short: "The human side: stages, forces, surveys, readiness and load of change programs",
		Long: `Programs, audiences and frameworks are declared in manifests (kinds ChangeProgram,
Audience, ChangeFramework). What happens is said here. Answers of surveys are
personal: they are encrypted with a key for each respondent, and only closed waves
have results, of at least 5 people (10 for distributions).`,
		Example: `  setpoint change describe onboarding
  setpoint change stage onboarding coalition --to in_place --evidence "twelve managers signed"
  setpoint change force onboarding old-tool --restraining --strength 4 --influenceability 2
  setpoint change wave open onboarding spring
  setpoint change survey import onboarding spring answers.csv
  setpoint change wave close onboarding spring
  setpoint change results onboarding`,
		RunE: needsSubcommand("missing the act", "legal are list, describe, stage, force, resistance, wave, survey, results and load"),
	}
	cmd.AddCommand(a.changeListCommand(), a.changeDescribeCommand(), a.changeStageCommand(), a.forceCommand(), a.resistanceCommand(),
		a.waveCommand(), a.surveyCommand(), a.resultsCommand(), a.loadCommand())
	return cmd
}

func (a *app) changeStageCommand() *cobra.Command {
	req := &changev1.MoveStageRequest{Manager: "cli"}
	cmd := &cobra.Command{
		Use: "stage PROGRAM STAGE", Short: "Say where a program stands with a stage", Args: exactArgs("PROGRAM", "STAGE"),
		Long: `Stage moves a stage of the program's framework, by name or number: not_started, in_progress, in_place
(with --evidence) or regressed (with --reason). Stages are concurrent: moving one
before an earlier one is in place is noted, never refused. Under lewin, moving on
while the restraining forces are not below the driving ones needs --reason.`,
		Example: `  setpoint change stage onboarding urgency --to in_progress
  setpoint change stage onboarding coalition --to in_place --evidence "twelve managers signed" --link https://example.org/charter
  setpoint change stage onboarding coalition --to regressed --reason "three have left"`,
		ValidArgsFunction: a.completeName("ChangeProgram", true),
	}
	f := cmd.Flags()
	f.StringVar(&req.To, "to", "", "not_started, in_progress, in_place or regressed")
	f.StringVar(&req.Evidence, "evidence", "", "what shows it")
	f.StringArrayVar(&req.Links, "link", nil, "a `URL` of evidence; may be repeated")
	f.StringVar(&req.Reason, "reason", "", "why")
	_ = cmd.RegisterFlagCompletionFunc("to", cobra.FixedCompletions([]string{"not_started", "in_progress", "in_place", "regressed"}, cobra.ShellCompDirectiveNoFileComp))
	dayFlag(cmd, &req.At, "it counts from")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if req.GetTo() == "" {
			return &usageError{message: "missing --to", hint: "not_started, in_progress, in_place or regressed"}
		}
		if err := checkDays(map[string]string{"--at": req.GetAt()}); err != nil {
			return err
		}
		req.RequestId, req.Program, req.Stage = requestID(), args[0], args[1]
		req.To = strings.NewReplacer(" ", "_", "-", "_").Replace(req.GetTo())
		res, err := a.client().change.MoveStage(ctx, req)
		if err != nil {
			return err
		}
		if *out == asTable {
			for _, w := range res.GetWarnings() {
				a.warnf("note: %s\n", printable(w))
			}
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("%s of %s is %s.", args[1], args[0], spaced(req.GetTo())))
	})
	return cmd
}

func spaced(status string) string { return strings.ReplaceAll(status, "_", " ") }

func (a *app) forceCommand() *cobra.Command {
	req := &changev1.DeclareForceRequest{Manager: "cli"}
	var driving, restraining, remove bool
	var reason string
	cmd := &cobra.Command{
		Use: "force PROGRAM NAME", Short: "Add, assess or remove a force of the force field", Args: exactArgs("PROGRAM", "NAME"),
		Long: `Force declares what drives or restrains the change, with a strength and an
influenceability from 1 to 5 each. Said again it is assessed anew.`,
		Example: `  setpoint change force onboarding customers --driving --strength 4 --influenceability 2 --title "Customers ask for it"
  setpoint change force onboarding old-tool --remove --reason "switched off"`,
		ValidArgsFunction: a.completeName("ChangeProgram", true),
	}
	f := cmd.Flags()
	f.BoolVar(&driving, "driving", false, "it drives the change")
	f.BoolVar(&restraining, "restraining", false, "it restrains the change")
	f.Int32Var(&req.Strength, "strength", 0, "1 to 5")
	f.Int32Var(&req.Influenceability, "influenceability", 0, "1 to 5: how far it can be influenced")
	f.StringVar(&req.Title, "title", "", "what it is")
	f.BoolVar(&remove, "remove", false, "take it out of the field")
	f.StringVar(&reason, "reason", "", "why it is removed")
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if remove {
			res, err := a.client().change.RemoveForce(ctx, &changev1.RemoveForceRequest{
				RequestId: requestID(), Program: args[0], Name: args[1], Reason: reason, Manager: "cli",
			})
			if err != nil {
				return err
			}
			return a.wrote(ctx, *out, res, fmt.Sprintf("%s is out of the field of %s.", args[1], args[0]))
		}
		if driving == restraining {
			return &usageError{message: "say what the force does", hint: "--driving or --restraining"}
		}
		for flag, v := range map[string]int32{"--strength": req.GetStrength(), "--influenceability": req.GetInfluenceability()} {
			if v < 1 || v > 5 {
				return usagef("%s: %d is not from 1 to 5", flag, v)
			}
		}
		req.RequestId, req.Program, req.Name, req.Kind = requestID(), args[0], args[1], "restraining"
		if driving {
			req.Kind = "driving"
		}
		res, err := a.client().change.DeclareForce(ctx, req)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("%s is a %s force of %s.", args[1], req.GetKind(), args[0]))
	})
	return cmd
}

func (a *app) resistanceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "resistance COMMAND", Short: "The log of what stands in the way",
		Example: `  setpoint change resistance raise onboarding "No time for training" --audience support --severity high
  setpoint change resistance answer onboarding res-4k2m --response "two hours a week are free" --close`,
		RunE: needsSubcommand("missing what to do", "legal are raise and answer; setpoint change describe lists the entries"),
	}
	raise := &changev1.RaiseResistanceRequest{Manager: "cli"}
	r := &cobra.Command{
		Use: "raise PROGRAM WHAT", Short: "Note what stands in the way, without names of people", Args: exactArgs("PROGRAM", "WHAT"),
		Example: `  setpoint change resistance raise onboarding "No time for training" --audience support --severity high`,
	}
	r.Flags().StringVar(&raise.Audience, "audience", "", "the `AUDIENCE` it is found with")
	r.Flags().StringVar(&raise.Severity, "severity", "medium", "low, medium or high")
	r.Flags().StringVar(&raise.Note, "note", "", "what explains it")
	dayFlag(r, &raise.At, "on which it was found")
	out := outputFlag(r)
	r.RunE = runE(func(ctx context.Context, args []string) error {
		if raise.GetAudience() == "" {
			return &usageError{message: "missing --audience", hint: "one of the program's audiences"}
		}
		if err := checkDays(map[string]string{"--at": raise.GetAt()}); err != nil {
			return err
		}
		raise.RequestId, raise.Program, raise.Title = requestID(), args[0], args[1]
		res, err := a.client().change.RaiseResistance(ctx, raise)
		if err != nil {
			return err
		}
		a.settle(ctx, res.GetRevision())
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		a.printf("Noted as %s. Revision %d.\n", res.GetResistance(), res.GetRevision())
		return nil
	})
	answer := &changev1.AnswerResistanceRequest{Manager: "cli"}
	n := &cobra.Command{
		Use: "answer PROGRAM RESISTANCE", Short: "Note what is done about it, and close it with --close", Args: exactArgs("PROGRAM", "RESISTANCE"),
		Example: `  setpoint change resistance answer onboarding res-4k2m --response "two hours a week are free" --close`,
	}
	n.Flags().StringVar(&answer.Response, "response", "", "what is done about it")
	n.Flags().BoolVar(&answer.Close, "close", false, "it is settled")
	dayFlag(n, &answer.At, "it is answered")
	answered := outputFlag(n)
	n.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--at": answer.GetAt()}); err != nil {
			return err
		}
		answer.RequestId, answer.Program, answer.Resistance = requestID(), args[0], args[1]
		res, err := a.client().change.AnswerResistance(ctx, answer)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *answered, res, args[1]+" is answered.")
	})
	cmd.AddCommand(r, n)
	return cmd
}

func (a *app) waveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "wave COMMAND", Short: "Open and close rounds of a survey",
		Example: "  setpoint change wave open onboarding spring\n  setpoint change wave close onboarding spring",
		RunE:    needsSubcommand("missing what to do", "legal are open and close"),
	}
	open := &changev1.OpenWaveRequest{Manager: "cli"}
	o := &cobra.Command{
		Use: "open PROGRAM WAVE", Short: "Begin a round of the survey", Args: exactArgs("PROGRAM", "WAVE"),
		Long: `Open begins a round. Everybody in the program's audiences is asked, unless
--invited AUDIENCE=PEOPLE says otherwise. Elements that apply only after the
program's go-live are left out before it.`,
		Example:           "  setpoint change wave open onboarding spring --at 2026-03-01 --invited support=40",
		ValidArgsFunction: a.completeName("ChangeProgram", true),
	}
	var invited map[string]int
	o.Flags().StringToIntVar(&invited, "invited", nil, "people asked, as `AUDIENCE=PEOPLE`; may be repeated")
	dayFlag(o, &open.At, "on which it is opened")
	out := outputFlag(o)
	o.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--at": open.GetAt()}); err != nil {
			return err
		}
		open.RequestId, open.Program, open.Wave = requestID(), args[0], args[1]
		open.Invited = map[string]int32{}
		for name, n := range invited {
			if n < 0 || n > 100_000_000 {
				return usagef("--invited: %s=%d is no number of people", name, n)
			}
			open.Invited[name] = int32(n)
		}
		res, err := a.client().change.OpenWave(ctx, open)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, fmt.Sprintf("Wave %s of %s is open.", args[1], args[0]))
	})
	shut := &changev1.CloseWaveRequest{Manager: "cli"}
	c := &cobra.Command{
		Use: "close PROGRAM WAVE", Short: "End a round and compute its results, once", Args: exactArgs("PROGRAM", "WAVE"),
		Long: `Close ends a round. Late answers are refused, and the results stand for ever: what
may be shown of them is decided now.`,
		Example:           "  setpoint change wave close onboarding spring",
		ValidArgsFunction: a.completeName("ChangeProgram", true),
	}
	dayFlag(c, &shut.At, "on which it is closed")
	closed := outputFlag(c)
	c.RunE = runE(func(ctx context.Context, args []string) error {
		if err := checkDays(map[string]string{"--at": shut.GetAt()}); err != nil {
			return err
		}
		shut.RequestId, shut.Program, shut.Wave = requestID(), args[0], args[1]
		res, err := a.client().change.CloseWave(ctx, shut)
		if err != nil {
			return err
		}
		return a.wrote(ctx, *closed, res, fmt.Sprintf("Wave %s of %s is closed.", args[1], args[0]))
	})
	cmd.AddCommand(o, c)
	return cmd
}

func (a *app) loadCommand() *cobra.Command {
	req := &changev1.GetLoadRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "load", Short: "What changes ask of each audience, by month, against its capacity", Args: cobra.NoArgs,
		Long: `Load adds up, for each audience and month, the hours that all programs ask of a
person (spread evenly over each program's days) and divides by the capacity: a
tenth of the contracted hours, unless the audience says otherwise. Above 80 % is a
warning, above 100 % an overload. A program whose initiative was cancelled by the
day that is evaluated asks for nothing from then on.`,
		Example: "  setpoint change load --from 2026-01 --to 2026-06 --as-of 2026-03-31",
	}
	cmd.Flags().StringVar(&req.From, "from", "", "first `MONTH` (YYYY-MM)")
	cmd.Flags().StringVar(&req.To, "to", "", "last `MONTH` (YYYY-MM)")
	cmd.Flags().StringVar(&req.Audience, "audience", "", "only this `AUDIENCE`")
	_ = cmd.RegisterFlagCompletionFunc("audience", a.completeName("Audience", true))
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		res, err := a.client().change.GetLoad(ctx, req)
		if err != nil {
			return err
		}
		columns := []column{
			{Title: "AUDIENCE", Shrink: 10, Name: true}, {Title: "MONTH"}, {Title: "HOURS", Right: true}, {Title: "CAPACITY", Right: true},
			{Title: "LOAD", Right: true}, {Title: "LEVEL"}, {Title: "FROM", Shrink: 16},
		}
		var rows [][]string
		for _, x := range res.GetAudiences() {
			for _, m := range x.GetMonths() {
				var from []string
				for _, p := range m.GetPrograms() {
					from = append(from, fmt.Sprintf("%s %.1f h", p.GetProgram(), p.GetHours()))
				}
				level := map[string]string{"fine": "", "warning": "▲ warning", "overload": "▼ overload"}[m.GetLevel()]
				rows = append(rows, []string{x.GetAudience(), m.GetMonth(), fmt.Sprintf("%.1f", m.GetHours()), fmt.Sprintf("%.1f", m.GetCapacity()),
					fmt.Sprintf("%.0f %%", 100*m.GetLoad()), level, strings.Join(from, ", ")})
			}
		}
		return a.writeTable(*out, res, columns, rows, "no program asks anything of an audience\n")
	})
	return cmd
}

func (a *app) changeListCommand() *cobra.Command {
	req := &changev1.ListProgramsRequest{}
	var s snapshotFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List change programs with their readiness", Args: cobra.NoArgs,
		Example: "  setpoint change list --initiative shared-platform",
	}
	cmd.Flags().StringVar(&req.Initiative, "initiative", "", "only those of this `INITIATIVE`")
	_ = cmd.RegisterFlagCompletionFunc("initiative", a.completeName("Initiative", true))
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := tabularFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		res, err := a.client().change.ListPrograms(ctx, req)
		if err != nil {
			return err
		}
		columns := []column{
			{Title: "PROGRAM", Shrink: 12, Name: true}, {Title: "TITLE", Shrink: 16, Cap: longestTitle, Drop: 2}, {Title: "FRAMEWORK"}, {Title: "INITIATIVE", Shrink: 12, Name: true},
			{Title: "READINESS", Right: true}, {Title: "BASIS"}, {Title: "ADOPTION", Right: true, Drop: 1}, {Title: "WAVES", Right: true}, {Title: "RESISTANCE", Right: true},
		}
		var rows [][]string
		for _, p := range res.GetPrograms() {
			open := 0
			for _, r := range p.GetState().GetResistance() {
				if r.GetClosed() == "" {
					open++
				}
			}
			resistance, waves := "", ""
			if open > 0 {
				resistance = fmt.Sprintf("%d open", open)
			}
			if n := len(p.GetWaves()); n > 0 {
				waves = fmt.Sprint(n)
			}
			rows = append(rows, []string{p.GetName(), printable(p.GetSpec().GetTitle()), p.GetSpec().GetFramework(), p.GetSpec().GetInitiative(),
				unknownOr(p.GetReadiness().Value), p.GetReadiness().GetBasis(), unknownOr(p.GetReadiness().Adoption), waves, resistance})
		}
		return a.writeTable(*out, res, columns, rows, "no change programs\n")
	})
	return cmd
}

// unknownOr writes a share of one with two decimals, ? where it is not known.
func unknownOr(v *float64) string {
	if v == nil {
		return "?"
	}
	return fmt.Sprintf("%.2f", *v)
}

func (a *app) changeDescribeCommand() *cobra.Command {
	req := &changev1.GetProgramRequest{}
	var s snapshotFlags
	var onlyASCII bool
	cmd := &cobra.Command{
		Use: "describe PROGRAM", Short: "All about one program, with a picture of where it stands", Args: exactArgs("PROGRAM"),
		Example:           "  setpoint change describe onboarding",
		ValidArgsFunction: a.completeName("ChangeProgram", true),
	}
	cmd.Flags().BoolVar(&onlyASCII, "ascii", false, "draw without Unicode")
	s.register(cmd)
	a.asOfFlag(cmd, &req.AsOf)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if err := s.into(&req.Revision, &req.KnownAt, req.GetAsOf()); err != nil {
			return err
		}
		req.Program = args[0]
		res, err := a.client().change.GetProgram(ctx, req)
		if err != nil {
			return err
		}
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		text, err := a.programPicture(ctx, res, onlyASCII)
		a.printf("%s", text)
		return err
	})
	return cmd
}

// programPicture is what describe shows of a program, with the results of its
// newest closed wave.
func (a *app) programPicture(ctx context.Context, res *changev1.GetProgramResponse, onlyASCII bool) (string, error) {
	var results *changev1.WaveState
	if wave := res.GetProgram().GetState().GetWave(); wave != "" {
		r, err := a.client().change.GetResults(ctx, &changev1.GetResultsRequest{Program: res.GetProgram().GetName(), Wave: wave, Revision: res.GetRevision()})
		if err != nil {
			return "", err
		}
		results = r.GetWave()
	}
	return programText(res, results, a.width(), a.glyphs(onlyASCII) == &ascii, a.colors(a.opts.Stdout)), nil
}

func programText(res *changev1.GetProgramResponse, results *changev1.WaveState, width int, ascii bool, color paint) string {
	p := res.GetProgram()
	b := &block{color: color}
	line := func(label, value string) { b.b.WriteString(labelled(label, value, width, color)) }
	line("Program", p.GetName())
	line("Title", printable(p.GetSpec().GetTitle()))
	line("Owner", printable(p.GetSpec().GetOwner()))
	line("Initiative", p.GetSpec().GetInitiative())
	framework := p.GetSpec().GetFramework()
	if t := p.GetFramework().GetTitle(); t != "" {
		framework += ", " + printable(t)
	}
	line("Framework", framework)
	dates := p.GetSpec().GetStart() + " to " + p.GetSpec().GetEnd()
	if g := p.GetSpec().GetGoLive(); g != "" {
		dates += ", go-live " + g
	}
	line("Dates", dates)
	var names []string
	for _, x := range p.GetSpec().GetAudiences() {
		names = append(names, x.GetAudience())
	}
	line("Audiences", strings.Join(names, ", "))
	if res.GetAsOf() != "" {
		line("As of", fmt.Sprintf("%s, revision %d", res.GetAsOf(), res.GetRevision()))
	} else {
		line("Revision", itoa(res.GetRevision()))
	}
	if s := p.GetFramework().GetStages(); len(s) > 0 {
		b.heading("Stages")
		b.b.WriteString(stagePicture(p, width, ascii))
	}
	if f := p.GetState().GetForces(); len(f) > 0 {
		b.heading("Force field")
		b.b.WriteString(forcePicture(f, width, ascii))
	}
	if results != nil {
		b.heading("Wave " + results.GetWave() + ", closed " + results.GetClosed())
		b.b.WriteString(wavePicture(p, results, width, ascii))
	}
	r := p.GetReadiness()
	b.heading("Readiness (heuristic)")
	if r.Value == nil {
		b.b.WriteString(flow("  ", "? "+cmp.Or(printable(r.GetUnknown()), "not known"), width))
	} else {
		fmt.Fprintf(&b.b, "  %s, adoption %s\n", unknownOr(r.Value), unknownOr(r.Adoption))
	}
	b.b.WriteString(flow("  ", r.GetFormula(), width))
	for _, name := range slices.Sorted(maps.Keys(r.GetInputs())) {
		fmt.Fprintf(&b.b, "  %-24s %.2f\n", name, r.GetInputs()[name])
	}
	if list := p.GetState().GetResistance(); len(list) > 0 {
		b.heading("Resistance")
		var rows [][]string
		for _, x := range list {
			status := "open"
			if x.GetClosed() != "" {
				status = "closed " + x.GetClosed()
			}
			rows = append(rows, []string{x.GetResistance(), x.GetSeverity(), x.GetAudience(), status, itoa(int64(x.GetResponses())), printable(x.GetTitle())})
		}
		b.b.WriteString(renderTable([]column{
			{Title: "ENTRY"}, {Title: "SEVERITY"}, {Title: "AUDIENCE"}, {Title: "STATUS"}, {Title: "RESPONSES", Right: true}, {Title: "WHAT", Shrink: 16},
		}, rows, width, color))
	}
	b.b.WriteString(actsText(res.GetActs(), width, color))
	return b.b.String()
}

// stagePicture shows each stage with a mark: ● in place, ◐ in progress, ○ not
// started, ▼ regressed.
func stagePicture(p *changev1.ProgramEntry, width int, ascii bool) string {
	mark := map[string]string{"in_place": "●", "in_progress": "◐", "not_started": "○", "regressed": "▼"}
	if ascii {
		mark = map[string]string{"in_place": "[x]", "in_progress": "[-]", "not_started": "[ ]", "regressed": "[!]"}
	}
	states := map[string]*changev1.StageState{}
	for _, s := range p.GetState().GetStages() {
		states[s.GetStage()] = s
	}
	var b strings.Builder
	for i, s := range p.GetFramework().GetStages() {
		status, more := "not_started", ""
		if st := states[s.GetName()]; st != nil {
			status = st.GetStatus()
			more = " since " + st.GetSince()
			if n := st.GetRegressions(); n > 0 {
				more += fmt.Sprintf(", went back %d×", n)
			}
		}
		if narrow(width, wideStages) {
			first := fmt.Sprintf("  %s %d %s", mark[status], i+1, s.GetName())
			indent := strings.Repeat(" ", 5+utf8.RuneCountInString(mark[status]))
			if title := printable(s.GetTitle()); text.StringWidthWithoutEscSequences(first+"  "+title) <= width {
				b.WriteString(first + "  " + title + "\n")
			} else {
				b.WriteString(first + "\n" + flow(indent, title, width))
			}
			b.WriteString(flow(indent, spaced(status)+more, width))
			continue
		}
		fmt.Fprintf(&b, "  %s %d %-14s %-42s %s%s\n", mark[status], i+1, s.GetName(), printable(s.GetTitle()), spaced(status), more)
	}
	return b.String()
}

// forcePicture draws the driving forces to the left and the restraining ones to
// the right of a line, as long as they are strong.
func forcePicture(forces []*changev1.Force, width int, ascii bool) string {
	bar, axis := "█", "│"
	if ascii {
		bar, axis = "#", "|"
	}
	var sides [2][]*changev1.Force
	var totals [2]int32
	for _, f := range forces {
		side := 0
		if f.GetKind() == "restraining" {
			side = 1
		}
		sides[side] = append(sides[side], f)
		totals[side] += f.GetStrength()
	}
	for _, s := range sides {
		slices.SortStableFunc(s, func(a, b *changev1.Force) int { return int(b.GetStrength() - a.GetStrength()) })
	}
	if narrow(width, wideForces) {
		return forcesBelow(sides, totals, bar, axis, (width-5)/2)
	}
	cell := func(side, row int) string {
		if row >= len(sides[side]) {
			return strings.Repeat(" ", 42)
		}
		f := sides[side][row]
		name := f.GetName()
		if f.GetTitle() != "" {
			name = f.GetTitle()
		}
		label := fmt.Sprintf("%s (i %d)", clip(printable(name), 24), f.GetInfluenceability())
		size := strings.Repeat(bar, 2*int(f.GetStrength()))
		if side == 0 {
			return fmt.Sprintf("%30s %11s", label, size)
		}
		return fmt.Sprintf("%-11s %-30s", size, label)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %42s %s %s\n", "driving", axis, "restraining")
	for row := range max(len(sides[0]), len(sides[1])) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %s %s %s", cell(0, row), axis, cell(1, row)), " ") + "\n")
	}
	fmt.Fprintf(&b, "  %42s %s R = %d\n", fmt.Sprintf("D = %d", totals[0]), axis, totals[1])
	return b.String()
}

// forcesBelow draws each force's bar below its name, half as wide as the terminal.
func forcesBelow(sides [2][]*changev1.Force, totals [2]int32, bar, axis string, half int) string {
	var b strings.Builder
	put := func(left, right string) {
		left, right = clip(left, half), clip(right, half)
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %s%s %s %s", strings.Repeat(" ", max(0, half-text.StringWidthWithoutEscSequences(left))), left, axis, right), " ") + "\n")
	}
	cell := func(side, row int) (name, drawn string) {
		if row >= len(sides[side]) {
			return "", ""
		}
		f := sides[side][row]
		influence := fmt.Sprintf(" (i %d)", f.GetInfluenceability())
		return clip(printable(cmp.Or(f.GetTitle(), f.GetName())), max(4, half-len(influence))) + influence, strings.Repeat(bar, 2*int(f.GetStrength()))
	}
	put("driving", "restraining")
	for row := range max(len(sides[0]), len(sides[1])) {
		left, leftBar := cell(0, row)
		right, rightBar := cell(1, row)
		put(left, right)
		put(leftBar, rightBar)
	}
	put(fmt.Sprintf("D = %d", totals[0]), fmt.Sprintf("R = %d", totals[1]))
	return b.String()
}

// wavePicture draws a bar for the mean of each element, from 1 to 5, with how
// many have their barrier point there.
func wavePicture(p *changev1.ProgramEntry, w *changev1.WaveState, width int, ascii bool) string {
	if len(w.GetResults().GetCells()) == 0 || w.GetResults().GetCells()[0].Respondents == nil {
		return flow("  ", fmt.Sprintf("Fewer than %d people answered, or the number would tell of them: nothing is shown.", w.GetResults().GetLeast()), width)
	}
	all := w.GetResults().GetCells()[0]
	titles := map[string]string{}
	for _, e := range p.GetFramework().GetElements() {
		titles[e.GetName()] = e.GetTitle()
	}
	barriers := map[string]string{}
	for _, c := range all.GetBarriers().GetElements() {
		barriers[c.GetElement()] = itoa(int64(c.GetCount()))
	}
	full, empty := "█", "░"
	if ascii {
		full, empty = "#", "."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %d of %d answered", all.GetRespondents(), all.GetInvited())
	if n := all.GetInvited(); n > 0 {
		fmt.Fprintf(&b, " (%.0f %%)", 100*float64(all.GetRespondents())/float64(n))
	}
	b.WriteString("\n")
	results := map[string]*changev1.ElementResult{}
	for _, e := range all.GetElements() {
		results[e.GetElement()] = e
	}
	if !narrow(width, wideElements) {
		fmt.Fprintf(&b, "  %-16s %-20s  %5s  %7s  %8s\n", "", "1                  5", "mean", "barrier", "change")
	}
	for _, name := range w.GetElements() {
		e := results[name]
		title := name
		if t := titles[name]; t != "" {
			title = t
		}
		if e == nil || e.Mean == nil {
			fmt.Fprintf(&b, "  %-16s %s\n", clip(printable(title), 16), "not shown")
			continue
		}
		// The bar of narrow terminals leaves room for the mean.
		wide := 20
		if narrow(width, wideElements) {
			wide = min(20, max(5, width-9))
		}
		n := min(wide, max(0, int((e.GetMean()-1)/4*float64(wide)+0.5)))
		change := ""
		if e.Change != nil {
			change = fmt.Sprintf("%+.2f (%d)", e.GetChange(), e.GetPairs())
		}
		barrier := barriers[name]
		if all.GetBarriers() == nil {
			barrier = "–"
		}
		if narrow(width, wideElements) {
			say := "barrier " + barrier
			if change != "" {
				say += ", change " + change
			}
			fmt.Fprintf(&b, "  %s\n  %s%s  %.2f\n%s", clip(printable(title), width-2), strings.Repeat(full, n), strings.Repeat(empty, wide-n), e.GetMean(), flow("    ", say, width))
			continue
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-16s %s%s  %5.2f  %7s  %s", clip(printable(title), 16), strings.Repeat(full, n), strings.Repeat(empty, 20-n), e.GetMean(), barrier, change), " ") + "\n")
	}
	if x := all.GetBarriers(); x != nil {
		b.WriteString(flow("  ", fmt.Sprintf("no barrier %d, not known %d. A barrier is the first element at %s or lower.", x.GetNone(), x.GetUnknown(), formatNumber(w.GetBarrierAt())), width))
	}
	return b.String()
}

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
)

func (a *app) webhookCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "webhook COMMAND",
		Short: "Look after webhooks: how they fare, secrets, what was not taken",
		Long: `Webhooks are declared in manifests (kind Webhook): public events are posted to
them, signed by Standard Webhooks. Nothing is sent until there is a secret to sign
with: webhook rotate makes one, and shows it once. See docs/events.md.`,
		Example: `  setpoint apply -f webhook.yaml
  setpoint webhook rotate tickets            # shows the secret, once
  setpoint webhook test tickets
  setpoint webhook list
  setpoint webhook dead-letters tickets
  setpoint webhook redeliver tickets`,
		RunE: needsSubcommand("missing what to do", "legal are list, describe, test, rotate, enable, dead-letters and redeliver"),
	}
	cmd.AddCommand(a.webhookListCommand(), a.webhookDescribeCommand(), a.webhookTestCommand(), a.webhookRotateCommand(),
		a.webhookEnableCommand(), a.deadLettersCommand(), a.redeliverCommand())
	return cmd
}

func (a *app) webhookListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the webhooks and how they fare", Args: exactArgs(),
		Long: `List shows each webhook with its status: delivering; waiting for a secret to be
made; failing, and tried again; paused, as it is declared; disabled, because it
failed for days or answered 410. Pending counts events that it has not been
through, whether it wants them or not.`,
		Example: "  setpoint webhook list\n  setpoint webhook list -o json",
	}
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		res, err := a.client().event.ListWebhooks(ctx, &eventv1.ListWebhooksRequest{})
		if err != nil {
			return err
		}
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		if len(res.GetWebhooks()) == 0 {
			a.warnf("no webhooks are declared\n")
			return nil
		}
		var rows [][]string
		for _, w := range res.GetWebhooks() {
			rows = append(rows, []string{printable(w.GetName()), w.GetStatus(), itoa(w.GetPending()), itoa(int64(w.GetDeadLetters())),
				w.GetLastSuccess(), printable(w.GetFailure()), printable(w.GetSpec().GetUrl())})
		}
		a.printf("%s", renderTable([]column{{Title: "NAME", Shrink: 16, Name: true}, {Title: "STATUS"}, {Title: "PENDING", Right: true},
			{Title: "DEAD", Right: true}, {Title: "LAST SUCCESS", Drop: 3}, {Title: "FAILURE", Shrink: 16}, {Title: "URL", Shrink: 20, Drop: 2, Cap: longestTitle}},
			rows, a.width(), a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

func (a *app) webhookDescribeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "describe NAME", Short: "Show a webhook and how it fares", Args: exactArgs("NAME"),
		Long:              "Describe shows what a webhook is sent, and what became of the last attempts.",
		Example:           "  setpoint webhook describe tickets",
		ValidArgsFunction: a.completeName("Webhook", true),
	}
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		res, err := a.client().event.ListWebhooks(ctx, &eventv1.ListWebhooksRequest{Webhook: webhookName(args[0])})
		if err != nil {
			return err
		}
		w := res.GetWebhooks()[0]
		if *out != asTable {
			return a.writeMessage(*out, w)
		}
		every := func(list []string) string {
			if len(list) == 0 {
				return "all"
			}
			return strings.Join(list, ", ")
		}
		lines := [][2]string{
			{"Name", w.GetName()}, {"Title", w.GetSpec().GetTitle()}, {"URL", w.GetSpec().GetUrl()},
			{"Types", every(w.GetSpec().GetTypes())}, {"Subjects", every(w.GetSpec().GetSubjects())},
			{"Status", w.GetStatus()}, {"Disabled at", w.GetDisabledAt()}, {"Disabled because", w.GetDisabledBecause()},
			{"Failing since", w.GetFailingSince()}, {"Last failure", w.GetFailure()}, {"Attempts", ""}, {"Last attempt", w.GetLastAttempt()},
			{"Next attempt", w.GetNextAttempt()}, {"Last success", w.GetLastSuccess()},
			{"Pending", itoa(w.GetPending())}, {"Dead letters", itoa(int64(w.GetDeadLetters()))},
			{"Secret made at", w.GetSecretMadeAt()}, {"Former signs until", w.GetOverlapUntil()},
		}
		if w.GetAttempts() > 0 {
			lines[10][1] = itoa(int64(w.GetAttempts())) + " of the event under way"
		}
		for _, l := range lines {
			if l[1] != "" {
				a.printf("%-20s%s\n", l[0]+":", printable(l[1]))
			}
		}
		if w.GetStatus() == "waiting" {
			a.warnf("nothing is sent until there is a secret: setpoint webhook rotate %s\n", w.GetName())
		}
		return nil
	})
	return cmd
}

func webhookName(s string) string { return strings.TrimPrefix(s, "webhook/") }

func (a *app) webhookTestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "test NAME", Short: "Send a webhook a made event, and show what it answered", Args: exactArgs("NAME"),
		Long: `Test sends one event of the type dev.setpoint.event.webhook-test.v1, signed as all
are, whatever the webhook is declared to want. It is tried once. The command fails
if it was not taken.`,
		Example:           "  setpoint webhook test tickets",
		ValidArgsFunction: a.completeName("Webhook", true),
	}
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		res, err := a.client().event.TestWebhook(ctx, &eventv1.TestWebhookRequest{Webhook: webhookName(args[0])})
		if err != nil {
			return err
		}
		if *out != asTable {
			if err := a.writeMessage(*out, res); err != nil {
				return err
			}
		} else if res.GetDelivered() {
			a.printf("Taken: status %d after %d ms, webhook-id %s.\n", res.GetStatus(), res.GetMilliseconds(), res.GetWebhookId())
		}
		if !res.GetDelivered() {
			return fmt.Errorf("%s did not take the event: %s (after %d ms)", webhookName(args[0]), printable(res.GetFailure()), res.GetMilliseconds())
		}
		return nil
	})
	return cmd
}

func (a *app) webhookRotateCommand() *cobra.Command {
	var hours int32
	var now bool
	cmd := &cobra.Command{
		Use: "rotate NAME", Short: "Make a new secret, and show it this once", Args: exactArgs("NAME"),
		Long: `Rotate makes the secret that deliveries are signed with, or a new one. For a while
they are signed with the former one too, so that the receiver can be given the new
one without a delivery being refused. With --now the former one ends at once:
because it has become known, say.

The secret is shown once and cannot be read again; it is in no event and no backup.`,
		Example: `  setpoint webhook rotate tickets
  setpoint webhook rotate tickets --overlap-hours 72
  setpoint webhook rotate tickets --now
  setpoint webhook rotate tickets -o json | jq -r .secret`,
		ValidArgsFunction: a.completeName("Webhook", true),
	}
	cmd.Flags().Int32Var(&hours, "overlap-hours", 24, "for how many `HOURS` the former secret signs too, at most 720")
	cmd.Flags().BoolVar(&now, "now", false, "the former secret ends at once")
	_ = cmd.RegisterFlagCompletionFunc("overlap-hours", cobra.NoFileCompletions)
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		if hours < 0 || hours > 720 {
			return usagef("--overlap-hours: %d is not between 0 and 720", hours)
		}
		if now || hours == 0 {
			hours = -1
		}
		res, err := a.client().event.RotateWebhookSecret(ctx, &eventv1.RotateWebhookSecretRequest{
			RequestId: requestID(), Webhook: webhookName(args[0]), OverlapHours: hours, Manager: "cli",
		})
		if err != nil {
			return err
		}
		a.settle(ctx, res.GetRevision())
		if *out != asTable {
			return a.writeMessage(*out, res)
		}
		a.printf("%s\n", res.GetSecret())
		if res.GetOverlapUntil() != "" {
			a.warnf("the former secret signs too until %s\n", res.GetOverlapUntil())
		}
		a.warnf("keep it: it is not shown again\n")
		return nil
	})
	return cmd
}

func (a *app) webhookEnableCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "enable NAME", Short: "Deliver again to a webhook that was disabled", Args: exactArgs("NAME"),
		Long: `Enable lets deliveries go on where they were: what was published meanwhile is
delivered, as far as it is kept. setpoint webhook test says before whether it is
taken.`,
		Example:           "  setpoint webhook enable tickets",
		ValidArgsFunction: a.completeName("Webhook", true),
	}
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		res, err := a.client().event.EnableWebhook(ctx, &eventv1.EnableWebhookRequest{RequestId: requestID(), Webhook: webhookName(args[0]), Manager: "cli"})
		if err != nil {
			return err
		}
		return a.wrote(ctx, *out, res, webhookName(args[0])+" is enabled.")
	})
	return cmd
}

func (a *app) deadLettersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "dead-letters NAME", Short: "List the events that a webhook was not delivered", Args: exactArgs("NAME"),
		Long: `Dead letters are events that a webhook did not take in 16 attempts, about an hour.
They are kept until they are redelivered.`,
		Example:           "  setpoint webhook dead-letters tickets\n  setpoint webhook dead-letters tickets -o json | jq -r '.deadLetters[].event'",
		ValidArgsFunction: a.completeName("Webhook", true),
	}
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		all := &eventv1.ListDeadLettersResponse{}
		req := &eventv1.ListDeadLettersRequest{Webhook: webhookName(args[0]), PageSize: 1000}
		for more := true; more; more = req.GetPageToken() != "" {
			res, err := a.client().event.ListDeadLetters(ctx, req)
			if err != nil {
				return err
			}
			all.DeadLetters = append(all.DeadLetters, res.GetDeadLetters()...)
			req.PageToken = res.GetNextPageToken()
		}
		if *out != asTable {
			return a.writeMessage(*out, all)
		}
		if len(all.GetDeadLetters()) == 0 {
			a.warnf("no dead letters\n")
			return nil
		}
		var rows [][]string
		for _, l := range all.GetDeadLetters() {
			var e struct{ Type, Subject, Time string }
			_ = json.Unmarshal([]byte(l.GetEvent()), &e)
			rows = append(rows, []string{l.GetLetter(), l.GetAt(), itoa(int64(l.GetAttempts())), printable(l.GetFailure()), printable(e.Type), printable(e.Subject)})
		}
		a.printf("%s", renderTable([]column{{Title: "LETTER", Right: true}, {Title: "GIVEN UP AT"}, {Title: "ATTEMPTS", Right: true, Drop: 1},
			{Title: "FAILURE", Shrink: 12}, {Title: "TYPE", Shrink: 20}, {Title: "ABOUT", Shrink: 16}}, rows, a.width(), a.colors(a.opts.Stdout)))
		return nil
	})
	return cmd
}

func (a *app) redeliverCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "redeliver NAME [LETTER]...", Short: "Try dead letters once more, now", Args: redeliverArgs,
		Long: `Redeliver tries the dead letters of a webhook, or the named ones, once more, oldest
first, with the webhook-id that they had. Those that are taken are dead no longer;
at the first that is not, it ends and fails.`,
		Example:           "  setpoint webhook redeliver tickets\n  setpoint webhook redeliver tickets 12 15",
		ValidArgsFunction: a.completeName("Webhook", true),
	}
	out := outputFlag(cmd)
	cmd.RunE = runE(func(ctx context.Context, args []string) error {
		total := &eventv1.RedeliverResponse{}
		for {
			res, err := a.client().event.Redeliver(ctx, &eventv1.RedeliverRequest{Webhook: webhookName(args[0]), Letters: args[1:]})
			if err != nil {
				return err
			}
			total.Delivered += res.GetDelivered()
			total.Remaining, total.Failure = res.GetRemaining(), res.GetFailure()
			// All of them may take longer than one call may.
			if len(args) > 1 || res.GetFailure() != "" || res.GetRemaining() == 0 || res.GetDelivered() == 0 {
				break
			}
		}
		if *out != asTable {
			if err := a.writeMessage(*out, total); err != nil {
				return err
			}
		} else {
			a.printf("%d delivered, %d remain.\n", total.GetDelivered(), total.GetRemaining())
		}
		if total.GetFailure() != "" {
			return fmt.Errorf("%s did not take the event: %s", webhookName(args[0]), printable(total.GetFailure()))
		}
		return nil
	})
	return cmd
}

func redeliverArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return exactArgs("NAME")(cmd, args)
	}
	for _, l := range args[1:] {
		if strings.Trim(l, "0123456789") != "" || l == "" || len(l) > 19 {
			return usagef("LETTER: %q is none; setpoint webhook dead-letters lists them", l)
		}
	}
	return nil
}

package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const reference = "../../docs/cli.md"

// The reference is made from the commands themselves; run this test with
// -update to write it.
func TestReference(t *testing.T) {
	root := newApp(Options{Targets: targets}.withDefaults()).rootCommand()
	var b strings.Builder
	fmt.Fprintf(&b, "# Command line\n\nMade from the commands by `go test ./internal/cli -run TestReference -update`; do not edit.\n\n%s\n", paragraphs(root))
	fmt.Fprintf(&b, "\n```\n%s\n```\n\nFlags of every command:\n\n```\n%s```\n", strings.TrimRight(root.Example, "\n"), root.PersistentFlags().FlagUsages())
	for _, group := range root.Groups() {
		for _, c := range root.Commands() {
			if c.GroupID == group.ID {
				describe(&b, c)
			}
		}
	}
	got := b.String()
	if *update {
		if err := os.WriteFile(reference, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what the commands say: run this test with -update and commit the file", reference)
	}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.GroupID == "" {
			t.Errorf("%s belongs to no group, so the reference leaves it out", c.Name())
		}
	}
}

func describe(b *strings.Builder, c *cobra.Command) {
	if !c.IsAvailableCommand() || c.Name() == "completion" || c.Name() == "help" {
		return
	}
	if c.HasAvailableSubCommands() {
		if c.Flags().HasAvailableFlags() && c.Example != "" { // it does something by itself
			describeOne(b, c)
		}
		for _, sub := range c.Commands() {
			describe(b, sub)
		}
		return
	}
	describeOne(b, c)
}

func describeOne(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```\n%s\n```\n", strings.TrimPrefix(c.CommandPath(), "setpoint "), paragraphs(c), c.UseLine())
	if c.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n```\n%s\n```\n", strings.TrimRight(c.Example, "\n"))
	}
	if flags := c.NonInheritedFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(b, "\n```\n%s```\n", flags.FlagUsages())
	}
}

// paragraphs is the long text, made fit for Markdown.
func paragraphs(c *cobra.Command) string {
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	text = strings.NewReplacer("<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`).Replace(text)
	return strings.TrimSpace(text)
}

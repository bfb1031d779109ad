package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"setpoint.dev/services/internal/template"
)

func templateNames() []string {
	var names []string
	for _, t := range template.All {
		names = append(names, t.Name)
	}
	return names
}

func (a *app) initCommand() *cobra.Command {
	var list strings.Builder
	for _, t := range template.All {
		fmt.Fprintf(&list, "\n  %-20s %s", t.Name, t.Short)
	}
	var name, out string
	var year int
	cmd := &cobra.Command{
		Use:   "init --template NAME",
		Short: "Write commented manifests to start from",
		Long: `Init writes a file of commented manifests, DIR/NAME.yaml, to change into your
own plan. It applies as it is. A file that is there is never overwritten. No
server is asked.

Templates:` + list.String(),
		Example: `  setpoint init --template okr
  setpoint init --template strategic-plan --out plan --year 2027
  setpoint plan --offline -f plan`,
		Args: betweenArgs(0, 0, ""),
	}
	cmd.Flags().StringVar(&name, "template", "", "which: "+strings.Join(templateNames(), ", "))
	cmd.Flags().StringVar(&out, "out", ".", "folder to write to; it is made where there is none")
	cmd.Flags().IntVar(&year, "year", 0, "calendar year in which the plan starts; default this one")
	_ = cmd.RegisterFlagCompletionFunc("template", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return templateNames(), noFiles
	})
	_ = cmd.RegisterFlagCompletionFunc("year", cobra.NoFileCompletions)
	cmd.RunE = runE(func(_ context.Context, _ []string) error {
		t, ok := template.Named(name)
		if !ok {
			message := fmt.Sprintf("--template: there is no template %q", name)
			if name == "" {
				message = "missing --template"
			}
			return &usageError{cmd: cmd, message: message, hint: "legal are " + strings.Join(templateNames(), ", ")}
		}
		if !cmd.Flags().Changed("year") {
			year = a.opts.Now().Year()
		}
		content, err := t.Manifests(year)
		if err != nil {
			return &usageError{cmd: cmd, message: "--year: " + err.Error()}
		}
		path := filepath.Join(out, t.Name+".yaml")
		if err := writeNew(path, content); err != nil {
			return err
		}
		a.printf("Wrote %s. Next:\n  setpoint plan -f %[1]s\n  setpoint apply -f %[1]s\n", path)
		return nil
	})
	return cmd
}

// writeNew writes a file that must not be there yet, and its folder. What could
// not be written whole is taken away again.
func writeNew(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is not overwritten; name another folder with --out", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

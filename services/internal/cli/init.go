package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"setpoint.dev/services/importer/mapping"
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

Beside it, in DIR/.setpoint, are the JSON Schemas of manifests and of import
mappings, written anew by each init; a comment in each manifest names its schema,
so that editors with a YAML language server complete and check it, without a
network. What is added below a --- of its own needs that line as well.

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
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
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
		if _, err := os.Lstat(path); err == nil {
			return thereAlready(path)
		}
		if err := writeSchemas(ctx, out); err != nil {
			return err
		}
		if err := writeNew(path, named(content, manifestSchemaFile)); err != nil {
			return err
		}
		a.printf("Wrote %s. Next:\n  setpoint plan -f %[1]s\n  setpoint apply -f %[1]s\n", path)
		return nil
	})
	return cmd
}

// Where the schemas that editors use are, beside the manifests. Folders that begin
// with a point are passed over when manifests are read.
const (
	schemaFolder       = ".setpoint"
	manifestSchemaFile = schemaFolder + "/manifests.schema.json"
	mappingSchemaFile  = schemaFolder + "/mapping.schema.json"
)

// modeline is the comment by which YAML language servers find a file's schema.
func modeline(schema string) string {
	return "# yaml-language-server: $schema=" + schema + "\n"
}

// named is YAML with the comment in each of its documents: language servers look for
// it in every one.
func named(content []byte, schema string) []byte {
	line, between := modeline(schema), []byte("\n---\n")
	return append([]byte(line), bytes.ReplaceAll(content, between, append(between, line...))...)
}

// writeSchemas writes the schemas of this version into a folder of their own.
func writeSchemas(ctx context.Context, out string) error {
	if err := os.MkdirAll(filepath.Join(out, schemaFolder), 0o755); err != nil {
		return pathError(err)
	}
	for file, schema := range map[string]any{manifestSchemaFile: manifestSchema(declaredKinds()), mappingSchemaFile: mapping.Schema()} {
		raw, err := json.MarshalIndent(schema, "", "  ")
		if err != nil {
			return err
		}
		if err := writeFile(ctx, filepath.Join(out, filepath.FromSlash(file)), append(raw, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func thereAlready(path string) error {
	return fmt.Errorf("%s is there already and is not overwritten; name another folder with --out", path)
}

// writeNew writes a file that must not be there yet, and its folder. What could
// not be written whole is taken away again.
func writeNew(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return thereAlready(path)
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

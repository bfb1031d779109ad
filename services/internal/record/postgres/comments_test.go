package postgres_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"setpoint.dev/services/kinds"
)

var update = flag.Bool("update", false, "write comments.txt and docs/read-models.md")

// compare compares a file with what it should be, or writes it.
func compare(t *testing.T, path, want string) {
	t.Helper()
	have, err := os.ReadFile(path)
	if err == nil && string(have) == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: run go test ./internal/record/postgres -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

var (
	message = regexp.MustCompile(`^message (\w+) \{`)
	field   = regexp.MustCompile(`^  (?:optional |repeated )?[\w.<>, ]+ (\w+) = \d+`)
)

// The comments of the views' columns are those of the protos. buf format keeps
// the files in the form that this reads.
func TestCommentsAreThoseOfTheProtos(t *testing.T) {
	files, err := filepath.Glob("../../../../proto/setpoint/*/v1/*.proto")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no protos", err)
	}
	var lines []string
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pkg, in := "", ""
		var said []string
		for scan := bufio.NewScanner(bytes.NewReader(content)); scan.Scan(); {
			line := scan.Text()
			text, isComment := strings.CutPrefix(strings.TrimSpace(line), "//")
			name := ""
			switch {
			case isComment:
				said = append(said, strings.TrimSpace(text))
				continue
			case strings.HasPrefix(line, "package "):
				pkg = strings.TrimSuffix(strings.TrimPrefix(line, "package "), ";")
			case message.MatchString(line):
				in = message.FindStringSubmatch(line)[1]
				name = pkg + "." + in
			case line == "}":
				in = ""
			case in != "" && field.MatchString(line):
				name = pkg + "." + in + "." + field.FindStringSubmatch(line)[1]
			}
			if name != "" && len(said) > 0 {
				lines = append(lines, fmt.Sprintf("%s\t%s\n", name, strings.Join(said, " ")))
			}
			said = nil
		}
	}
	slices.Sort(lines)
	lines = slices.DeleteFunc(lines, func(l string) bool { return !inASpec(l) })
	compare(t, "comments.txt", strings.Join(lines, ""))
}

// specs are the messages that specs of kinds are made of.
var specs = sync.OnceValue(func() map[protoreflect.FullName]bool {
	out := map[protoreflect.FullName]bool{}
	var walk func(protoreflect.MessageDescriptor)
	walk = func(m protoreflect.MessageDescriptor) {
		if out[m.FullName()] {
			return
		}
		out[m.FullName()] = true
		for i := range m.Fields().Len() {
			if inner := m.Fields().Get(i).Message(); inner != nil {
				walk(inner)
			}
		}
	}
	for _, k := range kinds.Registry().Kinds() {
		walk(k.NewSpec().ProtoReflect().Descriptor())
	}
	return out
})

func inASpec(line string) bool {
	name, _, _ := strings.Cut(line, "\t")
	full := protoreflect.FullName(name)
	return specs()[full] || specs()[full.Parent()]
}

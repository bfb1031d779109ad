package manifest

import (
	"bytes"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlError = regexp.MustCompile(`^(?:yaml: )+(?:line ([0-9]+): )?(.*)$`)

// Problems for which the library counts lines from 0. For those with a block
// it names where the block begins, not where it goes wrong.
var (
	blockProblems = []string{"did not find expected key", "did not find expected '-' indicator"}
	flowProblems  = []string{
		"did not find expected node content", "did not find expected ',' or ']'",
		"did not find expected ',' or '}'", "did not find expected <document start>",
	}
)

// syntax reports an error of the YAML library, which knows the line only.
func (r *reader) syntax(err error, c chunk) {
	line, problem := problemOf(err)
	if slices.Contains(blockProblems, problem) {
		if found := firstWith(c.content, problem); found > 0 {
			line = found
		}
	}
	// At the end of the input the library is a line ahead.
	line = min(line, 1+bytes.Count(bytes.TrimRight(c.content, "\r\n"), []byte("\n")))
	at := Position{Line: line + c.line - 1}
	hint := ""
	switch {
	case strings.Contains(problem, "exceeded max depth"):
		r.tooDeep(at)
		return
	case strings.Contains(problem, "anchor"):
		r.fail(at, "manifest.anchor", "anchors and aliases (& and *) are not allowed", "write the value out; a text that begins with & or * needs quotes")
		return
	case strings.Contains(problem, "cannot start any token"):
		hint = "indent with spaces, not tabs; a text that begins with %, @ or ` needs quotes"
	case strings.Contains(problem, "mapping values are not allowed"):
		hint = "a text that holds a colon and a space needs quotes; or the indentation is off"
	case slices.Contains(blockProblems, problem):
		hint = "check the indentation"
	case slices.Contains(flowProblems, problem):
		hint = "a bracket may be left open; a text that holds , : { } [ or ] needs quotes"
	case strings.Contains(problem, "could not find expected ':'"):
		hint = "write key: value, with a space after the colon"
	}
	r.fail(at, "manifest.syntax", "this is not YAML: "+problem, hint)
}

// problemOf takes the library's message apart.
func problemOf(err error) (line int, problem string) {
	line, problem = 1, err.Error()
	if m := yamlError.FindStringSubmatch(problem); m != nil {
		problem = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if slices.Contains(blockProblems, problem) || slices.Contains(flowProblems, problem) {
				line++
			}
		}
	}
	return line, problem
}

// firstWith is the first line at which parsing meets the problem, 0 if the
// document is too large to try.
func firstWith(content []byte, problem string) int {
	if len(content) > 64<<10 {
		return 0
	}
	var ends []int
	for i := 0; i < len(content); {
		if n := lineBreak(content[i:]); n > 0 {
			i += n
			ends = append(ends, i)
		} else {
			i++
		}
	}
	ends = append(ends, len(content))
	return 1 + sort.Search(len(ends)-1, func(i int) bool {
		var n yaml.Node
		err := yaml.NewDecoder(bytes.NewReader(content[:ends[i]])).Decode(&n)
		if err == nil {
			return false
		}
		_, p := problemOf(err)
		return p == problem
	})
}

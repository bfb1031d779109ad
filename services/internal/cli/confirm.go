package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
)

// confirm asks a question on standard error; only y or yes goes on.
func (a *app) confirm(ctx context.Context, question string) (bool, error) {
	a.warnf("\n%s [y/N] ", question)
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(a.opts.Stdin).ReadString('\n')
		got <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		a.warnf("\n")
		return false, ctx.Err()
	case r := <-got:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return false, r.err
		}
		switch strings.ToLower(strings.TrimSpace(r.line)) {
		case "y", "yes":
			return true, nil
		}
		a.warnf("Nothing was changed.\n")
		// A refusal is the user's wish and still not what the command was for.
		return false, exitCode(exitError)
	}
}

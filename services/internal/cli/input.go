package cli

import (
	"context"
	"io"
	"os"
)

// unlessInterrupted does something that may never end by itself, and gives up
// when ctx ends: opening a pipe waits for somebody at its other end, and a
// terminal or a pipe may never come to its end. What was begun is then left
// behind; the process ends.
func unlessInterrupted[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case got := <-done:
		return got.value, got.err
	}
}

// readFile is what a file holds, up to a limit in bytes.
func readFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	return unlessInterrupted(ctx, func() ([]byte, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, pathError(err)
		}
		defer f.Close()
		content, err := io.ReadAll(io.LimitReader(f, limit))
		if err != nil {
			return nil, pathError(err)
		}
		return content, nil
	})
}

// readAll is what is left of r.
func readAll(ctx context.Context, r io.Reader) ([]byte, error) {
	return unlessInterrupted(ctx, func() ([]byte, error) { return io.ReadAll(r) })
}

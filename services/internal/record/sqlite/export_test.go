package sqlite

import "context"

// Pragma lets a test set what only another binary would.
func (s *Store) Pragma(ctx context.Context, text string) error {
	return s.pragma(ctx, text)
}

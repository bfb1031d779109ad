package sqlite

import "context"

// Pragma lets a test set what only another binary would.
func (s *Store) Pragma(ctx context.Context, text string) error {
	_, err := s.write.ExecContext(ctx, "PRAGMA "+text)
	return err
}

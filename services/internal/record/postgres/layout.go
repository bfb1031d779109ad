package postgres

// arrange makes the views over the live generation, and grants what the roles
// that are there may do.
func (o *owner) arrange() error { return nil }

// grant lets the roles that are there use a generation.
func (o *owner) grant(number int) error { return nil }

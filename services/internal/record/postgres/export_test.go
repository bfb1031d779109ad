package postgres

// Many lets a test have every write be a large one, and undoes it.
func Many(n int) (undo func()) {
	before := many
	many = n
	return func() { many = before }
}

package postgres

// Many lets a test have every write be a large one, and undoes it.
func Many(n int) (undo func()) {
	before := many
	many = n
	return func() { many = before }
}

// Text is a statement of the first generation.
func Text(name string) string {
	t := newTexts("setpoint", "setpoint_g1")
	return map[string]string{"resource": t.resource, "resources": t.resources}[name]
}

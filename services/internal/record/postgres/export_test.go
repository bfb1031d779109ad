package postgres

import (
	"context"
	"strings"
	"testing"
)

// Many lets a test have every write be a large one, and undoes it.
func Many(n int) (undo func()) {
	before := many
	many = n
	return func() { many = before }
}

// Text is a statement of the first generation.
func Text(name string) string {
	t := newTexts("setpoint", "setpoint_g1")
	return map[string]string{"resource": t.resource, "resources": t.resources, "earlier": t.earlierResources}[name]
}

// Empty empties every generation, as when it was begun.
func (d *Database) Empty(ctx context.Context) error {
	all, err := d.Generations(ctx)
	if err != nil {
		return err
	}
	var script strings.Builder
	for _, g := range all {
		for _, t := range tables {
			script.WriteString("DELETE FROM " + d.schemaOf(g.Number) + "." + t.name + ";")
		}
	}
	script.WriteString("UPDATE " + d.opts.Schema + ".generation SET log_id = '', revision = 0, hash = ''")
	return d.asOwner(ctx, "empty the record", func(o *owner) error { return o.exec(script.String()) })
}

// Migrations are those of a generation.
func Migrations(t *testing.T) []string {
	t.Helper()
	texts, err := scripts("generation")
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

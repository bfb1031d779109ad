package postgres

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// Options say which database, and as whom.
type Options struct {
	// URL is a libpq connection string or URL. Its role reads and writes; if it
	// owns the tables, too, it migrates them and builds generations.
	URL string
	// OwnerURL connects as the owner of the tables; default URL.
	OwnerURL string
	// Schema is the name of the schema, and the beginning of those of the
	// generations and of the roles; default setpoint. Installations that share a
	// database take different ones.
	Schema string
	Kinds  *resource.Registry
	// Connections bounds those that read; default 4 times the processors.
	Connections int
}

const (
	// giveUp is how long a writer waits for one that holds the checkpoint before
	// it ends it: a process that was stopped in the middle of a write blocks its
	// successor no longer.
	giveUp = 2 * time.Second
	// hang ends the transaction of a writer that does nothing for so long, should
	// nobody else be allowed to. A busy machine is given some time.
	hang = 4 * time.Second
	// forget ends the transaction of a reader that does nothing for so long:
	// it keeps old rows from being cleaned up, and its generation from being
	// dropped.
	forget = 5 * time.Minute
)

var schemaName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

func (o Options) check() (Options, error) {
	if o.Schema == "" {
		o.Schema = "setpoint"
	}
	if !schemaName.MatchString(o.Schema) {
		return o, fault.New(fault.Invalid, "record.schema_name",
			"the schema %q must be at most 40 lower-case letters, digits and _, and begin with a letter", o.Schema)
	}
	if o.OwnerURL == "" {
		o.OwnerURL = o.URL
	}
	return o, nil
}

// config makes the settings of a pool of connections.
func config(url, application string, settings map[string]string) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, badURL(err)
	}
	fill(c.ConnConfig, application, settings)
	return c, nil
}

func fill(c *pgx.ConnConfig, application string, settings map[string]string) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = application
	}
	for k, v := range settings {
		c.RuntimeParams[k] = v
	}
}

func badURL(err error) error {
	return fault.Wrap(err, fault.Invalid, "record.database_url", "the database's URL cannot be read").
		WithHint("for example postgres://setpoint:PASSWORD@db.example.org:5432/setpoint?sslmode=verify-full")
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Compiling a query pays for itself only where it reads millions of rows.
var readerSettings = map[string]string{
	"jit":                                 "off",
	"idle_in_transaction_session_timeout": milliseconds(forget),
}

// What a writer looks for it finds by one seek for each key. The planner, which
// has no statistics of a table that was just filled, must not read all of it.
var writerSettings = map[string]string{
	"jit":                                 "off",
	"enable_hashjoin":                     "off",
	"enable_mergejoin":                    "off",
	"plan_cache_mode":                     "force_custom_plan", // tables grow
	"lock_timeout":                        milliseconds(giveUp),
	"idle_in_transaction_session_timeout": milliseconds(hang),
}

// schemaOf is the schema of a generation.
func (d *Database) schemaOf(number int) string { return fmt.Sprintf("%s_g%d", d.opts.Schema, number) }

package testpostgres

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names the environment variable with the URL of a server to use; its
// role must be allowed to make databases and, for the tests of roles, roles.
const Variable = "SETPOINT_TEST_POSTGRES_URL"

// shared is the private server of this process. It ends with the process.
var shared = sync.OnceValues(func() (*Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	return Start(ctx, "fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB", "max_wal_size=256MB")
})

// New makes an empty database, which is dropped when the test ends, and returns
// its URL.
func New(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		s, err := shared()
		if err != nil {
			t.Fatalf("this test needs PostgreSQL: %v", err)
		}
		server = s.URL("postgres")
	}
	name := "setpoint_test_" + strings.ToLower(rand.Text()[:16])
	run := func(text string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			t.Fatalf("this test needs PostgreSQL: %v", err)
		}
		defer func() { _ = conn.Close(ctx) }()
		if _, err := conn.Exec(ctx, text); err != nil {
			t.Fatalf("this test needs a PostgreSQL that makes databases: %s: %v", text, err)
		}
	}
	run("CREATE DATABASE " + name + " TEMPLATE template0")
	t.Cleanup(func() { run("DROP DATABASE " + name + " WITH (FORCE)") })
	return With(t, server, name, "", "")
}

// With is a URL with another database, and another user and password unless
// they are empty.
func With(t testing.TB, server, database, user, password string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		t.Fatalf("%s: %q is not a URL postgres://…", Variable, server)
	}
	u.Path = "/" + database
	q := u.Query()
	q.Del("dbname")
	q.Del("database")
	if user != "" {
		q.Del("user")
		q.Del("password")
		q.Set("user", user)
		if password != "" {
			q.Set("password", password)
		}
		u.User = nil
	}
	u.RawQuery = encode(q)
	return u.String()
}

-- Where the projection stands: one row.
CREATE TABLE checkpoint (
  one       INTEGER PRIMARY KEY CHECK (one = 1),
  log_id    TEXT    NOT NULL,
  revision  INTEGER NOT NULL,
  hash      BLOB    NOT NULL
) STRICT;

-- Every version of every declared resource. A version stands for revisions
-- rev_from <= R < rev_to.
CREATE TABLE resource (
  org        TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  rev_from   INTEGER NOT NULL,
  rev_to     INTEGER NOT NULL,
  id         TEXT    NOT NULL,
  created    INTEGER NOT NULL,
  metadata   BLOB    NOT NULL,
  spec       BLOB    NOT NULL,
  set_name   TEXT    NOT NULL,
  effective  TEXT    NOT NULL,
  recorded   INTEGER NOT NULL, -- Unix nanoseconds
  principal  TEXT    NOT NULL,
  manager    TEXT    NOT NULL,
  PRIMARY KEY (org, kind, name, rev_from)
) STRICT, WITHOUT ROWID;
CREATE INDEX resource_by_id ON resource (org, kind, id, rev_from);

-- The names a kind ever had, so that a listing as of a revision is one seek
-- per name however long the history.
CREATE TABLE resource_name (
  org   TEXT NOT NULL,
  kind  TEXT NOT NULL,
  name  TEXT NOT NULL,
  PRIMARY KEY (org, kind, name)
) STRICT, WITHOUT ROWID;

-- Every version of every observed value.
CREATE TABLE observation (
  org          TEXT    NOT NULL,
  metric_id    TEXT    NOT NULL,
  observed_at  TEXT    NOT NULL,
  source       TEXT    NOT NULL,
  rev_from     INTEGER NOT NULL,
  rev_to       INTEGER NOT NULL,
  value        REAL    NOT NULL,
  note         TEXT    NOT NULL,
  recorded     INTEGER NOT NULL,
  corrections  INTEGER NOT NULL,
  PRIMARY KEY (org, metric_id, observed_at, source, rev_from)
) STRICT, WITHOUT ROWID;

-- Where each aggregate stands in the log.
CREATE TABLE aggregate (
  org       TEXT    NOT NULL,
  service   TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  sequence  INTEGER NOT NULL,
  hash      BLOB    NOT NULL,
  revision  INTEGER NOT NULL,
  PRIMARY KEY (org, service, kind, id)
) STRICT, WITHOUT ROWID;

-- Every command that was ever carried out, by its id.
CREATE TABLE request (
  org         TEXT    NOT NULL,
  request_id  TEXT    NOT NULL,
  digest      BLOB    NOT NULL,
  revision    INTEGER NOT NULL,
  recorded    INTEGER NOT NULL, -- observations recorded
  corrected   INTEGER NOT NULL, -- observations corrected
  detail      BLOB    NOT NULL,
  PRIMARY KEY (org, request_id)
) STRICT, WITHOUT ROWID;

-- When each revision was recorded.
CREATE TABLE commit_time (
  revision  INTEGER PRIMARY KEY,
  org       TEXT    NOT NULL,
  recorded  INTEGER NOT NULL
) STRICT;
CREATE INDEX commit_time_by_recorded ON commit_time (recorded, revision);

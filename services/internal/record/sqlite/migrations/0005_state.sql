-- What aggregates were from a revision on, as their events told it: of those
-- whose state travels with their events. Rows are never changed.
CREATE TABLE state (
  org       TEXT    NOT NULL,
  service   TEXT    NOT NULL,
  kind      TEXT    NOT NULL,
  id        TEXT    NOT NULL,
  rev_from  INTEGER NOT NULL,
  payload   BLOB    NOT NULL, -- in protobuf
  recorded  INTEGER NOT NULL, -- Unix nanoseconds
  PRIMARY KEY (org, service, kind, id, rev_from)
) STRICT, WITHOUT ROWID;

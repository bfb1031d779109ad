-- Whose personal data is unreadable for ever: rows are never changed.
CREATE TABLE erasure (
  org        TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  revision   INTEGER NOT NULL,
  name       TEXT    NOT NULL,
  holders    TEXT    NOT NULL, -- whose keys are destroyed, separated by blanks
  reason     TEXT    NOT NULL,
  recorded   INTEGER NOT NULL, -- Unix nanoseconds
  principal  TEXT    NOT NULL,
  PRIMARY KEY (org, kind, id)
) STRICT, WITHOUT ROWID;

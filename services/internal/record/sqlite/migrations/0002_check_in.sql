-- What owners said about their targets: rows are never changed.
CREATE TABLE check_in (
  org         TEXT    NOT NULL,
  target_id   TEXT    NOT NULL,
  at          TEXT    NOT NULL, -- the day it speaks about
  rev         INTEGER NOT NULL,
  confidence  INTEGER,          -- 0 to 10
  note        TEXT    NOT NULL,
  status      TEXT    NOT NULL, -- the override; empty for none
  reason      TEXT    NOT NULL,
  expires     TEXT    NOT NULL,
  clear       INTEGER NOT NULL, -- 1 withdraws the override in force
  recorded    INTEGER NOT NULL, -- Unix nanoseconds
  principal   TEXT    NOT NULL,
  PRIMARY KEY (org, target_id, at, rev)
) STRICT, WITHOUT ROWID;

CREATE TABLE erasure (
  org        text   COLLATE "C" NOT NULL,
  kind       text   COLLATE "C" NOT NULL,
  id         text   COLLATE "C" NOT NULL,
  revision   bigint NOT NULL,
  name       text   COLLATE "C" NOT NULL,
  holders    text   COLLATE "C" NOT NULL,
  reason     text   COLLATE "C" NOT NULL,
  recorded   bigint NOT NULL,
  principal  text   COLLATE "C" NOT NULL,
  PRIMARY KEY (org, kind, id)
);
COMMENT ON TABLE erasure IS 'Whose personal data is unreadable for ever: rows are never changed.';
COMMENT ON COLUMN erasure.org IS 'The organization.';
COMMENT ON COLUMN erasure.kind IS 'The kind of what was erased.';
COMMENT ON COLUMN erasure.id IS 'Its id.';
COMMENT ON COLUMN erasure.revision IS 'The revision that erased it.';
COMMENT ON COLUMN erasure.name IS 'The name that it had.';
COMMENT ON COLUMN erasure.holders IS 'Whose keys are destroyed, separated by blanks.';
COMMENT ON COLUMN erasure.reason IS 'Why, in the clear.';
COMMENT ON COLUMN erasure.recorded IS 'When it was recorded, nanoseconds since 1970.';
COMMENT ON COLUMN erasure.principal IS 'Opaque id of who erased.';

ALTER TABLE erasure ENABLE ROW LEVEL SECURITY;

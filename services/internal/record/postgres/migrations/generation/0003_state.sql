CREATE TABLE state (
  org       text   COLLATE "C" NOT NULL,
  service   text   COLLATE "C" NOT NULL,
  kind      text   COLLATE "C" NOT NULL,
  id        text   COLLATE "C" NOT NULL,
  rev_from  bigint NOT NULL,
  payload   bytea  NOT NULL,
  recorded  bigint NOT NULL,
  PRIMARY KEY (org, service, kind, id, rev_from)
);
COMMENT ON TABLE state IS 'What aggregates (initiatives, change programs) were from a revision on, as their events told it: rows are never changed.';
COMMENT ON COLUMN state.org IS 'The organization.';
COMMENT ON COLUMN state.service IS 'The service that owns the aggregate.';
COMMENT ON COLUMN state.kind IS 'Its kind, as in subjects of the log.';
COMMENT ON COLUMN state.id IS 'Its id.';
COMMENT ON COLUMN state.rev_from IS 'The revision from which it is so.';
COMMENT ON COLUMN state.payload IS 'What it is, in protobuf.';
COMMENT ON COLUMN state.recorded IS 'When it was recorded, nanoseconds since 1970.';

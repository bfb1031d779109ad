-- Texts are compared byte by byte, as everywhere else in setpoint.

CREATE TABLE resource (
  org        text    COLLATE "C" NOT NULL,
  kind       text    COLLATE "C" NOT NULL,
  name       text    COLLATE "C" NOT NULL,
  rev_from   bigint  NOT NULL,
  rev_to     bigint  NOT NULL,
  id         text    COLLATE "C" NOT NULL,
  created    bigint  NOT NULL,
  metadata   bytea   NOT NULL,
  spec       bytea   NOT NULL,
  set_name   text    COLLATE "C" NOT NULL,
  effective  text    COLLATE "C" NOT NULL,
  recorded   bigint  NOT NULL,
  principal  text    COLLATE "C" NOT NULL,
  manager    text    COLLATE "C" NOT NULL,
  doc        jsonb   NOT NULL,
  PRIMARY KEY (org, kind, name, rev_from)
) WITH (fillfactor = 90); -- a version ends in place
CREATE INDEX resource_by_id ON resource (org, kind, id, rev_from);
COMMENT ON TABLE resource IS 'Every version of every declared resource. A version stands for revisions rev_from <= R < rev_to.';
COMMENT ON COLUMN resource.org IS 'The organization.';
COMMENT ON COLUMN resource.kind IS 'The kind: Metric, Target …';
COMMENT ON COLUMN resource.name IS 'The name that this version had.';
COMMENT ON COLUMN resource.rev_from IS 'The revision that wrote this version.';
COMMENT ON COLUMN resource.rev_to IS 'The revision that ended it; 9223372036854775807 for a version that stands.';
COMMENT ON COLUMN resource.id IS 'Stays the same when the resource is renamed.';
COMMENT ON COLUMN resource.created IS 'The revision that created the resource.';
COMMENT ON COLUMN resource.metadata IS 'The metadata, in protobuf.';
COMMENT ON COLUMN resource.spec IS 'The spec, in protobuf.';
COMMENT ON COLUMN resource.set_name IS 'The set that applied it; empty for the default set.';
COMMENT ON COLUMN resource.effective IS 'The calendar date from which this version counts.';
COMMENT ON COLUMN resource.recorded IS 'When it was recorded, nanoseconds since 1970.';
COMMENT ON COLUMN resource.principal IS 'Opaque id of who wrote it.';
COMMENT ON COLUMN resource.manager IS 'What wrote it: cli, git, console, policy, api.';
COMMENT ON COLUMN resource.doc IS 'Labels and spec as JSON, without fields that hold personal data.';

CREATE TABLE resource_name (
  org   text COLLATE "C" NOT NULL,
  kind  text COLLATE "C" NOT NULL,
  name  text COLLATE "C" NOT NULL,
  PRIMARY KEY (org, kind, name)
);
COMMENT ON TABLE resource_name IS 'The names a kind ever had, so that a listing as of a revision is one seek per name however long the history.';
COMMENT ON COLUMN resource_name.org IS 'The organization.';
COMMENT ON COLUMN resource_name.kind IS 'The kind.';
COMMENT ON COLUMN resource_name.name IS 'The name.';

CREATE TABLE observation (
  org          text    COLLATE "C" NOT NULL,
  metric_id    text    COLLATE "C" NOT NULL,
  observed_at  text    COLLATE "C" NOT NULL,
  source       text    COLLATE "C" NOT NULL,
  rev_from     bigint  NOT NULL,
  rev_to       bigint  NOT NULL,
  value        double precision NOT NULL,
  note         text    COLLATE "C" NOT NULL,
  recorded     bigint  NOT NULL,
  corrections  integer NOT NULL,
  PRIMARY KEY (org, metric_id, observed_at, source, rev_from)
);
COMMENT ON TABLE observation IS 'Every version of every observed value. A version stands for revisions rev_from <= R < rev_to.';
COMMENT ON COLUMN observation.org IS 'The organization.';
COMMENT ON COLUMN observation.metric_id IS 'The id of the metric.';
COMMENT ON COLUMN observation.observed_at IS 'The date or instant the value is for.';
COMMENT ON COLUMN observation.source IS 'Where the value comes from; empty for the usual source.';
COMMENT ON COLUMN observation.rev_from IS 'The revision that recorded this value.';
COMMENT ON COLUMN observation.rev_to IS 'The revision that corrected it; 9223372036854775807 for a value that stands.';
COMMENT ON COLUMN observation.value IS 'The value, in the unit of the metric.';
COMMENT ON COLUMN observation.note IS 'What the person who recorded it said.';
COMMENT ON COLUMN observation.recorded IS 'When it was recorded, nanoseconds since 1970.';
COMMENT ON COLUMN observation.corrections IS 'How many values of this date and source came before it.';

CREATE TABLE check_in (
  org         text    COLLATE "C" NOT NULL,
  target_id   text    COLLATE "C" NOT NULL,
  at          text    COLLATE "C" NOT NULL,
  rev         bigint  NOT NULL,
  confidence  smallint,
  note        text    COLLATE "C" NOT NULL,
  status      text    COLLATE "C" NOT NULL,
  reason      text    COLLATE "C" NOT NULL,
  expires     text    COLLATE "C" NOT NULL,
  clear       boolean NOT NULL,
  recorded    bigint  NOT NULL,
  principal   text    COLLATE "C" NOT NULL,
  PRIMARY KEY (org, target_id, at, rev)
);
COMMENT ON TABLE check_in IS 'What owners said about their targets: rows are never changed.';
COMMENT ON COLUMN check_in.org IS 'The organization.';
COMMENT ON COLUMN check_in.target_id IS 'The id of the target.';
COMMENT ON COLUMN check_in.at IS 'The day it speaks about.';
COMMENT ON COLUMN check_in.rev IS 'The revision that recorded it.';
COMMENT ON COLUMN check_in.confidence IS '0 to 10; NULL if none was given.';
COMMENT ON COLUMN check_in.note IS 'What was said.';
COMMENT ON COLUMN check_in.status IS 'The status that overrides the computed one; empty for none.';
COMMENT ON COLUMN check_in.reason IS 'Why it was overridden.';
COMMENT ON COLUMN check_in.expires IS 'The last day on which the override counts.';
COMMENT ON COLUMN check_in.clear IS 'Whether it withdraws the override in force.';
COMMENT ON COLUMN check_in.recorded IS 'When it was recorded, nanoseconds since 1970.';
COMMENT ON COLUMN check_in.principal IS 'Opaque id of who said it.';

CREATE TABLE aggregate (
  org       text   COLLATE "C" NOT NULL,
  service   text   COLLATE "C" NOT NULL,
  kind      text   COLLATE "C" NOT NULL,
  id        text   COLLATE "C" NOT NULL,
  sequence  bigint NOT NULL,
  hash      bytea  NOT NULL,
  revision  bigint NOT NULL,
  PRIMARY KEY (org, service, kind, id)
) WITH (fillfactor = 80); -- moves in place
COMMENT ON TABLE aggregate IS 'Where each aggregate stands in the log.';
COMMENT ON COLUMN aggregate.org IS 'The organization.';
COMMENT ON COLUMN aggregate.service IS 'The service that owns it.';
COMMENT ON COLUMN aggregate.kind IS 'Its kind, as in subjects of the log.';
COMMENT ON COLUMN aggregate.id IS 'Its id.';
COMMENT ON COLUMN aggregate.sequence IS 'The sequence of its last message.';
COMMENT ON COLUMN aggregate.hash IS 'The hash of its last message.';
COMMENT ON COLUMN aggregate.revision IS 'The revision of its last message.';

CREATE TABLE request (
  org         text    COLLATE "C" NOT NULL,
  request_id  text    COLLATE "C" NOT NULL,
  digest      bytea   NOT NULL,
  revision    bigint  NOT NULL,
  recorded    integer NOT NULL,
  corrected   integer NOT NULL,
  detail      bytea   NOT NULL,
  PRIMARY KEY (org, request_id)
);
COMMENT ON TABLE request IS 'Every command that was ever carried out, by its id.';
COMMENT ON COLUMN request.org IS 'The organization.';
COMMENT ON COLUMN request.request_id IS 'The id that the client gave, or one that was made.';
COMMENT ON COLUMN request.digest IS 'Digest of the command: the same id with another command is refused.';
COMMENT ON COLUMN request.revision IS 'The revision that it wrote.';
COMMENT ON COLUMN request.recorded IS 'Observations recorded.';
COMMENT ON COLUMN request.corrected IS 'Observations corrected.';
COMMENT ON COLUMN request.detail IS 'The declarations changed, in protobuf.';

CREATE TABLE commit_time (
  revision  bigint PRIMARY KEY,
  org       text   COLLATE "C" NOT NULL,
  recorded  bigint NOT NULL
);
CREATE INDEX commit_time_by_recorded ON commit_time (recorded, revision);
COMMENT ON TABLE commit_time IS 'When each revision was recorded.';
COMMENT ON COLUMN commit_time.revision IS 'The revision.';
COMMENT ON COLUMN commit_time.org IS 'The organization it belongs to.';
COMMENT ON COLUMN commit_time.recorded IS 'When it was recorded, nanoseconds since 1970.';

-- Who is not the owner sees what a policy of his role lets him see: the owner
-- makes the policies when the roles are there.
ALTER TABLE resource ENABLE ROW LEVEL SECURITY;
ALTER TABLE resource_name ENABLE ROW LEVEL SECURITY;
ALTER TABLE observation ENABLE ROW LEVEL SECURITY;
ALTER TABLE check_in ENABLE ROW LEVEL SECURITY;
ALTER TABLE aggregate ENABLE ROW LEVEL SECURITY;
ALTER TABLE request ENABLE ROW LEVEL SECURITY;
ALTER TABLE commit_time ENABLE ROW LEVEL SECURITY;

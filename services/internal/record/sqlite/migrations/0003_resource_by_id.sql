-- The version that stands is found by its end, which is the same for all that
-- stand: the index ends in rev_to.
DROP INDEX resource_by_id;
CREATE INDEX resource_by_id ON resource (org, kind, id, rev_to);

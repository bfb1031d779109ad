-- The latest confidence of owners, lowest first
SELECT DISTINCT ON (c.confidence, c.target) c.target, t.owner, c.said_on, c.confidence
FROM setpoint.check_in c JOIN setpoint.target t ON t.org = c.org AND t.name = c.target
WHERE c.confidence IS NOT NULL AND NOT EXISTS (
  SELECT FROM setpoint.check_in later
  WHERE later.org = c.org AND later.target = c.target AND later.confidence IS NOT NULL
    AND (later.said_on, later.revision) > (c.said_on, c.revision))
ORDER BY c.confidence, c.target;

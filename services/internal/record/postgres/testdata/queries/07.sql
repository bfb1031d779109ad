-- The declared targets as they were known at the end of a year
WITH known AS (
  SELECT org, max(revision) AS revision FROM setpoint.revision
  WHERE recorded < timestamptz '2026-01-01 00:00+00' GROUP BY org)
SELECT h.name, h.spec ->> 'value' AS value, h.spec ->> 'due' AS due
FROM setpoint.resource_history h JOIN known k USING (org)
WHERE h.kind = 'Target' AND h.revision <= k.revision
  AND (h.until_revision IS NULL OR h.until_revision > k.revision)
ORDER BY h.name;

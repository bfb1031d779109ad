-- Targets whose value was changed since they were declared, with each change
SELECT name, recorded, spec ->> 'value' AS value,
  lag(spec ->> 'value') OVER (PARTITION BY id ORDER BY revision) AS value_before
FROM setpoint.resource_history
WHERE kind = 'Target' AND id IN (
  SELECT id FROM setpoint.resource_history WHERE kind = 'Target'
  GROUP BY id HAVING count(DISTINCT spec ->> 'value') > 1)
ORDER BY name, revision;

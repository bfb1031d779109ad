-- Targets that are due within a year, with their last value
SELECT t.name, t.title, t.due, t.value AS target, o.observed_on, o.value AS actual
FROM setpoint.target t
CROSS JOIN LATERAL (
  SELECT observed_on, value FROM setpoint.observation
  WHERE org = t.org AND metric = t.metric
  ORDER BY observed_on DESC, source LIMIT 1) o
WHERE t.due BETWEEN date '2026-01-01' AND date '2026-12-31'
ORDER BY t.due, t.name;

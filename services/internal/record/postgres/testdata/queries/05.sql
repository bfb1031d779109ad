-- Metrics whose next value is late: monthly ones without a value for 45 days
SELECT m.name, m.owner, max(o.observed_on) AS last_value
FROM setpoint.metric m
LEFT JOIN setpoint.observation o ON o.org = m.org AND o.metric = m.name
WHERE m.cadence = 'monthly'
GROUP BY m.name, m.owner
HAVING max(o.observed_on) IS NULL OR max(o.observed_on) < date '2026-11-01' - 45
ORDER BY last_value NULLS FIRST, m.name;

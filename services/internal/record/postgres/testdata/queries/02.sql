-- A metric's values as a series, one a date
SELECT DISTINCT ON (observed_on) observed_on, value, source
FROM setpoint.observation
WHERE metric = 'vacant-space'
ORDER BY observed_on, source;

-- How many objectives and targets each strategy has
SELECT s.name, s.title, s.horizon_start, s.horizon_end,
  count(DISTINCT o.name) AS objectives, count(t.name) AS targets
FROM setpoint.strategy s
LEFT JOIN setpoint.objective o ON o.org = s.org AND o.strategy = s.name
LEFT JOIN setpoint.target t ON t.org = o.org AND t.objective = o.name
GROUP BY s.name, s.title, s.horizon_start, s.horizon_end
ORDER BY s.name;

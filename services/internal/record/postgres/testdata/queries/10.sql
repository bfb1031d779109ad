-- Values targeted for each period, a row for each: lists in specs are JSON
SELECT t.name, p ->> 'period' AS period, (p ->> 'value')::double precision AS value,
  t.labels ->> 'source' AS source
FROM setpoint.target t CROSS JOIN LATERAL jsonb_array_elements(t.periods) p
ORDER BY t.name, period;

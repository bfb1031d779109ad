-- Values that were corrected: what was reported first, and what stands
SELECT h.metric, h.observed_on, h.source, h.value AS first_reported, o.value AS stands, o.corrections
FROM setpoint.observation_history h
JOIN setpoint.observation o USING (org, metric_id, observed_at, source)
WHERE h.corrections = 0 AND o.corrections > 0
ORDER BY h.metric, h.observed_on;

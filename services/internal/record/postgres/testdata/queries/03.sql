-- Mean of each metric by calendar year, beside the year before
SELECT metric, extract(year FROM observed_on)::integer AS year, avg(value) AS mean,
  lag(avg(value)) OVER (PARTITION BY metric ORDER BY extract(year FROM observed_on)) AS year_before
FROM setpoint.observation
GROUP BY metric, extract(year FROM observed_on)
ORDER BY metric, year;

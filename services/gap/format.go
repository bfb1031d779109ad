package gap

import "setpoint.dev/services/internal/display"

// FormatValue shows a value as its metric's format says; see display.Value.
func FormatValue(f Format, v float64) string { return display.Value(display.Format(f), v) }

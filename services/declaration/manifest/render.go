package manifest

import (
	"strconv"
	"strings"

	"setpoint.dev/services/internal/fault"
)

// Render writes a fault on one line, as editors and CI annotate it:
//
//	plan/target.yaml:12:7: Target/vacant-space spec.due: must be a date (write 2020-09-30)
//
// Parts that are not known are left out.
func Render(p fault.Place) string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			b.WriteString(":" + strconv.Itoa(p.Line))
			if p.Column > 0 {
				b.WriteString(":" + strconv.Itoa(p.Column))
			}
		}
		b.WriteString(": ")
	}
	subject := strings.TrimSpace(p.Resource + " " + p.Field)
	if subject != "" {
		b.WriteString(subject + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

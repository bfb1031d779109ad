module setpoint.dev/e2e

go 1.26.0

require (
	setpoint.dev/proto v0.0.0
	setpoint.dev/services v0.0.0
)

replace (
	setpoint.dev/proto => ../proto
	setpoint.dev/services => ../services
)

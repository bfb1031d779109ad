module setpoint.dev/e2e

go 1.26.0

require (
	setpoint.dev/proto v0.0.0
	setpoint.dev/services v0.0.0
)

require (
	connectrpc.com/connect v1.21.1 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace (
	setpoint.dev/proto => ../proto
	setpoint.dev/services => ../services
)

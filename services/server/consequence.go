package server

import (
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	declarationrpc "setpoint.dev/services/declaration/rpc"
	gaprpc "setpoint.dev/services/gap/rpc"
)

// consequencesOf gives the declaration slice what the gap slice compares.
func consequencesOf(x declarationrpc.Supposed) (*gapv1.Consequences, error) {
	return gaprpc.Suppose(x.Is, x.Then, x.Org, x.AsOf, x.Policy, x.Renamed)
}

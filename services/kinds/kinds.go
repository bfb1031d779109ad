// Package kinds lists every slice's kinds and acts: the one line that adding a
// kind's slice touches.
package kinds

import (
	"slices"

	"setpoint.dev/services/change"
	"setpoint.dev/services/event/webhook"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/initiative"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/strategy"
)

// upcasters lead from superseded event versions to present ones. There are
// none yet; what a superseded event looks like stays in testdata/events.
var upcasters = resource.Upcaster{}

// Registry returns the registry of all kinds and acts.
func Registry() *resource.Registry {
	return resource.NewRegistry(upcasters, slices.Concat(strategy.Kinds(), initiative.Kinds(), change.Kinds(), policy.Kinds(), webhook.Kinds())...).
		WithActs(strategy.Acts(), initiative.Acts(), change.Acts(), condition.Acts(), webhook.Acts())
}

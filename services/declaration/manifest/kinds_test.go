package manifest_test

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

type table map[string]proto.Message

func (t table) Names() []string { return slices.Collect(maps.Keys(t)) }

func (t table) NewSpec(kind string) (proto.Message, bool) {
	m, ok := t[kind]
	if !ok {
		return nil, false
	}
	return m.ProtoReflect().New().Interface(), true
}

var kinds = table{
	"Organization": &strategyv1.OrganizationSpec{},
	"Unit":         &strategyv1.UnitSpec{},
	"Strategy":     &strategyv1.StrategySpec{},
	"Objective":    &strategyv1.ObjectiveSpec{},
	"Metric":       &strategyv1.MetricSpec{},
	"Target":       &strategyv1.TargetSpec{},
}

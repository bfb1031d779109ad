// Package breadth puts other organizations' real plans through the whole
// service: a city's 1,716 performance measures, the emission targets of 24
// states, the objectives and key results of a project. Generators turn the
// published tables into manifests and observations, these go in by the public
// RPCs, and every result that comes back is compared with arithmetic that is
// written out here again from the definitions, in plain date and float
// operations, without a look at the service's own code.
//
// The tables stay where they are: they are read from the folder that
// SETPOINT_DATA names, by default ../shared/data beside the checkout, because
// not all of their licences allow them to be shipped. Where a table is missing
// its test says so and does not run; where SETPOINT_DATA was given it fails.
//
// Start with data_test.go (what is read), world_test.go (the one server that
// holds everything), arithmetic_test.go (what is expected); then a table each:
// NAME_plan_test.go generates, NAME_expect_test.go expects, NAME_test.go
// compares.
package breadth

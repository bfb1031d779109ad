// Package manifest reads declarations written as YAML or JSON into typed
// documents that know where each of their fields was written, and writes
// resources back as canonical YAML.
//
// A manifest is a resource of the API: apiVersion, kind, metadata, spec, where
// spec is the JSON form of the kind's spec message. There is one schema, the
// protobuf message with its validation rules; this package adds the file.
//
// Invariants:
//   - Parse reports every fault of every file at once, in order of file, line
//     and column, each naming the field, what was found and what is legal.
//   - A document that is returned satisfies the rules of its messages.
//   - Input is hostile until proven otherwise: sizes are checked before
//     parsing, anchors and aliases are refused, nesting is bounded.
//   - Nothing but ReadPath touches a disk.
//
// Start at Parse, then resource.go (one document), decode.go (YAML node to
// message) and validate.go (broken rule to words). Rules that need more than
// one document, or the present state, are not here.
package manifest

// Package gsa is the plan of the US General Services Administration for
// 2018-2022 as it was published in the FY2018 Annual Performance Report: four
// goals, eleven objectives, 28 metrics with a target each, and ten years of
// observations. It is the plan of the demonstration, and a template to start
// from.
//
// Invariant: the manifests and the observations say what the source says, value
// by value; the tests derive them again from the published table in testdata.
// README.md names the source and every judgement that was made.
package gsa

import (
	"embed"
	"io/fs"
)

//go:embed README.md plan/*.yaml observations.csv
var files embed.FS

// Strategy is the name of the plan's one strategy.
const Strategy = "gsa-2018-2022"

// Files is the whole example as a file tree: README.md, plan/*.yaml and
// observations.csv.
func Files() fs.FS { return files }

// Plan is the folder of manifests.
func Plan() fs.FS {
	plan, err := fs.Sub(files, "plan")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return plan
}

// Observations is a CSV file with the columns metric, observed_at, value,
// source and note. A value is for the fiscal year that ends on observed_at.
func Observations() []byte {
	content, err := files.ReadFile("observations.csv")
	if err != nil {
		panic(err) // the file is compiled in
	}
	return content
}

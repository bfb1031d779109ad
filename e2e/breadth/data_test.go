package breadth_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The tables, and the test that each of them is for.
var tables = []struct{ file, test string }{
	{austinTable, "TestACitysMeasures"},
	{austinTable, "TestACitysMeasuresMirrored"},
	{climateTargets, "TestStatesEmissionTargets"},
	{climateEmissions, "TestStatesEmissionTargets"},
	{ipfsTable, "TestObjectivesAndKeyResults"},
	{austinTable, "TestImportedCity"},
	{climateTargets, "TestImportedStates"},
	{bostonTable, "TestImportedBudget"},
	{gsaTable, "TestImportedAgency"},
	{ipfsTable, "TestImportedKeyResults"},
}

const (
	austinTable      = "austin_eperf_fy2016/austin_eperf_measures.csv"
	climateTargets   = "us_state_climate_targets/targets.csv"
	climateEmissions = "us_state_climate_targets/emissions.csv"
	ipfsTable        = "ipfs_okrs_2019/key_results.csv"
)

// dataFolder is where the tables are; named tells whether somebody said so.
func dataFolder() (folder string, named bool) {
	if f := os.Getenv("SETPOINT_DATA"); f != "" {
		return f, true
	}
	return filepath.Join("..", "..", "..", "shared", "data"), false
}

// missing says why a table cannot be read; "" if it can.
func missing(file string) string {
	folder, _ := dataFolder()
	f, err := os.Open(filepath.Join(folder, filepath.FromSlash(file)))
	if err != nil {
		return fmt.Sprintf("no %s (%v); set SETPOINT_DATA to the folder that has it", file, err)
	}
	_ = f.Close()
	return ""
}

// need ends the test where a table is missing: with a failure if the folder was
// named, else by saying that it does not run.
func need(t testing.TB, files ...string) {
	t.Helper()
	for _, f := range files {
		why := missing(f)
		if why == "" {
			continue
		}
		if _, named := dataFolder(); named {
			t.Fatalf("NOT RUN: %s", why)
		}
		fmt.Printf("NOT RUN: %s: %s\n", t.Name(), why)
		t.Skipf("NOT RUN: %s", why)
	}
}

// TestEveryTableIsThere names what the other tests of the package do not run.
func TestEveryTableIsThere(t *testing.T) {
	for _, table := range tables {
		t.Run(table.test+"/"+filepath.Base(table.file), func(t *testing.T) { need(t, table.file) })
	}
}

// row is one line of a table, by the name of the column.
type row map[string]string

// read reads a table with a header.
func read(t testing.TB, file string) []row {
	t.Helper()
	folder, _ := dataFolder()
	f, err := os.Open(filepath.Join(folder, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) < 2 {
		t.Fatalf("%s has %d lines", file, len(lines))
	}
	out := make([]row, 0, len(lines)-1)
	for _, l := range lines[1:] {
		r := row{}
		for i, name := range lines[0] {
			r[name] = l[i]
		}
		out = append(out, r)
	}
	return out
}

// number reads a cell; what is not a finite decimal number is text. Reading
// and writing it again takes the noise out of 56.799999999999997.
func number(cell string) (float64, bool) {
	cell = strings.TrimSpace(cell)
	if strings.Trim(cell, "+-.0123456789eE") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, false
	}
	return v, true
}

// decimal writes a number as the shortest text that reads back as it.
func decimal(v float64) string {
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// quoted writes a text as a double-quoted YAML scalar, without the carriage
// returns that a spreadsheet's export left in it.
func quoted(s string) string {
	s = strings.ReplaceAll(s, "_x000D_", " ")
	return strconv.Quote(strings.Join(strings.Fields(s), " "))
}

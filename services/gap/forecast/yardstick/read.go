package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// set is the series of one frequency.
type set struct {
	name   string
	series []series
}

// series is one, with what came next.
type series struct {
	period      int // steps in a season, as the competition's measures have it
	season      int // and as the calendar has it
	train, test []float64
}

// periods are those of the M4 competition's frequencies.
var periods = map[string]int{"yearly": 1, "quarterly": 4, "monthly": 12, "weekly": 1, "daily": 1, "hourly": 24}

// seasons are those of the calendar where the measures know of none: what a
// forecast is told of weeks and days.
var seasons = map[string]int{"weekly": 52, "daily": 7}

func seasonOf(name string, period int) int {
	if s := seasons[strings.ToLower(name)]; s > 0 && period <= 1 {
		return s
	}
	return period
}

func read(dir string) ([]set, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	train, test := map[string]string{}, map[string]string{}
	sets := map[string]*set{}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		name, rest, ok := strings.Cut(f.Name(), "-")
		switch {
		case ok && strings.HasPrefix(rest, "train") && isTable(f):
			train[name] = path
		case ok && strings.HasPrefix(rest, "test") && isTable(f):
			test[name] = path
		case isTable(f):
			if err := readM3(path, sets); err != nil {
				return nil, err
			}
		}
	}
	for name, path := range train {
		if test[name] == "" {
			return nil, fmt.Errorf("%s: there is no file of what came next, %s-test", path, name)
		}
		s, err := readM4(name, path, test[name])
		if err != nil {
			return nil, err
		}
		sets[name] = s
	}
	if len(sets) == 0 {
		return nil, fmt.Errorf("%s: no series of a known format", dir)
	}
	var out []set
	for _, s := range sets {
		out = append(out, *s)
	}
	order := []string{"yearly", "quarterly", "monthly", "weekly", "daily", "hourly", "other"}
	slices.SortFunc(out, func(a, b set) int {
		return slices.Index(order, strings.ToLower(a.name)) - slices.Index(order, strings.ToLower(b.name))
	})
	return out, nil
}

func isTable(f fs.DirEntry) bool {
	return strings.HasSuffix(f.Name(), ".csv") || strings.HasSuffix(f.Name(), ".csv.gz")
}

// rows reads a table, gzipped or not.
func rows(path string) ([][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	out, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

func readM4(name, train, test string) (*set, error) {
	values := func(path string) (map[string][]float64, []string, error) {
		table, err := rows(path)
		if err != nil {
			return nil, nil, err
		}
		out := map[string][]float64{}
		var ids []string
		for i, r := range table {
			if len(r) == 0 || i == 0 && r[0] == "V1" {
				continue
			}
			v, err := numbers(r[1:])
			if err != nil {
				return nil, nil, fmt.Errorf("%s: row %d: %w", path, i+1, err)
			}
			out[r[0]] = v
			ids = append(ids, r[0])
		}
		return out, ids, nil
	}
	before, ids, err := values(train)
	if err != nil {
		return nil, err
	}
	after, _, err := values(test)
	if err != nil {
		return nil, err
	}
	s := &set{name: name}
	period, known := periods[strings.ToLower(name)]
	if !known {
		period = 1
	}
	for _, id := range ids {
		if after[id] == nil {
			return nil, fmt.Errorf("%s: nothing of %s", test, id)
		}
		s.series = append(s.series, series{period, seasonOf(name, period), before[id], after[id]})
	}
	return s, nil
}

// readM3 reads a table with a series a row; other tables are left alone.
func readM3(path string, sets map[string]*set) error {
	table, err := rows(path)
	if err != nil || len(table) == 0 {
		return err
	}
	column := map[string]int{}
	for i, c := range table[0] {
		column[c] = i
	}
	for _, c := range []string{"period", "freq", "train", "test"} {
		if _, ok := column[c]; !ok {
			return nil
		}
	}
	for i, r := range table[1:] {
		name := strings.ToLower(r[column["period"]])
		name = strings.ToUpper(name[:1]) + name[1:]
		period, err := strconv.Atoi(r[column["freq"]])
		train, err1 := numbers(strings.Split(r[column["train"]], ";"))
		test, err2 := numbers(strings.Split(r[column["test"]], ";"))
		if err := errors.Join(err, err1, err2); err != nil {
			return fmt.Errorf("%s: row %d: %w", path, i+2, err)
		}
		if sets[name] == nil {
			sets[name] = &set{name: name}
		}
		sets[name].series = append(sets[name].series, series{period, seasonOf(name, period), train, test})
	}
	return nil
}

// numbers reads values; the empty cells after the last are none.
func numbers(cells []string) (out []float64, err error) {
	for _, c := range cells {
		if c = strings.TrimSpace(c); c == "" || c == "NA" {
			continue
		}
		v, err := strconv.ParseFloat(c, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// published are results of others: by frequency, a line for each method.
type published map[string][]string

func readPublished(dir string) (published, error) {
	out := published{}
	if table, err := rows(filepath.Join(dir, "published_benchmarks.csv")); err == nil {
		// method, measure, frequency, value
		lines := map[string]map[string]string{}
		var order []string
		for _, r := range table[1:] {
			key := r[2] + "\x00" + r[0]
			if lines[key] == nil {
				lines[key] = map[string]string{}
				order = append(order, key)
			}
			lines[key][r[1]] = r[3]
		}
		for _, key := range order {
			frequency, method, _ := strings.Cut(key, "\x00")
			text := fmt.Sprintf("%s published %q", frequency, method)
			for _, m := range []string{"sMAPE", "MASE", "OWA", "MSIS"} {
				if v := lines[key][m]; v != "" {
					text += " " + m + "=" + v
				}
			}
			if acd, err := strconv.ParseFloat(lines[key]["ACD"], 64); err == nil {
				text += fmt.Sprintf(" cover95=0.95±%.3f", acd)
			}
			out[frequency] = append(out[frequency], text)
		}
	}
	if table, err := rows(filepath.Join(dir, "m3_reference_scores.csv")); err == nil {
		// method, subset, period, n_series, sMAPE, MASE
		for _, r := range table[1:] {
			name := strings.ToUpper(r[2][:1]) + strings.ToLower(r[2][1:])
			if name == "Total" {
				name = "All"
			}
			out[name] = append(out[name], fmt.Sprintf("%s published %q (%s) n=%s sMAPE=%s MASE=%s", name, r[0], r[1], r[3], r[4], r[5]))
		}
	}
	return out, nil
}

func (p published) print(name string) {
	for _, line := range p[name] {
		fmt.Println(line)
	}
}

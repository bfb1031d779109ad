// Command yardstick measures package forecast on the series of forecasting
// competitions beside the published results, and fits the widths of its
// intervals.
//
//	go run ./gap/forecast/yardstick ../../shared/data/m4 ../../shared/data/m3
//	go run ./gap/forecast/yardstick -fit gap/forecast/table.go DIR...
//
// With -half 1 or 2 it takes every other series only: a table that is fitted to one
// half, measured on the other, shows what the fit is worth on series it never saw.
//
// A folder has files of the M4 competition (NAME-train….csv and NAME-test….csv,
// gzipped or not, a series a row) or of M3 (one table with columns period, freq,
// train and test); published results that lie beside them are printed too.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	fit := flag.String("fit", "", "write the table of multiples, fitted to the training parts, to this `FILE`")
	half := flag.Int("half", 0, "take every other series only, the odd (1) or the even (2) ones by their `PLACE` in the file; 0 takes all")
	flag.Parse()
	if err := run(*fit, *half, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(fit string, half int, dirs []string) error {
	if half < 0 || half > 2 {
		return fmt.Errorf("there is no half %d: 1 or 2, or 0 for all", half)
	}
	if len(dirs) == 0 {
		return fmt.Errorf("no folder given: name those that hold the series")
	}
	var all []set
	for _, dir := range dirs {
		sets, err := read(dir)
		if err != nil {
			return err
		}
		if half > 0 {
			for i := range sets {
				sets[i].series = every(sets[i].series, half-1)
			}
		}
		if fit != "" {
			all = append(all, sets...)
			continue
		}
		published, err := readPublished(dir)
		if err != nil {
			return err
		}
		var total score
		for _, s := range sets {
			began := time.Now()
			sc := measure(s.series, 0)
			sc.seconds = time.Since(began).Seconds()
			fmt.Printf("%s setpoint %s\n", s.name, sc)
			for _, last := range []int{3, 4, 5, 6, 8} {
				cut := measure(s.series, last)
				fmt.Printf("%s last %d %s\n", s.name, last, cut)
			}
			published.print(s.name)
			total.add(sc)
		}
		if len(sets) > 1 {
			fmt.Printf("All setpoint %s\n", total)
			published.print("All")
		}
	}
	if fit != "" {
		return writeTable(fit, all)
	}
	return nil
}

// every is every other series, from one on.
func every(list []series, from int) (out []series) {
	for i := from; i < len(list); i += 2 {
		out = append(out, list[i])
	}
	return out
}

package report

import "strings"

// distinguish makes titles that several things share different: by the first of
// the further words that tells all of them apart, else by their names. further
// gives for each thing its further words, in the order in which they are tried.
func distinguish(titles, names []string, further func(i int) []string) []string {
	out := append([]string(nil), titles...)
	groups := map[string][]int{}
	for i, t := range titles {
		groups[t] = append(groups[t], i)
	}
	for _, group := range groups {
		if len(group) == 1 {
			continue
		}
		for try := range len(further(group[0])) + 1 {
			words := map[string]bool{}
			for _, i := range group {
				if try == len(further(i)) {
					words[names[i]] = true
				} else if w := further(i)[try]; w != "" {
					words[w] = true
				}
			}
			if len(words) < len(group) {
				continue
			}
			for _, i := range group {
				word := names[i]
				if try < len(further(i)) {
					word = further(i)[try]
				}
				out[i] = titles[i] + " (" + word + ")"
			}
			break
		}
	}
	return out
}

// distinctTargets tells targets of the same title apart: by the year they are due,
// the day, the owner, their objective.
func distinctTargets(list []Target) {
	titles, names := make([]string, len(list)), make([]string, len(list))
	for i, t := range list {
		titles[i], names[i] = t.Title, tidy(t.Name)
	}
	for i, title := range distinguish(titles, names, func(i int) []string {
		due := list[i].Due.String()
		year, _, _ := strings.Cut(due, "-")
		return []string{year, due, list[i].Owner, list[i].ObjectiveTitle}
	}) {
		list[i].Title = title
	}
}

// distinctObjectives tells objectives of the same title apart: by their owner, or
// what they are part of.
func distinctObjectives(list []Objective) {
	titles, names := make([]string, len(list)), make([]string, len(list))
	for i, o := range list {
		titles[i], names[i] = o.Title, tidy(o.Name)
	}
	for i, title := range distinguish(titles, names, func(i int) []string {
		return []string{list[i].Owner, list[i].Pillar, list[i].Perspective}
	}) {
		list[i].Title = title
	}
}

package convert

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Names say what tells things apart: a unit further up, or the words that differ.
func TestNamesTellApart(t *testing.T) {
	thing := func(text string, context ...string) named {
		return named{text: text, context: context, id: strings.Join(context, "/") + "/" + text}
	}
	things := []named{
		thing("Rides provided to older adults", "Civic Engagement", "Elderly Commission", "Transportation"),
		thing("Rides provided to older adults", "Health & Human Services", "Elderly Commission", "Transportation"),
		thing("# jobs created through small business programs", "Business"),
		thing("# of jobs created through small business programs", "Business"),
		thing("# of firms with contracts of the city council of the county", "Business"),
		thing("# firms with contracts of the city council of the county", "Business"),
		thing("Sewers inspected", "Works"),
	}
	got := names(slices.Clone(things), "m", nil)
	for id, want := range map[string]string{
		things[0].id: "civic-engagement-rides-provided-to-older-adults",
		things[1].id: "health-human-rides-provided-to-older-adults",
		things[2].id: "business-number-jobs-created-through-small-business-programs",
		things[3].id: "business-number-of-jobs-created-through-small-business-programs",
		things[4].id: "number-firms-contracts-city-council-of",
		things[5].id: "number-firms-contracts-city-council",
		things[6].id: "sewers-inspected",
	} {
		if got[id] != want {
			t.Errorf("%s is named %q, want %q", id, got[id], want)
		}
	}
	// The next edition has one more of the same words: the names stay.
	known := map[string]string{}
	for id, name := range got {
		known[identity(id)] = name
	}
	more := names(append(slices.Clone(things), thing("Rides provided to older adults", "Schools", "Elderly Commission", "Transportation")), "m", known)
	for id, name := range got {
		if more[id] != name {
			t.Errorf("%s was %q and is %q", id, name, more[id])
		}
	}
}

var rfc1123 = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Whatever things are called, each has a legal name of its own, in whatever order
// they come.
func TestNamesAreNames(t *testing.T) {
	word := rapid.SampledFrom([]string{"of", "the", "Number", "# of", "%", "résumé", "指標", "served", "adults", "older", "with", "contracts", "programs and services", "on-line", "on line", "1", ""})
	rapid.Check(t, func(rt *rapid.T) {
		var things []named
		seen := map[string]bool{}
		for range rapid.IntRange(1, 12).Draw(rt, "things") {
			n := named{text: strings.Join(rapid.SliceOfN(word, 1, 8).Draw(rt, "text"), " "), context: rapid.SliceOfN(word, 0, 4).Draw(rt, "context")}
			n.id = foldTitle(strings.Join(n.context, "\x1f")) + "\x1e" + foldTitle(n.text)
			if !seen[n.id] {
				seen[n.id] = true
				things = append(things, n)
			}
		}
		got := names(slices.Clone(things), "m", nil)
		of := map[string]string{}
		for id, name := range got {
			if !rfc1123.MatchString(name) {
				rt.Fatalf("%q is named %q", id, name)
			}
			if other, twice := of[name]; twice {
				rt.Fatalf("%q and %q are both named %q", id, other, name)
			}
			of[name] = id
		}
		slices.Reverse(things)
		for id, name := range names(things, "m", nil) {
			if got[id] != name {
				rt.Fatalf("%q is named %q, and %q in another order", id, got[id], name)
			}
		}
	})
}

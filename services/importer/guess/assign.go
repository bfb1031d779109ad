package guess

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
)

// assignRoles gives each column its role by the words of its header and by its
// values.
func assignRoles(headers []string, levels [][]string, profiles []profile) []Column {
	out := make([]Column, len(headers))
	type candidate struct {
		column int
		role   Role
		score  float64
		reason string
	}
	var all []candidate
	partial, counted := map[int]bool{}, map[int]bool{}
	own := ownKinds(headers, levels)
	assumed := map[int]string{} // what else the headers say of which no word is known
	for i, h := range headers {
		out[i] = Column{Index: i, Header: h, Role: Ignored}
		p := profiles[i]
		if when, rest, ok := dated(h, cell.Locale{}); ok && (p.numeric() || rest == "" && p.valued() || p.known() == 0 && p.rows > 0 || kindOfLevels(withoutUnit(rest), levels[i]) != "" && p.share(p.numbers+p.spoken) >= 0.25) {
			rest = withoutUnit(rest)
			if projectYear.MatchString(rest) && strings.ContainsAny(rest, "0123456789") {
				rest = "" // Year 1 (2026/27): the plan's count says nothing more
				counted[i] = true
			}
			kind, phrase := kindOfLevels(rest, levels[i]), rest
			if rest == "" && when.Relative && p.share(p.years) >= 0.9 {
				out[i].Role, out[i].Confidence = Period, 0.8
				out[i].Reason = "the values are years, which the other columns count back from"
				continue
			}
			confidence, reason := 0.9, fmt.Sprintf("the header says when, and %q what", phrase)
			switch {
			case when.Period != "" && (isPart(rest) || len(when.Period) > len("FY2024") && upTo.MatchString(rest)):
				kind, confidence = Ignored, 0.8
				reason = fmt.Sprintf("%q is a part of the period, or more than it", rest)
				partial[i] = true
			case kind != "":
			case isComputed(rest):
				kind, confidence = Ignored, 0.8
				reason = fmt.Sprintf("%q is computed from other columns", rest)
			case kindOf(firstWord(rest)) != "":
				kind, confidence = kindOf(firstWord(rest)), 0.7
				reason = fmt.Sprintf("the header says when, and %q what", firstWord(rest))
			default:
				kind, confidence = Actual, 0.5
				reason = "the header says when; that it holds actuals is assumed"
				assumed[i] = normalize(rest)
			}
			when.Index, when.Header, when.Role, when.Confidence, when.Reason = i, h, kind, confidence, reason
			if identifier.MatchString(normalize(h)) || kind == Ignored {
				delete(assumed, i)
				when = Column{Index: i, Header: h, Role: Ignored, Confidence: confidence, Reason: reason}
				when.Partial = partial[i]
				if kind != Ignored {
					when.Confidence, when.Reason = 0.8, "a number that names something else"
				}
			}
			out[i] = when
			continue
		}
		if p.numeric() && isComputed(h) {
			out[i].Reason = isTotal
			out[i].Confidence = 0.8
			continue
		}
		of, when := dateOf(h, p)
		lowest, level, word := lowestKind(levels[i])
		units := p.textual() && p.unitNames()
		for role := range phrases {
			score, phrase := headerScore(withoutUnit(h), role)
			switch {
			case lowest == "" || !isNumber(role) || role == Value:
			case own[levels[i][0]] && kindOf(levels[i][len(levels[i])-1]) == "":
				score *= 0.3 // it is of the group, which has columns for its kinds
			case role == lowest && level > score:
				score, phrase = level, word
			case role != lowest:
				score *= 0.5
			}
			fit, why := fits(role, p)
			switch {
			case of != "" && (role == Period || role == mapping.Year || isNumber(role)):
				continue // when another column's value is due, or was true
			case role == Target && p.counts(), isNumber(role) && ofTime.MatchString(normalize(h)):
				continue // the numbers of goals, or of months
			case role == Unit && kindOfUnit.MatchString(normalize(h)):
				continue // what sort of units they are
			case (role == Measure || role == Direction) && units:
				continue // units of the organization
			case role == Direction && trendWord.MatchString(normalize(h)) && !goodWord.MatchString(normalize(h)):
				score *= 0.9 // how the values moved, if another column says which way is good
			case isValue(role) || role == Period:
				if former.MatchString(normalize(h)) {
					score *= 0.7 // the one that is current counts
				}
			}
			if s := score * fit; s > 0.2 {
				all = append(all, candidate{i, role, s, fmt.Sprintf("%q in the header; %s", phrase, why)})
			}
		}
		if of != "" {
			all = append(all, candidate{i, of, 1.1, fmt.Sprintf("%q in the header; %d years or dates", when, p.periods)})
		}
		if of != "" {
			continue
		}
		// Values alone, where the header says nothing.
		if p.known() > 0 && p.share(p.words) >= 0.8 && p.letters > 1 && !judged.MatchString(normalize(h)) {
			all = append(all, candidate{i, Direction, 0.55, "the values are words of direction"})
		}
		if units && p.letters < 60 {
			all = append(all, candidate{i, Unit, 0.5, "the values are named like units of an organization"})
		}
		if p.known() > 0 && p.share(p.saysKinds()) >= 0.9 && p.distinct >= 2 && p.distinct <= 8 {
			all = append(all, candidate{i, Kind, 0.8, "the values say target or actual"})
		}
		if p.known() > 1 && p.distinct >= 2 && p.distinct < p.filled && !slices.ContainsFunc(p.texts, func(t string) bool { return len(t) == 1 && t != "%" || !cell.IsUnit(t) && !percentWord.MatchString(t) }) {
			all = append(all, candidate{i, Measure, 0.6, "the values are units of measure"})
		}
		if p.known() > 1 && p.share(p.periods) >= 0.95 && p.share(p.numbers) < 0.5 && !slices.ContainsFunc(p.texts, func(t string) bool { return bare(t) }) {
			all = append(all, candidate{i, Period, 0.5, "the values are periods"})
		}
		if p.known() > 0 && p.distinct >= 2 && !slices.ContainsFunc(p.texts, func(t string) bool { return !yearMonth.MatchString(t) }) {
			all = append(all, candidate{i, Period, 0.5, "the values are years with their months"})
		}
		if p.known() > 0 && p.share(p.periods) >= 0.95 && p.distinct >= 2 && p.share(p.years) >= 0.95 {
			all = append(all, candidate{i, Period, 0.45, "the values are years"})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.column, b.column), cmp.Compare(a.role, b.role))
	})
	taken := map[Role]int{}
	done := map[int]bool{}
	for _, c := range out {
		if c.dated() {
			done[c.Index] = true
		}
	}
	for _, c := range all {
		if done[c.column] || taken[c.role] >= most(c.role) {
			continue
		}
		done[c.column] = true
		taken[c.role]++
		out[c.column].Role, out[c.column].Confidence, out[c.column].Reason = c.role, min(1, c.score), c.reason
	}
	for i, c := range out {
		out[i].Dates = c.Role == Kind && profiles[i].share(profiles[i].datedKinds) >= 0.8
	}
	codesAsNames(out, profiles)
	yearsOfPlan(out, counted)
	if taken[Name] == 0 && !namesUnderUnit(out, profiles) {
		nameByValues(out, profiles)
	}
	halfYears(out)
	monthsAsDates(out)
	unknownKinds(out, assumed, levels)
	kindsInNames(out, profiles)
	totalAlone(out)
	runningTotals(out)
	kindsOfRows(out)
	yearAndPart(out, profiles)
	rowNumbers(out, profiles)
	for i, c := range out {
		// Numbers that a header calls a unit are its code beside a name.
		if c.Role == Unit && c.Confidence < 0.4 {
			out[i] = Column{Index: c.Index, Header: c.Header, Role: Ignored, Confidence: c.Confidence, Reason: "may be the code of a unit that another column names"}
		}
	}
	measuresCalledUnits(out, profiles)
	measuresInColumns(out, profiles)
	measuresOfUnits(out, profiles)
	actualOfTarget(out, profiles)
	valueAlone(out)
	return out
}

// unknownKinds takes the role from dated columns of which it was only assumed
// that they hold actuals, where the headers tell kinds apart by words that are
// not known: one of them may well be the target. A word that a known kind has
// below it as well (M, W and T of a target) is none.
func unknownKinds(out []Column, assumed map[int]string, levels [][]string) {
	count := map[string]int{}
	for _, rest := range assumed {
		count[rest]++
	}
	known, actual := false, false
	for _, c := range out {
		if _, open := assumed[c.Index]; c.dated() && !open {
			known, actual = true, actual || c.Role == Actual
		}
	}
	parts := map[string]bool{}
	for _, c := range out {
		if _, open := assumed[c.Index]; c.dated() && !open && c.Role != Ignored && len(levels[c.Index]) > 1 {
			for _, l := range levels[c.Index] {
				parts[normalize(l)] = true
			}
		}
	}
	for i, rest := range assumed {
		if len(levels[i]) > 1 && parts[rest] {
			continue
		}
		words := len(count)
		if count[""] > 0 {
			words--
		}
		if rest == "" || !known && len(count) == 1 || known && !actual && count[rest] > 1 && words == 1 {
			continue
		}
		if s, phrase := headerScore(rest, Value); s >= 0.5 && (!known || phrase == rest) {
			continue
		}
		out[i] = Column{Index: i, Header: out[i].Header, Role: Ignored, Confidence: 0.3, Unknown: true,
			Reason: fmt.Sprintf("the header says when, but whether %q is a target or an actual is not known", rest)}
	}
}

// actualOfTarget takes a column of numbers that is called like a target without
// the word for one ("Share", "Target share") as its actuals, where there are none.
func actualOfTarget(out []Column, profiles []profile) {
	if slices.ContainsFunc(out, func(c Column) bool { return c.Role == Actual || c.Role == Value }) {
		return
	}
	for _, t := range out {
		rest := normalize(ofHeader(t.Header))
		if t.Role != Target || t.dated() || rest == normalize(t.Header) {
			continue
		}
		for i, c := range out {
			if c.Role == Ignored && c.Reason == "" && normalize(c.Header) == rest && profiles[i].numeric() {
				out[i].Role, out[i].Confidence = Actual, 0.7
				out[i].Reason = fmt.Sprintf("%q is its target", t.Header)
			}
		}
	}
}

// measuresCalledUnits makes units of measure of a column of units where its values
// are such: one word stands for both in several languages (Birim).
func measuresCalledUnits(out []Column, profiles []profile) {
	if slices.ContainsFunc(out, func(c Column) bool { return c.Role == Measure }) {
		return
	}
	for i, c := range out {
		p := profiles[i]
		if c.Role == Unit && p.distinct >= 2 && !slices.ContainsFunc(p.texts, func(t string) bool { return !cell.IsUnit(t) && !percentWord.MatchString(t) }) {
			out[i].Role, out[i].Confidence, out[i].Reason = Measure, 0.7, "the values are units of measure"
			return
		}
	}
}

// measuresInColumns makes a measure of each column of numbers in a table that has
// a row for each period, or for each kind of each, and nothing else that names
// measures or values.
func measuresInColumns(out []Column, profiles []profile) {
	period := slices.IndexFunc(out, func(c Column) bool { return c.Role == Period && !c.dated() })
	kind := slices.IndexFunc(out, func(c Column) bool { return c.Role == Kind })
	switch {
	case kind >= 0 && out[kind].Dates: // Target 2023
	case period < 0 || profiles[period].distinct < 2:
		return
	case kind < 0 && profiles[period].distinct < profiles[period].filled:
		return
	}
	for _, c := range out {
		if c.Role == Target || c.Role == Actual || c.Role == Name || c.Role == ID || c.dated() {
			return
		}
	}
	for i, c := range out {
		if p := profiles[i]; (c.Role == Ignored && c.Reason == "" && !identifier.MatchString(normalize(c.Header)) || c.Role == Value) && c.Header != "" && p.numeric() {
			out[i].Role, out[i].Confidence = Actual, 0.6
			out[i].Reason = "a number for each period, and the header names the measure; that they are actuals is assumed"
			if kind >= 0 {
				out[i].Role, out[i].Reason = Value, "a number in each row, and the header names the measure; a column says what each row holds"
			}
		}
	}
}

// bare reports whether a text is a month or a quarter without its year.
func bare(text string) bool {
	_, month := cell.ParseMonth(text)
	_, quarter := cell.ParseQuarter(text)
	return month || quarter
}

// valueAlone makes actuals of values where no column says what they are.
func valueAlone(out []Column) {
	if slices.ContainsFunc(out, func(c Column) bool { return c.Role == Kind || c.Kinds }) {
		return
	}
	for i, c := range out {
		if c.Role == Value && twoValues(out, i) {
			// "Value A" beside "Value B": one of them may well be the target.
			out[i] = Column{Index: i, Header: c.Header, Role: Ignored, Confidence: 0.3, Unknown: true, Reason: "one of several columns of values, of which it is not known what they are"}
			continue
		}
		if c.Role == Value {
			out[i].Role = Actual
			out[i].Reason += "; that they are actuals is assumed"
		}
	}
}

// twoValues reports whether a header names its value by more than the word for
// one, and another column without a role does so as well.
func twoValues(out []Column, i int) bool {
	more := func(c Column) bool {
		s, phrase := headerScore(withoutUnit(c.Header), Value)
		return s > 0.4 && phrase != normalize(withoutUnit(c.Header)) && !former.MatchString(normalize(c.Header))
	}
	return more(out[i]) && slices.ContainsFunc(out, func(o Column) bool {
		return o.Index != i && (o.Role == Ignored || o.Role == Value) && o.Reason == "" && more(o)
	})
}

// rowNumbers takes the role from an id that numbers something else than
// measures: the rows of a table with several rows a measure, or groups of them.
func rowNumbers(out []Column, profiles []profile) {
	at := func(r Role) int {
		return slices.IndexFunc(out, func(c Column) bool { return c.Role == r && !c.dated() })
	}
	id := at(ID)
	if id < 0 {
		return
	}
	long := at(Period) >= 0 && profiles[at(Period)].distinct > 1 || at(mapping.Year) >= 0 && profiles[at(mapping.Year)].distinct > 1
	name := at(Name)
	// A measure that has one row each, of one year or another, has one id each, too.
	long = long && (name < 0 || profiles[name].distinct < profiles[name].filled)
	why := ""
	switch {
	case counts(profiles[id].texts):
		why = "it counts the rows"
	case profiles[id].distinct == profiles[id].filled && (long || name < 0 && at(Unit) >= 0 && at(TargetAt) >= 0):
		why = "another one in each row, where a measure has several rows"
	case name >= 0 && profiles[id].distinct < profiles[name].distinct:
		why = fmt.Sprintf("fewer (%d) than measures (%d)", profiles[id].distinct, profiles[name].distinct)
	default:
		return
	}
	out[id].Role, out[id].Confidence, out[id].Reason = Ignored, 0.6, "looks like an id, and numbers something else: "+why
}

// counts reports whether texts are 1, 2, 3 and so on.
func counts(texts []string) bool {
	for i, t := range texts {
		if t != strconv.Itoa(i+1) {
			return false
		}
	}
	return len(texts) >= 3
}

var identifier = regexp.MustCompile(`\b(id|ids|key|code|cd)$`)

// most is how many columns may have a role.
func most(r Role) int {
	switch r {
	case Unit, Strategy, Objective:
		return 4
	case Note, Description:
		return 6
	case Target, Actual:
		return 4
	case Status:
		return 2
	}
	return 1
}

// fits is from 0 to 1: how well values fit a role.
func fits(r Role, p profile) (fit float64, why string) {
	switch r {
	case Target, Actual, Value, Min, Max, Baseline, Weight:
		switch {
		case p.numeric() && p.distinct > 1 && p.share(p.years) >= 0.95 && isNumber(r) && p.letters == 4:
			return 0.3, "years"
		case p.known() == 0:
			return 0.3, "no values"
		case p.flag() && isValue(r):
			return 0.2, "only 0 and 1"
		case p.numeric():
			return 1, fmt.Sprintf("%d numbers", p.numbers)
		case p.valued() && r != Weight && r != Value:
			return 0.9, fmt.Sprintf("%d numbers, %d times yes, no or a ratio", p.numbers, p.spoken)
		case p.share(p.numbers) > 0.3:
			return 0.6, fmt.Sprintf("%d numbers of %d", p.numbers, p.known())
		}
		return 0, ""
	case Period:
		if p.share(p.periods) >= 0.8 {
			return 1, fmt.Sprintf("%d periods", p.periods)
		}
		return 0, ""
	case BaselineAt, TargetAt:
		if p.share(p.periods) >= 0.6 {
			return 1, fmt.Sprintf("%d years or dates", p.periods)
		}
		return 0, ""
	case Direction:
		switch {
		case p.share(p.words) >= 0.5:
			return 1, "words of direction"
		case p.textual() && p.distinct <= 6 && p.letters < 30 && p.distinct < p.filled:
			return 0.75, "words of direction, or to be explained (directions)"
		}
		return 0, ""
	case Kind:
		if p.share(p.saysKinds()) >= 0.8 {
			return 1, "target or actual"
		}
		return 0, ""
	case ID:
		if p.known() == 0 || p.letters > 40 {
			return 0, ""
		}
		if p.distinct == p.filled {
			return 1, "all different"
		}
		return 0.5, fmt.Sprintf("%d different", p.distinct)
	case Name:
		switch {
		case p.textual() && p.distinct <= 12 && p.rows >= 100 && 2*p.filled < p.rows:
			return 0.3, fmt.Sprintf("%d different texts in few rows", p.distinct)
		case p.textual() && p.distinct >= 2 && p.letters >= 4:
			return 1, fmt.Sprintf("%d different texts", p.distinct)
		case p.textual():
			return 0.6, fmt.Sprintf("%d different texts", p.distinct)
		}
		return 0, ""
	case Description, Note:
		if p.textual() {
			return 1, "texts"
		}
		if p.known() == 0 {
			return 0.6, "empty"
		}
		return 0.2, ""
	case Strategy, Objective, Owner:
		if p.textual() && (p.letters >= 3 || r == Owner || len(p.texts) > 0 && unparted(p.texts[0])) {
			return 1, fmt.Sprintf("%d different texts", p.distinct)
		}
		return 0, ""
	case Unit:
		if p.textual() {
			return 1, fmt.Sprintf("%d different texts", p.distinct)
		}
		return 0.25, fmt.Sprintf("%d different", p.distinct)
	case Measure, Frequency, Status:
		if p.known() == 0 {
			return 0.3, "empty"
		}
		if p.textual() && p.distinct <= max(12, p.rows/4) && p.letters < 40 || r == Measure && p.textual() && 2*p.distinct <= p.filled && p.letters < 60 {
			return 1, fmt.Sprintf("%d different texts", p.distinct)
		}
		return 0, ""
	case Vintage:
		if p.distinct >= 1 && p.distinct <= 20 {
			return 1, fmt.Sprintf("%d editions", p.distinct)
		}
		return 0, ""
	}
	return 0, ""
}

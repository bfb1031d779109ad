package guess

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"setpoint.dev/services/importer/cell"
)

var (
	trendWord = regexp.MustCompile(`(?:^|[^\pL])(?:trends?|tendance|tendencia|tendência|tendenza|entwicklung|ontwikkeling|utveckling|change|direction of travel|dot)(?:[^\pL]|$)`)
	goodWord  = regexp.MustCompile(`(?:^|[^\pL])(?:desired|target|good|better|preferred|expected|wanted|deseada|desejada|souhaitée?|visée?|desiderata|gewünscht|angestrebt|gewenste|önskad|ønsket|oczekiwany)(?:[^\pL]|$)`)
)

// trend looks at a column that is called a trend: where its words are how the last
// two actuals moved, it says nothing of which way is good.
func (p *Proposal) trend(body Grid) {
	for i, c := range p.Columns {
		h := normalize(c.Header)
		if c.Role != Direction || !trendWord.MatchString(h) || goodWord.MatchString(h) {
			continue
		}
		same, other := 0, 0
		for _, row := range body {
			said, ok := cell.Unknown, false
			if c.Index < len(row) {
				said, ok = cell.ParseDirection(row[c.Index])
			}
			moved, seen := p.moved(row)
			switch {
			case !ok || !seen:
			case said == moved:
				same++
			default:
				other++
			}
		}
		if other > 0 && other >= same && !p.arrows(c.Index, body) {
			p.Questions = append(p.Questions, fmt.Sprintf("does %q say which way is good? It is not how the values moved, and is read so", c.Header))
			continue
		}
		p.Columns[i] = Column{Index: c.Index, Header: c.Header, Role: Ignored, Confidence: 0.6, Reason: "a trend may be how the values moved: it is not taken for which way is good"}
		p.Questions = append(p.Questions, fmt.Sprintf("does %q say which way is good (direction), or how the values moved? It is left out", c.Header))
	}
}

// arrows reports whether a column has nothing but signs, which tell what is better
// from what is more as little as they tell which of both is wanted.
func (p *Proposal) arrows(at int, body Grid) bool {
	for _, row := range body {
		if at < len(row) && strings.ContainsFunc(row[at], unicode.IsLetter) && len(row) > 1 && loneText(row) == "" {
			return false
		}
	}
	return true
}

// moved is the direction from the last but one of a row's dated actuals to the
// last.
func (p *Proposal) moved(row []string) (cell.Direction, bool) {
	var last []float64
	for _, c := range p.Columns {
		if c.Role != Actual || !c.dated() || c.Index >= len(row) {
			continue
		}
		if v, err := cell.ParseNumber(row[c.Index], p.Locale); err == nil {
			last = append(last, v.Value)
		}
	}
	n := len(last)
	switch {
	case n < 2:
		return cell.Unknown, false
	case last[n-1] > last[n-2]:
		return cell.Increase, true
	case last[n-1] < last[n-2]:
		return cell.Decrease, true
	}
	return cell.Within, true
}

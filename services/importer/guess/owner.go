package guess

import (
	"fmt"
	"regexp"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
)

// mostOwners is how many words of an owner column a mapping lists.
const mostOwners = 40

// owners lists the words of an owner column that name units, to be declared, and
// asks who the others are. The names of people are not written down.
func owners(p Proposal, body Grid, m *mapping.Mapping, questions *[]string) {
	others := map[string]bool{}
	for _, c := range p.Of(Owner) {
		for _, row := range body {
			if c.Index >= len(row) || row[c.Index] == "" || cell.Missing(row[c.Index]) {
				continue
			}
			text := row[c.Index]
			switch {
			case !unitName(text):
				others[text] = true
			case len(m.Owners) < mostOwners:
				if m.Owners == nil {
					m.Owners = map[string]string{}
				}
				m.Owners[text] = "unit"
			}
		}
	}
	if len(m.Owners) > 0 {
		*questions = append(*questions, "owners that are named like units are declared as units (owners): are they?")
	}
	if len(others) > 0 {
		*questions = append(*questions, fmt.Sprintf("who are the %d owners that are not named like units? owners says it, WORD: person/ID or unit/NAME; without it they are reported", len(others)))
	}
}

// orgWords are words of the names of units, in lower case: what a person has in
// a title (director, head, manager) is none.
var orgWords = regexp.MustCompile(`(?i)(?:^|[^\pL])(?:department|dept|office|division|directorate|team|desk|unit|bureau|agency|authority|committee|board|ministry|council|service|services|section|branch|group|centre|center|` +
	`amt|abteilung|referat|dezernat|fachbereich|stabsstelle|verwaltung|direktion|ministerium|direction|service|département|ministère|bureau|mission|agence|` +
	`secretaría|secretaria|ministerio|ministério|dirección|direccion|oficina|departamento|gerencia|gerência|subsecretaría|coordinación|coordenação|diretoria|instituto|` +
	`ufficio|direzione|dipartimento|settore|servizio|afdeling|directie|dienst|avdelning|förvaltning|nämnd|avdeling|etat|wydział|biuro|urząd|ministerstwo|departament)(?:[^\pL]|$)|(?:amt|abteilung|förvaltning|nämnd|kontor|部|課|局|司|厅|委员会|委)$`)

var titleWords = regexp.MustCompile(`(?i)\b(?:director of|head of|manager|chief|officer|leiter|leiterin|directeur|directrice|chef|jefe|jefa|coordinador|coordinadora|diretor|diretora|responsabile|dirigente|hoofd)\b`)

func unitName(text string) bool { return orgWords.MatchString(text) && !titleWords.MatchString(text) }

package guess

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"setpoint.dev/services/importer/mapping"
)

// Role is what a column is for, as far as a header and values can tell.
type Role = mapping.Role

// The roles that are guessed. A column that has none is Ignored, and said to be.
const (
	Ignored     = mapping.Ignore
	ID          = mapping.ID
	Name        = mapping.Name
	Description = mapping.Description
	Strategy    = mapping.Strategy
	Objective   = mapping.Objective
	Unit        = mapping.Unit
	Owner       = mapping.Owner
	Measure     = mapping.Measure
	Direction   = mapping.Direction
	Period      = mapping.Period
	Kind        = mapping.Kind
	Value       = mapping.Value
	Target      = mapping.Target
	Actual      = mapping.Actual
	Min         = mapping.Min
	Max         = mapping.Max
	Baseline    = mapping.Baseline
	BaselineAt  = mapping.BaselineAt
	TargetAt    = mapping.TargetAt
	Vintage     = mapping.Vintage
	Frequency   = mapping.Frequency
	Note        = mapping.Note
	Status      = mapping.Status
	Weight      = mapping.Weight
)

// headerWords are the words of headers by role, in several languages, in lower
// case and without accents on capitals. A header is split into words; a
// phrase of several words must stand in it as such. weight is how much the
// word alone says: 3 hardly anything else, 2 usual, 1 weak.
var headerWords = []headerGroup{
	{ID, 3, "id|measure id|kpi id|indicator id|kpi code|indicator code|measure code|kennzahl-nr|kennzahlnummer|codigo|código|code indicateur|ref|reference|nr|nr.|no.|no|#|num|numero|número|lfd. nr|target id|uid|key|lp|l.p.|番号|编号|序号|sl no|sr no|s no|s.no.|serial no|pos|pos.|kennziffer"},
	{ID, 1, "code"},
	{Name, 3, "kpi|kpis|measure|measures|metric|metrics|indicator|indicators|measure name|kpi name|indicator name|metric name|performance measure|performance indicator|key result|key results|key_result|measure_name|indikator|kennzahl|kennzahlen|messgröße|messgroesse|indicateur|indicateurs|indicador|indicadores|indicatore|indicatori|nøkkeltall|nyckeltal|mått|indicator naam|kpi-naam|prestatie-indicator|prestatieindicator|resultado clave|resultado-chave|schlüsselergebnis|resultat clé|résultat clé|mesure|medida|metrik|метрика|показатель|指標|指标|wskaźnik|wskaźniki|miernik|nazwa wskaźnika|kennzahlenname|kpi-name|performance metric|指标名称|指標名|指标|成果指標|評価指標|数値目標|output indicator|outcome indicator|indicateur de performance|indicador de gestión|indicador de resultado|indicador de desempenho|ukazatel|mittari|resultatmål|indikator name|indicator description|what we measure|三级指标|messgrösse|steuerungsgrösse|kenngrösse"},
	{Name, 1, "name|title|bezeichnung|nom|nombre|nome|naam|namn|libellé|titel|benennung|item|description of measure"},
	{Description, 2, "description|definition|beschreibung|erläuterung|descripción|descripcion|descrição|descrizione|omschrijving|beskrivning|définition|calculation|formula|formel|berechnung|methodology|measure_description|details|指标解释|指标说明|解释|説明|说明|定义|定義|指標の説明"},
	{Strategy, 3, "goal|strategic goal|pillar|perspective|theme|focus area|priority area|strategic priority|strategic pillar|strategic theme|strategisches ziel|handlungsfeld|säule|axe|axe stratégique|pilier|objetivo estratégico|objetivo estrategico|eje|eje estratégico|pilar|perspectiva|perspective|perspektive|domaine|pijler|speerpunt|goal area|outcome|outcomes|result area|key result area|kra|strategisk mål|målområde|mission area|tema|cel strategiczny|thema|domain|domein|obszar|pillars|分野|類別|类别|一级指标|領域|施策|政策|obiettivo strategico|área estratégica|line of action|línea estratégica|linea strategica|missione|mission|strategic direction|handlungsfelder|themenfeld|zielbereich|themenbereich|priority outcome|output/outcome"},
	{Unit, 1, "area|área"},
	{Strategy, 1, "strategy|category|program area|kategorie|catégorie|categoría|priority"},
	{Name, 2, "二级指标"},
	{Objective, 2, "二级指标"},
	{Objective, 3, "objective|objectives|strategic objective|okr|ziel|ziele|objectif|objectifs|objetivo|objetivos|obiettivo|obiettivi|doelstelling|doel|mål|delmål|teilziel|operational objective|operatives ziel|objetivo operativo|strategy objective|strategy|result|output|expected result|cel|cele|目標項目|objectif stratégique|objectif opérationnel|resultado esperado|resultaat|result statement|intervention logic|resultado|resultados|résultat attendu|produto|producto|componente|component"},
	{Unit, 3, "department|dept|division|cabinet|agency|business unit|bu|directorate|bureau|office|team|organisation|organization|org unit|program|programme|service area|branch|section|abteilung|bereich|referat|dezernat|fachbereich|amt|direction générale|service|département|departement|dirección|direccion|departamento|unidad|secretaría|secretaria|área responsable|diretoria|ufficio|dipartimento|direzione|afdeling|avdeling|avdelning|förvaltning|program_name|dept_cd|activity|activity_name|region|country|state|entity|actor|location|site|standort|land|facility|school|district|ward|province|scheme|force|force area|direktion|directie|ministry|ministère|ministerium|ministerio|ministério|wydział|jednostka organizacyjna|urząd|部署|担当課|部门|责任单位|borough|municipality|commune|gemeinde|municipio|comune|gemeente|kommun|hospital|clinic|ward area|plant|store|project|dipartimento|area name|business area|geschäftsbereich|sparte|segment|faculty|fakultät|faculté|facultad|settore|programma|programm|teilhaushalt|produktgruppe|produktbereich|ressort|einrichtung|klinik|werk|filiale|gesellschaft|policy area name|area organizzativa|centro di responsabilità|dirección responsable|dependencia|entidad|órgano|unidade organizacional|leistungsgruppe|produktegruppe|verwaltungseinheit"},
	{Owner, 3, "owner|responsible|accountable|lead|measure owner|kpi owner|verantwortlich|verantwortliche|verantwortlicher|zuständig|responsable|responsabile|responsável|eigenaar|verantwoordelijke|ansvarig|ansvarlig|assigned to|contact|champion|sponsor|service owner|process owner|właściciel|odpowiedzialny|責任者|担当|负责人|verantw.|verantwortung|data owner|executive sponsor|exec lead|portfolio holder|lead officer|lead member|accountable officer"},
	{Measure, 3, "unit|units|unit of measure|uom|measurement unit|einheit|maßeinheit|masseinheit|unité|unite|unidad de medida|unidade|unidade de medida|unità|unità di misura|eenheid|enhet|enhed|target_unit|mesure unité|format|type of unit|jednostka miary|jednostka|単位|单位|计量单位|eenheid|enheter|u.m.|unid.|me|m.e.|unidad"},
	{Direction, 3, "direction|desired direction|polarity|trend desired|desired trend|better|good direction|preferred direction|target direction|richtung|zielrichtung|polarität|sens|sens souhaité|polaridad|dirección deseada|sentido|polaridade|direzione desiderata|richting|riktning|goal direction|improvement direction|desired result|trend|oczekiwany trend|kierunek|方向|属性方向|polarité|polarità|sens d évolution|expected trend|good is|good performance|good performance means|aim to|direction of travel|tendencia deseada|önskad riktning|ønsket retning|zielrichtung|wirkungsrichtung|optimierungsrichtung"},
	{Period, 3, "year|period|fiscal year|fy|quarter|month|date|reporting period|as of|jahr|geschäftsjahr|haushaltsjahr|monat|quartal|zeitraum|berichtsjahr|stichtag|datum|année|annee|exercice|mois|trimestre|période|año|ejercicio|mes|periodo|período|fecha|ano|exercício|mês|data|anno|mese|jaar|maand|kwartaal|periode|år|månad|måned|kvartal|school year|week|semaine|woche|semana|reporting date|fiscal_year|rok|okres|miesiąc|kwartał|年|年度|月|期間|quarter ending|month ending|period ending|end date|to date|period end|week commencing|week ending|reporting year|financial year|ciclo|cycle|zyklus|zeit|okr cycle|kalenderwoche|tidsperiod|esercizio"},
	{Period, 1, "start date|from date|begin date|period start|valid from"},
	{Kind, 3, "kind|value type|measure type|type of value|wertart|plan/ist|type de valeur|tipo de valor|scenario|szenario|version type|series|rodzaj|類型|measure kind|plan or actual|target or actual|target/actual|soll/ist|ist/soll|ist/plan"},
	{Kind, 1, "type|art|tipo"},
	{Value, 3, "value|values|amount|wert|werte|valeur|valor|valore|waarde|värde|verdi|value_raw|obs_value|result value|figure|total_emissions|total"},
	{Target, 3, "target|targets|goal value|target value|plan|planned|planned value|budget|soll|zielwert|planwert|ziel-wert|cible|valeur cible|prévu|objectif chiffré|meta|metas|meta anual|valor meta|planificado|programado|planejado|previsto|target_value|obiettivo valore|streefwaarde|norm|målvärde|måltal|goal target|approved|amended|proposed|expected|forecast target|benchmark|planned target|commitment|projected|milestone|milestones|jalon|hito|meilenstein|mijlpaal|prévision|prévisions|programmé|wartość docelowa|docelowa|docelowy|plan na|目標値|目標|目标|目标值|计划|計画|målnivå|cible intermédiaire|objetivo anual|valor objetivo|valore obiettivo|valore target|valor esperado|target level|required|ambition|desired|sollwert|zielvorgabe|vorgabe|programmed|forecast|presupuesto|presupuestado|budgeted|orçado|norma|valore atteso|atteso|risultato atteso|begroting|begroot|raming|budżet|budgeterat|rozpočet|målsättning|mål år|valor previsto|valor planejado|resultado previsto|valor programado|valeur attendue|attendu|erwartet|erwarteter wert|expected value|expected result value|plan value|aim|goal value|voranschlag|va|finanzplan|fp|planjahr|ambition"},
	{Target, 2, "ziel|objectif|objetivo|doel|mål|goal|obiettivo|objective"},
	{Value, 2, "rate|percentage|count|observation|observed value|measurement|quote|anteil|taux|tasa|taxa|tasso"},
	{Actual, 3, "actual|actuals|result|results|achieved|actual value|realised|realized|executed|outturn|performance|ist|istwert|ist-wert|ergebnis|réalisé|realise|réalisation|résultat|resultat|observé|real|resultado|ejecutado|logro|avance|logrado|alcanzado|realizado|executado|alcançado|consuntivo|risultato|realizzato|realisatie|resultaat|utfall|faktisk|current value|current|latest|ytd|year to date|observed|measured|score|end_q_score|reported|wykonanie|wartość osiągnięta|wykonano|osiągnięto|実績値|実績|現状値|実績（値）|实际|实际值|完成值|完成|achievement|achievements|realisations|réalisations|atteint|constaté|valeur constatée|dernière valeur connue|dernière valeur|last value|latest value|valor actual|valor atual|valore attuale|ejecución|execução|realizado acumulado|werkelijk|gerealiseerd|resultat|delivered|actual performance|status quo|aktuell|aktueller wert|current status value|measured value|valore raggiunto|raggiunto|conseguito|valore conseguito|valor alcançado|valor realizado|valor obtido|valor alcanzado|valor obtenido|obtenido|atingido|valeur atteinte|valeur obtenue|obtenu|erreicht|erreichter wert|werkelijke waarde|uppnått|uppnått värde|achieved value|observed value|osiągnięta wartość|status value|ist-stand|atual|huidig|huidige waarde|attuale|actuel|actuelle|valeur actuelle|obecna|obecna wartość|nuvarande|nuläge|nåværende|rechnung|abschluss|jahresrechnung"},
	{Min, 3, "min target|minimum target|min|minimum|lower bound|lower limit|floor|mindestwert|untergrenze|minimo|mínimo|from value|lower"},
	{Max, 3, "max target|maximum target|max|maximum|upper bound|upper limit|ceiling|höchstwert|obergrenze|maximo|máximo|upper"},
	{Baseline, 3, "baseline|baseline value|base|starting value|start value|start|ausgangswert|basiswert|valeur de référence|référence|referência|índice de referência|línea base|linea base|línea de base|linha de base|valore base|nulmeting|utgångsvärde|base value|wartość bazowa|bazowa|基準値|基准值|基期|valor base|valor inicial|situation de départ|point de départ|startwert|ausgangslage|baselines|valor de referencia|valor de partida|lähtötaso|nullwert|initial value|lb"},
	{BaselineAt, 3, "baseline year|base year|baseline date|baseline_year|base_year|basisjahr|année de référence|año base|ano base|anno base|basisjaar|basår"},
	{TargetAt, 3, "target year|target date|target_year|due date|deadline|by when|zieljahr|zieldatum|frist|échéance|année cible|año meta|fecha meta|ano meta|anno obiettivo|streefjaar|målår|by year|due"},
	{Vintage, 3, "vintage|edition|book|version|plan version|release|published|budget book|ausgabe|édition|edición|edição"},
	{Frequency, 3, "frequency|reporting frequency|frequency_name|frequency name|periodicity|häufigkeit|turnus|fréquence|périodicité|frecuencia|periodicidad|frequência|periodicidade|frequenza|frequentie|frekvens|measurement frequency|cadence|częstotliwość|頻度|频率|how often|messintervall|erhebungsrhythmus|freq"},
	{Note, 3, "note|notes|comment|comments|remark|remarks|further questions|bemerkung|bemerkungen|anmerkung|kommentar|commentaire|commentaires|observaciones|observación|comentarios|observações|comentário|note esplicative|osservazioni|toelichting|opmerking|opmerkingen|anmärkning|explanation|narrative|footnote|source|data_source|data source|url|link|quelle|fuente|fonte|bron|uwagi|źródło|źródło danych|備考|备注|出典|means of verification|assumptions|evidence|quellen|sources|hinweis|hinweise|anotaciones|nota|notas|commentary|rationale|assumption|uwaga|属性|medio de verificación|medios de verificación|moyen de vérification"},
	{Status, 3, "status|rag|rating|traffic light|ampel|statut|estado|semáforo|stato|stand|health|on track|trend status|stan|状態|状态|進捗|semaforo|farbe|color|colour|ragstatus|rag status|rating rag"},
	{Weight, 3, "weight|weighting|gewicht|gewichtung|poids|pondération|peso|ponderación|peso %|vikt|vekt"},
}

// headerGroup is words of one role that say equally much.
type headerGroup struct {
	role   Role
	weight int
	words  string // parted by |
}

type headerWord struct {
	phrase string
	weight int
}

var phrases = func() map[Role][]headerWord {
	m, known := map[Role][]headerWord{}, map[string]bool{}
	for _, w := range slices.Concat(headerWords, further) {
		for _, p := range strings.Split(w.words, "|") {
			known[normalize(p)] = true
		}
	}
	for _, w := range slices.Concat(headerWords, further) {
		for _, p := range strings.Split(w.words, "|") {
			phrase := normalize(p)
			m[w.role] = append(m[w.role], headerWord{phrase, w.weight})
			// Databases write headers without accents, which may make another word of
			// them: programmé is a target, a programme none.
			if bare := withoutMarks(phrase); !known[bare] && len(bare) > 4 {
				m[w.role] = append(m[w.role], headerWord{bare, w.weight})
			}
		}
	}
	return m
}()

// withoutMarks takes the accents from Latin letters; other scripts' marks are
// letters' own.
func withoutMarks(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

var notWord = regexp.MustCompile(`[^\p{L}\p{N}#%]+`)

// lower are letters whose small form is not what headers are compared by: the
// Turkish capital I with its dot falls apart into two.
var lower = strings.NewReplacer("ß", "ss", "i\u0307", "i")

// normalize is a header in lower case, words parted by one space.
func normalize(header string) string {
	// MeasureName and target_value are two words each.
	var b strings.Builder
	runes := []rune(header)
	for i, r := range runes {
		// A capital alone at the end of a word is a part of it: UoM.
		if i > 0 && r >= 'A' && r <= 'Z' && runes[i-1] >= 'a' && runes[i-1] <= 'z' && i+1 < len(runes) && unicode.IsLetter(runes[i+1]) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(notWord.ReplaceAllString(lower.Replace(strings.ToLower(b.String())), " "))
}

// unparted reports whether a phrase is in a script that does not part words.
func unparted(phrase string) bool {
	r, _ := utf8.DecodeRuneInString(phrase)
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// ofWord are words behind the head of a header: an indicateur de résultat is an
// indicator, a type of measure no measure.
var ofWord = map[string]bool{
	"of": true, "for": true, "de": true, "du": true, "des": true, "do": true, "da": true, "dos": true, "das": true, "del": true, "di": true, "della": true, "delle": true, "dei": true,
	"d": true, "para": true, "pour": true, "per": true, "von": true, "der": true, "van": true, "voor": true, "av": true,
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

// firstWords are the places in phrases of those that begin with a word; those in
// scripts that do not part words are under the empty one.
var firstWords = func() map[Role]map[string][]int {
	m := map[Role]map[string][]int{}
	for role, list := range phrases {
		m[role] = map[string][]int{}
		for i, p := range list {
			first := firstWord(p.phrase)
			if unparted(p.phrase) {
				first = ""
			}
			m[role][first] = append(m[role][first], i)
		}
	}
	return m
}()

// candidates are the phrases of a role that may stand in a header, in their order.
func candidates(header string, role Role) []headerWord {
	at := slices.Clone(firstWords[role][""])
	for _, w := range strings.Fields(header) {
		at = append(at, firstWords[role][w]...)
	}
	slices.Sort(at)
	out := make([]headerWord, 0, len(at))
	for _, i := range slices.Compact(at) {
		out = append(out, phrases[role][i])
	}
	return out
}

// headerScore is from 0 to 1: how well a header fits a role by its words. The
// whole header counts more than a part of it, the last word more than the
// first ("target unit" is a unit), but for what stands behind an "of".
func headerScore(header string, role Role) (score float64, phrase string) {
	h := normalize(header)
	if h == "" {
		return 0, ""
	}
	words := len(strings.Fields(h))
	for _, p := range candidates(h, role) {
		s := 0.0
		switch {
		case h == p.phrase:
			s = 1
		case unparted(p.phrase):
			// Chinese and Japanese have no blanks between words, Korean few.
			if !strings.Contains(h, p.phrase) {
				continue
			}
			s = 0.5
			if strings.HasSuffix(h, p.phrase) {
				s = 0.8
			}
			if n := utf8.RuneCountInString(p.phrase); n > 1 {
				s = min(1, s+0.02*float64(n))
			}
		case strings.HasSuffix(h, " "+p.phrase):
			s = 0.75
			if ofWord[lastWord(strings.TrimSuffix(h, " "+p.phrase))] {
				s = 0.5
			}
		case strings.HasPrefix(h, p.phrase+" "):
			s = 0.6
			if ofWord[firstWord(strings.TrimPrefix(h, p.phrase+" "))] {
				s = 0.8
			}
		case strings.Contains(h, " "+p.phrase+" "):
			s = 0.5
		default:
			continue
		}
		size := len(strings.Fields(p.phrase))
		s *= 0.8 + 0.2*float64(size)/float64(words)
		s *= [...]float64{0, 0.45, 0.8, 1}[p.weight]
		if s > score {
			score, phrase = s, p.phrase
		}
	}
	return score, phrase
}

package cell

import "strings"

// furtherDirections are words of direction in more languages, and as databases
// spell them.
var furtherDirections = map[Direction][]string{
	Increase: {
		"up is good", "greater is better", "higher is good", "high is better", "more is good", "bigger the better", "larger is better", "upwards is good", "increase is good", "to increase", "aim to maximise", "aim to maximize", "aim high", "is benefit",
		"maior igual", "maior ou igual", "tendência de alta", "tendencia de alta", "tendência alta", "tendencia alta", "mayor o igual", "aumentar es mejor", "maior valor",
		"artan", "artış", "artırmak", "yükselen", "naik", "meningkat", "semakin tinggi semakin baik", "maksimasi", "maximize is better",
		"상향", "증가", "상승", "увеличение", "рост", "повышение", "возрастающий", "зростання", "růstový", "rostoucí", "nouseva", "kasvava", "lisääntyvä", "stige", "øges", "økende", "højere er bedre", "høyere er bedre", "högre är bättre",
		"⇧", "⬆️", "⇑", "🡅",
	},
	Decrease: {
		"down is good", "lower is good", "low is better", "less is good", "fewer is better", "smaller the better", "decrease is good", "to decrease", "aim to minimise", "aim to minimize", "aim low",
		"menor igual", "menor ou igual", "tendência de baixa", "tendencia de baixa", "tendência baixa", "tendencia baixa", "menor o igual", "menor valor",
		"azalan", "azalış", "azaltmak", "düşen", "turun", "menurun", "semakin rendah semakin baik", "minimasi",
		"하향", "감소", "하락", "снижение", "уменьшение", "сокращение", "убывающий", "зменшення", "klesající", "laskeva", "vähenevä", "falde", "reduceres", "lavere er bedre", "lavere er best", "lägre är bättre",
		"⇩", "⬇️", "⇓", "🡇",
	},
	Within: {"유지", "сохранение", "sabit", "koruma", "tetap", "zachovat", "pysyvä", "udržet", "uændret", "uendret", "⇔", "⬌"},
}

// furtherMissing are words for "there is no value" in more languages.
var furtherMissing = words(
	"dna", "does not apply", "data awaited", "awaited", "not due", "not yet due", "data not yet available", "no longer reported", "no longer collected", "no longer measured", "under development", "in development", "no specific target", "target to be set", "to be set", "not published", "not calculated", "not collected this year", "insufficient data", "data unavailable",
	"veri yok", "belli değil", "uygulanmaz", "tidak ada data", "belum tersedia", "해당없음", "자료없음", "미집계", "미정", "нет данных", "не применимо", "н д", "н/д", "немає даних", "nedostupné", "neuvedeno", "není stanoveno", "ei tietoa", "ei saatavilla", "ei käytössä", "ikke opgjort", "ikke tilgængelig", "ikke relevant", "uoplyst", "foreligger ikke",
	"pas de cible spécifique", "aucune cible", "résultat non disponible", "à établir", "à venir", "sin meta", "sem meta", "não apurada", "em apuração", "em desenvolvimento", "en desarrollo", "liegt nicht vor", "liegt noch nicht vor", "keine werte", "in vorbereitung", "in definizione", "nog niet bekend", "nnb",
)

// exactWords stand before a target that is one value, neither the least nor the
// most.
var exactWords = []string{"exactly", "exactement", "exactamente", "exatamente", "esattamente", "genau", "precies"}

// cutExact takes such a word away.
func cutExact(s string) string {
	lower := strings.ToLower(s)
	for _, w := range exactWords {
		if r, ok := strings.CutPrefix(lower, w+" "); ok && len(lower) == len(s) && hasDigit(r) {
			return strings.TrimSpace(s[len(w):])
		}
	}
	return s
}

// furtherMonths are the names of months in more languages, in the order of the
// year; a month may have several.
var furtherMonths = []string{
	"ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
	"januari februari maret april mei juni juli agustus september oktober november desember",
	"styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień",
	"stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
	"leden únor březen duben květen červen červenec srpen září říjen listopad prosinec",
	"tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu",
	"январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
	"января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
	"ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik",
	"oca şub mart nis mayıs haz tem ağu eyl eki kas ara",
	"sty lut mar kwi maj cze lip sierp wrz paź lis gru",
	"ledna února března dubna května června července srpna září října listopadu prosince",
	"január február marec apríl máj jún júl august september október november december",
	"januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
	"január február március április május június július augusztus szeptember október november december",
	"jan febr márc ápr máj jún júl aug szept okt nov dec",
	"ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
	"ian feb mar apr mai iun iul aug sept oct noi dec",
	"gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
	"xaneiro febreiro marzo abril maio xuño xullo agosto setembro outubro novembro decembro",
	"januar februar marec april maj junij julij avgust september oktober november december",
	"jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
	"janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
	"янв фев мар апр май июн июл авг сен окт ноя дек",
	"янв февр март апр май июнь июль авг сент окт нояб дек",
	"січень лютий березень квітень травень червень липень серпень вересень жовтень листопад грудень",
	"січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
	"януари февруари март април май юни юли август септември октомври ноември декември",
	"ιανουάριος φεβρουάριος μάρτιος απρίλιος μάιος ιούνιος ιούλιος αύγουστος σεπτέμβριος οκτώβριος νοέμβριος δεκέμβριος",
	"ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου",
	"يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
	"جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر",
	"जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर",
	"มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม",
	"jan feb mar apr mei jun jul agu sep okt nov des",
	"tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
	"january february marts april maj juni juli august september oktober november december",
}

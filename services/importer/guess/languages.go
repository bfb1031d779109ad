package guess

// further are words of headers as reports of more countries and of international
// bodies have them, in the form of headerWords.
var further = []headerGroup{
	{ID, 3, "indicator number|measure number|kpi number|kpi no|indicator no|nº|n°|codice|kod|п п|번호|연번|지표번호|sıra no|göstergekodu|gösterge kodu|no urut|kode"},
	// Turkish, Indonesian, Korean, Russian, Ukrainian, Czech, Finnish, Danish, Norwegian, Polish
	{Name, 3, "performans göstergesi|performans göstergeleri|gösterge|göstergeler|indikator kinerja|indikator kinerja utama|iku|성과지표|지표|지표명|핵심성과지표|наименование показателя|показатели|целевой показатель|назва показника|показник|ukazatele|název ukazatele|indikátor|mittarit|tunnusluku|indikatorer|måltal|styringsparameter|styringsparametre|nazwa miernika|mierniki|headline measure|departmental result indicator|indicateur de résultat|sous indicateur libellé|kpi title|series name|variable name"},
	{Name, 1, "libelle|label|tytuł|nazwa|název|nimi|наименование|ad|adı|nama"},
	{Strategy, 3, "amaç|stratejik amaç|tema|sasaran|sasaran strategis|tujuan|전략목표|정책목표|цель|стратегическая цель|strategický cíl|painopiste|lead strategy|基本目標|基本目标|departmental result|résultat ministériel|core responsibility|responsabilité essentielle|diretriz|dimension|dimensión|dimensão|topic"},
	{Objective, 3, "hedef|задача|cíl|cíle|strateginen tavoite|세부목표|추진과제"},
	{Unit, 3, "sorumlu birim|birim|unit kerja|perangkat daerah|담당부서|소관부서|부서|시도|시군구|ministerstvo|virasto|yksikkö nimi|vastuualue|jednostka odpowiedzialna|jednostka realizująca|produkt|périmètre|perimetre|territoire|perimeter|local authority|local authority name|provider|trust|trust name|org name|organisation name|organization name|provider name|council|county|city|institution|university|company|entreprise|unternehmen|empresa|azienda|bedrijf"},
	{Owner, 3, "sorumlu|penanggung jawab|담당자|ответственный|ответственный исполнитель|исполнитель|gestor|vastuutaho|vastuuhenkilö|ansvarlig enhed"},
	{Measure, 3, "ölçü birimi|satuan|단위|единица измерения|ед изм|одиниця виміру|měrná jednotka|jednotka|mj|m j|yksikkö|måleenhed|måleenhet|j m|units of measure|computation units"},
	{Direction, 3, "good to be|better is|what is good|direction of good performance|direção|direcao|direção desejada|sens de l évolution|yön|istenen yön|направление|žádoucí trend|suunta|indicator direction|polarity of measure|optimum|good performance is|performance direction"},
	{Period, 3, "year month|ym|yyyymm|yearmonth|anno mese|año mes|ano mes|ano mês|jahr monat|年月|yıl|dönem|tahun|periode pelaporan|연도|기준연월|년도|год|период|рік|období|vuosi|kausi"},
	{Value, 3, "değer|nilai|값|значение|hodnota|arvo"},
	{Target, 3, "hedef|hedeflenen|hedef değer|planlanan|target kinerja|rencana|목표|목표치|목표값|план|плановое значение|целевое значение|цільове значення|cílová hodnota|tavoite|tavoitearvo|måltall|resultatmål|resultatkrav|ambisjonsnivå|planowana|planowane|wartość planowana|planowana wartość|ansatz|ansätze|planung|plansatz|haushaltsansatz|planansatz|índice esperado|indice esperado|meta prevista|meta plano|índice esperado ao final|meta programada|output target"},
	{Actual, 3, "gerçekleşme|gerçekleşen|gerçekleşen değer|gerçekleşme değeri|realisasi|capaian kinerja|실적|실적치|실적값|факт|фактическое значение|фактически|факт значення|skutečnost|skutečná hodnota|toteuma|toteutuma|toteutunut|opnået|oppnådd|implemented|implemented value|résultats réels|résultat réel|resultats reels|resultado alcanzado|resultado alcançado|prior actual|valor logrado"},
	{Baseline, 3, "başlangıç değeri|plan dönemi başlangıç değeri|nilai awal|기준값|기준치|базовое значение|базове значення|výchozí hodnota|lähtöarvo|udgangspunkt|utgangspunkt|linha base|linha base valor|valor linha base|valor línea base|índice de referência|indice de referencia|valeur initiale|valeur de base"},
	{BaselineAt, 3, "baseline as of|reference year|referenzjahr|ausgangsjahr|bezugsjahr|基準年度|基準年|基準時点|基准年|linha base ano|data de referência|data de referencia|date de référence|año línea base|fecha línea base|temel yıl|rok bazowy|기준연도|базовый год|výchozí rok|lähtövuosi"},
	{TargetAt, 3, "date to achieve target|date to achieve|achieve by|date d atteinte|date d atteinte de la cible|date cible|date d échéance|目標年度|目標年|達成年度|目标年|目标年份|目标年度|fecha de cumplimiento|plazo|prazo|data alvo|scadenza|hedef yılı|목표연도|срок|срок достижения|cílový rok|tavoitevuosi|target period|completion date"},
	{Frequency, 3, "izleme sıklığı|frekuensi|주기|측정주기|периодичность|četnost|seurantaväli"},
	{Note, 3, "açıklama|keterangan|비고|출처|측정방법|примечание|источник|poznámka|zdroj|huomautus|lähde|bemærkning|merknad|kilde|justificación|justificativa|justification"},
	{Status, 3, "durum|상태|달성여부|달성도|stav|tila|progress status|classificação|clasificación"},
	{Weight, 3, "ağırlık|hedefe etkisi|bobot|가중치|배점|вес|váha|painoarvo|vægt"},
	// States at the beginning and at the end, as columns of a year and a value have them.
	{Baseline, 3, "výchozí stav|počáteční stav|východiskový stav|stan wyjściowy|stan początkowy|valore iniziale|situazione iniziale|valore di partenza|situación inicial|valor de base|situação inicial|situation initiale|état initial|beginwaarde|uitgangssituatie|initial situation|starting point|ausgangszustand|lähtötilanne"},
	{Target, 3, "cílový stav|cieľová hodnota|cieľový stav|stan docelowy|wartość planowana|situación objetivo|situation cible|situazione attesa|valore atteso|doelwaarde|streefcijfer|zielzustand|tavoitetila|mål värde"},
	{Actual, 3, "dosažená hodnota|dosaženo|skutečný stav|dosiahnutá hodnota|stan osiągnięty|valore raggiunto|situación actual|situação atual|situation actuelle|huidige stand|gerealiseerd|uitkomst|tatsächlich|erreicht"},
	{Target, 3, "valeur intermédiaire|valor intermedio|valor intermédio|valore intermedio|zwischenziel|zwischenwert|etappenziel|tussendoel|zielwerte|sollwerte|planwerte|streefwaarden"},
	{Actual, 3, "istwerte|ist werte"},
	{Name, 3, "performance goal|performance goals"},
	{Objective, 3, "results chain|result chain|resultaatketen|cadena de resultados|chaîne de résultats"},
	{Status, 3, "met|target met|goal met|target achieved|erfüllt|cumplida"},
}

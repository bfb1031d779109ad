package workbook

import (
	"bytes"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"setpoint.dev/services/internal/fault"
)

// Files of programs that do not write Unicode are read in the encoding they are
// in, or refused.
func TestEncodings(t *testing.T) {
	for _, c := range []struct{ encoding, text string }{
		{"windows-1252", "Kennzahl;Ist 2022\r\nZufriedenheit der Bürger;12,5\r\nGrößere Straßen;8\r\n"},
		{"windows-1252", "Indicateur;Réalisé 2022\r\nDélai d’attente;12,5\r\nQualité perçue – été;8\r\n"},
		{"windows-1252", "Indicador;Meta año\r\nSatisfacción de los niños;12\r\n"},
		{"windows-1252", "Indicador;Realização\r\nExecução orçamentária – ação;12\r\n"},
		{"windows-1252", "Mittari;Yksikkö\r\nKäyttäjämäärä;kpl\r\nHyvää päätöstä;%\r\n"},
		{"windows-1252", "Mål;Enhed\r\nFærre sygedage på kontoret;dage\r\nØget søgning;%\r\n"},
		{"windows-1252", "Indicatore;Unità\r\nQualità più alta;%\r\nCosì è;n.\r\n"},
		{"windows-1252", "Nyckeltal;Mål\r\nNöjda medborgare på sjukhus;%\r\n"},
		{"windows-1252", "Mælikvarði;Markmið\r\nÁnægja íbúa með þjónustu;%\r\n"},
		{"windows-1252", "Measure;Price\r\nCost £;€ 5\r\nthe team’s “score”;7\r\n"},
		{"windows-1250", "Ukazatel;Skutečnost\r\nPočet přepravených osob;1\r\nŘešení příjmů;2\r\n"},
		{"windows-1250", "Wskaźnik;Wartość\r\nLiczba wniosków złożonych;1\r\nUdział kobiet;2\r\n"},
		{"windows-1250", "Mutató;Egység\r\nElégedettségi érték főosztályok között;1\r\nidőszak;2\r\n"},
		{"windows-1254", "Gösterge;Gerçekleşen\r\nYolların uzunluğu;1\r\nÇalışan sayısı;2\r\n"},
		{"windows-1251", "Показатель;План;Факт\r\nДоля обращений;95,0;94,2\r\n"},
		{"windows-1253", "Δείκτης;Στόχος\r\nΙκανοποίηση πολιτών;95\r\n"},
		{"macintosh", "Kennzahl;Ist\rZufriedenheit der Bürger;12,5\rGrößere Straßen;8\r"},
		{"macintosh", "Indicateur;Réalisé\nDélai d’attente;12,5\nQualité perçue;8\n"},
		{"shift_jis", "指標,単位,目標,実績\r\n売上高,百万円,1300,1290\r\nサービスの満足度,％,93,92\r\n"},
		{"gb18030", "指标名称,单位,目标,实际\r\n服务满意度,%,93,92\r\n一般公共预算收入,万元,1300,1290\r\n"},
		{"euc-kr", "성과지표,단위,목표,실적\r\n민원 만족도,%,93,92\r\n취업자 수,명,1300,1290\r\n"},
	} {
		b, err := encodings[c.encoding].NewEncoder().Bytes([]byte(c.text))
		if err != nil {
			t.Fatalf("%s: %q: %v", c.encoding, c.text, err)
		}
		if got := encodingOf(b); got != c.encoding {
			t.Errorf("%q is read as %q, not %q", c.text, got, c.encoding)
		}
	}
	// Of Thai nothing is known here: it is not read as what it is not.
	thai, err := charmap.Windows874.NewEncoder().Bytes([]byte("ตัวชี้วัด,หน่วย\nความพึงพอใจของประชาชน,5\nจำนวนผู้รับบริการ,7\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(bytes.NewReader(thai), int64(len(thai)), Options{}); fault.ReasonOf(err) != "import.encoding" {
		t.Errorf("Thai: %v", err)
	}
}

// What is no table is told by what it is.
func TestOtherFiles(t *testing.T) {
	for _, content := range []string{
		"<html><body><table><tr><td>KPI</td></tr></table></body></html>", "\xef\xbb\xbf\r\n<!DOCTYPE html><html></html>",
		`<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>`, "%PDF-1.7 ...", "\x1f\x8b\x08\x00 gzip", "{\\rtf1 text}",
	} {
		if _, err := Read(bytes.NewReader([]byte(content)), int64(len(content)), Options{}); fault.ReasonOf(err) != "import.format" {
			t.Errorf("%q: %v", content, err)
		}
	}
}

package workbook

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	text "golang.org/x/text/encoding/unicode"
)

var encodings = map[string]encoding.Encoding{
	"utf-8":        text.UTF8BOM,
	"utf-16le":     text.UTF16(text.LittleEndian, text.UseBOM),
	"utf-16be":     text.UTF16(text.BigEndian, text.UseBOM),
	"windows-1252": charmap.Windows1252,
	"windows-1250": charmap.Windows1250,
	"windows-1251": charmap.Windows1251,
	"windows-1253": charmap.Windows1253,
	"windows-1254": charmap.Windows1254,
	"macintosh":    charmap.Macintosh,
	"shift_jis":    japanese.ShiftJIS,
	"gb18030":      simplifiedchinese.GB18030,
	"euc-kr":       korean.EUCKR,
}

// EncodingNames are the legal names of encodings.
const EncodingNames = "utf-8, utf-16le, utf-16be, windows-1252, windows-1250, windows-1251, windows-1253, windows-1254, macintosh, shift_jis, gb18030 and euc-kr"

// ofBytes tells the encoding of a text that is no Unicode by what its bytes beyond
// ASCII would be; "" where that cannot be told.
func ofBytes(head []byte) string {
	if japaneseShare(head) {
		return "shift_jis"
	}
	// Letters with accents stand in words of others; of other scripts whole words are
	// beyond ASCII.
	high, alone := 0, 0
	for i := 0; i < len(head); i++ {
		if head[i] < 0x80 {
			continue
		}
		start := i
		for i+1 < len(head) && head[i+1] >= 0x80 {
			i++
		}
		n := i - start + 1
		high += n
		if n > 1 && (start == 0 || !letterASCII(head[start-1])) && (i+1 == len(head) || !letterASCII(head[i+1])) {
			alone += n
		}
	}
	if 2*alone > high && high > 3 {
		return otherScript(head)
	}
	switch {
	case macintosh(head):
		return "macintosh"
	case turkish(head):
		return "windows-1254"
	case central(head):
		return "windows-1250"
	}
	return "windows-1252"
}

// japaneseShare reports whether the text is Japanese as Windows writes it: its
// letters' second bytes may be ASCII.
func japaneseShare(head []byte) bool {
	s, ok := decoded(head, encodings["shift_jis"])
	if !ok {
		return false
	}
	hits, all, half := 0, 0, 0
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			continue
		case r >= 0xff61 && r <= 0xff9f: // halves of letters are bytes of others
			half++
			continue
		}
		all++
		if unicode.In(r, unicode.Hiragana, unicode.Katakana) || frequent[r] {
			hits++
		}
	}
	return hits >= 3 && 3*hits > all && half < all
}

// otherScript tries the encodings of other scripts: the one that gives nearly
// nothing but letters which its languages have.
func otherScript(head []byte) string {
	best, score, second := "", 0.0, 0.0
	for name, common := range map[string]func(r rune) bool{
		"windows-1251": func(r rune) bool { return strings.ContainsRune("оаеинтсрвл", r) },
		"windows-1253": func(r rune) bool { return strings.ContainsRune("αοιετσνηυρπκςόάίέή", r) },
		"gb18030":      func(r rune) bool { return frequent[r] || r >= 0xff01 && r <= 0xff5e },
		"euc-kr":       func(r rune) bool { return r >= 0xac00 && r <= 0xd7a3 },
	} {
		s, ok := decoded(head, encodings[name])
		if !ok {
			continue
		}
		hits, all := 0, 0
		for _, r := range s {
			if r < utf8.RuneSelf {
				continue
			}
			all++
			if common(r) {
				hits++
			}
		}
		if v := float64(hits) / float64(max(all, 1)); v > score {
			best, score, second = name, v, score
		} else if v > second {
			second = v
		}
	}
	if score < 0.15 || score < 1.3*second {
		return ""
	}
	return best
}

// frequent are Chinese characters that tables of measures are full of, in China
// and in Japan.
var frequent = func() map[rune]bool {
	m := map[rune]bool{}
	for _, r := range "年月日目标標指数量率位单単单元人实実绩績计計划画名称部门門工作地区市县政府公共服务務经経济済产產业業社会发展发教育医疗境环質质完成情况万亿億千百比例总総合额額的满意一般财政预算收入支出投资增长完善提升降低平均居民生活企业城市农村安全管理水平新增全年累计同比占比一二三四五上下中第度期度値值合計" {
		m[r] = true
	}
	return m
}()

func decoded(head []byte, e encoding.Encoding) (string, bool) {
	b, err := e.NewDecoder().Bytes(head)
	if err != nil {
		return "", false
	}
	bad := 0
	for _, r := range string(b) {
		if r == utf8.RuneError || r < ' ' && r != '\n' && r != '\r' && r != '\t' || r >= 0x80 && r < 0xa0 {
			bad++
		}
	}
	return string(b), bad <= 1 // the last letter may be cut
}

func letterASCII(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func lowerASCII(c byte) bool { return c >= 'a' && c <= 'z' }

// within counts the bytes of a set that stand between small letters.
func within(head []byte, set string) (n int) {
	for i := 1; i+1 < len(head); i++ {
		if head[i] >= 0x80 && lowerASCII(head[i-1]) && lowerASCII(head[i+1]) && strings.IndexByte(set, head[i]) >= 0 {
			n++
		}
	}
	return n
}

// macintosh: its small letters are where Windows has signs and capitals, and it
// has signs and capitals where Windows has its letters.
func macintosh(head []byte) bool {
	letters := within(head, "\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f\xa7\xbe\xbf")
	return letters > 0 && within(head, "\xdf\xe0\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xeb\xec\xed\xee\xef\xf1\xf2\xf3\xf4\xf5\xf6\xf8\xf9\xfa\xfb\xfc\xfd\xff") == 0 &&
		within(head, "\x9a\x9e\x9c") < letters
}

// turkish: ı, ş and ğ are where Icelandic has its letters, beside ü or ç, which
// Icelandic has not.
func turkish(head []byte) bool {
	return within(head, "\xfd\xfe\xf0") > 0 && within(head, "\xfc\xe7") > 0 && within(head, "\xe6\xe1\xed\xfa") == 0
}

// central: signs and letters of one language that no western one has together.
func central(head []byte) bool {
	signs := within(head, "\xb3\xb9\xbf\x9c\x9f")       // ł ą ż ś ź
	czech := within(head, "\xf8\xec\xf9\xef")           // ř ě ů ď
	carons := within(head, "\x9a\x9e\xe8\x9d\xf2\xbe")  // š ž č ť ň ľ
	romanian := within(head, "\xba\xfe")                // ş ţ
	hungarian := within(head, "\xf5\xfb")               // ő ű
	western := within(head, "\xe5\xe6\xea\xe0\xe3\xf5") // å æ ê à ã õ: æ and ê are ć and ę
	return signs > 0 && within(head, "\xe5\xe0\xe3") == 0 || czech > 0 && carons > 0 && western == 0 || romanian > 0 && within(head, "\xe3\xe2\xee") > 0 && within(head, "\xf5\xe7") == 0 ||
		hungarian > 0 && within(head, "\xe1\xe9\xf6\xfc") > 0 && within(head, "\xe3\xe7\xe0\xea") == 0
}

package report

import (
	"fmt"
	"html/template"
	"strings"
)

// The inks of coverage differ in lightness and in pattern, so that they stay
// apart on a grey printer.
const (
	fillReady      = "#0b3c6f"
	strokeLost     = "#0b3c6f"
	fillUnmeasured = "#f6e3d2"
)

const fonts = `font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"`

// coverageSVG draws each target's gap as a bar of the same length and what
// closes it as parts of that; more than the gap runs on to the right, at most
// by a quarter.
func coverageSVG(d *Document) template.HTML {
	const width, left, full, row, bar = 860.0, 0.0, 660.0, 52.0, 20.0
	targets := d.targetsByName()
	var b strings.Builder
	y := 0.0
	var words []string
	for i := range d.Coverage.Targets {
		c := &d.Coverage.Targets[i]
		if !c.hasGap() {
			continue
		}
		if y >= row*inOverview {
			break
		}
		m := targets[c.Target].Metric
		ready, lost, unmeasured, open := c.segments()
		head := fmt.Sprintf("gap %s", m.size(*c.Gap))
		fmt.Fprintf(&b, `<text x="0" y="%s" fill="%s" font-weight="650">%s</text>`, n(y+14), inkText, escapeXML.Replace(isolated(clip(c.Title, 66))))
		fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="end" fill="%s">%s</text>`, n(left+full), n(y+14), inkMuted, escapeXML.Replace(head))
		x, end := left, left+full*1.28
		for _, s := range []struct {
			share float64
			fill  string
			ink   string
		}{
			{ready, fillReady, "#fff"},
			{lost, "url(#coverage-lost)", inkText},
			{unmeasured, "url(#coverage-unmeasured)", inkText},
			{open, "#fff", inkText},
		} {
			w := min(s.share*full, end-x)
			if w <= 0 {
				continue
			}
			dash := ""
			if s.fill == "#fff" {
				dash = ` stroke-dasharray="5 3"`
			}
			fmt.Fprintf(&b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s" stroke="%s" stroke-width="1"%s/>`, n(x+.5), n(y+20.5), n(max(0, w-1)), n(bar), s.fill, inkText, dash)
			if w > 56 {
				label := percent(&s.share)
				if w < s.share*full {
					label += " →"
				}
				if s.fill == "#fff" || s.fill == fillReady {
					fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="middle" fill="%s" font-weight="650">%s</text>`, n(x+w/2), n(y+36), s.ink, label)
				} else {
					fmt.Fprintf(&b, `<rect x="%s" y="%s" width="44" height="16" fill="#fff"/><text x="%s" y="%s" text-anchor="middle" fill="%s" font-weight="650">%s</text>`,
						n(x+w/2-22), n(y+24), n(x+w/2), n(y+36), s.ink, label)
				}
			}
			x += w
		}
		fmt.Fprintf(&b, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="%s" stroke-width="2.5"/>`, n(left+full), n(y+17), n(left+full), n(y+46), inkGoal)
		// Where the bar runs on, the words stand above it.
		at := y + 36
		if open == 0 {
			at = y + 14
		}
		fmt.Fprintf(&b, `<text x="%s" y="%s" fill="%s">%s</text>`, n(left+full+10), n(at), inkText, escapeXML.Replace(c.left(m)))
		words = append(words, fmt.Sprintf("%s: %s of the gap closed, %s lost to adoption, %s by people not measured, %s open.",
			isolated(c.Title), percent(&ready), percent(&lost), percent(&unmeasured), percent(&open)))
		y += row
	}
	if y == 0 {
		return ""
	}
	return template.HTML(fmt.Sprintf(`<svg class="coverage" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-labelledby="coverage-title coverage-desc" %s font-size="13">`, n(width), n(y), fonts) +
		`<title id="coverage-title">How much of each gap is covered</title><desc id="coverage-desc">` + escapeXML.Replace(strings.Join(words, " ")) + `</desc>` +
		coveragePatterns("coverage") + b.String() + `</svg>`)
}

// coveragePatterns fill what is not simply dark: wide dark stripes for what is
// lost to adoption, dots on a light ground for what nobody measured.
func coveragePatterns(id string) string {
	return `<defs><pattern id="` + id + `-lost" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" fill="#dfe6ee"/><line x1="0" y1="0" x2="0" y2="8" stroke="` + strokeLost + `" stroke-width="5"/></pattern>` +
		`<pattern id="` + id + `-unmeasured" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="` + fillUnmeasured + `"/><circle cx="2" cy="2" r="1.3" fill="` + inkText + `"/><circle cx="6" cy="6" r="1.3" fill="` + inkText + `"/></pattern></defs>`
}

// coverageKey explains the parts of the bars.
var coverageKey = func() template.HTML {
	var b strings.Builder
	x := 0.0
	for _, k := range []struct{ fill, text, more string }{
		{fillReady, "covered: delivered, and people come along", ""},
		{"url(#key-lost)", "delivered, lost to adoption", ""},
		{"url(#key-unmeasured)", "people not measured", ""},
		{"#fff", "unfunded", ` stroke-dasharray="5 3"`},
	} {
		fmt.Fprintf(&b, `<rect x="%s" y="2.5" width="26" height="13" fill="%s" stroke="%s"%s/><text x="%s" y="14" fill="%s">%s</text>`, n(x+.5), k.fill, inkText, k.more, n(x+34), inkText, k.text)
		x += 34 + 6*float64(len(k.text)) + 16
	}
	fmt.Fprintf(&b, `<line x1="%s" y1="1" x2="%s" y2="17" stroke="%s" stroke-width="2.5"/><text x="%s" y="14" fill="%s">the gap</text>`, n(x), n(x), inkGoal, n(x+8), inkText)
	return template.HTML(`<svg class="coverage" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 20" role="img" aria-label="Key of the bars" ` + fonts + ` font-size="11.5">` + coveragePatterns("key") + b.String() + `</svg>`)
}()

// barrierSVG draws how many people each element holds back.
func barrierSVG(p *Program, id string) template.HTML {
	bars := p.Wave.bars()
	if bars == nil {
		return ""
	}
	const width, left, row = 520.0, 150.0, 24.0
	most := 1
	for _, x := range bars {
		most = max(most, x.People)
	}
	var b, words strings.Builder
	for i, x := range bars {
		y := float64(i) * row
		fill, dash := fillReady, ""
		switch x.Element {
		case "":
			fill = "#fff"
		case "?":
			fill, dash = "#fff", ` stroke-dasharray="5 3"`
		}
		fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="end" fill="%s">%s</text>`, n(left-10), n(y+16), inkText, escapeXML.Replace(isolated(clip(x.Title, 22))))
		w := float64(x.People) / float64(most) * (width - left - 50)
		if x.People > 0 {
			fmt.Fprintf(&b, `<rect x="%s" y="%s" width="%s" height="16" fill="%s" stroke="%s"%s/>`, n(left+.5), n(y+3.5), n(w), fill, inkText, dash)
		}
		fmt.Fprintf(&b, `<text x="%s" y="%s" fill="%s" font-weight="650">%s</text>`, n(left+w+8), n(y+16), inkText, count(x.People))
		fmt.Fprintf(&words, "%s %s. ", isolated(x.Title), count(x.People))
	}
	return template.HTML(fmt.Sprintf(`<svg class="barriers" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-title" %s font-size="13">`, n(width), n(float64(len(bars))*row), id, fonts) +
		`<title id="` + id + `-title">People by barrier point: ` + escapeXML.Replace(strings.TrimSpace(words.String())) + `</title>` + b.String() + `</svg>`)
}

// clip cuts a text to so many characters.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

// The pictures of a page of paper are those of the page of HTML: draw reads the
// SVG that this package makes, and nothing else. An element, an attribute or a
// fill it does not know is an error, so that no picture loses a part unseen.

type drawnSizes struct{ width, height float64 }

func drawnSize(svg string) (s drawnSizes, err error) {
	_, box, ok := strings.Cut(svg, `viewBox="`)
	if !ok {
		return s, errors.New("report: a picture without a size")
	}
	box, _, _ = strings.Cut(box, `"`)
	if _, err := fmt.Sscanf(box, "0 0 %g %g", &s.width, &s.height); err != nil {
		return s, fmt.Errorf("report: the size of a picture: %w", err)
	}
	return s, nil
}

// drawing is a picture being drawn with its corner at x, y.
type drawing struct {
	p       *paper
	x, y, k float64
	font    float64 // size of its texts
}

func (p *paper) draw(svg string, x, y, scale float64) error {
	d := &drawing{p: p, x: x, y: y, k: scale, font: 11}
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			p.f.SetAlpha(1, "Normal")
			p.f.SetDashPattern(nil, 0)
			return p.f.Error()
		case err != nil:
			return fmt.Errorf("report: a picture that is not well-formed: %w", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			if err := d.element(dec, e); err != nil {
				return err
			}
		}
	}
}

type attrs map[string]string

func (a attrs) num(name string) float64 {
	v, _ := strconv.ParseFloat(a[name], 64)
	return v
}

func (d *drawing) element(dec *xml.Decoder, e xml.StartElement) error {
	a := make(attrs, len(e.Attr))
	for _, v := range e.Attr {
		a[v.Name.Local] = v.Value
	}
	switch e.Name.Local {
	case "svg":
		if a["font-size"] != "" {
			d.font = a.num("font-size")
		}
	case "g":
	case "title", "desc", "defs":
		return dec.Skip()
	case "line":
		if d.stroke(a) {
			d.p.f.Line(d.px(a.num("x1")), d.py(a.num("y1")), d.px(a.num("x2")), d.py(a.num("y2")))
		}
	case "rect":
		d.rect(a)
	case "circle":
		if how := d.paint(a); how != "" {
			d.p.f.Circle(d.px(a.num("cx")), d.py(a.num("cy")), a.num("r")*d.k, how)
		}
	case "polyline":
		points, err := d.points(a["points"])
		if err != nil {
			return err
		}
		if d.stroke(a) && len(points) > 1 {
			d.p.f.MoveTo(points[0].X, points[0].Y)
			for _, q := range points[1:] {
				d.p.f.LineTo(q.X, q.Y)
			}
			d.p.f.DrawPath("D")
		}
	case "polygon":
		points, err := d.points(a["points"])
		if err != nil {
			return err
		}
		if how := d.paint(a); how != "" {
			d.p.f.Polygon(points, how)
		}
	case "path":
		return d.path(a)
	case "text":
		var content strings.Builder
		for {
			token, err := dec.Token()
			if err != nil {
				return fmt.Errorf("report: a picture that is not well-formed: %w", err)
			}
			if text, ok := token.(xml.CharData); ok {
				content.Write(text)
				continue
			}
			if _, ok := token.(xml.EndElement); ok {
				break
			}
			return fmt.Errorf("report: a text of a picture holds %T", token)
		}
		d.text(a, content.String())
	default:
		return fmt.Errorf("report: pictures on paper have no <%s>", e.Name.Local)
	}
	return nil
}

func (d *drawing) px(v float64) float64 { return d.x + v*d.k }
func (d *drawing) py(v float64) float64 { return d.y + v*d.k }

// stroke sets the pen; it reports whether there is one.
func (d *drawing) stroke(a attrs) bool {
	f := d.p.f
	if a["stroke"] == "" || a["stroke"] == "none" {
		return false
	}
	f.SetAlpha(1, "Normal")
	f.SetDrawColor(rgb(a["stroke"]))
	width := 1.0
	if a["stroke-width"] != "" {
		width = a.num("stroke-width")
	}
	f.SetLineWidth(width * d.k)
	var dash []float64
	for _, v := range strings.Fields(a["stroke-dasharray"]) {
		n, _ := strconv.ParseFloat(v, 64)
		dash = append(dash, n*d.k)
	}
	f.SetDashPattern(dash, 0)
	ends := "butt"
	if a["stroke-linecap"] == "round" {
		ends = "round"
	}
	f.SetLineCapStyle(ends)
	return true
}

// paint sets pen and brush; it is what fpdf calls the style: "F", "D", "FD" or ""
// for nothing.
func (d *drawing) paint(a attrs) string {
	how := ""
	fill := a["fill"]
	if fill != "none" && !strings.HasPrefix(fill, "url(") {
		if fill == "" {
			fill = "#000"
		}
		d.p.f.SetFillColor(rgb(fill))
		how = "F"
	}
	if d.stroke(a) {
		how += "D"
	}
	if a["fill-opacity"] != "" && how == "F" {
		d.p.f.SetAlpha(a.num("fill-opacity"), "Normal")
	} else {
		d.p.f.SetAlpha(1, "Normal")
	}
	return how
}

func (d *drawing) rect(a attrs) {
	x, y, w, h := d.px(a.num("x")), d.py(a.num("y")), a.num("width")*d.k, a.num("height")*d.k
	if w <= 0 || h <= 0 {
		return
	}
	if strings.HasPrefix(a["fill"], "url(") {
		d.pattern(a["fill"], x, y, w, h)
	}
	if how := d.paint(a); how != "" {
		d.p.f.Rect(x, y, w, h, how)
	}
}

// pattern fills a rectangle with what the name of an SVG pattern ends in: hatch,
// lost or unmeasured.
func (d *drawing) pattern(fill string, x, y, w, h float64) {
	f := d.p.f
	ground, ink, width, step := "#f4f5f7", "#b8c0ca", 1.2, 6.0
	switch {
	case strings.HasSuffix(fill, "lost)"):
		ground, ink, width, step = "#dfe6ee", strokeLost, 4, 10
	case strings.HasSuffix(fill, "unmeasured)"):
		ground, ink, width = fillUnmeasured, inkText, 0
	}
	f.SetAlpha(1, "Normal")
	f.SetFillColor(rgb(ground))
	f.Rect(x, y, w, h, "F")
	f.ClipRect(x, y, w, h, false)
	defer func() {
		f.ClipEnd()
		// The end of the clip brings the brush of before back, which the library
		// does not take notice of.
		f.SetFillColor(rgb(ground))
	}()
	step *= d.k
	if width == 0 {
		f.SetFillColor(rgb(ink))
		for cy := y + step/2; cy < y+h; cy += step {
			for cx := x + step/2; cx < x+w; cx += step {
				f.Circle(cx, cy, 1.3*d.k, "F")
			}
		}
		return
	}
	f.SetDashPattern(nil, 0)
	f.SetDrawColor(rgb(ink))
	f.SetLineWidth(width * d.k)
	for at := x - h; at < x+w; at += step {
		f.Line(at, y+h, at+h, y)
	}
}

func (d *drawing) points(list string) ([]fpdf.PointType, error) {
	var out []fpdf.PointType
	for _, pair := range strings.Fields(list) {
		sx, sy, ok := strings.Cut(pair, ",")
		x, err := strconv.ParseFloat(sx, 64)
		y, err2 := strconv.ParseFloat(sy, 64)
		if !ok || err != nil || err2 != nil {
			return nil, fmt.Errorf("report: a point of a picture reads %q", pair)
		}
		out = append(out, fpdf.PointType{X: d.px(x), Y: d.py(y)})
	}
	return out, nil
}

// path draws the commands M, m, l, h, v and z.
func (d *drawing) path(a attrs) error {
	how := d.paint(a)
	if how == "" {
		return nil
	}
	f := d.p.f
	fields := strings.Fields(strings.NewReplacer("M", " M ", "m", " m ", "l", " l ", "h", " h ", "v", " v ", "z", " z ", ",", " ").Replace(a["d"]))
	var x, y float64
	closed := false
	take := func(k int) []float64 {
		out := make([]float64, k)
		for i := range out {
			if len(fields) > 0 {
				out[i], _ = strconv.ParseFloat(fields[0], 64)
				fields = fields[1:]
			}
		}
		return out
	}
	for len(fields) > 0 {
		command := fields[0]
		fields = fields[1:]
		switch command {
		case "M":
			v := take(2)
			x, y = v[0], v[1]
			f.MoveTo(d.px(x), d.py(y))
		case "m":
			v := take(2)
			x, y = x+v[0], y+v[1]
			f.MoveTo(d.px(x), d.py(y))
		case "l", "h", "v":
			switch command {
			case "h":
				x += take(1)[0]
			case "v":
				y += take(1)[0]
			default:
				v := take(2)
				x, y = x+v[0], y+v[1]
			}
			f.LineTo(d.px(x), d.py(y))
		case "z":
			f.ClosePath()
			closed = true
		default:
			return fmt.Errorf("report: pictures on paper have no path command %q", command)
		}
	}
	if !closed && how == "F" {
		f.ClosePath()
	}
	f.DrawPath(how)
	return nil
}

func (d *drawing) text(a attrs, s string) {
	size := d.font
	if a["font-size"] != "" {
		size = a.num("font-size")
	}
	// The paper's letters are wider than those of a screen.
	size *= d.k * 0.9
	style := regular
	if w := a.num("font-weight"); w >= 600 {
		style = bold
	}
	s = d.p.shown(s)
	x := d.px(a.num("x"))
	switch width := d.p.width(s, style, size); a["text-anchor"] {
	case "middle":
		x -= width / 2
	case "end":
		x -= width
	}
	fill := a["fill"]
	if fill == "" {
		fill = inkText
	}
	if a["stroke"] == "#fff" { // a halo, so that it stays legible over lines
		d.p.f.SetAlpha(.82, "Normal")
		d.p.f.SetFillColor(rgb("#fff"))
		d.p.f.Rect(x-1, d.py(a.num("y"))-size*.82, d.p.width(s, style, size)+2, size*1.04, "F")
	}
	d.p.f.SetAlpha(1, "Normal")
	d.p.write(x, d.py(a.num("y")), s, style, fill, size)
}

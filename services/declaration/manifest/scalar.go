package manifest

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// number is how numbers are written: decimal, as in JSON, with the liberties
// 5. and .5 and +5. The other notations of YAML (octal 010, 1_000, 0x10, 1:30)
// mean different things to different readers.
var number = regexp.MustCompile(`^[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// scalar reads the value of a field that is neither message, list nor map;
// invalid if it has a fault.
func (d *decoding) scalar(n *yaml.Node, field protoreflect.FieldDescriptor, path string) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.StringKind:
		if v, ok := d.text(n, path); ok {
			return protoreflect.ValueOfString(v)
		}
	case protoreflect.DoubleKind:
		if v, ok := d.float(n, path, 64); ok {
			return protoreflect.ValueOfFloat64(v)
		}
	case protoreflect.FloatKind:
		if v, ok := d.float(n, path, 32); ok {
			return protoreflect.ValueOfFloat32(float32(v))
		}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		if v, ok := d.integer(n, path, math.MinInt32, math.MaxInt32); ok {
			return protoreflect.ValueOfInt32(int32(v))
		}
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		if v, ok := d.integer(n, path, math.MinInt64, math.MaxInt64); ok {
			return protoreflect.ValueOfInt64(v)
		}
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		if v, ok := d.integer(n, path, 0, math.MaxUint32); ok {
			return protoreflect.ValueOfUint32(uint32(v))
		}
	case protoreflect.BoolKind:
		if isPlain(n) && (n.Value == "true" || n.Value == "false") {
			return protoreflect.ValueOfBool(n.Value == "true")
		}
		d.refuse(n, path, "true or false", boolHint(n))
	default:
		// 64-bit unsigned numbers, bytes and protobuf enumerations do not occur
		// in specs: enumerations are words with a rule.
		d.unsupported(n, path)
	}
	return protoreflect.Value{}
}

// text accepts what was written, also if YAML takes it for a number or a date:
// 2018, 1.10, 2018-09-30 and no are what they look like.
func (d *decoding) text(n *yaml.Node, path string) (string, bool) {
	switch {
	case n.Kind != yaml.ScalarNode, isNull(n):
		d.mistyped(n, path, "text")
		return "", false
	case isBool(n):
		d.refuse(n, path, "text", `write "`+n.Value+`" with quotes if the word is meant`)
		return "", false
	case strings.ContainsRune(n.Value, 0):
		// PostgreSQL has no place for it, and what is kept must be what was declared.
		d.refuse(n, path, "text without a NUL character", "")
		return "", false
	}
	return n.Value, true
}

func (d *decoding) float(n *yaml.Node, path string, bits int) (float64, bool) {
	if !isPlain(n) || !number.MatchString(n.Value) {
		d.refuse(n, path, "a number", numberHint(n))
		return 0, false
	}
	v, err := strconv.ParseFloat(n.Value, bits)
	if err != nil {
		d.refuse(n, path, "a number that a computer can hold", "")
		return 0, false
	}
	if mantissa, _, _ := strings.Cut(strings.ToLower(n.Value), "e"); v == 0 && strings.ContainsAny(mantissa, "123456789") {
		d.refuse(n, path, "a number that a computer can tell from 0", "")
		return 0, false
	}
	if v == 0 {
		v = 0 // -0 too
	}
	return v, true
}

func (d *decoding) integer(n *yaml.Node, path string, least, most int64) (int64, bool) {
	// The JSON form of 64-bit integers is a string.
	quoted := n.Kind == yaml.ScalarNode && most == math.MaxInt64
	if (!isPlain(n) && !quoted) || !number.MatchString(n.Value) {
		d.refuse(n, path, "a whole number", numberHint(n))
		return 0, false
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		// 5.0 and 1e3 are whole, and within 2⁵³ exact.
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			d.mistyped(n, path, "a whole number")
			return 0, false
		}
		v = int64(f)
	}
	if v < least || v > most {
		d.mistyped(n, path, "a whole number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
		return 0, false
	}
	return v, true
}

// numberHint tells how to write a number that was written otherwise.
func numberHint(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	value := strings.TrimSpace(n.Value)
	if len(value) > 40 {
		return ""
	}
	switch folded := strings.ToLower(strings.TrimLeft(value, "+-.")); {
	case folded == "inf" || folded == "nan" || folded == "infinity":
		return "infinity and not-a-number are not values"
	case number.MatchString(value):
		return "write " + value + " without quotes"
	}
	if percent, ok := strings.CutSuffix(value, "%"); ok {
		percent = strings.TrimSpace(percent)
		if v, err := strconv.ParseFloat(percent, 64); err == nil && number.MatchString(percent) {
			return "write " + value + " as the fraction " + shortest(scaleDown(percent, v))
		}
	}
	bare := strings.NewReplacer("_", "", ",", "", " ", "").Replace(value)
	if bare != value && number.MatchString(bare) {
		return "write " + bare + ", without separators"
	}
	sign := strings.TrimRight(value, "0123456789.")
	if bare = strings.TrimLeft(strings.TrimPrefix(value, sign), "0"); (sign == "" || sign == "-") && number.MatchString(sign+bare) {
		return "write " + sign + bare + ", without leading zeros"
	}
	return ""
}

// scaleDown is a hundredth of a number, computed in decimal: 3 is 0.03.
func scaleDown(literal string, v float64) float64 {
	if strings.ContainsAny(literal, "eE") {
		return v / 100
	}
	exact, err := strconv.ParseFloat(literal+"e-2", 64)
	if err != nil {
		return v / 100
	}
	return exact
}

func boolHint(n *yaml.Node) string {
	switch strings.ToLower(n.Value) {
	case "yes", "on", "y", "true":
		return "write true, without quotes"
	case "no", "off", "n", "false":
		return "write false, without quotes"
	}
	return ""
}

// shortest writes a number with the fewest digits that give it back.
func shortest(v float64) string {
	if magnitude := math.Abs(v); v == 0 || magnitude >= 1e-6 && magnitude < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'e', -1, 64)
}

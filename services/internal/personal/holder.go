package personal

import "regexp"

// Holder is whose key a text is sealed with: an opaque id that stands in the
// clear, such as person/p-17 or principal/u-42.
type Holder string

// Person is the holder of what a declared person, by the id of its aggregate,
// says of itself.
func Person(id string) Holder { return Holder("person/" + id) }

// Principal is the holder of what a principal wrote.
func Principal(id string) Holder { return Holder("principal/" + id) }

// Respondent is the holder of what somebody answered in surveys, by a code.
func Respondent(code string) Holder { return Holder("respondent/" + code) }

var holderPattern = regexp.MustCompile(`^[a-z]{1,32}/[A-Za-z0-9_~-]{1,253}$`)

// Valid tells whether the holder is well-formed.
func (h Holder) Valid() bool {
	return len(h) < 300 && holderPattern.MatchString(string(h))
}

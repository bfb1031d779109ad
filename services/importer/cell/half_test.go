package cell

import "testing"

func TestFindHalf(t *testing.T) {
	for _, c := range []struct{ text, name, rest string }{
		{"H1 2024", "2024-H1", ""},
		{"1H24", "2024-H1", ""},
		{"2H 2024 Actual", "2024-H2", "Actual"},
		{"Ist 2. Halbjahr 2023", "2023-H2", "Ist"},
		{"1. Hj. 2024", "2024-H1", ""},
		{"2024 S2", "2024-H2", ""},
		{"1er semestre 2024", "2024-H1", ""},
		{"Meta 2º semestre de 2024", "2024-H2", "Meta"},
		{"FY24 H1", "FY2024-H1", ""},
		{"H2 FY2025", "FY2025-H2", ""},
		{"first half of 2024", "2024-H1", ""},
		{"2024年上半年", "2024-H1", ""},
		{"Target (H1 2024)", "2024-H1", "Target"},
		{"2024-H2", "2024-H2", ""},
	} {
		if name, rest, ok := FindHalf(c.text); !ok || name != c.name || rest != c.rest {
			t.Errorf("%q: %q, %q, %v", c.text, name, rest, ok)
		}
	}
	for _, text := range []string{"", "2024", "Q1 2024", "H3 2024", "halfway 2024", "share 2024", "Class 1 2024", "2024-07", "S12 2024"} {
		if name, _, ok := FindHalf(text); ok {
			t.Errorf("%q is read as %q", text, name)
		}
	}
}

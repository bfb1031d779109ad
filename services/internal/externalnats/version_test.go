package externalnats

import "testing"

func TestNewEnough(t *testing.T) {
	for version, want := range map[string]bool{
		"2.14.0": true, "2.15.2": true, "3.0.0-dev": true, "2.13.9": false, "1.99.0": false, "": false, "dev": false,
	} {
		if newEnough(version) != want {
			t.Errorf("%q: %v", version, !want)
		}
	}
}

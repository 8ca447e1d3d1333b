package views

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

type rgb [3]float64 // linear light, 0 to 1

// The simulations of colour blindness of Machado, Oliveira and Fernandes (2009),
// at full severity, for linear light.
var visions = map[string][3]rgb{
	"normal": {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protan": {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deutan": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritan": {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

var stateColours = []string{"pending", "running", "ok", "failed", "waiting", "cancelled"}

func TestPalette(t *testing.T) {
	const contrast, apart = 4.6, 26.0
	for theme, colours := range stylesheetColours(t) {
		for _, name := range stateColours {
			for _, under := range []string{"bg", "raise"} {
				if c := contrastOf(colours[name], colours[under]); c < contrast {
					t.Errorf("%s: %s has a contrast of %.2f on %s, less than %.1f", theme, name, c, under, contrast)
				}
			}
		}
		for _, name := range []string{"text", "dim", "accent"} {
			for _, under := range []string{"bg", "raise"} {
				if c := contrastOf(colours[name], colours[under]); c < 4.5 {
					t.Errorf("%s: %s has a contrast of %.2f on %s", theme, name, c, under)
				}
			}
		}
		for vision, matrix := range visions {
			for i, a := range stateColours {
				for _, b := range stateColours[i+1:] {
					if d := distance(seen(colours[a], matrix), seen(colours[b], matrix)); d < apart {
						t.Errorf("%s, %s vision: %s and %s are only %.1f apart", theme, vision, a, b, d)
					}
				}
			}
		}
	}
}

// stylesheetColours reads the tokens out of app.css, for each theme.
func stylesheetColours(t *testing.T) map[string]map[string]rgb {
	t.Helper()
	css, err := os.ReadFile("../static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`--wd-(\w+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)`).FindAllStringSubmatch(string(css), -1)
	themes := map[string]map[string]rgb{"light": {}, "dark": {}}
	for _, m := range found {
		themes["light"][m[1]] = parseColour(t, m[2])
		themes["dark"][m[1]] = parseColour(t, m[3])
	}
	for _, name := range append([]string{"bg", "raise", "text", "dim", "accent"}, stateColours...) {
		if _, ok := themes["light"][name]; !ok {
			t.Fatalf("app.css has no --wd-%s", name)
		}
	}
	return themes
}

func parseColour(t *testing.T, hex string) rgb {
	t.Helper()
	var c rgb
	for i := range c {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(fmt.Errorf("colour %s: %w", hex, err))
		}
		s := float64(v) / 255
		if s <= 0.04045 {
			c[i] = s / 12.92
		} else {
			c[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return c
}

func contrastOf(a, b rgb) float64 {
	la := 0.2126*a[0] + 0.7152*a[1] + 0.0722*a[2]
	lb := 0.2126*b[0] + 0.7152*b[1] + 0.0722*b[2]
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func seen(c rgb, matrix [3]rgb) rgb {
	var out rgb
	for i, row := range matrix {
		out[i] = min(max(row[0]*c[0]+row[1]*c[1]+row[2]*c[2], 0), 1)
	}
	return out
}

// distance is the CIE76 difference of two colours under D65.
func distance(a, b rgb) float64 {
	la, lb := lab(a), lab(b)
	return math.Sqrt((la[0]-lb[0])*(la[0]-lb[0]) + (la[1]-lb[1])*(la[1]-lb[1]) + (la[2]-lb[2])*(la[2]-lb[2]))
}

func lab(c rgb) [3]float64 {
	f := func(v float64) float64 {
		if v > 216.0/24389 {
			return math.Cbrt(v)
		}
		return (24389.0/27*v + 16) / 116
	}
	x := f((0.4124564*c[0] + 0.3575761*c[1] + 0.1804375*c[2]) / 0.95047)
	y := f(0.2126729*c[0] + 0.7151522*c[1] + 0.0721750*c[2])
	z := f((0.0193339*c[0] + 0.1191920*c[1] + 0.9503041*c[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

package redact

import (
	"strings"
	"testing"
)

func TestKeysGoOnOverTexts(t *testing.T) {
	m := maker{newRand()}
	begin, end := "-----BEGIN "+"EC PRIVATE KEY-----", "-----END "+"EC PRIVATE KEY-----"
	for name, tt := range map[string]struct {
		before bool
		text   string
		after  bool
	}{
		"the first line begins one":             {false, begin, true},
		"the last line ends it":                 {true, end, false},
		"the last of several counts":            {false, begin + "\n" + end, false},
		"one after another":                     {true, end + "\n" + begin, true},
		"a certificate is none":                 {false, "-----BEGIN CERTIFICATE-----", false},
		"a sentence about a PRIVATE KEY":        {false, "the PRIVATE KEY is in a file", false},
		"PuTTY's lines begin one":               {false, "Private-Lines: 14", true},
		"PuTTY's checksum ends it":              {true, "Private-MAC: 00", false},
		"the first line of one in base64":       {false, b64(begin + "\n" + m.alnum(40))[:76], true},
		"one in base64 that is whole is closed": {false, b64(begin + "\nx"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if after := (Keys{}).After(tt.before, tt.text); after != tt.after {
				t.Errorf("%q: %v", tt.text, after)
			}
		})
	}
	line := m.alnum(64)
	for text, want := range map[string]string{
		line: PrivateKey.Placeholder(), "  " + line + "\r\n": PrivateKey.Placeholder() + "\n", "stdout: " + line: PrivateKey.Placeholder(),
		"three words here\n" + line + "\n" + line + "\nand more": "three words here\n" + PrivateKey.Placeholder() + "\nand more", end: end,
	} {
		if got := (Keys{}).Hide(text, true); got != want || (Keys{}).May(text) != strings.Contains(text, line) {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

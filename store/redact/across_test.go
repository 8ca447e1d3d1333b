package redact

import (
	"io"
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
		"\x1b[32m" + line + "\x1b[0m": PrivateKey.Placeholder(), `{"log":"` + line + `\n"}`: `{"log":"` + PrivateKey.Placeholder() + `\n"}`,
		"\x1b[32mtwo words\x1b[0m": "\x1b[32mtwo words\x1b[0m", "sha256 " + strings.Repeat("0a1b", 16) + " ok": "sha256 " + strings.Repeat("0a1b", 16) + " ok",
	} {
		if got := (Keys{}).Hide(text, true); got != want || (Keys{}).May(text) != strings.Contains(text, line) {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

// A log that puts a time before each line makes a key longer than a finding is.
func TestALongKeyIsHiddenToItsEnd(t *testing.T) {
	m := maker{newRand()}
	for name, prefix := range map[string]string{"bare": "", "with a time": "2026-11-23T00:38:29.123456789Z stdout F "} {
		var text strings.Builder
		text.WriteString(prefix + "-----BEGIN " + "RSA PRIVATE KEY-----\n")
		for range 1000 {
			text.WriteString(prefix + m.alnum(64) + "\n")
		}
		text.WriteString(prefix + "-----END " + "RSA PRIVATE KEY-----\n" + prefix + "after it\n")
		out, _ := Text(text.String())
		if len(out) > 2000 || !strings.HasSuffix(out, "after it\n") {
			t.Errorf("%s: %d bytes are left: %.300q", name, len(out), out)
		}
		read, err := io.ReadAll(NewReader(strings.NewReader(text.String())))
		if err != nil || string(read) != out {
			t.Errorf("%s: a stream gives %d bytes, %v", name, len(read), err)
		}
	}
}

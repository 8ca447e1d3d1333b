package redact

import (
	"strings"
	"testing"
)

// A token that is broken in two is hidden in both parts, wherever it is broken.
func TestTokensAreHiddenInTwoTexts(t *testing.T) {
	m := maker{newRand()}
	for kind, tokens := range map[Kind][]string{
		GitHub: {"gh" + "p_" + m.alnum(36)}, Anthropic: {"s" + "k-ant-api03-" + m.url64(93) + "AA"}, GitLab: {"gl" + "pat-" + m.url64(20)}, HuggingFace: {"h" + "f_" + m.alnum(34)},
		DigitalOcean: {"dop" + "_v1_" + m.from(hex16, 64)}, Slack: {"xox" + "b-" + m.from(digits10, 12) + "-" + m.from(digits10, 13) + "-" + m.alnum(24)},
	} {
		for _, token := range tokens {
			for at := 14; at < len(token)-8; at++ {
				first, second := "export X="+token[:at], token[at:]+" and more"
				a, b := Keys{}.Cut(first), Keys{}.Join(first, second)
				a, _ = Text(a)
				b, _ = Text(b)
				if strings.Contains(a, token[8:at]) || strings.Contains(b, token[at:]) && (Keys{}).MayJoin(second) {
					t.Errorf("%s, broken at %d: %q and %q", kind, at, a, b)
				}
				if !strings.HasSuffix(b, "and more") {
					t.Errorf("%s, broken at %d: %q", kind, at, b)
				}
			}
		}
	}
	v := m.alnum(16)
	for before, text := range map[string]string{
		"password:": v, "DB_PASSWORD=": v, "step 1\n  api_key:": "  " + v, "2 lines\nsecret: ": v + "\nnext", "export API_TOKEN=" + v: "xY9" + v,
	} {
		if got := (Keys{}).Join(before, text); strings.Contains(got, v) || !strings.Contains(got, "[redacted: ") {
			t.Errorf("%q and %q gives %q", before, text, got)
		}
	}
}

// What only stands behind another text stays.
func TestOrdinaryTextsAreNotJoined(t *testing.T) {
	for before, text := range map[string]string{
		"api_key=AbC123xyz456": "compiling 12 files", "token=": "Starting", "Enter the password:": "login1 failed", "the key is": "ab12cd", "commit 0a1b2c3d": "4e5f6a7b fix",
		"password: none": "of2them", "Read sk-fading-circle": "v2.css", "secret:": "name: db1", "see https://example.com/a": "b2?x=1", "tokens: 12": "k3 of them",
		"token: ": "2026-12-01T08:00:01Z started",
	} {
		if got := (Keys{}).Join(before, text); got != text {
			t.Errorf("%q and %q gives %q", before, text, got)
		}
		if got := (Keys{}).Cut(text); got != text {
			t.Errorf("%q gives %q", text, got)
		}
	}
	texts := ordinaryFiles(t)
	lines, hit := 0, 0
	for kind, text := range texts {
		before := ""
		for line := range strings.Lines(text) {
			lines++
			line = strings.TrimSuffix(line, "\n")
			if got := (Keys{}).Cut((Keys{}).Join(before, line)); got != line {
				if hit++; hit < 20 {
					t.Logf("%s: %q, %q gives %q", kind, before, line, got)
				}
			}
			before = line
		}
	}
	t.Logf("%d of %d lines hit, %.4f %%", hit, lines, 100*float64(hit)/float64(lines))
	if hit*1000 > lines {
		t.Errorf("%d of %d lines hit", hit, lines)
	}
}

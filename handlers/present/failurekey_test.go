package present

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFailureKey(t *testing.T) {
	for line, want := range map[string]string{
		"":                             "",
		"exit status 2":                "exit status 2",
		"exit status 137 after 12.5s":  "exit status 137 after <n>s",
		"HTTP 503 from 10.0.0.12:8080": "HTTP 503 from <n>:<n>",
		"status: 429, retry in 30 s":   "status: 429, retry in <n> s",
		"at 2026-11-23T00:38:14Z the host was gone": "at <time> the host was gone",
		"2026-11-23 00:38:14.123 timeout":           "<time> timeout",
		"since 14:02:07 nothing":                    "since <time> nothing",
		"open /home/me/acme/.agents/workspaces/fix-issue-20261123-003814-e2da/plan/out.json: no such file": "open …/out.json: no such file",
		"open /tmp/x/out.json: no such file":                     "open …/out.json: no such file",
		"internal/suite/suite_test.go:41: want 3, got 4":         "internal/suite/suite_test.go:<n>: want <n>, got <n>",
		"run flaky-integration-20261123-003950-6a1d is not ours": "run <id> is not ours",
		"object 9f86d081884c7d65 is missing":                     "object <hex> is missing",
		"panic at 0xc000123abc":                                  "panic at <hex>",
		"request 123e4567-e89b-12d3-a456-426614174000 failed":    "request <id> failed",
		"the facade decade faded":                                "the facade decade faded",
		"\x1b[31mFAIL\x1b[0m  suite":                             "FAIL suite",
		"see https://example.com/a/b for more":                   "see https://example.com/a/b for more",
		"\x00\x01odd\ue003":                                      "odd3",
	} {
		if got := FailureKey(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}

func FuzzFailureKey(f *testing.F) {
	f.Add("exit status 2 at /a/b/c 0x1f 12:00")
	f.Add(strings.Repeat("a/", 3000))
	f.Fuzz(func(t *testing.T, line string) {
		key := FailureKey(line)
		if !utf8.ValidString(key) || len(key) > maxFailureKey+4 {
			t.Errorf("%q of %d bytes", key, len(key))
		}
		if FailureKey(line) != key {
			t.Error("another key the second time")
		}
	})
}

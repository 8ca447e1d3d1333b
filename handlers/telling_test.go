package handlers

import "testing"

func TestTellingLine(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"the wrapping goes", `step "build" failed: command failed: no such file`, "no such file"},
		{"a contract's property", "contract validation failed:\n  - at '/age': got string, want number", "at '/age': got string, want number"},
		{"what a command said, not its status", "command failed: exit status 2\nstderr: sh: 1: Syntax error", "sh: 1: Syntax error"},
		{"the last that a command said", "command failed: exit status 1\nstderr: warning: old\nfatal: no remote\n", "fatal: no remote"},
		{"a status and nothing else", "command failed: exit status 3", "exit status 3"},
		{"a status with an empty stderr", "command failed: exit status 3\nstderr: ", "exit status 3"},
		{"lines that no command said", "exit status 1\nsee the log", "exit status 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := tellingLine(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

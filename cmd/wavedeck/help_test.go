package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/runner"
)

func TestHelp(t *testing.T) {
	for _, test := range []struct {
		name        string
		args        []string
		has, hasNot []string
	}{
		{"the help groups the commands and hides internal ones", []string{"--help"},
			[]string{"\nServe:\n  serve", "\nWork in a project:\n  run", "\nAbout this program:\n  version", "except to record a run it starts"},
			[]string{"replay", "guard", "hold  ", "changes nothing"}},
		{"help is the same as --help", []string{"help"}, []string{"\nServe:\n  serve"}, nil},
		{"the help of a command groups its flags and names their variables", []string{"serve", "--help"},
			[]string{"\nProject:\n  --project=DIR", "\nAddress and sign-in:\n", "\nEmbedding and proxies:\n", "$WAVEDECK_BASE_PATH", "$XDG_STATE_HOME/wavedeck"}, nil},
		{"help of a command is that command's", []string{"help", "run"}, []string{"Usage: wavedeck run <pipeline>"}, []string{"$-", "$$"}},
		{"every flag of run has a description without a variable", []string{"run", "--help"}, []string{"--from-step=STEP", "Default: halt."}, []string{"($"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := runHere(t, test.args...)
			if code != exitOK || stderr != "" {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			for _, want := range test.has {
				if !strings.Contains(stdout, want) {
					t.Errorf("lacks %q:\n%s", want, stdout)
				}
			}
			for _, bad := range test.hasNot {
				if strings.Contains(stdout, bad) {
					t.Errorf("has %q:\n%s", bad, stdout)
				}
			}
		})
	}
}

func TestUnknownCommands(t *testing.T) {
	const all = "Commands: serve, demo, run, doctor, version, completion, man, help"
	for _, test := range []struct{ name, command, says string }{
		{"a near miss names the nearest command", "serv", `Did you mean "serve"? ` + all},
		{"two letters that are swapped are a near miss", "dmeo", `Did you mean "demo"? ` + all},
		{"a word like none of them lists them all", "sing", `unknown command "sing". ` + all},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, args := range [][]string{{test.command}, {"help", test.command}} {
				code, _, stderr := runHere(t, args...)
				if code != exitUsage || !strings.Contains(stderr, test.says) {
					t.Errorf("%v: exit code %d, stderr %q", args, code, stderr)
				}
			}
		})
	}
}

func TestVersion(t *testing.T) {
	_, want, _ := runHere(t, "version")
	for _, args := range [][]string{{"--version"}, {"serve", "--version"}} {
		code, stdout, stderr := runHere(t, args...)
		if code != exitOK || stdout != want || stderr != "" || strings.Count(stdout, "\n") != 1 || !strings.HasPrefix(stdout, "wavedeck ") {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestCompletion(t *testing.T) {
	for shell, parse := range map[string][]string{"bash": {"bash", "-n"}, "zsh": {"zsh", "-n"}, "fish": {"fish", "--no-execute"}} {
		t.Run(shell+" can read its script, which holds commands and flags", func(t *testing.T) {
			code, script, stderr := runHere(t, "completion", shell)
			if code != exitOK || stderr != "" {
				t.Fatalf("exit code %d, stderr %q", code, stderr)
			}
			for _, want := range []string{"doctor", "from-step", "embed-origins"} {
				if !strings.Contains(script, want) {
					t.Errorf("lacks %q", want)
				}
			}
			if strings.Contains(script, "replay") {
				t.Error("completes an internal command")
			}
			if _, err := exec.LookPath(parse[0]); err != nil {
				t.Skip(err)
			}
			file := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(parse[0], append(parse[1:], file)...).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	t.Run("an unknown shell is refused with the known ones", func(t *testing.T) {
		if code, _, stderr := runHere(t, "completion", "tcsh"); code != exitUsage || !strings.Contains(stderr, `"bash"`) {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
	})
}

func TestBashCompletes(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	_, script, _ := runHere(t, "completion", "bash")
	for line, want := range map[string]string{
		"wavedeck do":                          "doctor",
		"wavedeck --base":                      "--base-path",
		"wavedeck run --from":                  "--from-step",
		"wavedeck serve --engine w":            "wave",
		"wavedeck serve --log-format = j":      "json",
		"wavedeck completion z":                "zsh",
		"wavedeck help ver":                    "version",
		"wavedeck serve --project x --read-on": "--read-only",
	} {
		t.Run(line, func(t *testing.T) {
			words := strings.Fields(line)
			ask := script + "\nCOMP_WORDS=('" + strings.Join(words, "' '") + "'); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _wavedeck; echo \"${COMPREPLY[*]}\"\n"
			out, err := exec.Command("bash", "-c", ask).CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != want {
				t.Errorf("completes to %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestManual(t *testing.T) {
	code, page, stderr := runHere(t, "man")
	if code != exitOK || stderr != "" || !strings.HasPrefix(page, ".TH WAVEDECK 1") {
		t.Fatalf("exit code %d, stderr %q, page %.60q", code, stderr, page)
	}
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip(err)
	}
	cmd := exec.Command("groff", "-man", "-Tutf8", "-ww", "-P-cbou")
	cmd.Stdin = strings.NewReader(page)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Errorf("groff: %v %s", err, &complaints)
	}
	for _, want := range []string{"NAME", "wavedeck run", "from", "WAVEDECK_BASE_PATH", "EXIT STATUS"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
}

func TestNoEngineSaysSo(t *testing.T) {
	var unsupported *runner.UnsupportedError
	_, planned := noEngine{}.Plan(t.Context(), runner.Request{})
	_, started := noEngine{}.Start(t.Context(), runner.Request{})
	for _, err := range []error{planned, started, noEngine{}.Stop(t.Context(), "x", false)} {
		if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "not supported on") {
			t.Errorf("error %v", err)
		}
	}
}

package engine

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// hostile are inputs that would do harm if any shell parsed them.
var hostile = map[string]string{
	"a command substitution":        `$(touch pwned)`,
	"backquotes":                    "`touch pwned`",
	"a closing single quote":        `'; touch pwned; '`,
	"a closing double quote":        `"; touch pwned; "`,
	"both quotes":                   `'"; touch pwned #`,
	"a new line":                    "x\ntouch pwned\n",
	"a here-document's end":         "x\nEOF\ntouch pwned\n",
	"a semicolon":                   `x; touch pwned`,
	"an ampersand and a pipe":       `x & touch pwned | touch pwned`,
	"a backslash at its end":        `x\`,
	"a parameter expansion":         `${IFS}$HOME`,
	"an arithmetic side effect":     `a[$(touch pwned)]`,
	"a glob":                        `*`,
	"a closing parenthesis":         `); touch pwned; (`,
	"a template of its own":         `{{ input }}`,
	"a reference to its variable":   `"${WAVE_INPUT}"`,
	"carriage returns and escapes":  "\x1b[31m\rtouch pwned\r",
	"an option":                     `-e x`,
	"words in another script":       `日本語 'テスト'`,
	"a comment":                     `# touch pwned`,
	"a sed command that runs":       `x/e; touch pwned #`,
	"process substitution":          `<(touch pwned)`,
	"ansi quoting":                  `$'\x27; touch pwned'`,
	"nothing":                       ``,
	"only white space":              "  \t ",
	"a brace expansion":             `{touch,pwned}`,
	"history and tilde expansion":   `!! ~root`,
	"a redirection":                 `> pwned`,
	"a case terminator":             `;; esac; touch pwned`,
	"what looks like the mark":      `WaveValue0E`,
	"a null command and assignment": `: ; PATH=.; touch pwned`,
}

func TestAnInputReachesAScriptAsText(t *testing.T) {
	scripts := map[string]string{
		"unquoted":                        `printf '%s' {{ input }} > out`,
		"in double quotes":                `printf '%s' "{{ input }}" > out`,
		"in single quotes":                `printf '%s' '{{ input }}' > out`,
		"in an assignment":                `X={{ input }}; printf '%s' "$X" > out`,
		"in an exported variable":         "export X=\"{{ input }}\"\nprintf '%s' \"$X\" > out",
		"in a substitution in quotes":     `X="$(printf '%s.' "{{ input }}")"; printf '%s' "${X%.}" > out`,
		"in a substitution":               `X=$(printf '%s.' {{input}}); printf '%s' "${X%.}" > out`,
		"behind a case in a substitution": `X="$(case a in a) printf '%s.' '{{ input }}' ;; esac)"; printf '%s' "${X%.}" > out`,
		"in a function's argument":        `f() { printf '%s' "$1" > out; }; f "{{ input }}"`,
		"as an argument of sh -c":         `sh -c 'printf "%s" "$1" > out' sh "{{ input }}"`,
		"in a loop":                       `for x in "{{ input }}"; do printf '%s' "$x" > out; done`,
		"after a quote in a comment":      "# it's {{ input }}\nprintf '%s' \"{{ input }}\" > out",
	}
	for where, script := range scripts {
		bound, err := bindScript(script)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		for what, input := range hostile {
			t.Run(where+": "+what, func(t *testing.T) {
				dir := t.TempDir()
				runShell(t, dir, bound, input)
				out, err := os.ReadFile(filepath.Join(dir, "out"))
				if err != nil || string(out) != input {
					t.Errorf("got %q (%v) of %q from %s", out, err, input, bound)
				}
				expectOnly(t, dir, "out")
			})
		}
	}
}

func TestAnInputInAHereDocumentIsText(t *testing.T) {
	bound, err := bindScript("cat > out <<EOF\n<{{ input }}>\nEOF\n")
	if err != nil {
		t.Fatal(err)
	}
	for what, input := range hostile {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			runShell(t, dir, bound, input)
			if out, _ := os.ReadFile(filepath.Join(dir, "out")); string(out) != "<"+input+">\n" {
				t.Errorf("got %q", out)
			}
			expectOnly(t, dir, "out")
		})
	}
}

func runShell(t *testing.T, dir, script, input string) {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "WAVE_INPUT=" + input}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func expectOnly(t *testing.T, dir, name string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != name {
		t.Errorf("the script left %v (%v)", files, err)
	}
}

func TestAScriptIsRefusedWhereAValueCouldBecomeCode(t *testing.T) {
	for name, script := range map[string]string{
		"the text of sh -c":                       `sh -c "echo {{ input }}"`,
		"the text of sh -c in single quotes":      `sh -c 'echo {{ input }}'`,
		"the text of sh -c behind other programs": `timeout 5 env A=b bash -ec "echo {{ input }}"`,
		"a variable in the text of sh -c":         `X="{{ input }}"; sh -c "echo $X"`,
		"a variable that eval reads":              `X={{ input }}; eval "echo $X"`,
		"eval with a backslash":                   `\eval {{ input }}`,
		"eval in quotes":                          `'eval' "{{ input }}"`,
		"an argument that eval reads":             `f() { eval "$1"; }; f "{{ input }}"`,
		"arithmetic":                              `echo $(( {{ input }} + 1 ))`,
		"an arithmetic command":                   `(( x = {{ input }} ))`,
		"let":                                     `let x={{ input }}`,
		"an extended test":                        `[[ {{ input }} -eq 1 ]]`,
		"an index":                                `a[{{ input }}]=1`,
		"an array":                                `a=([{{ input }}]=1)`,
		"a parameter expansion":                   `echo ${x:-{{ input }}}`,
		"a parameter's name":                      `echo ${{ input }}`,
		"a declaration":                           `declare "{{ input }}"`,
		"an integer":                              `local -i x={{ input }}`,
		"a name that is exported":                 `export {{ input }}`,
		"backquotes":                              "echo `echo {{ input }}`",
		"the name of a command":                   `{{ input }} --version`,
		"the name of a command in quotes":         `"{{ input }}"`,
		"the program behind exec":                 `exec {{ input }}`,
		"the program behind a variable":           `X="{{ input }}"; $X`,
		"the name of a function":                  `{{ input }}() { :; }`,
		"the name of a variable":                  `{{ input }}=1`,
		"a loop's variable":                       `for {{ input }} in a; do :; done`,
		"a here-document that is not expanded":    "cat <<'EOF'\n{{ input }}\nEOF\n",
		"a here-document that a shell reads":      "sh <<EOF\necho {{ input }}\nEOF\n",
		"a here-string that a shell reads":        `bash <<< "{{ input }}"`,
		"a pipe into a shell":                     `echo "{{ input }}" | sh`,
		"a pipe into a shell with options":        `echo "{{ input }}" | bash -s -- x`,
		"xargs with a shell":                      `echo "{{ input }}" | xargs -I{} sh -c 'echo {}'`,
		"a trap":                                  `trap "echo {{ input }}" EXIT`,
		"an awk program":                          `awk "BEGIN { print \"{{ input }}\" }"`,
		"a sed program":                           `sed "s/x/{{ input }}/" file`,
		"a python program":                        `python3 -c "print('{{ input }}')"`,
		"a perl program":                          `perl -ne 'print "{{ input }}"'`,
		"a makefile's variable":                   `make VERSION={{ input }}`,
		"a remote command":                        `ssh host "echo {{ input }}"`,
		"a sourced file":                          `. {{ input }}`,
		"behind a backslash":                      `echo \{{ input }}`,
		"ansi quotes":                             `echo $'{{ input }}'`,
		"a script that does not parse":            `echo "{{ input }}`,
		"the shell that a variable names":         `$SHELL -c "echo {{ input }}"`,
		"a variable in arithmetic":                `X={{ input }}; echo $(( X + 1 ))`,
		"a variable with $ in arithmetic":         `X={{ input }}; echo $(( $X + 1 ))`,
		"a variable of a variable in arithmetic":  `X={{ input }}; Y="$X"; (( Y > 1 )) && echo`,
		"a variable that let reads":               `X={{ input }}; let y=X+1`,
		"a number in [[ ]]":                       `X={{ input }}; [[ $X -eq 1 ]] && echo`,
		"a name in [[ -v ]]":                      `X={{ input }}; [[ -v $X ]] && echo`,
		"a name in test -v":                       `X={{ input }}; test -v "$X"`,
		"an indirection":                          `X={{ input }}; echo "${!X}"`,
		"a variable that is a prompt":             `X={{ input }}; echo "${X@P}"`,
		"a variable as an index":                  `X={{ input }}; a[$X]=1`,
		"a variable as an index that is read":     `X={{ input }}; echo "${a[$X]}"`,
		"a variable as an offset":                 `X={{ input }}; echo "${y:$X}"`,
		"an integer variable":                     `X={{ input }}; declare -i y=$X`,
		"the name that read gives":                `X={{ input }}; read "$X"`,
		"the name that unset takes":               `X={{ input }}; unset "$X"`,
		"the name that printf takes":              `printf -v "{{ input }}" x`,
		"a line that was read":                    `echo "{{ input }}" | { read -r n; echo $((n)); }`,
		"an argument in arithmetic":               `f() { echo $(( $1 )); }; f "{{ input }}"`,
		"a loop's variable in arithmetic":         `for i in {{ input }}; do (( i )); done`,
		"an option that takes code":               `tar xf a.tar --to-command="{{ input }}"`,
		"an option that takes code, apart":        `tar xf a.tar --to-command "{{ input }}"`,
		"what find runs":                          `find . -exec "{{ input }}" \;`,
		"a remote shell":                          `rsync --rsh="{{ input }}" a b`,
	} {
		t.Run(name, func(t *testing.T) {
			bound, err := bindScript(script)
			if err == nil && !strings.Contains(bound, `{{ input }}`) { // what stays as written is no value
				t.Errorf("bound as %s", bound)
			}
		})
	}
}

func TestArithmeticOfTheScriptsOwnIsLeftAlone(t *testing.T) {
	for _, script := range []string{
		`n=1; while (( n < 3 )); do n=$((n + 1)); done; echo "{{ input }}"`,
		`X="{{ input }}"; [[ $X == a* ]] && echo "${#X}"`,
		`X="{{ input }}"; n=${#X}; echo $(( n + 1 ))`,
		`for i in 1 2 3; do echo "$((i)) {{ input }}"; done`,
		`a=(1 2); i=1; echo "${a[$i]}" "{{ input }}"; [ -n "$X" ]`,
	} {
		if _, err := bindScript(script); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}

func TestAScriptWithoutTemplatesIsLeftAlone(t *testing.T) {
	for _, script := range []string{`eval "$X"`, `echo "unfinished`, `docker ps --format '{{.Names}} {{ end }}'`, ``} {
		if bound, err := bindScript(script); err != nil || bound != script {
			t.Errorf("%q became %q, %v", script, bound, err)
		}
	}
}

func FuzzAnInputIsNeverRun(f *testing.F) {
	for _, input := range hostile {
		f.Add(`echo "{{ input }}" '{{ input }}' {{ input }}`, input)
	}
	f.Fuzz(func(t *testing.T, script, input string) {
		bound, err := bindScript(script)
		if err != nil || bound == script {
			return
		}
		for _, reference := range variables() {
			bound = strings.ReplaceAll(bound, `"${`+reference+`}"`, "")
			bound = strings.ReplaceAll(bound, `${`+reference+`}`, "")
		}
		if len(bound) > len(script)+len(templateForm.FindAllString(script, -1))*2 {
			t.Errorf("%q grew to %q", script, bound)
		}
	})
}

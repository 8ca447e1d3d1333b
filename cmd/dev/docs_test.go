package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// snippet is a fenced block of a page.
type snippet struct {
	page, language, text string
	line                 int
	why                  string // why it is not run: "<!-- not run: … -->" on the line above
}

// pages are the documents that people read, by their name below the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"}
	err := filepath.WalkDir("../../docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(path), "../../"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	return texts
}

var notRun = regexp.MustCompile(`^<!-- not run: (.+) -->$`)

func snippetsOf(page, text string) (found []snippet) {
	var open *snippet
	above := ""
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && open == nil:
			open = &snippet{page: page, language: fence, line: i + 1}
			if m := notRun.FindStringSubmatch(above); m != nil {
				open.why = m[1]
			}
		case isFence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
		above = line
	}
	return found
}

// TestDocs runs every command of the documentation with the real program, and parses every snippet of data.
func TestDocs(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it runs the commands of the documentation")
	}
	for _, needed := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Skip(err)
		}
	}
	d := newDocsRunner(t)
	texts := pages(t)
	names := make([]string, 0, len(texts))
	for name := range texts {
		names = append(names, name)
	}
	slices.Sort(names)
	run := 0
	for _, name := range names {
		for _, s := range snippetsOf(name, texts[name]) {
			t.Run(fmt.Sprintf("%s:%d", s.page, s.line), func(t *testing.T) {
				if s.why != "" {
					t.Skip("not run: " + s.why)
				}
				switch s.language {
				case "sh":
					d.run(t, s)
					run++
				case "json":
					var value any
					if err := json.Unmarshal([]byte(s.text), &value); err != nil {
						t.Error(err)
					}
				case "yaml":
					var value any
					if err := yaml.Unmarshal([]byte(s.text), &value); err != nil {
						t.Error(err)
					}
					if strings.Contains(s.text, "\nmodels:") {
						d.price(t, s)
					}
				case "html", "nginx": // shown, and read by a program that is not here
				default:
					t.Errorf("a block of %q: is it sh, json, yaml, html or nginx?", s.language)
				}
			})
		}
	}
	if run < 10 {
		t.Errorf("only %d blocks were run", run)
	}
}

// docsRunner has what the commands expect: the program on PATH, a project in ~/src/shop, and the demo at its address.
type docsRunner struct {
	root, home string
	demo       string // its address, without a slash at the end
	lastRun    string // an id of a run there
}

func newDocsRunner(t *testing.T) *docsRunner {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	d := &docsRunner{root: root, home: t.TempDir()}
	bin := filepath.Join(d.home, "bin")
	if out, err := exec.Command("go", "build", "-o", bin+"/", "../wavedeck").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	demo := d.command(context.Background(), filepath.Join(bin, "wavedeck"), "demo", "--port", "0", "--dir", filepath.Join(d.home, "src", "shop"))
	address, stop := serving(t, demo)
	t.Cleanup(stop)
	d.demo = strings.TrimSuffix(address, "/")
	var list struct {
		Runs []struct {
			ID string `json:"run_id"`
		}
	}
	response, err := http.Get(d.demo + "/api/runs?state=succeeded&limit=1")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil || len(list.Runs) == 0 || list.Runs[0].ID == "" {
		t.Fatalf("no run: %+v, %v", list, err)
	}
	d.lastRun = list.Runs[0].ID
	return d
}

// command runs in the root of the repository, with a home of its own.
func (d *docsRunner) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = d.root
	cache := func(variable string) string {
		out, _ := exec.Command("go", "env", variable).Output()
		return variable + "=" + strings.TrimSpace(string(out))
	}
	cmd.Env = append(os.Environ(), cache("GOCACHE"), cache("GOMODCACHE"), cache("GOPATH"), "GOBIN="+filepath.Join(d.home, "bin"),
		"HOME="+d.home, "XDG_STATE_HOME="+filepath.Join(d.home, "state"), "PATH="+filepath.Join(d.home, "bin")+":"+os.Getenv("PATH"),
		"WAVEDECK_PORT=0", "RUN="+d.lastRun)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// serves finds the commands that go on until they are interrupted.
var serves = regexp.MustCompile(`^(wavedeck|go run \./cmd/wavedeck) (serve|demo)\b`)

// slow are commands that another test runs, or that would run this one.
var slow = regexp.MustCompile(`^go run \./cmd/dev test\b`)

// run executes a block line by line, as a reader would. A line ends with an error, or with a backslash goes on.
func (d *docsRunner) run(t *testing.T, s snippet) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	work := t.TempDir()
	for line := range strings.SplitSeq(strings.ReplaceAll(s.text, "\\\n", " "), "\n") {
		command, _, _ := strings.Cut(strings.TrimSpace(line), "    #")
		switch {
		case command == "", strings.HasPrefix(command, "#"), slow.MatchString(command):
			continue
		case serves.MatchString(command):
			command = strings.Replace(command, "go run ./cmd/wavedeck", "wavedeck", 1)
			_, stop := serving(t, d.command(ctx, "bash", "-c", "exec "+command))
			stop()
			continue
		}
		command = strings.ReplaceAll(command, "http://127.0.0.1:8080", d.demo)
		command = strings.Replace(command, "curl ", "curl --fail --silent --show-error --max-time 60 ", 1)
		cmd := d.command(ctx, "bash", "-ec", command)
		if strings.Contains(command, ">") {
			cmd.Dir = work
		}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) == 0 && strings.HasPrefix(command, "curl") {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
}

// price has the program read a block as the file of --prices.
func (d *docsRunner) price(t *testing.T, s snippet) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "prices.yaml")
	if err := os.WriteFile(file, []byte(s.text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stop := serving(t, d.command(t.Context(), filepath.Join(d.home, "bin", "wavedeck"), "serve", "--prices", file))
	stop()
}

// serving starts a server and returns the address that it prints. stop interrupts it, and requires that it ends well.
func serving(t *testing.T, cmd *exec.Cmd) (address string, stop func()) {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	end := func() error {
		return errors.Join(syscall.Kill(-cmd.Process.Pid, syscall.SIGINT), cmd.Wait())
	}
	if err != nil || !strings.HasPrefix(line, "http") {
		ended := end()
		t.Fatalf("%v: %q, %v, %v\n%s", cmd.Args, line, err, ended, &complaints)
	}
	return strings.TrimSpace(line), func() {
		if err := end(); err != nil {
			t.Errorf("%v: %v\n%s", cmd.Args, err, &complaints)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks follows every relative link of the documentation, to its heading.
func TestLinks(t *testing.T) {
	texts := pages(t)
	for page, text := range texts {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			name := page
			if target != "" {
				name = filepath.ToSlash(filepath.Join(filepath.Dir(page), target))
			}
			if _, err := os.Stat(filepath.Join("../..", name)); err != nil {
				t.Errorf("%s: %s: %v", page, m[1], err)
				continue
			}
			if heading != "" && !slices.Contains(headings(texts[name]), heading) {
				t.Errorf("%s: %s has no heading %q", page, name, heading)
			}
		}
	}
}

// headings are the anchors that Git hosts give to the headings of a page.
func headings(text string) (anchors []string) {
	unwanted := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for line := range strings.SplitSeq(text, "\n") {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			anchors = append(anchors, strings.ReplaceAll(unwanted.ReplaceAllString(strings.ToLower(title), ""), " ", "-"))
		}
	}
	return anchors
}

// TestReadme keeps the first page short, and its picture small.
func TestReadme(t *testing.T) {
	text := pages(t)["README.md"]
	if lines := strings.Count(text, "\n"); lines > 150 {
		t.Errorf("README.md has %d lines, more than 150", lines)
	}
	for _, m := range regexp.MustCompile(`!\[[^\]]+\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		info, err := os.Stat(filepath.Join("../..", m[1]))
		if err != nil || info.Size() > 150<<10 {
			t.Errorf("%s: %v, %v", m[1], info, err)
		}
	}
}

// TestEveryPackageIsOnTheMap compares docs/architecture.md with the tree.
func TestEveryPackageIsOnTheMap(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Module.Path}}", "../../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	page := pages(t)["docs/architecture.md"]
	for line := range strings.Lines(string(out)) {
		pkg, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		name := strings.TrimPrefix(pkg, module+"/")
		if name != "cmd/wavedeck/demo" && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("%s is not in docs/architecture.md", name)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\|").FindAllStringSubmatch(page, -1) {
		for name := range strings.SplitSeq(strings.ReplaceAll(m[1], "`", ""), ", ") {
			if _, err := os.Stat(filepath.Join("../..", name)); err != nil {
				t.Errorf("docs/architecture.md: %v", err)
			}
		}
	}
}

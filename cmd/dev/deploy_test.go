package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func deployFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDockerfile(t *testing.T) {
	known := regexp.MustCompile(`^(FROM|WORKDIR|COPY|RUN|ARG|USER|ENV|EXPOSE|VOLUME|ENTRYPOINT|CMD) .+`)
	last := map[string]string{}
	for line := range strings.SplitSeq(deployFile(t, "Dockerfile"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if !known.MatchString(line) {
			t.Errorf("not an instruction: %s", line)
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word == "FROM" {
			clear(last)
		}
		last[word] = rest
		if word == "COPY" && !strings.HasPrefix(rest, "--from") {
			for _, source := range strings.Fields(rest)[:len(strings.Fields(rest))-1] {
				if _, err := os.Stat(filepath.Join("../..", source)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if !strings.HasPrefix(last["FROM"], "gcr.io/distroless/static") || !strings.HasPrefix(last["USER"], "nonroot") {
		t.Errorf("the image is %s as user %s", last["FROM"], last["USER"])
	}
	for variable := range strings.FieldsSeq(last["ENV"]) {
		name, _, _ := strings.Cut(variable, "=")
		flag := "--" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "WAVEDECK_"), "_", "-"))
		if !knownFlag(t, flag) {
			t.Errorf("%s is no variable of the program", name)
		}
	}
}

// knownFlag looks for a flag in the reference of flags.
func knownFlag(t *testing.T, flag string) bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), "`"+flag)
}

func TestComposeFile(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Build       struct{ Context, Dockerfile string }
			User        string
			Environment map[string]string
			Ports       []string
			Volumes     []string
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			SecurityOpt []string `yaml:"security_opt"`
			Restart     string
		}
		Volumes map[string]any
	}
	decoder := yaml.NewDecoder(strings.NewReader(deployFile(t, "compose.yaml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	service := file.Services["wavedeck"]
	if _, err := os.Stat(filepath.Join("../../docs/deploy", service.Build.Context, service.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
	for _, port := range service.Ports {
		if !strings.HasPrefix(port, "127.0.0.1:") {
			t.Errorf("port %s is open to every machine", port)
		}
	}
}

func TestSystemdUnit(t *testing.T) {
	unit := deployFile(t, "wavedeck.service")
	for _, want := range []string{"KillMode=process", "ExecStart=/usr/local/bin/wavedeck serve\n", "NoNewPrivileges=yes"} {
		if !strings.Contains(unit, want) {
			t.Errorf("lacks %s", want)
		}
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip(err)
	}
	// Neither the program nor its manual page is installed on this machine.
	unit = strings.ReplaceAll(unit, "/usr/local/bin/wavedeck", "/bin/true")
	unit = regexp.MustCompile(`(?m)^Documentation=.*\n`).ReplaceAllString(unit, "")
	file := filepath.Join(t.TempDir(), "wavedeck.service")
	if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", "--man=no", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

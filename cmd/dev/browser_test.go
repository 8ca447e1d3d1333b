package main

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// fakeMachine has the given programs and nothing else.
func fakeMachine(env map[string]string, programs ...string) surroundings {
	return surroundings{
		getenv: func(name string) string { return env[name] },
		lookPath: func(name string) (string, error) {
			if !slices.Contains(programs, name) {
				return "", &fs.PathError{Op: "find", Path: name, Err: fs.ErrNotExist}
			}
			return "/found/" + name, nil
		},
		readFile: func(string) ([]byte, error) { return nil, fs.ErrNotExist },
	}
}

func TestFindBrowser(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string
		programs []string
		want     string
		err      error
	}{
		{"CHROME wins over what is in the PATH", map[string]string{"CHROME": "/opt/mine"}, []string{"/opt/mine", "chromium"}, "/found//opt/mine", nil},
		{"a CHROME that is not there is an error, whatever else there is", map[string]string{"CHROME": "/opt/mine"}, []string{"chromium"}, "", fs.ErrNotExist},
		{"Chromium wins over Chrome", nil, []string{"google-chrome", "chromium"}, "/found/chromium", nil},
		{"Chrome will do", nil, []string{"google-chrome"}, "/found/google-chrome", nil},
		{"one without windows wins over all others", nil, []string{"chromium", "chromium-headless-shell"}, "/found/chromium-headless-shell", nil},
		{"a browser outside the PATH is found at its usual place", nil, []string{"/usr/bin/chromium"}, "/found//usr/bin/chromium", nil},
		{"without any there is an error that says how to get one", nil, []string{"firefox"}, "", errNoBrowser},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := fakeMachine(test.env, test.programs...).findBrowser()
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("findBrowser() = %q, %v; want %q, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestCanInstall(t *testing.T) {
	tests := []struct {
		name      string
		isRoot    bool
		programs  []string
		osRelease string
		want      bool
	}{
		{"root on Debian can", true, []string{"apt-get"}, "NAME=\"Debian GNU/Linux\"\nID=debian\n", true},
		{"anyone else on Debian cannot", false, []string{"apt-get"}, "ID=debian\n", false},
		{"root on Ubuntu cannot: its package only points to a snap", true, []string{"apt-get"}, "ID=ubuntu\nID_LIKE=debian\n", false},
		{"root without apt-get cannot", true, nil, "ID=debian\n", false},
		{"root on a system that does not name itself cannot", true, []string{"apt-get"}, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := fakeMachine(nil, test.programs...)
			s.isRoot = test.isRoot
			s.readFile = func(string) ([]byte, error) { return []byte(test.osRelease), nil }
			if got := s.canInstall(); got != test.want {
				t.Errorf("canInstall() = %v", got)
			}
		})
	}
}

func TestProvideBrowser(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string
		programs []string
		path     string
		fails    bool
		says     string
	}{
		{"a browser is handed on", nil, []string{"chromium"}, "/found/chromium", false, ""},
		{"without a browser the tests are skipped, and that is said", nil, nil, "", false, "BROWSER TESTS ARE SKIPPED"},
		{"under CI a missing browser is a failure", map[string]string{"CI": "true"}, nil, "", true, ""},
		{"where a browser is required a missing one is a failure", map[string]string{requiredVar: "1"}, nil, "", true, ""},
		{"a wrong CHROME is a failure, not a skip", map[string]string{"CHROME": "/gone"}, nil, "", true, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			w := &workshop{root: t.TempDir(), stdout: &out, stderr: &out}
			path, err := w.provideBrowser(t.Context(), fakeMachine(test.env, test.programs...))
			if path != test.path || (err != nil) != test.fails {
				t.Errorf("provideBrowser() = %q, %v", path, err)
			}
			if !strings.Contains(out.String(), test.says) {
				t.Errorf("said %q", &out)
			}
		})
	}
}

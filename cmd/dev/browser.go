package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const (
	// chromiumVar tells the tests which browser to start; without it they skip what needs one.
	chromiumVar = "WAVEDECK_CHROMIUM"
	// requiredVar set to 1 turns that skip into a failure.
	requiredVar = "WAVEDECK_BROWSER_REQUIRED"
)

var errNoBrowser = errors.New("no Chromium or Chrome found: install one (Debian: apt-get install chromium), " +
	"or set CHROME to the path of its program")

// surroundings is what the search for a browser depends on.
type surroundings struct {
	getenv   func(string) string
	lookPath func(string) (string, error)
	readFile func(string) ([]byte, error)
	isRoot   bool
}

func machine() surroundings {
	return surroundings{getenv: os.Getenv, lookPath: exec.LookPath, readFile: os.ReadFile, isRoot: os.Geteuid() == 0}
}

// findBrowser returns the program of a Chromium. CHROME, when set, is the only candidate.
func (s surroundings) findBrowser() (string, error) {
	if chosen := s.getenv("CHROME"); chosen != "" {
		path, err := s.lookPath(chosen)
		if err != nil {
			return "", fmt.Errorf("CHROME: %w", err)
		}
		return path, nil
	}
	for _, candidate := range []string{
		"chromium-headless-shell", "chrome-headless-shell", // without the windows of a browser, in two thirds of its time
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
		"/usr/bin/chromium", "/snap/bin/chromium",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := s.lookPath(candidate); err == nil {
			return path, nil
		}
	}
	return "", errNoBrowser
}

// canInstall reports whether apt-get would bring a Chromium that runs here. Ubuntu's package is only a pointer to a
// snap, so a distribution that is merely like Debian does not count.
func (s surroundings) canInstall() bool {
	if !s.isRoot {
		return false
	}
	if _, err := s.lookPath("apt-get"); err != nil {
		return false
	}
	release, err := s.readFile("/etc/os-release")
	if err != nil {
		return false
	}
	for lines := bufio.NewScanner(strings.NewReader(string(release))); lines.Scan(); {
		if id, ok := strings.CutPrefix(lines.Text(), "ID="); ok {
			return strings.Trim(id, `"'`) == "debian"
		}
	}
	return false
}

// underCI reports whether a missing browser is a failure.
func (s surroundings) underCI() bool {
	return s.getenv("CI") == "true" || s.getenv(requiredVar) == "1"
}

// browser says where the browser is, and installs it where it can.
func (w *workshop) browser(ctx context.Context) error {
	path, err := w.provideBrowser(ctx, machine())
	if path != "" {
		fmt.Fprintln(w.stdout, "browser:", path)
	}
	return err
}

// provideBrowser returns "" and no error when there is no browser and none is required.
func (w *workshop) provideBrowser(ctx context.Context, s surroundings) (string, error) {
	path, err := s.findBrowser()
	if errors.Is(err, errNoBrowser) && s.canInstall() {
		path, err = w.installBrowser(ctx, s)
	}
	if err == nil {
		return path, nil
	}
	if s.underCI() || !errors.Is(err, errNoBrowser) {
		return "", err
	}
	fmt.Fprintf(w.stdout, "!!! BROWSER TESTS ARE SKIPPED: %v\n", err)
	return "", nil
}

func (w *workshop) installBrowser(ctx context.Context, s surroundings) (string, error) {
	quiet := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := w.exec(ctx, quiet, "apt-get", "-q", "update"); err != nil {
		return "", fmt.Errorf("install chromium: %w", err)
	}
	// Without recommended packages no font would come along, and a page would be measured in boxes.
	install := []string{"-q", "install", "-y", "--no-install-recommends", "fonts-liberation"}
	if w.exec(ctx, quiet, "apt-get", append(install, "chromium-headless-shell")...) != nil { // older than the package
		if err := w.exec(ctx, quiet, "apt-get", append(install, "chromium")...); err != nil {
			return "", fmt.Errorf("install chromium: %w", err)
		}
	}
	return s.findBrowser()
}

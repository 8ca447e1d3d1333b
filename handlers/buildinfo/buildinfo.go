// Package buildinfo reports which build of the program this is.
package buildinfo

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// Set by the linker in a release: `go run ./cmd/dev release`. Empty in any other build, which then reports what the Go
// toolchain recorded.
//
//nolint:gochecknoglobals // the linker sets nothing else
var version, commit, date string

// Info is what is known of a build. A field that is not known is empty.
type Info struct {
	Version  string // "v1.2.3", a pseudo-version, or "(devel)"
	Commit   string // the full hash
	Modified bool   // built from a work tree with uncommitted changes
	Date     string // of the commit, RFC 3339
	Go       string // "go1.26.8"
	Platform string // "linux/amd64"
}

// Get returns the info of the running program.
func Get() Info {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	return from(build)
}

func from(build *debug.BuildInfo) Info {
	settings := map[string]string{}
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	info := Info{
		Version:  cmp.Or(version, build.Main.Version, "(devel)"),
		Commit:   cmp.Or(commit, settings["vcs.revision"]),
		Modified: commit == "" && settings["vcs.modified"] == "true",
		Date:     cmp.Or(date, settings["vcs.time"]),
		Go:       build.GoVersion,
	}
	if settings["GOOS"] != "" {
		info.Platform = settings["GOOS"] + "/" + settings["GOARCH"]
	}
	return info
}

// String is one line: "v1.2.3 (commit 0123456789ab, 2026-11-30T12:00:00Z, go1.26.8, linux/amd64)".
func (i Info) String() string {
	const short = 12
	var details []string
	add := func(prefix, value string) {
		if value != "" {
			details = append(details, prefix+value)
		}
	}
	add("commit ", i.Commit[:min(short, len(i.Commit))])
	if i.Modified {
		add("", "modified")
	}
	add("", i.Date)
	add("", i.Go)
	add("", i.Platform)
	if len(details) == 0 {
		return i.Version
	}
	return i.Version + " (" + strings.Join(details, ", ") + ")"
}

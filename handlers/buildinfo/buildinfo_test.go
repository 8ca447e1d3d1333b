package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestInfo(t *testing.T) {
	const hash = "0123456789abcdef0123456789abcdef01234567"
	platform := []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}}
	vcs := append([]debug.BuildSetting{
		{Key: "vcs.revision", Value: hash}, {Key: "vcs.time", Value: "2026-11-30T12:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}, platform...)
	for _, test := range []struct {
		name                  string
		version, commit, date string // as the linker sets them
		build                 debug.BuildInfo
		want                  string
	}{
		{"a release reports what the linker was given", "v1.2.3", hash, "2026-11-30T12:00:00Z",
			debug.BuildInfo{GoVersion: "go1.26.8", Settings: platform},
			"v1.2.3 (commit 0123456789ab, 2026-11-30T12:00:00Z, go1.26.8, linux/arm64)"},
		{"a build in a repository reports its commit, and that the work tree was changed", "", "", "",
			debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.0.0-20261130120000-0123456789ab+dirty"}, Settings: vcs},
			"v0.0.0-20261130120000-0123456789ab+dirty (commit 0123456789ab, modified, 2026-11-30T12:00:00Z, go1.26.8, linux/arm64)"},
		{"a build outside a repository reports only its toolchain", "", "", "",
			debug.BuildInfo{GoVersion: "go1.26.8"}, "(devel) (go1.26.8)"},
		{"a program without any information is a development build", "", "", "", debug.BuildInfo{}, "(devel)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			version, commit, date = test.version, test.commit, test.date
			t.Cleanup(func() { version, commit, date = "", "", "" })
			if got := from(&test.build).String(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

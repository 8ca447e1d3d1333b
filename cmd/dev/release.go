package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// releaseDir is where `release` writes, below the module root.
const releaseDir = "dist"

// platform is a pair of GOOS and GOARCH that the program is built for.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// env are the variables of a build for p. Without cgo a build needs no C compiler and has the same result everywhere.
func (p platform) env() []string {
	return []string{"GOOS=" + p.os, "GOARCH=" + p.arch, "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0"}
}

// platforms are those of a release.
func platforms() []platform {
	return []platform{
		{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"freebsd", "amd64"},
	}
}

// release describes what is released.
type release struct {
	version string    // "v1.2.3"
	commit  string    // the full hash
	date    time.Time // of the commit: nothing in an archive depends on when it was made
}

// release writes an archive for each platform, and the checksums of all of them. The same commit gives the same bytes.
func (w *workshop) release(ctx context.Context, args []string) error {
	r, err := w.describeRelease(ctx, args)
	if err != nil {
		return err
	}
	dist := filepath.Join(w.root, releaseDir)
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	return w.releaseInto(ctx, dist, r, platforms())
}

var semver = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// describeRelease takes the version from the argument, else from the tag of the commit, else makes a pseudo-version.
func (w *workshop) describeRelease(ctx context.Context, args []string) (release, error) {
	if len(args) > 1 {
		return release{}, fmt.Errorf("unexpected argument %q", args[1])
	}
	changes, err := w.output(ctx, "git", "status", "--porcelain")
	if err != nil {
		return release{}, fmt.Errorf("a release is made of a commit: %w", err)
	}
	if changes != "" {
		return release{}, fmt.Errorf("the work tree has uncommitted changes, which no checksum could be traced to:\n%s", changes)
	}
	commit, err := w.output(ctx, "git", "rev-parse", "HEAD")
	if err != nil {
		return release{}, err
	}
	stamp, err := w.output(ctx, "git", "show", "--no-patch", "--format=%cI", "HEAD")
	if err != nil {
		return release{}, err
	}
	date, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return release{}, err
	}
	r := release{commit: commit, date: date.UTC()}
	switch tag, err := w.output(ctx, "git", "tag", "--points-at", "HEAD", "--list", "v*"); {
	case err != nil:
		return release{}, err
	case len(args) == 1:
		r.version = args[0]
	case tag != "":
		r.version, _, _ = strings.Cut(tag, "\n")
	default:
		r.version = "v0.0.0-" + r.date.Format("20060102150405") + "-" + commit[:12]
	}
	if !semver.MatchString(r.version) {
		return release{}, fmt.Errorf("version %q is not of the form v1.2.3", r.version)
	}
	return r, nil
}

// releaseInto writes the archives for targets and SHA256SUMS into dist.
func (w *workshop) releaseInto(ctx context.Context, dist string, r release, targets []platform) (err error) {
	work, err := os.MkdirTemp("", "wavedeck-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	common, err := w.documents(ctx, work, r)
	if err != nil {
		return err
	}
	var archives []string
	for _, p := range targets {
		name, err := w.archiveFor(ctx, work, dist, r, p, common)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		archives = append(archives, name)
		fmt.Fprintln(w.stdout, filepath.Join(releaseDir, name))
	}
	return writeSums(dist, archives)
}

// documents are the files that are the same in every archive, by their name there.
func (w *workshop) documents(ctx context.Context, work string, r release) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{"README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md"} {
		content, err := os.ReadFile(filepath.Join(w.root, name))
		if err != nil {
			return nil, err
		}
		files[name] = content
	}
	deploy, err := readFiles(os.DirFS(filepath.Join(w.root, "docs/deploy")), "")
	if err != nil {
		return nil, err
	}
	for name, content := range deploy {
		files["deploy/"+name] = content
	}
	host := filepath.Join(work, "host", "wavedeck")
	if err := w.compile(ctx, host, r, nil); err != nil {
		return nil, err
	}
	for name, args := range map[string][]string{
		"wavedeck.1":                {"man"},
		"completions/wavedeck.bash": {"completion", "bash"},
		"completions/_wavedeck":     {"completion", "zsh"},
		"completions/wavedeck.fish": {"completion", "fish"},
	} {
		text, err := w.output(ctx, host, args...)
		if err != nil {
			return nil, err
		}
		files[name] = []byte(text + "\n")
	}
	return files, nil
}

// compile builds the program. What it reports of itself comes from r alone.
func (w *workshop) compile(ctx context.Context, target string, r release, env []string) error {
	module, err := w.output(ctx, "go", "list", "-m")
	if err != nil {
		return err
	}
	pkg := module + "/handlers/buildinfo."
	flags := "-s -w -buildid= -X " + pkg + "version=" + r.version + " -X " + pkg + "commit=" + r.commit + " -X " + pkg + "date=" + r.date.Format(time.RFC3339)
	// GOFLAGS of the environment must not change the result; an empty one would leave those of `go env -w`.
	env = append(slices.Clone(env), "GOFLAGS=-trimpath", "CGO_ENABLED=0")
	return w.exec(ctx, env, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+flags, "-o", target, program)
}

// archiveFor builds the program for p and writes its archive. It returns the file's name.
func (w *workshop) archiveFor(ctx context.Context, work, dist string, r release, p platform, common map[string][]byte) (string, error) {
	binary := filepath.Join(work, p.os+"_"+p.arch, "wavedeck")
	if p.os == "windows" {
		binary += ".exe"
	}
	if err := w.compile(ctx, binary, r, p.env()); err != nil {
		return "", err
	}
	parts, err := w.linked(ctx, binary)
	if err != nil {
		return "", err
	}
	folder := fmt.Sprintf("wavedeck_%s_%s_%s", r.version, p.os, p.arch)
	var files []packed
	for name, content := range common {
		files = append(files, packed{folder + "/" + name, content, 0o644})
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	sbom, err := billOfMaterials(r, p, program, parts)
	if err != nil {
		return "", err
	}
	files = append(files,
		packed{folder + "/" + filepath.Base(binary), program, 0o755},
		packed{folder + "/sbom.cdx.json", sbom, 0o644},
		packed{folder + "/THIRD_PARTY_NOTICES.txt", notices(parts), 0o644},
	)
	slices.SortFunc(files, func(a, b packed) int { return strings.Compare(a.name, b.name) })
	pack, name := packTar, folder+".tar.gz"
	if p.os == "windows" {
		pack, name = packZip, folder+".zip"
	}
	content, err := pack(files, r.date)
	if err != nil {
		return "", err
	}
	return name, os.WriteFile(filepath.Join(dist, name), content, 0o644)
}

// writeSums writes SHA256SUMS in the format of sha256sum.
func writeSums(dist string, names []string) error {
	var sums strings.Builder
	slices.Sort(names)
	for _, name := range names {
		content, err := fs.ReadFile(os.DirFS(dist), name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(sum[:]), name)
	}
	return os.WriteFile(filepath.Join(dist, sumsFile), []byte(sums.String()), 0o644)
}

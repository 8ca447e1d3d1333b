package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestArchivesAreReproducible(t *testing.T) {
	files := []packed{{"a/program", []byte("text"), 0o755}, {"a/README.md", []byte("# A"), 0o644}}
	date := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for name, pack := range map[string]func([]packed, time.Time) ([]byte, error){"tar": packTar, "zip": packZip} {
		t.Run(name, func(t *testing.T) {
			one, err := pack(files, date)
			if err != nil {
				t.Fatal(err)
			}
			two, err := pack(files, date)
			if err != nil || !bytes.Equal(one, two) {
				t.Errorf("the same files give other bytes, %v", err)
			}
		})
	}
}

func TestLicenses(t *testing.T) {
	t.Run("a module without a license file is an error", func(t *testing.T) {
		if _, err := licenseTexts(fstest.MapFS{"main.go": {}, "licenses.go": {}}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("license and notice files are read, under any usual name", func(t *testing.T) {
		texts, err := licenseTexts(fstest.MapFS{"LICENSE": {}, "NOTICE.txt": {}, "LICENSE-3RD-PARTY.md": {}, "COPYING": {}, "main.go": {}})
		if err != nil || len(texts) != 4 {
			t.Errorf("%d files, %v", len(texts), err)
		}
	})
	const mit = "Permission is hereby granted, free of charge, to any person\n\nThe above copyright notice and this permission notice shall"
	const bsd = "Redistribution and use in source and\n  binary forms"
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"MIT is recognized":                          {mit, []string{"MIT"}},
		"three clauses of BSD are":                   {bsd + " ... Neither the name of X may be used to endorse", []string{"BSD-3-Clause"}},
		"two clauses of BSD are":                     {bsd, []string{"BSD-2-Clause"}},
		"a file with two licenses has both":          {"Apache License\nVersion 2.0\n" + mit, []string{"Apache-2.0", "MIT"}},
		"a text that is not known is not guessed at": {"Do as you like.", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := licensesOf([]byte(test.text)); !slices.Equal(got, test.want) {
				t.Errorf("licensesOf() = %v, want %v", got, test.want)
			}
		})
	}
}

func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds the program twice")
	}
	r := release{version: "v1.2.3", commit: strings.Repeat("0123456789", 4), date: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	host := platform{runtime.GOOS, runtime.GOARCH}
	var archives [][]byte
	for range 2 { // each from a folder of its own
		w := &workshop{root: copyModule(t), stdout: io.Discard, stderr: os.Stderr}
		dist := t.TempDir()
		if err := w.releaseInto(t.Context(), dist, r, []platform{host}); err != nil {
			t.Fatal(err)
		}
		name := "wavedeck_v1.2.3_" + host.os + "_" + host.arch + ".tar.gz"
		content, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			t.Fatal(err)
		}
		sums, err := os.ReadFile(filepath.Join(dist, sumsFile))
		if err != nil || !strings.HasSuffix(string(sums), "  "+name+"\n") {
			t.Errorf("%s: %q, %v", sumsFile, sums, err)
		}
		archives = append(archives, content)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the same sources give other bytes in another folder")
	}
	files := untar(t, archives[0])
	for name, want := range map[string]string{
		"README.md": "# Wavedeck", "LICENSE": "MIT", "wavedeck.1": ".TH WAVEDECK", "completions/wavedeck.bash": "complete -F",
		"deploy/wavedeck.service": "[Service]", "THIRD_PARTY_NOTICES.txt": "modernc.org/sqlite", "sbom.cdx.json": "pkg:npm/htmx.org@", "wavedeck": r.commit,
	} {
		if !bytes.Contains(files[name], []byte(want)) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
	var bom struct{ Components []struct{ Name, Purl string } }
	if err := json.Unmarshal(files["sbom.cdx.json"], &bom); err != nil || len(bom.Components) < 10 {
		t.Fatalf("%d components, %v", len(bom.Components), err)
	}
	for _, c := range bom.Components {
		if !bytes.Contains(files["THIRD_PARTY_NOTICES.txt"], []byte("\n"+c.Name+" ")) {
			t.Errorf("%s is in the SBOM and not in the notices", c.Name)
		}
		if strings.Contains(c.Name, "esbuild") {
			t.Errorf("the program contains %s", c.Name)
		}
	}
}

// untar returns the files of an archive by their name below its folder.
func untar(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(zipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(header.Name, "/")
		if files[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

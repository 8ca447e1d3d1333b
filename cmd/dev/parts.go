package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

// part is something of others that a binary contains.
type part struct {
	name, version string
	purl          string            // its package URL
	texts         map[string][]byte // its license and notice files
}

// licenses are the SPDX identifiers of the part's licenses. A text that is not known here adds none.
func (p part) licenses() []string {
	found := map[string]bool{}
	for _, text := range p.texts {
		for _, id := range licensesOf(text) {
			found[id] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// linked are the Go modules in a binary, the standard library, and the scripts of others that it serves.
func (w *workshop) linked(ctx context.Context, binary string) ([]part, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	goroot, err := w.output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	std, err := licenseTexts(os.DirFS(goroot))
	if err != nil {
		return nil, err
	}
	parts := []part{{name: "std", version: info.GoVersion, purl: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go"), texts: std}}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		dir, err := w.output(ctx, "go", "list", "-m", "-f", "{{.Dir}}", dep.Path)
		if err != nil {
			return nil, err
		}
		texts, err := licenseTexts(os.DirFS(dir))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dep.Path, err)
		}
		parts = append(parts, part{name: dep.Path, version: dep.Version, purl: "pkg:golang/" + dep.Path + "@" + dep.Version, texts: texts})
	}
	scripts, err := w.vendored()
	return append(parts, scripts...), err
}

// vendored are the packages that the files in static/vendor come from.
func (w *workshop) vendored() ([]part, error) {
	dir := os.DirFS(filepath.Join(w.root, vendorDirs()[0]))
	files, err := checkVendored(dir)
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, file := range files {
		origin, inside, _ := strings.Cut(file.origin, " ")
		at := strings.LastIndex(origin, "@")
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == origin[:at] })
		if i < 0 {
			i = len(parts)
			parts = append(parts, part{
				name: origin[:at], version: origin[at+1:], purl: "pkg:npm/" + origin[:at] + "@" + origin[at+1:], texts: map[string][]byte{},
			})
		}
		if licenseFile.MatchString(filepath.Base(inside)) {
			if parts[i].texts[file.name], err = fs.ReadFile(dir, file.name); err != nil {
				return nil, err
			}
		}
	}
	for _, p := range parts {
		if len(p.texts) == 0 {
			return nil, fmt.Errorf("%s: no license file beside it", p.name)
		}
	}
	return parts, nil
}

var licenseFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents|unlicense)([._-].*)?$`)

// licenseTexts reads the license and notice files at the top of a module. A module without any is an error: it could not be
// passed on.
func licenseTexts(module fs.FS) (map[string][]byte, error) {
	entries, err := fs.ReadDir(module, ".")
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !licenseFile.MatchString(entry.Name()) {
			continue
		}
		if texts[entry.Name()], err = fs.ReadFile(module, entry.Name()); err != nil {
			return nil, err
		}
	}
	if len(texts) == 0 {
		return nil, errors.New("no license file")
	}
	return texts, nil
}

// licensesOf recognizes the licenses that are usual here, by the sentences that make them what they are. A file may hold
// several.
func licensesOf(text []byte) []string {
	words := strings.Join(strings.Fields(string(text)), " ")
	has := func(sentence string) bool { return strings.Contains(words, sentence) }
	var found []string
	for id, holds := range map[string]bool{
		"Apache-2.0": has("Apache License") && has("Version 2.0"),
		"MPL-2.0":    has("Mozilla Public License") && has("2.0"),
		"BSD-3-Clause": has("Redistribution and use in source and binary forms") &&
			(has("Neither the name") || has("may not be used to endorse") || has("may be used to endorse")),
		"BSD-2-Clause": has("Redistribution and use in source and binary forms") && !has("to endorse"),
		"MIT":          has("Permission is hereby granted, free of charge") && has("The above copyright notice and this permission notice"),
		"ISC":          has("Permission to use, copy, modify, and") && has("copyright notice and this permission notice appear in all copies"),
		"0BSD":         has("Permission to use, copy, modify, and") && !has("permission notice appear in all copies"),
	} {
		if holds {
			found = append(found, id)
		}
	}
	slices.Sort(found)
	return found
}

// notices is the text that has to go along with a binary: every part with its license.
func notices(parts []part) []byte {
	var out bytes.Buffer
	out.WriteString("Wavedeck contains the following software of others.\n")
	for _, p := range parts {
		fmt.Fprintf(&out, "\n%s\n%s %s\n", strings.Repeat("=", 80), p.name, p.version)
		for _, name := range slices.Sorted(maps.Keys(p.texts)) {
			fmt.Fprintf(&out, "\n--- %s\n\n%s\n", name, bytes.TrimSpace(p.texts[name]))
		}
	}
	return out.Bytes()
}

// billOfMaterials is a CycloneDX document of what the binary for p contains.
func billOfMaterials(r release, p platform, binary []byte, parts []part) ([]byte, error) {
	sum := sha256.Sum256(binary)
	bom := cyclonedx.NewBOM()
	root := cyclonedx.Component{
		BOMRef: "wavedeck", Type: cyclonedx.ComponentTypeApplication, Name: "wavedeck", Version: r.version,
		Hashes:     &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses:   &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "MIT"}}},
		Properties: &[]cyclonedx.Property{{Name: "platform", Value: p.String()}, {Name: "commit", Value: r.commit}},
	}
	bom.Metadata = &cyclonedx.Metadata{Timestamp: r.date.Format("2006-01-02T15:04:05Z07:00"), Component: &root}
	var components []cyclonedx.Component
	var refs []string
	for _, part := range parts {
		c := cyclonedx.Component{
			BOMRef: part.purl, Type: cyclonedx.ComponentTypeLibrary, Name: part.name, Version: part.version, PackageURL: part.purl,
		}
		if ids := part.licenses(); len(ids) > 0 {
			c.Licenses = &cyclonedx.Licenses{}
			for _, id := range ids {
				*c.Licenses = append(*c.Licenses, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}})
			}
		}
		components = append(components, c)
		refs = append(refs, part.purl)
	}
	bom.Components = &components
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: "wavedeck", Dependencies: &refs}}
	var out bytes.Buffer
	err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	return out.Bytes(), err
}

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const sumsFile = "SHA256SUMS"

// vendorDirs are the folders of files that others wrote.
func vendorDirs() []string { return []string{"static/vendor", "cmd/internal/browsertest/vendor"} }

// vendoredFile is an entry of SHA256SUMS.
type vendoredFile struct {
	origin string // package@version and the path inside the package
	sum    string // SHA-256 in hexadecimal
	name   string // path below the vendor folder
}

// vendorCheck compares the vendored files with the sums beside them.
func (w *workshop) vendorCheck(context.Context) error {
	for _, dir := range vendorDirs() {
		files, err := checkVendored(os.DirFS(filepath.Join(w.root, dir)))
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		for _, file := range files {
			fmt.Fprintf(w.stdout, "%s/%s is %s\n", dir, file.name, file.origin)
		}
	}
	return nil
}

// checkVendored reports every file in dir that is missing, changed or not listed.
func checkVendored(dir fs.FS) ([]vendoredFile, error) {
	text, err := fs.ReadFile(dir, sumsFile)
	if err != nil {
		return nil, err
	}
	files, err := parseSums(string(text))
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{sumsFile: true}
	var problems []error
	for _, file := range files {
		listed[file.name] = true
		content, err := fs.ReadFile(dir, file.name)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != file.sum {
			problems = append(problems, fmt.Errorf("%s is not the file of %s", file.name, file.origin))
		}
	}
	err = fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !listed[name] {
			problems = append(problems, fmt.Errorf("%s is not listed in %s", name, sumsFile))
		}
		return err
	})
	return files, errors.Join(append(problems, err)...)
}

// parseSums reads the format of sha256sum, which skips comments, and takes the origin of a file from the comment
// above it. A sum without an origin is an error: nobody could fetch that file again.
func parseSums(text string) ([]vendoredFile, error) {
	originLine := regexp.MustCompile(`^# (\S+@\d\S* \S+)$`)
	sumLine := regexp.MustCompile(`^([0-9a-f]{64}) [ *](\S+)$`)
	var files []vendoredFile
	origin := ""
	number := 0
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		number++
		line := lines.Text()
		if match := originLine.FindStringSubmatch(line); match != nil {
			origin = match[1]
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		match := sumLine.FindStringSubmatch(line)
		if match == nil {
			return nil, fmt.Errorf("%s line %d is not a SHA-256 and a file name", sumsFile, number)
		}
		if origin == "" {
			return nil, fmt.Errorf("%s line %d: no \"# package@version path\" above %s", sumsFile, number, match[2])
		}
		files = append(files, vendoredFile{origin: origin, sum: match[1], name: match[2]})
		origin = ""
	}
	return files, nil
}

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCheckVendored(t *testing.T) {
	content := []byte("let a = 1")
	sum := sha256.Sum256(content)
	line := hex.EncodeToString(sum[:]) + "  a.js\n"
	origin := "# a@1.0.0 dist/a.js\n"
	tests := []struct {
		name, sums string
		files      map[string]string
		err        string // part of the error; "" for none
	}{
		{"an unmodified file passes", origin + line, map[string]string{"a.js": string(content)}, ""},
		{"other comments and empty lines are skipped", "# Sums.\n\n" + origin + line, map[string]string{"a.js": string(content)}, ""},
		{"a file changed by one byte is named", origin + line, map[string]string{"a.js": "let a = 2"}, "a.js is not the file of a@1.0.0 dist/a.js"},
		{"a file that is gone is named", origin + line, nil, "a.js"},
		{"a file that is not listed is named", origin + line, map[string]string{"a.js": string(content), "sub/b.js": ""}, "sub/b.js is not listed"},
		{"a sum without an origin is refused", line, map[string]string{"a.js": string(content)}, "line 1"},
		{"an origin counts for one file only", origin + line + line, map[string]string{"a.js": string(content)}, "line 3"},
		{"an origin without a version is refused", "# a dist/a.js\n" + line, map[string]string{"a.js": string(content)}, "line 2"},
		{"a short sum is refused", origin + "abc  a.js\n", map[string]string{"a.js": string(content)}, "line 2"},
		{"a name outside the folder is an error", origin + strings.Replace(line, "a.js", "../a.js", 1), nil, "../a.js"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := fstest.MapFS{sumsFile: {Data: []byte(test.sums)}}
			for name, text := range test.files {
				dir[name] = &fstest.MapFile{Data: []byte(text)}
			}
			_, err := checkVendored(dir)
			if test.err == "" && err != nil {
				t.Error(err)
			}
			if test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v does not say %q", err, test.err)
			}
		})
	}
	t.Run("a folder without sums is an error", func(t *testing.T) {
		if _, err := checkVendored(fstest.MapFS{}); err == nil {
			t.Error("no error")
		}
	})
}

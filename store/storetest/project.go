// Package storetest gives tests and benchmarks real state databases: a project
// that Wave has run, the same history in older schemas, a builder for rows of
// one's own, and histories of any size.
package storetest

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"testing"

	"wavedeck/store/tape"
)

// testdata is a project that Wave ran with canned answers of the personas, the
// same 15 runs in older schemas, a recording of most of them going on, and a
// project with 73 more runs. The two copies of a 4 MB build log that the first
// database knows are left out.
//
//go:embed all:testdata
var testdata embed.FS

// Schemas are the versions that [Schema] has, oldest first.
func Schemas() []int { return []int{6, 16, 27, 33} }

// Project writes a copy of the sample project below t.TempDir() and returns its
// root: wave.yaml, and .agents with state.db, pipelines, personas and artifacts.
func Project(t testing.TB) string { return copyProject(t, "wave-project") }

func copyProject(t testing.TB, name string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "project")
	from := "testdata/" + name
	err := fs.WalkDir(testdata, from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		to := filepath.Join(root, rel)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		return copyOut(name, to)
	})
	if err != nil {
		t.Fatalf("copy sample project: %v", err)
	}
	return root
}

// StatePath is the state database of the project at root.
func StatePath(root string) string { return filepath.Join(root, ".agents", "state.db") }

// Schema writes a copy of the sample history in one of the [Schemas] below
// t.TempDir() and returns the path of the database.
func Schema(t testing.TB, version int) string {
	t.Helper()
	from := "testdata/wave-project/.agents/state.db"
	if version != 33 {
		from = fmt.Sprintf("testdata/state-v%02d.db", version)
	}
	to := filepath.Join(t.TempDir(), "state.db")
	if err := copyOut(from, to); err != nil {
		t.Fatalf("copy sample database: %v", err)
	}
	return to
}

func copyOut(from, to string) error {
	text, err := testdata.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// TapeText is the recording as it is stored, for a player that reads a file.
func TapeText(t testing.TB) []byte {
	t.Helper()
	text, err := testdata.ReadFile("testdata/tape.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Tape is the recording of 13 of the sample's runs going on over 50 seconds: one
// is stopped by an operator, one loses its process, one has four children.
func Tape(t testing.TB) []tape.Entry {
	t.Helper()
	entries, err := tape.Read(bytes.NewReader(TapeText(t)))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

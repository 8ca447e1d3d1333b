package files_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"wavedeck/store/files"
)

func TestPrivateFoldersAreNeverOpened(t *testing.T) {
	root := t.TempDir()
	write := func(path string) string {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, name := range []string{"desk.db", "desk.db-wal", "desk.db-shm", "desk.db-journal", "audit.jsonl", "audit.jsonl.1", "search.db", "sub/x"} {
		write(".deck/" + name)
	}
	write("free.txt")
	write(".agents/state.db")
	write(".agents/prompt.md")
	write(".agents/desk.db-shm")
	for _, err := range []error{
		os.Link(filepath.Join(root, ".deck/desk.db"), filepath.Join(root, "hard")),
		os.Symlink(".deck/desk.db-shm", filepath.Join(root, "soft")),
		os.Symlink(".deck", filepath.Join(root, "folder")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	can := func(path string) error {
		f, _, err := files.Open(root, path, ".agents/state.db")
		if err == nil {
			f.Close()
		}
		return err
	}
	private := []string{
		".deck/desk.db", ".deck/desk.db-wal", ".deck/desk.db-shm", ".deck/desk.db-journal", ".deck/audit.jsonl", ".deck/audit.jsonl.1",
		".deck/search.db", ".deck/sub/x", "hard", "soft", "folder/desk.db", filepath.Join(root, ".deck", "desk.db"),
	}
	release := files.Forbid(filepath.Join(root, ".deck"), "desk.db", "audit.jsonl")
	for _, path := range private {
		if err := can(path); !errors.Is(err, files.ErrPrivate) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"free.txt", ".agents/prompt.md", ".agents/desk.db-shm"} {
		if err := can(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	release()
	for _, path := range private {
		if err := can(path); err != nil {
			t.Errorf("%s, when nobody uses the folder: %v", path, err)
		}
	}
	for _, dir := range []string{".agents", "."} {
		release := files.Forbid(filepath.Join(root, dir), "desk.db")
		for _, path := range []string{"free.txt", ".agents/prompt.md"} {
			if err := can(path); err != nil {
				t.Errorf("with the project's folder %s, %s: %v", dir, path, err)
			}
		}
		if err := can(".agents/desk.db-shm"); dir == ".agents" && !errors.Is(err, files.ErrPrivate) {
			t.Errorf("the console's own file in a folder of the project's: %v", err)
		}
		release()
	}
}

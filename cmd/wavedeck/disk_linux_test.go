package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wavedeck/store/storetest"
)

// smallDisk is a disk of its own with room for a project and little more. Only root
// may have one.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skip("no disk can be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes all room that is left on a disk; make gives it back.
func fill(t *testing.T, disk string) (makeRoom func()) {
	t.Helper()
	path := filepath.Join(disk, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() { remove(t, path) }
}

func setReadOnly(t *testing.T, disk string, readOnly bool) {
	t.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if readOnly {
		flags |= syscall.MS_RDONLY
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", flags, "size=6m"); err != nil {
		t.Fatal(err)
	}
}

func (p *program) begin(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Post(p.url+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// says waits until a page says something, with a status.
func (p *program) says(t *testing.T, path string, status int, text string) {
	t.Helper()
	eventually(t, path+" says "+text, func() bool {
		got, body := p.get(t, path)
		return got == status && strings.Contains(body, text)
	})
}

// diskProject is the sample project on a disk.
func diskProject(t *testing.T, disk string) (root string) {
	t.Helper()
	root = filepath.Join(disk, "project")
	if err := os.CopyFS(root, os.DirFS(storetest.Project(t))); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("of the state", func(t *testing.T) {
		disk := smallDisk(t)
		root := diskProject(t, disk)
		makeRoom := fill(t, disk)
		p := start(t, "serve", "--project", root, "--port", "0", "--data", t.TempDir(), "--engine", "local")
		if status, body := p.get(t, "api/runs"); status != http.StatusOK { // reading itself needs room in WAL mode
			p.says(t, "runs", http.StatusOK, "there is no space left")
			if !strings.Contains(body, "there is no space left") || p.healthz(t).Status != "degraded" {
				t.Errorf("status %d: %s", status, body)
			}
		}
		makeRoom()
		eventually(t, "runs are listed", func() bool { status, _ := p.get(t, "api/runs"); return status == http.StatusOK })
		makeRoom = fill(t, disk)
		const address = "api/pipelines/flaky-integration/start"
		if status, body := p.begin(t, address); status != http.StatusServiceUnavailable || !strings.Contains(body, "no space left for "+storetest.StatePath(root)) {
			t.Errorf("a start: status %d: %s", status, body)
		}
		p.says(t, "health", http.StatusOK, "There is almost no space left for the state database")
		makeRoom()
		if status, body := p.begin(t, address); status != http.StatusCreated {
			t.Errorf("a start when there is room: status %d: %s", status, body)
		}
	})
	t.Run("of the console's own files", func(t *testing.T) {
		disk := smallDisk(t)
		makeRoom := fill(t, disk)
		p := start(t, "serve", "--project", storetest.Project(t), "--port", "0", "--data", filepath.Join(disk, "data"))
		p.says(t, "runs", http.StatusOK, "no space left for "+filepath.Join(disk, "data"))
		if status, body := p.begin(t, "api/views"); status == http.StatusOK || status == http.StatusCreated {
			t.Errorf("a view is kept: %s", body)
		}
		makeRoom()
		eventually(t, "all is kept again", func() bool { status, _ := p.get(t, "api/views"); return status == http.StatusOK })
	})
}

func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	t.Run("of the state", func(t *testing.T) {
		disk := smallDisk(t)
		root := diskProject(t, disk)
		setReadOnly(t, disk, true)
		p := start(t, "serve", "--project", root, "--port", "0", "--data", t.TempDir(), "--engine", "local")
		eventually(t, "runs are listed", func() bool { return p.lists(t, "fix-issue") })
		if status, body := p.begin(t, "api/pipelines/flaky-integration/start"); status != http.StatusServiceUnavailable || !strings.Contains(body, "read-only disk") {
			t.Errorf("a start: status %d: %s", status, body)
		}
		setReadOnly(t, disk, false)
		storetest.At(t, storetest.StatePath(root)).Run(storetest.Run{ID: "written-since"})
		eventually(t, "what is written then is listed", func() bool { return p.lists(t, "written-since") })
		if got := p.healthz(t); got.Status != "ok" {
			t.Errorf("healthz says %+v", got)
		}
	})
	t.Run("of the console's own files", func(t *testing.T) {
		disk := smallDisk(t)
		setReadOnly(t, disk, true)
		p := start(t, "serve", "--project", storetest.Project(t), "--port", "0", "--data", filepath.Join(disk, "data"))
		p.says(t, "runs", http.StatusOK, "cannot be written; name another with --data")
		setReadOnly(t, disk, false)
		eventually(t, "all is kept again", func() bool { status, _ := p.get(t, "api/views"); return status == http.StatusOK })
	})
}

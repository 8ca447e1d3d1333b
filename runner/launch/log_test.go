package launch

import (
	"os"
	"path/filepath"
	"testing"

	"wavedeck/store/control"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

func TestTheProcessLogIsForItsUserAlone(t *testing.T) {
	for name, mode := range map[string]os.FileMode{"that is made": 0, "that is there already": 0o644} {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			l := newLauncher(t, b, Options{})
			dir := t.TempDir()
			p := Program{Path: "/bin/sh", Dir: dir, Logs: filepath.Join(dir, "logs"), Args: func(id string) []string {
				return []string{"-c", "echo " + id}
			}}
			r := control.NewRun{Pipeline: "fix"}
			if mode != 0 {
				r.ID = "fix-20261201-120000-aaaa"
				if err := os.MkdirAll(p.Logs, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(p.Logs, r.ID+".log"), nil, mode); err != nil {
					t.Fatal(err)
				}
			}
			id, err := l.Start(t.Context(), r, p)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(filepath.Join(p.Logs, id+".log"))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != 0o600 {
				t.Errorf("its mode is %o", got)
			}
			await(t, "the run to have ended", func() bool { return !wave.IsOpen(l.look(t, id).Status) })
		})
	}
}

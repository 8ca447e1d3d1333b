package files

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// project makes a folder with everything in it that a name may lead to.
func project(t testing.TB) (root, database string) {
	t.Helper()
	base := t.TempDir()
	root = filepath.Join(base, "project")
	database = filepath.Join(root, ".agents", "state.db")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(root, ".agents", "output"), 0o755))
	for name, text := range map[string]string{
		"plan.md": "# Plan", ".agents/output/a b.json": "{}", ".agents/state.db": "db", ".agents/state.db-wal": "wal", ".agents/state.db-shm": "shm", ".agents/state.db-journal": "journal",
		"../secret.txt": "secret", "../project2.txt": "beside",
	} {
		must(os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	for link, target := range map[string]string{
		"link": "plan.md", "link2": "link", ".agents/up": "../plan.md", "dirlink": ".agents/output", "out": "../secret.txt", "abs": "/etc/passwd", "absin": filepath.Join(root, "plan.md"),
		"outdir": "..", "chain": "chain2", "chain2": "outdir/secret.txt", "loop": "loop2", "loop2": "loop", "dangling": "nowhere", "dblink": ".agents/state.db", "dblink2": "dblink", "walink": ".agents/state.db-wal",
		".agents/output/deep": "../../dirlink/../../link2",
	} {
		must(os.Symlink(target, filepath.Join(root, link)))
	}
	must(os.Link(database, filepath.Join(root, "dbhard")))
	must(os.Link(database+"-shm", filepath.Join(root, "shmhard")))
	must(syscall.Mkfifo(filepath.Join(root, "fifo"), 0o644))
	must(os.Symlink("fifo", filepath.Join(root, "fifolink")))
	must(os.Symlink("/dev/zero", filepath.Join(root, "zero")))
	must(os.WriteFile(filepath.Join(root, "locked"), nil, 0))
	l, err := net.Listen("unix", filepath.Join(root, "sock"))
	must(err)
	t.Cleanup(func() { l.Close() })
	return root, database
}

func TestOpen(t *testing.T) {
	root, database := project(t)
	tree, err := OpenTree(root, database)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for name, tt := range map[string]struct {
		path string
		want error
		text string
	}{
		"a file":                                {"plan.md", nil, "# Plan"},
		"a name with a space, in a folder":      {".agents/output/a b.json", nil, "{}"},
		"an absolute path inside":               {filepath.Join(root, "plan.md"), nil, "# Plan"},
		"an absolute path with detours inside":  {root + "/.agents/../plan.md", nil, "# Plan"},
		"a link":                                {"link", nil, "# Plan"},
		"a link to a link":                      {"link2", nil, "# Plan"},
		"a link that goes up inside":            {".agents/up", nil, "# Plan"},
		"a linked folder":                       {"dirlink/a b.json", nil, "{}"},
		"a link through a linked folder and up": {".agents/output/deep", nil, "# Plan"},
		"an absolute path elsewhere":            {"/etc/passwd", ErrOutside, ""},
		"an absolute path beside":               {root + "2.txt", ErrOutside, ""},
		"an absolute path that goes up and out": {root + "/../secret.txt", ErrOutside, ""},
		"a way up and out":                      {"../secret.txt", ErrOutside, ""},
		"a way up within":                       {"x/../plan.md", ErrOutside, ""},
		"a way up in the middle":                {".agents/../../secret.txt", ErrOutside, ""},
		"a link out":                            {"out", ErrUnreachable, ""},
		"a link to an absolute path":            {"abs", ErrUnreachable, ""},
		"a link to an absolute path inside":     {"absin", ErrUnreachable, ""},
		"a file through a linked folder out":    {"outdir/secret.txt", ErrUnreachable, ""},
		"a chain of links out":                  {"chain", ErrUnreachable, ""},
		"links in a circle":                     {"loop", ErrUnreachable, ""},
		"a link to nothing":                     {"dangling", ErrGone, ""},
		"a name that is gone":                   {"nothing", ErrGone, ""},
		"a name under a file":                   {"plan.md/x", ErrGone, ""},
		"a NUL":                                 {"plan.md\x00.txt", ErrName, ""},
		"no name":                               {"", ErrName, ""},
		"the folder itself":                     {".", ErrDirectory, ""},
		"a directory":                           {".agents", ErrDirectory, ""},
		"a linked directory":                    {"dirlink", ErrDirectory, ""},
		"a FIFO":                                {"fifo", ErrFIFO, ""},
		"a link to a FIFO":                      {"fifolink", ErrFIFO, ""},
		"a socket":                              {"sock", ErrSocket, ""},
		"a link to a device":                    {"zero", ErrUnreachable, ""},
		"the database":                          {".agents/state.db", ErrForbidden, ""},
		"the database by its absolute path":     {database, ErrForbidden, ""},
		"its log":                               {".agents/state.db-wal", ErrForbidden, ""},
		"its shared memory":                     {".agents/state.db-shm", ErrForbidden, ""},
		"its journal":                           {".agents/state.db-journal", ErrForbidden, ""},
		"a link to the database":                {"dblink", ErrForbidden, ""},
		"a link to a link to the database":      {"dblink2", ErrForbidden, ""},
		"a link to its log":                     {"walink", ErrForbidden, ""},
		"a hard link to the database":           {"dbhard", ErrForbidden, ""},
		"a hard link to its shared memory":      {"shmhard", ErrForbidden, ""},
		"a name that is too long":               {strings.Repeat("x", 300), ErrName, ""},
		"an escaped way up is a name":           {"%2e%2e/secret.txt", ErrGone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, info, err := tree.Open(tt.path)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			defer f.Close()
			head, size, err := Head(f, info, 1<<20)
			if err != nil || string(head) != tt.text || size != int64(len(tt.text)) {
				t.Errorf("%q of %d, %v", head, size, err)
			}
		})
	}
	t.Run("what is said of a link is said once", func(t *testing.T) {
		for _, path := range []string{"out", "abs", "loop", "outdir/secret.txt"} {
			if _, _, err := tree.Open(path); err == nil || strings.Count(err.Error(), ErrUnreachable.Error()) != 1 {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
	t.Run("a device inside", func(t *testing.T) {
		if err := syscall.Mknod(filepath.Join(root, "null"), syscall.S_IFCHR|0o666, 1<<8|3); err != nil {
			t.Skip("devices can be made by root only:", err)
		}
		if _, _, err := tree.Open("null"); !errors.Is(err, ErrDevice) {
			t.Error(err)
		}
	})
	t.Run("a file that may not be read", func(t *testing.T) {
		if os.Getuid() == 0 {
			t.Skip("root may read everything")
		}
		if _, _, err := tree.Open("locked"); !errors.Is(err, os.ErrPermission) {
			t.Error(err)
		}
	})
	t.Run("in one call", func(t *testing.T) {
		f, _, err := Open(root, "plan.md", database)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if _, _, err := Open(root, "dblink", ".agents/state.db"); !errors.Is(err, ErrForbidden) {
			t.Error(err)
		}
		if _, _, err := Open("relative", "plan.md"); !errors.Is(err, ErrName) {
			t.Error(err)
		}
	})
	t.Run("a directory when any will do", func(t *testing.T) {
		f, info, err := tree.OpenAny(".agents")
		if err != nil || !info.IsDir() {
			t.Fatal(err)
		}
		defer f.Close()
		if names, err := f.Readdirnames(-1); err != nil || len(names) < 5 {
			t.Error(names, err)
		}
	})
	t.Run("a database made later is known", func(t *testing.T) {
		if err := os.Rename(filepath.Join(root, "plan.md"), database); err != nil {
			t.Fatal(err)
		}
		if _, _, err := tree.Open(".agents/state.db"); !errors.Is(err, ErrForbidden) {
			t.Error(err)
		}
	})
}

// A lock of the kind that SQLite takes is lost when any descriptor of its file is
// closed by the process that holds it; another process sees that. Here a refused
// file is looked at many times, and the lock has to be there still.
func TestTheLocksOfTheDatabaseStay(t *testing.T) {
	root, database := project(t)
	db, err := os.OpenFile(database, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Len: 1}
	if err := syscall.FcntlFlock(db.Fd(), syscall.F_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	locked := func() bool {
		data, err := os.ReadFile("/proc/locks")
		if err != nil {
			t.Skip("no list of locks here:", err)
		}
		var st syscall.Stat_t
		if err := syscall.Stat(database, &st); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if fields := strings.Fields(line); len(fields) > 5 && strings.HasSuffix(fields[5], ":"+strconv.FormatUint(st.Ino, 10)) {
				return true
			}
		}
		return false
	}
	if !locked() {
		t.Skip("the list of locks does not show ours")
	}
	for _, path := range []string{".agents/state.db", "dblink", "dblink2", "dbhard", database} {
		if _, _, err := Open(root, path, database); !errors.Is(err, ErrForbidden) {
			t.Error(path, err)
		}
	}
	runtime.GC()
	if !locked() {
		t.Fatal("the lock is gone")
	}
	// The name changes between a file and the database all the time.
	swapped := filepath.Join(root, "swapped")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			tmp := filepath.Join(root, "tmp")
			if i%2 == 0 {
				_ = os.Link(database, tmp)
			} else {
				_ = os.WriteFile(tmp, []byte("file"), 0o644)
			}
			_ = os.Rename(tmp, swapped)
			_ = os.Remove(tmp)
		}
	}()
	opened, refused := 0, 0
	for range 3000 {
		f, _, err := Open(root, "swapped", database)
		switch {
		case errors.Is(err, ErrForbidden):
			refused++
		case err == nil:
			opened++
			if text, _ := io.ReadAll(f); string(text) == "db" {
				t.Fatal("the database was read")
			}
			f.Close()
		case !errors.Is(err, ErrGone):
			t.Error(err)
		}
	}
	close(stop)
	<-done
	if !locked() {
		t.Errorf("the lock is gone after %d files were opened and %d refused", opened, refused)
	}
	t.Logf("%d opened, %d refused", opened, refused)
}

func TestAFIFOInTheFilesPlaceDoesNotHang(t *testing.T) {
	root, database := project(t)
	swapped := filepath.Join(root, "swapped")
	ctx, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-ctx:
				return
			default:
			}
			tmp := filepath.Join(root, "tmp")
			_ = os.Link(filepath.Join(root, []string{"fifo", "plan.md"}[i%2]), tmp)
			_ = os.Rename(tmp, swapped)
			_ = os.Remove(tmp)
		}
	}()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 2000 {
			f, _, err := Open(root, "swapped", database)
			if err == nil {
				f.Close()
			} else if !errors.Is(err, ErrFIFO) && !errors.Is(err, ErrGone) {
				t.Error(err)
			}
		}
	})
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(time.Minute):
		t.Fatal("hangs")
	}
	close(ctx)
	<-done
}

func TestHead(t *testing.T) {
	root, _ := project(t)
	f, info, err := Open(root, "plan.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head, size, err := Head(f, info, 3)
	if err != nil || string(head) != "# P" || size != 6 {
		t.Errorf("%q of %d, %v", head, size, err)
	}
	rest, err := io.ReadAll(f)
	if err != nil || string(rest) != "lan" {
		t.Errorf("the rest is %q, %v", rest, err)
	}
}

func sparse(tb testing.TB) string {
	root, _ := project(tb)
	if err := os.Truncate(filepath.Join(root, "plan.md"), 600<<20); err != nil {
		tb.Skip("no sparse files here:", err)
	}
	return root
}

func TestALargeFileCostsItsHeadOnly(t *testing.T) {
	root := sparse(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, info, err := Open(root, "plan.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head, size, err := Head(f, info, 1<<20)
	if err != nil || len(head) != 1<<20 || size != 600<<20 {
		t.Fatalf("%d of %d, %v", len(head), size, err)
	}
	n, err := io.Copy(io.Discard, f)
	if err != nil || n != 599<<20 {
		t.Fatalf("%d, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}

func BenchmarkOpen(b *testing.B) {
	root, database := project(b)
	tree, err := OpenTree(root, database)
	if err != nil {
		b.Fatal(err)
	}
	defer tree.Close()
	for _, name := range []string{"plan.md", "link2", "dblink", "/etc/passwd"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if f, _, err := tree.Open(name); err == nil {
					f.Close()
				}
			}
		})
	}
}

func BenchmarkLargeFile(b *testing.B) {
	root := sparse(b)
	b.SetBytes(600 << 20)
	b.ReportAllocs()
	for b.Loop() {
		f, info, err := Open(root, "plan.md")
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := Head(f, info, 1<<20); err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, f); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

func FuzzOpen(f *testing.F) {
	root, database := project(f)
	tree, err := OpenTree(root, database)
	if err != nil {
		f.Fatal(err)
	}
	defer tree.Close()
	for _, seed := range []string{"plan.md", "../secret.txt", "outdir/secret.txt", "a\x00b", "/etc/passwd", "dblink", ".agents//state.db", "./.agents/./state.db", "fifo", "link/", "dirlink/a b.json", "."} {
		f.Add(seed)
		f.Add(root + "/" + seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		file, info, err := tree.Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		text, err := io.ReadAll(io.LimitReader(file, 100))
		if err != nil || !info.Mode().IsRegular() {
			t.Fatal(info.Mode(), err)
		}
		switch string(text) {
		case "# Plan", "{}", "":
		default:
			t.Fatalf("%q was opened: %q", path, text)
		}
	})
}

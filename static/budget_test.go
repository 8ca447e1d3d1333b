package static

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// zipped is what files weigh on the wire.
func zipped(t *testing.T, names ...string) (sum int) {
	t.Helper()
	for _, name := range names {
		a, ok := assets.byName[path.Base(name)]
		if !ok {
			t.Fatalf("%s is not served", name)
		}
		sum += len(Compress(a.plain, gzip.BestCompression))
	}
	return sum
}

// TestBudgets holds what a page may load: each row is the scripts that one page
// has beside those of every page.
func TestBudgets(t *testing.T) {
	styles, err := fs.Glob(embedded, "minified/*.css")
	if err != nil || len(styles) == 0 {
		t.Fatal(styles, err)
	}
	ours := []string{"theme.js", "live.js", "alert.js", "keys.js"}
	for _, with := range [][]string{{"log.js"}, {"list.js", "graph.js", "share.js"}, {"list.js", "complete.js"}, {"list.js", "share.js"}, {"settings.js"}} {
		if n := zipped(t, append(with, ours...)...); n > 12<<10 {
			t.Errorf("our scripts with %s weigh %d bytes, more than 12 KB", strings.Join(with, " and "), n)
		}
		if n := zipped(t, append(append(with, ours...), "vendor/htmx.min.js", "vendor/hx-sse.min.js")...); n > 32<<10 {
			t.Errorf("all scripts with %s weigh %d bytes, more than 32 KB", strings.Join(with, " and "), n)
		}
	}
	for name, limit := range map[string]int{"keys.js": 4506, "complete.js": 1 << 10, "live.js": 4 << 10, "theme.js": 512, "sprite.svg": 2 << 10} {
		if n := zipped(t, name); n > limit {
			t.Errorf("%s weighs %d bytes, more than %d", name, n, limit)
		}
	}
	if n := zipped(t, styles...); n > 14<<10 {
		t.Errorf("the stylesheets weigh %d bytes, more than 14 KB", n)
	}
	known := "theme.js live.js alert.js keys.js log.js list.js graph.js complete.js share.js settings.js"
	scripts, err := fs.Glob(embedded, "minified/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, name := range scripts {
		if !strings.Contains(known, path.Base(name)) && path.Base(name) != "embed.js" && path.Base(name) != "frame.js" { // those are for other pages, with budgets of their own
			t.Errorf("%s is in no budget", name)
		}
	}
}

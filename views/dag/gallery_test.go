package dag_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/views/dag"
)

// gallery is where to write the samples as pages, to be looked at in a browser
// that gets them over HTTP: go test ./views/dag -run Gallery -gallery /tmp/dag
var gallery = flag.String("gallery", "", "folder to write the sample pages to")

// tokens are those of the console, so that a page stands alone.
const tokens = `:root { color-scheme: light dark;
--wd-bg: light-dark(#ffffff, #14181d); --wd-raise: light-dark(#f6f7f9, #1a2027); --wd-line: light-dark(#e3e6ea, #2a323b);
--wd-text: light-dark(#16191d, #e6e9ee); --wd-dim: light-dark(#5c6570, #98a3af); --wd-accent: light-dark(#0045d2, #6ea8ff);
--wd-pending: light-dark(#414349, #c3c6d2); --wd-running: light-dark(#0043d1, #2885ff); --wd-ok: light-dark(#00814f, #41d98f);
--wd-failed: light-dark(#7b120b, #e65e40); --wd-waiting: light-dark(#9d6403, #f6bd26); --wd-cancelled: light-dark(#6a2578, #c564b9);
--wd-sans: ui-sans-serif, system-ui, sans-serif }
:root.dark { color-scheme: dark } :root.light { color-scheme: light }
body { margin: 12px 16px; font: 13px/1.4 var(--wd-sans); color: var(--wd-text); background: var(--wd-bg) }
table { border-collapse: collapse } th { text-align: left; padding: 4px 10px } td { height: 28px; padding: 0 10px }
`

// symbols stand in for the console's sprite.
const symbols = `<svg xmlns="http://www.w3.org/2000/svg">%s</svg>`

func sprite() string {
	ring := `<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6"/>`
	shapes := map[string]string{
		"pending": ring, "queued": ring + `<path d="M8 8V2a6 6 0 0 1 6 6z" fill="currentColor"/>`,
		"running":   ring + `<path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor"/>`,
		"waiting":   `<path d="M8 1l7 7-7 7-7-7z" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
		"succeeded": `<circle cx="8" cy="8" r="7" fill="currentColor"/><path d="M4.6 8.3l2.3 2.3 4.5-5" fill="none" stroke="#fff" stroke-width="1.8"/>`,
		"empty":     ring + `<path d="M4.6 8.3l2.3 2.3 4.5-5" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
		"failed":    `<rect x="1.5" y="1.5" width="13" height="13" rx="1.5" fill="currentColor"/><path d="M5 5l6 6M11 5l-6 6" stroke="#fff" stroke-width="1.8"/>`,
		"cancelled": ring + `<path d="M4 12l8-8" stroke="currentColor" stroke-width="1.6"/>`,
		"rejected":  `<path d="M8 1l7 7-7 7-7-7z" fill="currentColor"/>`,
		"skipped":   `<circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="3 2"/>`,
		"lost":      `<rect x="2" y="2" width="12" height="12" fill="none" stroke="currentColor" stroke-dasharray="3 2"/>`,
		"unknown":   `<rect x="2" y="2" width="12" height="12" fill="none" stroke="currentColor"/>`,
	}
	var b strings.Builder
	for id, shape := range shapes {
		fmt.Fprintf(&b, `<symbol id=%q viewBox="0 0 16 16">%s</symbol>`, id, shape)
	}
	return fmt.Sprintf(symbols, b.String())
}

func samples() map[string]sample {
	return map[string]sample{
		"release": releaseCheck(), "flaky": flaky(), "composed": composed(), "fan": fan(128), "cyclic": cyclic(),
		"deep": chain(300), "sixty": layered(60, 81, 8, 1), "wide": layered(300, 391, 50, 2), "nine": layered(900, 1187, 12, 3),
	}
}

// TestGallery renders every sample whole, and writes the pages when asked.
func TestGallery(t *testing.T) {
	for name, s := range samples() {
		l := dag.Lay(s.nodes, s.edges)
		var page bytes.Buffer
		fmt.Fprintf(&page, "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'><title>%s</title>", s.name)
		page.WriteString(`<link rel="stylesheet" href="page.css"><link rel="stylesheet" href="dag.css">`)
		if err := dag.Problems(l).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		if err := dag.Graph(l, s.options()).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		if err := dag.Table(l, s.options()).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		if *gallery != "" {
			write(t, name+".html", page.Bytes())
			write(t, name+"-dark.html", bytes.Replace(page.Bytes(), []byte("<!doctype html>"), []byte("<!doctype html><html class=dark>"), 1))
		}
		if strings.Contains(page.String(), " style=") {
			t.Errorf("%s has an inline style, which the content security policy forbids", name)
		}
		t.Logf("%s: %d boxes, %dx%d, %d crossings, %d bytes", name, len(l.Boxes), l.Width, l.Height, l.Crossings, page.Len())
	}
	if *gallery != "" {
		rules, err := os.ReadFile("../../static/dag.css")
		if err != nil {
			t.Fatal(err)
		}
		write(t, "dag.css", rules)
		write(t, "page.css", []byte(tokens))
		write(t, "sprite.svg", []byte(sprite()))
	}
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(*gallery, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

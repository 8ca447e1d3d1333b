package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// TestBrowserNames: a browser takes a dot in an address for the folder itself, also where
// it is escaped. Each link of the list, of a run and of its artifacts leads to the page of
// the very name that it says.
func TestBrowserNames(t *testing.T) {
	t.Parallel()
	names := []string{".", "..", "...", " a", "a ", "a/b", "a?b#c", "%2e"}
	root := storetest.Project(t)
	b := storetest.At(t, storetest.StatePath(root))
	for i, name := range names {
		b.Clock = time.Now().Add(time.Duration(i-len(names)) * time.Minute)
		run := b.Run(storetest.Run{ID: name, Pipeline: "p" + name, Status: "completed", Input: fmt.Sprintf("zebra%d", i)})
		b.Step(run, storetest.Step{ID: name, State: "completed"})
		b.Artifact(run, storetest.Artifact{Step: name, Name: name, Path: fmt.Sprintf("out/%d.txt", i)})
		file := filepath.Join(root, "out", fmt.Sprintf("%d.txt", i))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, fmt.Appendf(nil, "content %d", i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, "--project", root, "--port", "0")
	eventually(t, "the runs are there", func() bool { return p.states(t)["completed"] >= len(names) })
	tab := browsertest.Start(t).Tab(t)
	for i := range names {
		want := fmt.Sprintf("zebra%d", i)
		tab.Open(p.url + "runs?q=" + want)
		tab.Until(`document.querySelectorAll('#runs tr.run').length === 1`)
		tab.Click("#runs tr.run a.open")
		tab.Until(fmt.Sprintf(`document.querySelector('#head') && document.title.includes(%q)`, want))
		for _, page := range []string{"timeline", "graph", "log", "artifacts"} {
			tab.Click(`#page nav a[href$="/` + page + `"]`)
			tab.Until(fmt.Sprintf(`location.pathname.endsWith(%q) && document.title.includes(%q)`, "/"+page, want))
		}
		tab.Click(`#page a[href*="/artifacts/"]`)
		tab.Until(fmt.Sprintf(`document.querySelector('#page').innerText.includes("content %d")`, i))
	}
}

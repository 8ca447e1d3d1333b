package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// TestDeletedUnderAPage is what open pages show of a run that is taken away.
func TestDeletedUnderAPage(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for name, takeAway := range map[string]func(*testing.T, string, *storetest.Builder){
		"a run that is deleted": func(_ *testing.T, _ string, b *storetest.Builder) {
			b.Exec("DELETE FROM event_log WHERE run_id = 'short-lived'")
			b.Exec("DELETE FROM pipeline_run WHERE run_id = 'short-lived'")
		},
		"a run whose row alone is deleted": func(_ *testing.T, _ string, b *storetest.Builder) {
			b.Exec("DELETE FROM pipeline_run WHERE run_id = 'short-lived'")
		},
		"a database that is set back in place": func(t *testing.T, db string, b *storetest.Builder) {
			b.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
			older, err := os.ReadFile(db + ".older")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(db, older, 0o600); err != nil { // the same file, as cp does
				t.Fatal(err)
			}
		},
		"a database that an older one replaces": func(t *testing.T, db string, b *storetest.Builder) {
			b.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
			rename(t, db+".older", db)
		},
	} {
		t.Run(name+" leaves the list, and its page says so", func(t *testing.T) {
			root := storetest.Project(t)
			db := storetest.StatePath(root)
			b := storetest.At(t, db)
			b.Run(storetest.Run{ID: "stays", Status: "failed", Start: time.Now().Add(-time.Minute)})
			b.Exec("VACUUM INTO ?", db+".older")
			b.Run(storetest.Run{ID: "short-lived", Status: "failed", Start: time.Now().Add(-time.Minute)})
			b.Event("short-lived", storetest.Event{State: "failed", Message: "it broke", At: time.Now()})
			p := start(t, "--project", root, "--port", "0")

			tabs := map[string]*browsertest.Tab{}
			for page, has := range map[string]string{
				"runs":                      `document.getElementById('run-short-lived')`,
				"attention":                 `document.querySelector('#page').textContent.includes('short-lived') || document.querySelector('a[href="/runs/short-lived"]')`,
				"runs/short-lived":          `document.querySelector('#head')`,
				"runs/short-lived/timeline": `document.querySelector('#head')`,
				"runs/short-lived/graph":    `document.querySelector('#head')`,
				"runs/short-lived/log":      `document.querySelector('#page')`,
			} {
				tab := browser.Tab(t)
				tab.Expect("404 (Not Found)", "503 (Service Unavailable)")
				tab.Open(p.url + page)
				tab.Until(live)
				tab.Until(has)
				tab.Run(stays)
				tabs[page] = tab
			}
			takeAway(t, db, b)
			tabs["runs"].Until(`!document.getElementById('run-short-lived') && document.getElementById('run-stays')`)
			tabs["attention"].Until(`!document.querySelector('a[href="/runs/short-lived"]') && document.querySelector('a[href="/runs/stays"]')`)
			for page, tab := range tabs {
				if strings.HasPrefix(page, "runs/") {
					tab.Until(`!document.querySelector('#trouble').hidden && document.querySelector('#trouble').textContent.includes('This no longer exists')`)
				}
			}
			for page, tab := range tabs {
				if browsertest.Eval[bool](tab, reloaded) {
					t.Errorf("%s was loaded anew", page)
				}
			}
			if status, body := p.get(t, "runs/short-lived"); status != 404 || !strings.Contains(body, "no such run") {
				t.Errorf("status %d", status)
			}
		})
	}
}

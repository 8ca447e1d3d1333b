package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// TestBrowserDays shows the list in another zone: its days are those of that zone.
func TestBrowserDays(t *testing.T) {
	browser := browsertest.Start(t)
	root := storetest.Project(t)
	b := storetest.At(t, storetest.StatePath(root))
	b.Exec(`DELETE FROM pipeline_run`)
	at := time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC)
	for i, hours := range []int{0, 2, 8} { // in Kathmandu: 22:45, and 00:45 and 06:45 of the next day
		b.Run(storetest.Run{ID: fmt.Sprint("r", i), Start: at.Add(time.Duration(hours) * time.Hour)})
	}
	p := start(t, "--project", root, "--port", "0", "--data", t.TempDir())
	tab := browser.Tab(t)
	browsertest.Call(tab, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kathmandu"})
	tab.Open(p.url + "runs")
	days := `[...document.querySelectorAll('#runs tbody')].map(b => b.id + ': ' + [...b.querySelectorAll('tr.run')].map(r => r.id).join(' ')).join(', ')`
	const utc, local = "day-2026-11-21: run-r2, day-2026-11-20: run-r1 run-r0", "day-2026-11-21: run-r2 run-r1, day-2026-11-20: run-r0"
	tab.Until(days + ` === '` + utc + `'`)
	zone := func(name string) {
		tab.Run(`document.querySelector('[data-choice=times]').value = '` + name + `'; document.querySelector('[data-choice=times]').dispatchEvent(new Event('change', {bubbles: true}))`)
	}
	zone("local")
	tab.Until(days + ` === '` + local + `' && /21 Nov 2026 GMT.5:45/.test(document.querySelector('#runs th[scope=rowgroup]').textContent)`)
	b.Run(storetest.Run{ID: "r3", Start: at.Add(90 * time.Minute)}) // 00:15 in Kathmandu
	tab.Until(days + ` === 'day-2026-11-21: run-r2 run-r1 run-r3, day-2026-11-20: run-r0'`)
	zone("utc")
	tab.Until(days + ` === 'day-2026-11-21: run-r2, day-2026-11-20: run-r1 run-r3 run-r0'`)
}

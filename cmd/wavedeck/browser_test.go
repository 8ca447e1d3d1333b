package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// TestBrowser is what people do with the program, in a real browser, while
// another process writes to the database.
func TestBrowser(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for _, story := range []struct {
		name string
		tell func(*testing.T, *browsertest.Browser)
	}{
		{"runs appear, advance and end in the list without a reload", listFollows},
		{"a run's page shows its steps advance and every event", runPageFollows},
		{"a run's timeline, graph and artifacts are drawn while it runs", tabsFollow},
		{"a run's page shows each attempt and why the run failed", runPageShowsFailure},
		{"a server that is killed and comes back loses no event", serverComesBack},
		{"a hidden tab loses nothing when it is shown again", hiddenTabLosesNothing},
		{"a database that goes, comes as another one and comes back is followed", databaseGoesAndComes},
		{"a project that appears bit by bit is picked up", projectAppears},
		{"a list that is being read does not jump", heldListDoesNotJump},
		{"nothing shifts under the pointer while runs go on", listDoesNotShift},
		{"everything can be read and filtered without scripts", readableWithoutScripts},
		{"a filter and a command are completed while they are typed", inputsAreCompleted},
		{"hostile texts stay texts", hostileTextsStayTexts},
		{"who signs in sees what happens until they sign out", signInSeesLiveSignsOut},
		{"the end of a watched run is told once, and the title counts what needs attention", watchedRunIsTold},
		{"an operator starts, stops, repeats and resumes runs", steerRuns},
		{"an operator does the same without scripts", steerWithoutScripts},
		{"a gate is answered with a key, a note and a button", answerGates},
		{"a gate is answered without scripts", answerWithoutScripts},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, browser) })
	}
}

// begun is when a tape that is played from now on is to have begun: as long ago
// as the recording of the sample went on, so that no row is ahead of the clock,
// whatever the speed, and no run is so old that it would be shown as lost.
func begun() time.Time { return time.Now().Add(-50 * time.Second) }

// emptyProject is the sample project with a database in which nothing has run.
func emptyProject(t testing.TB) (root, database string) {
	t.Helper()
	root = storetest.Project(t)
	database = storetest.StatePath(root)
	if err := os.Remove(database); err != nil {
		t.Fatal(err)
	}
	db, err := statedb.Create(t.Context(), database, statedb.Latest, "synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return root, database
}

// eventIDs are those of a run in the database, in order.
func eventIDs(t testing.TB, database, run string) (ids []int64) {
	t.Helper()
	db, err := statedb.Open(context.Background(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Select(&ids, `SELECT id FROM event_log WHERE run_id = ? ORDER BY id`, run); err != nil {
		t.Fatal(err)
	}
	return ids
}

// live waits until the page follows the stream.
const live = `document.querySelector('#live-text').dataset.state === 'live'`

// stays marks the document: reloaded is true once it is another one.
const (
	stays    = `window.__same = true`
	reloaded = `window.__same !== true`
)

// normal is what a region says, whatever the age of what it says.
func normal(region string) string {
	return `(region => {
	const copy = region.cloneNode(true)
	copy.querySelectorAll('time, [data-since]').forEach(e => e.remove())
	return copy.textContent.replace(/\s+/g, ' ').trim()
})(document.querySelector('` + region + `'))`
}

// watchEvents keeps the ids of all event rows that ever stand in the page, and
// how often two rows had the same at one moment.
const watchEvents = `
window.seenEvents = new Set(), window.twice = 0
const look = () => {
	const ids = [...document.querySelectorAll('#events tr[id]')].map(tr => +tr.id.slice(1))
	if (new Set(ids).size !== ids.length) twice++
	ids.forEach(id => seenEvents.add(id))
}
look()
new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['id']})`

// sameEvents compares what was seen with what is in the database.
func sameEvents(t *testing.T, what string, seen []int64, database, run string) {
	t.Helper()
	want := eventIDs(t, database, run)
	if len(want) == 0 {
		t.Fatalf("%s has no events", run)
	}
	if !slices.Equal(seen, want) {
		t.Errorf("%s: saw the events %v, in the database are %v", what, seen, want)
	}
}

func seenEvents(tab *browsertest.Tab) []int64 {
	return browsertest.Eval[[]int64](tab, `[...seenEvents].sort((a, b) => a - b)`)
}

// port is that of a program's address.
func (p *program) port() string {
	at := strings.LastIndexByte(strings.TrimSuffix(p.url, "/"), ':')
	return strings.Trim(p.url[at:], ":/")
}

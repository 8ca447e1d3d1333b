package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tmaxmax/go-sse"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

// watchIndicator keeps what the live indicator said, in order.
const watchIndicator = `
window.told = []
new MutationObserver(() => {
	const text = document.querySelector('#live-text').textContent.trim()
	if (told.at(-1) !== text) told.push(text)
}).observe(document.querySelector('#live-text'), {subtree: true, childList: true, characterData: true, attributes: true})`

// reader reads the stream of a run's events as a program would: it comes back
// when the connection is lost and says where it stopped.
type reader struct {
	done chan struct{} // closed at the end of the stream

	mu      sync.Mutex
	ids     []int64
	retries int
	err     error
}

func readEvents(t *testing.T, url string) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{done: make(chan struct{})}
	client := &sse.Client{OnRetry: func(error, time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.retries++
	}}
	connection := client.NewConnection(request)
	connection.SubscribeToAll(func(e sse.Event) {
		if e.Type == "end" {
			cancel()
			return
		}
		if e.Type == "" { // only sets the time after which to come back
			return
		}
		id, err := strconv.ParseInt(e.LastEventID, 10, 64)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ids, r.err = append(r.ids, id), errors.Join(r.err, err)
	})
	go func() {
		defer close(r.done)
		if err := connection.Connect(); !errors.Is(err, context.Canceled) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.err = errors.Join(r.err, err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
	})
	return r
}

// end waits for the end of the stream and returns the ids in the order in which
// they came.
func (r *reader) end(t *testing.T) []int64 {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		t.Fatal("the stream does not end")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		t.Fatal(r.err)
	}
	if r.retries == 0 {
		t.Error("the reader was never cut off")
	}
	return r.ids
}

// downs are what a browser and htmx say of requests while no server is there.
var downs = []string{
	"net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_EMPTY_RESPONSE",
	"htmx:sse:error: network error", "htmx:sse:error: Failed to fetch", "htmx:error: Failed to fetch",
}

func serverComesBack(t *testing.T, browser *browsertest.Browser) {
	const speed, run = 4, "fix-issue-20261123-003814-e2da"
	root, database := emptyProject(t)
	whole := recording(storetest.TapeText(t)).of(t, func(id string) bool { return id == run })
	first, rest := whole.split(5)
	begin := begun()
	play(t, database, first, 0, begin).end(t)

	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Expect(downs...)
	tab.Open(p.url + "runs/" + run)
	tab.Until(live)
	tab.Run(stays)
	tab.Run(watchEvents)
	tab.Run(watchIndicator)
	stream := readEvents(t, p.url+"api/runs/"+run+"/events")

	playing := play(t, database, rest, speed, begin)
	playing.await(t, 8)
	tab.Until(`seenEvents.size > 5`)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done
	tab.Until(`told.some(s => s.startsWith('Reconnecting, last data '))`)
	during := len(playing.sent())
	playing.await(t, during+4) // nobody is there to see these
	again := start(t, "--project", root, "--port", p.port())
	tab.Until(live)
	playing.end(t)

	tab.Until(`document.querySelector('#head .meta li.succeeded b')?.textContent === 'succeeded'`)
	tab.Until(`document.querySelectorAll('tr.step.succeeded').length === 4`)
	eventually(t, "every event is in the page", func() bool {
		return len(seenEvents(tab)) >= len(eventIDs(t, database, run))
	})
	sameEvents(t, "the page", seenEvents(tab), database, run)
	sameEvents(t, "the reader of the stream", stream.end(t), database, run)
	if twice := browsertest.Eval[int](tab, `twice`); twice > 0 {
		t.Errorf("%d times an event stood in the page twice", twice)
	}
	told := browsertest.Eval[[]string](tab, `told`)
	gone := slices.IndexFunc(told, func(s string) bool { return strings.HasPrefix(s, "Reconnecting") })
	if gone < 0 || !strings.HasPrefix(told[len(told)-1], "Live · event ") {
		t.Errorf("the indicator said %q", told)
	}
	asRenderedAfresh(t, browser, tab, again.url+"runs/"+run)
	if browsertest.Eval[bool](tab, reloaded) {
		t.Error("the page was loaded anew")
	}
}

func hiddenTabLosesNothing(t *testing.T, browser *browsertest.Browser) {
	const speed, run = 8, "fix-issue-20261123-003814-e2da"
	root, database := emptyProject(t)
	whole := recording(storetest.TapeText(t)).of(t, func(id string) bool { return id == run })
	first, rest := whole.split(5)
	begin := begun()
	play(t, database, first, 0, begin).end(t)

	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Open(p.url + "runs/" + run)
	tab.Until(live)
	tab.Run(stays)
	tab.Run(watchEvents)
	second, third := rest.split(20)
	for _, away := range []struct {
		leave  func()
		happen recording
	}{{tab.Hide, second}, {tab.Freeze, third}} {
		away.leave()
		tab.Until(`document.hidden`)
		before := browsertest.Eval[int](tab, `seenEvents.size`)
		play(t, database, away.happen, speed, begin).end(t)
		if after := browsertest.Eval[int](tab, `seenEvents.size`); after != before {
			t.Errorf("the hidden tab went on reading: %d events, then %d", before, after)
		}
		tab.Show()
		tab.Until(`!document.hidden`)
		tab.Until(live)
		tab.Until(`seenEvents.size > ` + strconv.Itoa(before))
	}
	tab.Until(`document.querySelector('#head .meta li.succeeded b')?.textContent === 'succeeded'`)
	eventually(t, "every event is in the page", func() bool {
		return len(seenEvents(tab)) >= len(eventIDs(t, database, run))
	})
	sameEvents(t, "the page", seenEvents(tab), database, run)
	if browsertest.Eval[bool](tab, reloaded) {
		t.Error("the page was loaded anew")
	}
}

// move moves a database away, or back, with what SQLite keeps beside it. The
// database itself comes last: whoever sees it at its new place finds its log
// there too, and does not begin another one.
func move(t *testing.T, from, to string) {
	t.Helper()
	for _, beside := range []string{"-shm", "-wal", ""} {
		if err := os.Rename(from+beside, to+beside); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func databaseGoesAndComes(t *testing.T, browser *browsertest.Browser) {
	root := storetest.Project(t)
	database := storetest.StatePath(root)
	_, other := emptyProject(t)
	var one recording
	one.add(0, tape.Insert, "pipeline_run", newRun("in-the-other-one", time.Now()))
	play(t, other, one, 0, time.Time{}).end(t)

	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Expect("503 (Service Unavailable)") // the file may go between two reads of one answer; the page asks again
	tab.Open(p.url + "runs")
	tab.Until(live)
	tab.Run(stays)
	const sample = `document.querySelectorAll('#runs tr.run').length === 15 && !document.querySelector('#notice-database')`
	tab.Until(sample)

	kept := database + ".kept"
	move(t, database, kept)
	tab.Until(`document.querySelector('#notice-database') && document.querySelector('#live-text').textContent.includes('no state database')`)
	move(t, other, database)
	tab.Until(`document.getElementById('run-in-the-other-one') && document.querySelectorAll('#runs tr.run').length === 1 && !document.querySelector('#notice-database')`)
	move(t, database, other)
	tab.Until(`document.querySelector('#notice-database')`)
	move(t, kept, database)
	tab.Until(sample)
	var more recording
	more.add(0, tape.Insert, "pipeline_run", newRun("after-all-that", time.Now()))
	play(t, database, more, 0, time.Time{}).end(t)
	tab.Until(`document.getElementById('run-after-all-that') && document.querySelector('#trouble').hidden`)
	if browsertest.Eval[bool](tab, reloaded) {
		t.Error("the page was loaded anew")
	}
}

func projectAppears(t *testing.T, browser *browsertest.Browser) {
	sample, root := storetest.Project(t), t.TempDir()
	p := start(t, "--project", root, "--port", "0")
	runs, pipelines := browser.Tab(t), browser.Tab(t)
	for tab, page := range map[*browsertest.Tab]string{runs: "runs", pipelines: "pipelines"} {
		tab.Open(p.url + page)
		tab.Until(`document.querySelector('#live-text').textContent.trim() === 'Stale · no state database'`)
		tab.Run(stays)
	}
	for notice, looked := range map[string]string{
		"notice-database": "state.db", "notice-manifest": "wave.yaml", "notice-pipelines": "pipelines",
	} {
		said := browsertest.Eval[string](runs, `document.getElementById('`+notice+`')?.textContent ?? ''`)
		if !strings.Contains(said, filepath.Join(root, ".agents")) && !strings.Contains(said, filepath.Join(root, looked)) || !strings.Contains(said, looked) {
			t.Errorf("%s does not say where %s was looked for: %q", notice, looked, said)
		}
	}

	if err := os.Mkdir(filepath.Join(root, ".agents"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, appears := range []struct{ path, notice, shows string }{
		{".agents/state.db", "notice-database", `document.querySelectorAll('#runs tr.run').length === 15`},
		{"wave.yaml", "notice-manifest", `document.querySelector('.foot').textContent.includes('acme-widgets')`},
		{".agents/pipelines", "notice-pipelines", `true`},
	} {
		runs.Until(`document.getElementById('` + appears.notice + `')`)
		if err := os.Rename(filepath.Join(sample, appears.path), filepath.Join(root, appears.path)); err != nil {
			t.Fatal(err)
		}
		runs.Until(`!document.getElementById('` + appears.notice + `') && ` + appears.shows)
	}
	pipelines.Until(`!document.querySelector('[id^=notice-]') && [...document.querySelectorAll('.pipelines a')].some(a => a.textContent.includes('fix-issue'))`)
	for _, tab := range []*browsertest.Tab{runs, pipelines} {
		if browsertest.Eval[bool](tab, reloaded) {
			t.Error("the page was loaded anew")
		}
	}
}

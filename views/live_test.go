package views_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"wavedeck/static"
	"wavedeck/views"
	"wavedeck/views/sample"
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// deck is a run list that can be changed, with its stream.
type deck struct {
	mu      sync.Mutex
	rows    []views.RunRow
	asked   []string      // queries of the table fragment, in order
	status  int           // of the table fragment, when not 200
	slow    chan struct{} // when not nil, the next answer of the table fragment waits for its end
	event   int64
	streams map[chan string]bool
	after   []string // Last-Event-ID of each connection
}

func newDeck() *deck {
	d := &deck{event: 100, streams: map[chan string]bool{}}
	d.add("first")
	return d
}

func (d *deck) add(title string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := fmt.Sprintf("run-%d", len(d.rows)+1)
	d.rows = append([]views.RunRow{{ID: id, Pipeline: "p", Title: title, State: "running", Cursor: id, Started: sample.Now}}, d.rows...)
}

// announce tells every stream that something happened.
func (d *deck) announce(name string) { d.say(name, "{}") }

func (d *deck) say(name, data string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.event++
	for s := range d.streams {
		s <- fmt.Sprintf("event: %s\nid: e-%d\ndata: %s\n\n", name, d.event, data)
	}
}

// drop ends every stream, as a server that stops does.
func (d *deck) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.streams {
		close(s)
		delete(d.streams, s)
	}
}

func (d *deck) fail(status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status = status
}

func (d *deck) queries() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.asked...)
}

func (d *deck) view(hold string) views.RunsView {
	v := views.RunsView{Layout: sample.Layout("Runs", "runs", "list=1"), Refresh: "/table", First: true, Known: true}
	v.Live = views.Live{Topic: "list=1", Cursor: "e-100", LastEvent: 100}
	for i, row := range d.rows {
		if row.Cursor == hold {
			v.Held, v.Rows = i, d.rows[i:]
			return v
		}
	}
	v.Rows = d.rows
	return v
}

func (d *deck) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	switch {
	case strings.HasPrefix(r.URL.Path, static.Dir):
		static.Handler("").ServeHTTP(w, r)
	case r.URL.Path == "/events":
		d.stream(w, r)
	case r.URL.Path == "/attention/count":
		_ = views.AttentionLink(sample.Layout("Runs", "runs", "list=1")).Render(r.Context(), w)
	case r.URL.Path == "/table":
		d.mu.Lock()
		d.asked = append(d.asked, r.URL.RawQuery)
		slow := d.slow
		d.slow = nil
		d.mu.Unlock()
		if slow != nil {
			<-slow
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.status != 0 {
			w.Header().Set("X-Request-ID", "r-7")
			http.Error(w, "<b>inner</b>", d.status)
			return
		}
		_ = views.RunsTable(d.view(r.URL.Query().Get("hold"))).Render(r.Context(), w)
	default:
		d.mu.Lock()
		defer d.mu.Unlock()
		_ = views.RunsPage(d.view("")).Render(r.Context(), w)
	}
}

func (d *deck) stream(w http.ResponseWriter, r *http.Request) {
	messages := make(chan string, 100)
	d.mu.Lock()
	d.streams[messages] = true
	d.after = append(d.after, r.Header.Get("Last-Event-ID"))
	event := d.event
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.streams, messages)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "event: ping\nid: e-%d\ndata: {\"now\":%d}\n\n", event, sample.Now.UnixMilli())
	for {
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case m, open := <-messages:
			if !open {
				return
			}
			fmt.Fprint(w, m)
		case <-r.Context().Done():
			return
		}
	}
}

// browser opens a browser that has nothing else open.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("WAVEDECK_CHROMIUM")
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium: this test must not be skipped here")
		}
		t.Skip("no Chromium")
	}
	ctx, stop := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1440, 900)))
	t.Cleanup(stop)
	return ctx
}

// browse opens a deck in a tab of its own and waits until its stream is there.
func browse(t *testing.T, window context.Context) (context.Context, *deck) {
	t.Helper()
	d := newDeck()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	t.Cleanup(d.drop)
	ctx, stop := chromedp.NewContext(window)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	until(t, ctx, `document.querySelector('#live-text').textContent.includes('Live · event 100')`)
	return ctx, d
}

// until waits for a condition in the page.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](condition, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(90*time.Second))); err != nil {
		seen, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
		t.Fatalf("never: %s: %v\n%s", condition, err, seen)
	}
}

func do(t *testing.T, ctx context.Context, script string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("("+script+", true)")); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
}

func TestLive(t *testing.T) {
	window := browser(t)
	if err := chromedp.Do(window); err != nil {
		t.Fatal(err)
	}
	t.Run("the first connection asks for nothing that the page has", func(t *testing.T) {
		ctx, d := browse(t, window)
		d.add("second")
		d.announce("runs-changed")
		until(t, ctx, `document.querySelectorAll('tr.run').length === 2`)
		if n := len(d.queries()); n != 1 {
			t.Errorf("%d requests for one change: %q", n, d.queries())
		}
	})
	t.Run("what a cell cuts off is shown to whoever points at it", func(t *testing.T) {
		ctx, d := browse(t, window)
		d.mu.Lock()
		d.rows[0].Title = strings.Repeat("a long input ", 60) + "END"
		d.mu.Unlock()
		d.announce("runs-changed")
		until(t, ctx, `document.querySelector('a.open').textContent.includes('END')`)
		do(t, ctx, `document.querySelector('a.open bdi:last-child').dispatchEvent(new PointerEvent('pointerover', {bubbles: true})), document.querySelector('.c-state span').dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))`)
		until(t, ctx, `document.querySelector('a.open').title.startsWith('p a long input') && document.querySelector('a.open').title.length === 500 && !document.querySelector('.c-state [title], .c-state[title]')`)
	})
	t.Run("of many changes the last one is shown, in few requests", func(t *testing.T) {
		ctx, d := browse(t, window)
		for i := range 50 {
			d.add(fmt.Sprintf("burst %d", i))
			d.announce("runs-changed")
		}
		until(t, ctx, `document.querySelectorAll('tr.run').length === 51`)
		if n := len(d.queries()); n > 6 {
			t.Errorf("%d requests for one burst", n)
		}
		until(t, ctx, `document.querySelector('#live-text').textContent.includes('event 150')`)
	})
	t.Run("a list that has the focus stays, and says how many wait", func(t *testing.T) {
		ctx, d := browse(t, window)
		do(t, ctx, `document.querySelector('tr.run a').focus()`)
		d.add("second")
		d.announce("runs-changed")
		until(t, ctx, `document.querySelector('#held')?.textContent === '1 new run'`)
		until(t, ctx, `document.querySelectorAll('tr.run').length === 1 && document.activeElement.closest('tr')?.id === 'run-run-1'`)
		if q := d.queries(); q[len(q)-1] != "hold=run-1" {
			t.Errorf("asked %q", q)
		}
		do(t, ctx, `document.querySelector('#held').click()`)
		until(t, ctx, `!document.querySelector('#held') && document.querySelectorAll('tr.run').length === 2`)
	})
	t.Run("a list under the pointer stays until it is let go", func(t *testing.T) {
		ctx, d := browse(t, window)
		place, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`(r => [r.left + 60, r.top + r.height / 2])(document.querySelector('tr.run').getBoundingClientRect())`))
		if err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.MouseEvent(chromedp.MouseMoved, place[0], place[1])); err != nil {
			t.Fatal(err)
		}
		until(t, ctx, `document.querySelector('table').matches(':hover')`)
		d.add("second")
		d.announce("runs-changed")
		until(t, ctx, `!!document.querySelector('#held')`)
		do(t, ctx, `document.querySelector('#held').click()`)
		until(t, ctx, `!document.querySelector('#held') && document.querySelectorAll('tr.run').length === 2`)
	})
	t.Run("an answer on its way when the reader comes to the list is not put under them", func(t *testing.T) {
		ctx, d := browse(t, window)
		slow := make(chan struct{})
		d.mu.Lock()
		d.slow = slow
		d.mu.Unlock()
		d.add("second")
		d.announce("runs-changed")
		for len(d.queries()) == 0 { // the test's own deadline ends it
			<-time.After(10 * time.Millisecond)
		}
		do(t, ctx, `window.most = 0, new MutationObserver(() => most = Math.max(most, document.querySelectorAll('tr.run').length)).observe(document.body, {subtree: true, childList: true})`)
		do(t, ctx, `document.querySelector('tr.run a').focus()`)
		close(slow)
		until(t, ctx, `document.querySelector('#held')?.textContent === '1 new run'`)
		until(t, ctx, `most === 1`)
	})
	t.Run("a list that is left goes on by itself", func(t *testing.T) {
		ctx, d := browse(t, window)
		do(t, ctx, `document.querySelector('tr.run a').focus()`)
		d.add("second")
		d.announce("runs-changed")
		until(t, ctx, `!!document.querySelector('#held')`)
		do(t, ctx, `document.activeElement.blur()`)
		until(t, ctx, `!document.querySelector('#held') && document.querySelectorAll('tr.run').length === 2`)
	})
	t.Run("an answer that failed leaves the list, says so, and is tried again", func(t *testing.T) {
		ctx, d := browse(t, window)
		d.fail(http.StatusInternalServerError)
		d.add("second")
		d.announce("runs-changed")
		until(t, ctx, `!document.querySelector('#trouble').hidden && document.querySelector('#trouble').textContent.includes('HTTP 500, request r-7')`)
		until(t, ctx, `document.querySelectorAll('tr.run').length === 1`)
		d.fail(0)
		until(t, ctx, `document.querySelector('#trouble').hidden && document.querySelectorAll('tr.run').length === 2`)
	})
	t.Run("while the server cannot read, the page is not called live", func(t *testing.T) {
		ctx, d := browse(t, window)
		d.say("ping", `{"stale":"the state database is locked"}`)
		until(t, ctx, `document.querySelector('#live-text').textContent.trim() === 'Stale · the state database is locked' && document.querySelector('#live-text').dataset.state === 'stale'`)
		d.say("ping", `{}`)
		until(t, ctx, `document.querySelector('#live-text').textContent.includes('Live · event 102') && document.querySelector('#live-text').dataset.state === 'live'`)
	})
	t.Run("a stream that ends is said to be gone, and comes back without a loss", func(t *testing.T) {
		ctx, d := browse(t, window)
		d.announce("ping")
		until(t, ctx, `document.querySelector('#live-text').textContent.includes('event 101')`)
		do(t, ctx, `window.told = [], new MutationObserver(() => told.push(document.querySelector('#live-text').textContent.trim())).observe(document.querySelector('#live-text'), {subtree: true, childList: true, characterData: true})`)
		d.drop()
		until(t, ctx, `told.some(s => /^Reconnecting, last data \d\d:\d\d:\d\d UTC$/.test(s))`)
		until(t, ctx, `document.querySelector('#live-text').dataset.state === 'live'`)
		d.mu.Lock()
		after := d.after[len(d.after)-1]
		d.mu.Unlock()
		if after != "e-101" {
			t.Errorf("went on after %q", after)
		}
	})
	t.Run("a stream that says nothing is not called live, and is opened anew", func(t *testing.T) {
		ctx, d := browse(t, window)
		do(t, ctx, `window.told = [], new MutationObserver(() => told.push(document.querySelector('#live-text').textContent.trim())).observe(document.querySelector('#live-text'), {subtree: true, childList: true, characterData: true})`)
		do(t, ctx, `window.real = Date.now, Date.now = () => real() + 25000`)
		until(t, ctx, `told.some(s => s.startsWith('Reconnecting'))`)
		until(t, ctx, `document.querySelector('#live-text').dataset.state === 'live'`)
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.after) != 2 {
			t.Errorf("%d connections, want 2", len(d.after))
		}
	})
	t.Run("another database makes the whole page be read anew", func(t *testing.T) {
		ctx, d := browse(t, window)
		d.mu.Lock()
		d.rows = nil
		d.mu.Unlock()
		d.announce("reset")
		until(t, ctx, `document.querySelector('#runs').textContent.includes('No runs yet')`)
		until(t, ctx, `document.querySelectorAll('main').length === 1 && document.querySelectorAll('#live').length === 1`)
	})
	t.Run("what is unfolded stays so", func(t *testing.T) {
		ctx, d := browse(t, window)
		d.mu.Lock()
		d.rows[0].ChildRows = []views.RunRow{{ID: "kid", Pipeline: "k", State: "running"}}
		d.mu.Unlock()
		d.announce("runs-changed")
		until(t, ctx, `!!document.querySelector('details')`)
		do(t, ctx, `document.querySelector('details').open = true`)
		d.add("second")
		d.announce("runs-changed")
		until(t, ctx, `document.querySelectorAll('tr.run').length === 3 && document.querySelector('details').open`)
	})
	t.Run("times follow the reader's choice and the page keeps it", func(t *testing.T) {
		ctx, _ := browse(t, window)
		until(t, ctx, `/ s ago$|^now$/.test(document.querySelector('time[data-as=ago]').textContent)`)
		do(t, ctx, `document.querySelector('#times').value = 'utc', document.querySelector('#times').dispatchEvent(new Event('change', {bubbles: true}))`)
		until(t, ctx, `document.querySelector('time[data-as=ago]').textContent === '23 Nov 12:57 UTC'`)
		do(t, ctx, `document.querySelector('#theme').value = 'dark', document.querySelector('#theme').dispatchEvent(new Event('change', {bubbles: true}))`)
		if err := chromedp.Do(ctx, chromedp.Reload()); err != nil {
			t.Fatal(err)
		}
		until(t, ctx, `document.documentElement.dataset.theme === 'dark' && getComputedStyle(document.body).backgroundColor === 'rgb(20, 24, 29)' && document.querySelector('#times').value === 'utc'`)
	})
}

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// TestEmbedding is what pages of another site show of the console, in a real
// browser, under a strict policy of their own.
func TestEmbedding(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for _, story := range []struct {
		name string
		tell func(*testing.T, *browsertest.Browser)
	}{
		{"a frame shows a live run and cannot act", frameShowsRun},
		{"a frame in a sandbox is styled and live", sandboxedFrameShowsRun},
		{"the element shows a live run, as high as it is and in the page's colours", elementShowsRun},
		{"the element renews what opens it before that ends", elementRenews},
		{"a path of the portal shows a live run", proxiedPathShowsRun},
		{"a server-side include shows a live run without scripts", includeShowsRun},
		{"every snippet of the guide works as it stands", guideWorks},
		{"what the share dialog gives works, and it tests the policy", shareWorks},
		{"other pages, other tokens and other sites are refused", refusedFrames},
	} {
		t.Run(story.name, func(t *testing.T) { story.tell(t, browser) })
	}
}

// portal is a site of somebody else: it has another origin than the console and
// allows its pages little.
type portal struct {
	*httptest.Server
	origin string

	mu      sync.Mutex
	console string // address of the console, with a slash at its end
	pages   map[string]string
	ttl     int
	asked   []string          // what tokens were asked for
	policy  string            // of its pages; empty: the console's files and frames, and its own
	headers map[string]string // that its proxy sets, with values of the console and the portal
	style   string            // its stylesheet
	isolate bool              // its pages let nothing in that does not agree to it (COEP)
}

func openPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{pages: map[string]string{}, ttl: 900}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	p.origin = strings.Replace(p.URL, "127.0.0.1", "localhost", 1) // another site than 127.0.0.1
	return p
}

// put makes a page of the portal; CONSOLE in it is the address of the console.
func (p *portal) put(path, body string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	body = strings.ReplaceAll(body, "CONSOLE/", p.console)
	p.pages[path] = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Portal</title></head><body><h1>Portal</h1>` + body + `</body></html>`
	return p.origin + path
}

func (p *portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	console, page, isolate, policy, style := p.console, p.pages[r.URL.Path], p.isolate, p.policy, p.style
	if page == "" {
		page = p.pages[r.URL.EscapedPath()]
	}
	p.mu.Unlock()
	switch {
	case strings.HasPrefix(r.URL.Path, "/wave/"):
		p.proxy(console).ServeHTTP(w, r)
	case r.URL.Path == "/wave-token":
		p.token(w, r, console)
	case r.URL.Path == "/favicon.ico":
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == "/portal.css":
		w.Header().Set("Content-Type", "text/css")
		_, _ = io.WriteString(w, style)
	case r.URL.Path == "/portal.js":
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, portalScript)
	case page != "":
		origin := strings.TrimSuffix(console, "/")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if policy == "" {
			policy = "default-src 'none'; script-src 'self' " + origin + "; style-src 'self' " + origin + "; frame-src 'self' " + origin +
				"; connect-src 'self'; img-src 'self' " + origin
		}
		w.Header().Set("Content-Security-Policy", policy)
		if isolate {
			w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
			w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		_, _ = io.WriteString(w, included(r, console, page))
	default:
		http.NotFound(w, r)
	}
}

// portalScript is the portal's own: it writes down where the page moved, and
// what its frames say.
const portalScript = `
window.shifted = 0
new PerformanceObserver(list => { for (const e of list.getEntries()) shifted += e.value }).observe({type: 'layout-shift', buffered: true})
`

// proxy is the way into the console that takes /wave off the path and says so.
func (p *portal) proxy(console string) http.Handler {
	to, _ := url.Parse(console)
	p.mu.Lock()
	headers := p.headers
	p.mu.Unlock()
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.URL.Path = strings.TrimPrefix(r.In.URL.Path, "/wave")
		r.Out.URL.RawPath = ""
		r.SetXForwarded()
		r.Out.Header.Set("X-Forwarded-Prefix", "/wave")
		r.Out.Host = to.Host
		for name, value := range headers {
			r.Out.Header.Set(name, value)
		}
	}}
}

// token asks the console for a token, as a portal's server does for whom it has signed in.
func (p *portal) token(w http.ResponseWriter, r *http.Request, console string) {
	p.mu.Lock()
	ttl := p.ttl
	p.asked = append(p.asked, r.URL.Query().Get("resource"))
	p.mu.Unlock()
	body, _ := json.Marshal(map[string]any{"resource": r.URL.Query().Get("resource"), "ttl": ttl, "origins": []string{p.origin}, "subject": "ada"})
	resp, err := http.Post(console+"api/v1/embed-tokens", "application/json", bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// included carries out <!--#include virtual="…"--> as a server does.
func included(r *http.Request, console, page string) string {
	for {
		before, rest, found := strings.Cut(page, `<!--#include virtual="/wave/`)
		path, after, closed := strings.Cut(rest, `"-->`)
		if !found || !closed {
			return page
		}
		request, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, console+path, nil)
		resp, err := http.DefaultClient.Do(request)
		if err != nil {
			return before + err.Error() + after
		}
		part, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		page = before + string(part) + after
	}
}

// embeddedRun is the run that is shown, and what it does while it is.
const embeddedRun = "fix-issue-20261123-003814-e2da"

// startEmbedded starts a console that a portal may show, with a run that has
// just begun; goOn plays what it does then.
func startEmbedded(t *testing.T, p *portal, args ...string) (console *program, goOn func()) {
	t.Helper()
	root, database := emptyProject(t)
	whole := recording(storetest.TapeText(t)).of(t, func(id string) bool { return id == embeddedRun })
	first, rest := whole.split(1) // the row of the run, pending
	begin := begun()
	play(t, database, first, 0, begin).end(t)
	console = start(t, append([]string{"--project", root, "--port", "0", "--data", t.TempDir(), "--embed-origins", p.origin, "--trusted-proxy", "127.0.0.1"}, args...)...)
	p.mu.Lock()
	p.console = console.url
	p.mu.Unlock()
	return console, func() { play(t, database, rest, 30, begin).end(t) }
}

// wantNoActing checks in a document what an embed must not be able to do.
func wantNoActing(t *testing.T, tab *browsertest.Tab, within string) {
	t.Helper()
	if n := browsertest.Eval[int](tab, `document.querySelectorAll('`+within+` :is(form, button, input, select, [hx-post], [hx-get])').length`); n > 0 {
		t.Errorf("%d elements could act", n)
	}
	bad := browsertest.Eval[[]string](tab, `[...document.querySelectorAll('`+within+` a[href]')].filter(a => a.target !== '_blank' || !a.relList.contains('noopener')).map(a => a.href)`)
	if len(bad) > 0 {
		t.Errorf("links open in place: %v", bad)
	}
}

const (
	cardState = `document.querySelector('.wd-title .st').textContent.trim()`
	succeeded = cardState + ` === 'succeeded'`
)

func frameShowsRun(t *testing.T, browser *browsertest.Browser) {
	p := openPortal(t)
	p.isolate = true
	console, goOn := startEmbedded(t, p)
	tab := browser.Tab(t)
	tab.Open(p.put("/", `<iframe src="CONSOLE/embed/v1/runs/`+embeddedRun+`/card?live=sse" title="Deployment" width="600" height="200"></iframe>`))
	frame := tab.Frame("/embed/v1/runs/")
	frame.Until(cardState + ` === 'pending'`)
	frame.Run(stays)
	goOn()
	frame.Until(succeeded)
	if browsertest.Eval[bool](frame, reloaded) {
		t.Error("the frame was loaded anew")
	}
	wantNoActing(t, frame, "body")
	t.Run("a card is at most 30 KB on its way, all told", func(t *testing.T) {
		fresh := browser.Tab(t)
		fresh.Open(console.url + "embed/v1/runs/" + embeddedRun + "/card")
		sent := browsertest.Eval[int](fresh, `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].reduce((sum, e) => sum + e.transferSize, 0)`)
		if sent < 1000 || sent > 30_000 {
			t.Errorf("it is %d bytes", sent)
		}
	})
	t.Run("a form that is put into it is not sent", func(t *testing.T) {
		frame.Expect("form-action", "Blocked form submission", "sandboxed")
		frame.Run(`window.violated = ''
document.addEventListener('securitypolicyviolation', e => { violated = e.effectiveDirective })
document.body.insertAdjacentHTML('beforeend', '<form id=f method=post action="/runs"><button>x</button></form>')
document.getElementById('f').submit()`)
		frame.Until(`violated !== '' || document.readyState === 'complete'`)
		if strings.Contains(console.stderr.String(), "method=POST") {
			t.Error("a form was sent")
		}
		if browsertest.Eval[bool](frame, reloaded) {
			t.Error("the frame went elsewhere")
		}
	})
}

// sandboxedFrameShowsRun: the frame has no origin, so that the console cannot know for whom it asks.
func sandboxedFrameShowsRun(t *testing.T, browser *browsertest.Browser) {
	p := openPortal(t)
	_, goOn := startEmbedded(t, p)
	tab := browser.Tab(t)
	tab.Open(p.put("/", `<iframe sandbox="allow-scripts" src="CONSOLE/embed/v1/runs/`+embeddedRun+`/card?live=sse&theme=dark" title="Deployment" width="600" height="200"></iframe>`))
	frame := tab.Frame("/embed/v1/runs/")
	frame.Until(`self.origin === 'null' && ` + cardState + ` === 'pending'`)
	if family := browsertest.Eval[string](frame, `getComputedStyle(document.querySelector('.wd-title')).fontFamily`); !strings.Contains(family, "system-ui") {
		t.Errorf("it is in %s", family)
	}
	if width := browsertest.Eval[float64](frame, `document.querySelector('.wd-title .mark').getBoundingClientRect().width`); width == 0 || width > 40 {
		t.Errorf("the mark of the state is %f wide", width)
	}
	goOn()
	frame.Until(succeeded) // within the 15 seconds of a poll
	wantNoActing(t, frame, "body")
}

func elementShowsRun(t *testing.T, browser *browsertest.Browser) {
	p := openPortal(t)
	_, goOn := startEmbedded(t, p)
	tab := browser.Tab(t)
	tab.Open(p.put("/", `<link rel="stylesheet" href="CONSOLE/static/fragment.css"><script src="/portal.js"></script>
<script src="CONSOLE/static/embed.js"></script>
<wave-embed src="CONSOLE/embed/v1/runs/`+embeddedRun+`/card" title="Deployment" height="140"></wave-embed><p id="below">below</p>`))
	tab.Until(`document.querySelector('wave-embed').getAttribute('state') === 'ready'`)
	frame := tab.Frame("/embed/v1/runs/")
	frame.Until(cardState + ` === 'pending'`)
	const inner = `document.querySelector('wave-embed').shadowRoot.querySelector('iframe')`
	t.Run("it is as high as what it shows", func(t *testing.T) {
		for _, width := range []string{"300px", "900px"} {
			tab.Run(`document.querySelector('wave-embed').style.width = '` + width + `'`)
			eventually(t, "the frame fits at "+width, func() bool {
				high := browsertest.Eval[int](frame, `Math.ceil(document.body.getBoundingClientRect().height)`)
				return browsertest.Eval[int](tab, inner+`.clientHeight`) == high && browsertest.Eval[int](frame, `innerWidth`) == map[string]int{"300px": 300, "900px": 900}[width]
			})
		}
	})
	t.Run("it has a name", func(t *testing.T) {
		if name := browsertest.Eval[string](tab, inner+`.title`); name != "Deployment" {
			t.Errorf("the frame is called %q", name)
		}
	})
	t.Run("it has the page's colours", func(t *testing.T) {
		frame.Until(`getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'`)
		tab.Run(`document.querySelector('wave-embed').style.setProperty('--wd-bg', 'rgb(1, 2, 3)'); document.body.className = 'changed'`)
		frame.Until(`getComputedStyle(document.body).backgroundColor === 'rgb(1, 2, 3)'`)
		tab.Run(`document.querySelector('wave-embed').style.setProperty('--wd-bg', 'url(https://evil.example/)'); document.body.className = 'changed again'
document.querySelector('wave-embed').setAttribute('theme', 'dark')`)
		frame.Until(`document.documentElement.dataset.theme === 'dark'`)
		if bg := browsertest.Eval[string](frame, `getComputedStyle(document.body).backgroundColor`); bg != "rgb(1, 2, 3)" {
			t.Errorf("what is no colour made it %s", bg)
		}
	})
	goOn()
	frame.Until(succeeded) // within the 15 seconds of a poll
	wantNoActing(t, frame, "body")
	t.Run("the second time nothing moves", func(t *testing.T) {
		tab.Open(p.origin + "/")
		tab.Until(`document.querySelector('wave-embed').getAttribute('state') === 'ready'`)
		frame := tab.Frame("/embed/v1/runs/")
		frame.Until(succeeded)
		if moved := browsertest.Eval[float64](tab, `shifted`); moved != 0 {
			t.Errorf("the page moved by %f", moved)
		}
	})
	t.Run("what others say is not heard", func(t *testing.T) {
		before := browsertest.Eval[int](tab, inner+`.clientHeight`)
		tab.Run(`postMessage({wavedeck: 1, state: 'expired', height: 7}, '*')`)
		tab.Until(`new Promise(r => setTimeout(() => r(true), 0))`)
		if now := browsertest.Eval[int](tab, inner+`.clientHeight`); now != before {
			t.Errorf("a message of the page itself made it %d high", now)
		}
	})
}

func elementRenews(t *testing.T, browser *browsertest.Browser) {
	p := openPortal(t)
	console, goOn := startEmbedded(t, p)
	p.ttl = 5
	tab := browser.Tab(t)
	tab.Open(p.put("/", `<script src="CONSOLE/static/embed.js"></script>
<wave-embed renew="/wave-token?resource=runs/`+embeddedRun+`/card" title="Deployment"></wave-embed>`))
	frame := tab.Frame("/embed/v1/t/")
	frame.Until(cardState + ` === 'pending'`)
	frame.Run(stays)
	eventually(t, "it was renewed twice", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.asked) >= 3
	})
	goOn()
	frame.Until(succeeded)
	if browsertest.Eval[bool](frame, reloaded) {
		t.Error("the frame was loaded anew")
	}
	tab.Until(`document.querySelector('wave-embed').getAttribute('state') === 'ready'`)
	t.Run("when the portal gives no more, it says so and shows what it had", func(t *testing.T) {
		tab.Expect("403", "400", "Failed to load resource")
		frame.Expect("410", "Failed to load resource")
		p.mu.Lock()
		p.ttl = -1
		p.mu.Unlock()
		frame.Until(`document.getElementById('note').textContent.startsWith('Expired.')`)
		tab.Until(`['expired', 'failed'].includes(document.querySelector('wave-embed').getAttribute('state'))`)
		if !browsertest.Eval[bool](frame, succeeded) {
			t.Error("what was shown is gone")
		}
	})
	if log := console.stderr.String(); strings.Contains(log, "/t/v1.") || !strings.Contains(log, "/t/jti:") {
		t.Error("the log has a token, or not its name")
	}
}

func proxiedPathShowsRun(t *testing.T, browser *browsertest.Browser) {
	p := openPortal(t)
	_, goOn := startEmbedded(t, p)
	tab := browser.Tab(t)
	// htmx of the console itself is a script like any other of the portal.
	tab.Open(p.put("/", `<link rel="stylesheet" href="/wave/static/fragment.css"><meta name="htmx-config" content='{"includeIndicatorCSS":false}'>
<script src="/wave/static/htmx.min.js"></script>
<div id="run" hx-get="/wave/fragments/v1/runs/`+embeddedRun+`/card" hx-trigger="load, every 1s"></div>
<iframe src="/wave/embed/v1/runs/`+embeddedRun+`/steps?live=sse" title="Steps" width="700" height="300"></iframe>`))
	const steps = `document.querySelector('iframe').contentDocument`
	tab.Until(`document.querySelector('#run .wd-title')`)
	tab.Until(steps + `.querySelector('.wd-title .st').textContent.trim() === 'pending'`)
	tab.Until(`document.querySelector('#run .wd-title .st').textContent.trim() === 'pending'`)
	links := browsertest.Eval[[]string](tab, `[...document.querySelectorAll('#run a')].map(a => a.href)`)
	for _, link := range links {
		if !strings.HasPrefix(link, p.origin+"/wave/runs/") {
			t.Errorf("a link leads to %s", link)
		}
	}
	goOn()
	tab.Until(`document.querySelector('#run .wd-title .st').textContent.trim() === 'succeeded'`)
	tab.Until(steps + `.querySelectorAll('tr.step.succeeded').length === 4`)
	wantNoActing(t, tab, "#run")
	t.Run("its looks touch nothing else of the page", func(t *testing.T) {
		if family := browsertest.Eval[string](tab, `getComputedStyle(document.querySelector('h1')).fontFamily`); strings.Contains(family, "system-ui") {
			t.Errorf("the portal's heading is in %s", family)
		}
		if family := browsertest.Eval[string](tab, `getComputedStyle(document.querySelector('#run .wd-title')).fontFamily`); !strings.Contains(family, "system-ui") {
			t.Errorf("the fragment is in %s", family)
		}
	})
	t.Run("the whole console works below the path", func(t *testing.T) {
		tab.Open(p.origin + "/wave/runs/" + embeddedRun)
		tab.Until(live)
		tab.Click(`nav[aria-label=Main] a[href="/wave/pipelines"]`)
		tab.Until(`location.pathname === '/wave/pipelines' && document.querySelector('table.pipelines')`)
	})
}

func includeShowsRun(t *testing.T, browser *browsertest.Browser) {
	p := openPortal(t)
	console, goOn := startEmbedded(t, p)
	tab := browser.Tab(t)
	page := p.put("/", `<link rel="stylesheet" href="CONSOLE/static/fragment.css"><!--#include virtual="/wave/fragments/v1/runs/`+embeddedRun+`/card"-->`)
	tab.Open(page)
	tab.Until(cardState + ` === 'pending'`)
	goOn()
	eventually(t, "the page shows the end of the run", func() bool {
		tab.Open(page)
		return browsertest.Eval[bool](tab, succeeded)
	})
	if links := browsertest.Eval[int](tab, `document.querySelectorAll('.wavedeck a[href^="`+console.url+`runs/"]').length`); links == 0 {
		t.Error("no link leads to the console")
	}
	wantNoActing(t, tab, ".wavedeck")
	if mark := browsertest.Eval[float64](tab, `document.querySelector('.wavedeck .mark').getBBox().width`); mark == 0 {
		t.Error("the mark of the state is not drawn")
	}
}

func refusedFrames(t *testing.T, browser *browsertest.Browser) {
	p, other := openPortal(t), openPortal(t)
	console, _ := startEmbedded(t, p)
	other.console = console.url
	token := func(resource string) string {
		t.Helper()
		resp, err := http.Get(p.URL + "/wave-token?resource=" + url.QueryEscape(resource))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var got struct{ Token string }
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Token == "" {
			t.Fatalf("no token: %v", err)
		}
		return got.Token
	}
	card := "runs/" + embeddedRun + "/card"
	narrow := token(card)
	p.ttl = 1
	short := token(card)
	p.ttl = 900
	eventually(t, "the short token has ended", func() bool {
		resp, err := http.Get(console.url + "embed/v1/t/" + short + "/" + card)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusGone
	})
	altered := []byte(narrow)
	altered[20] ^= 1
	for _, c := range []struct {
		name  string
		by    *portal
		path  string
		shows string // what the frame says; empty: the browser shows nothing of it
	}{
		{"an embed by the listed site", p, "embed/v1/" + card, "fix-issue"},
		{"an embed by another site", other, "embed/v1/" + card, ""},
		{"a token's embed by its site", p, "embed/v1/t/" + narrow + "/" + card, "fix-issue"},
		{"a token's embed by another site", other, "embed/v1/t/" + narrow + "/" + card, ""},
		{"an expired token", p, "embed/v1/t/" + short + "/" + card, "expired"},
		{"an altered token", p, "embed/v1/t/" + string(altered) + "/" + card, "not valid"},
		{"a token for something else", p, "embed/v1/t/" + narrow + "/runs", "for something else"},
		{"an ordinary page", p, "runs/" + embeddedRun, ""},
		{"an ordinary page below a token", p, "embed/v1/t/" + narrow + "/runs/" + embeddedRun, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Expect("frame-ancestors", "Failed to load resource", "Refused to frame", "Framing")
			tab.Open(c.by.put("/", `<iframe src="CONSOLE/`+c.path+`" title="Run" width="600" height="200"></iframe>`))
			frame := tab.Frame("")
			if c.shows != "" {
				frame.Until(`document.body.innerText.includes("` + c.shows + `")`)
				return
			}
			frame.Until(`document.readyState === 'complete' && location.href.startsWith('chrome-error:')`)
			if browsertest.Eval[bool](frame, `document.body.innerText.includes('fix-issue')`) {
				t.Error("the run is shown")
			}
		})
	}
}

// Package browsertest drives a real Chromium: one browser for the tests of a
// package, a tab with storage of its own for each test. Whatever a page
// complains about (an exception, an error on the console, a violation of its
// content policy, a request that failed) fails its test.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what must come; it is no measure.
const patience = 90 * time.Second

// every is the pause between two looks at a condition.
const every = 20 * time.Millisecond

const (
	pathVar     = "WAVEDECK_CHROMIUM"         // the browser's program
	requiredVar = "WAVEDECK_BROWSER_REQUIRED" // "1": without a browser the test fails
)

// Browser is a running Chromium.
type Browser struct {
	ctx context.Context //nolint:containedctx // chromedp keeps its session in one
}

// Start starts a browser that runs until the test ends. Without a Chromium on
// this machine the test is skipped, or fails where one is required.
func Start(t testing.TB) *Browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1440, 900),
		chromedp.DisableGPU, chromedp.Flag("site-per-process", true), // a frame of another site is a target of its own
		// Nothing of the browser's own goes out.
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true), chromedp.Flag("no-pings", true),
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(options...))
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &Browser{ctx: ctx}
}

func program(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no browser")
	}
	if path := os.Getenv(pathVar); path != "" {
		return path
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "/usr/bin/chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv(requiredVar) == "1" {
		t.Fatalf("no Chromium, and %s=1 requires one", requiredVar)
	}
	t.Skip("no Chromium: set " + pathVar + " to the path of its program")
	return ""
}

// Tab is a page of its own, closed when its test ends.
type Tab struct {
	ctx context.Context //nolint:containedctx // chromedp keeps its session in one
	t   testing.TB

	stop     context.CancelFunc // of a tab beside another
	mu       sync.Mutex
	problems []string
	expected []string
	trace    *trace // nil: nothing is recorded
}

// Tab opens an empty tab with storage of its own.
func (b *Browser) Tab(t testing.TB) *Tab {
	t.Helper()
	tab := &Tab{t: t}
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.heard))
	tab.ctx = ctx
	t.Cleanup(func() {
		stop()
		for _, problem := range tab.Problems() {
			t.Errorf("the page complains: %s", problem)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	return tab
}

// Beside opens another tab with the storage of this one. Close ends it early.
func (tab *Tab) Beside() *Tab {
	tab.t.Helper()
	other := &Tab{t: tab.t, expected: slices.Clone(tab.expected)}
	ctx, stop := chromedp.NewContext(tab.ctx, chromedp.WithListener(other.heard))
	other.ctx, other.stop = ctx, stop
	tab.t.Cleanup(func() {
		stop()
		for _, problem := range other.Problems() {
			tab.t.Errorf("the page complains: %s", problem)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		tab.t.Fatalf("open tab: %v", err)
	}
	return other
}

// Close closes a tab that Beside opened.
func (tab *Tab) Close() { tab.stop() }

// Permit answers for the reader whether pages may notify.
func (tab *Tab) Permit(setting browser.PermissionSetting) {
	tab.t.Helper()
	Call(tab, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: setting,
		BrowserContextID: chromedp.FromContext(tab.ctx).BrowserContextID,
	})
}

// Within lets a part of a test use its tab: what goes wrong meanwhile is that part's.
func (tab *Tab) Within(t testing.TB, part func()) {
	whole := tab.t
	tab.t = t
	defer func() { tab.t = whole }()
	part()
}

// heard collects complaints. The browser's loop calls it, in order.
func (tab *Tab) heard(event any) {
	problem := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			problem += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != "error" && e.Type != "warning" && e.Type != "assert" {
			return
		}
		problem = "console." + string(e.Type) + ":"
		for _, arg := range e.Args {
			problem += " " + arg.Description + string(arg.Value)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level != "error" {
			return
		}
		problem = fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *page.EventJavascriptDialogOpening:
		problem = "dialog: " + e.Message
	case *tracing.EventDataCollected:
		tab.trace.heard(e)
		return
	case *tracing.EventTracingComplete:
		close(tab.trace.done)
		return
	default:
		return
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	if !slices.ContainsFunc(tab.expected, func(part string) bool { return strings.Contains(problem, part) }) {
		tab.problems = append(tab.problems, problem)
	}
}

// Expect names parts of complaints that belong to the test.
func (tab *Tab) Expect(parts ...string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.expected = append(tab.expected, parts...)
}

// Problems takes what the page complained about so far.
func (tab *Tab) Problems() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	problems := tab.problems
	tab.problems = nil
	return problems
}

// Open navigates and waits until the page is loaded.
func (tab *Tab) Open(url string) {
	tab.t.Helper()
	tab.Do(chromedp.Navigate(url))
}

// Do runs actions of chromedp.
func (tab *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		tab.t.Fatal(err)
	}
}

// Call sends a command of the protocol to the tab.
func Call[P, R any](tab *Tab, command cdp.Command[P, R], params P) R {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		tab.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// Eval returns the value of an expression in the page.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Run runs statements in the page.
func (tab *Tab) Run(script string) {
	tab.t.Helper()
	Eval[chromedp.Void](tab, "{"+script+"\n}; undefined")
}

// Point moves the mouse over the first element that fits a selector, and tells
// where that is.
func (tab *Tab) Point(selector string) (x, y float64) {
	tab.t.Helper()
	at := Eval[[]float64](tab, fmt.Sprintf(`(e => {
		e.scrollIntoView({block: 'nearest'})
		const r = e.getBoundingClientRect()
		return [r.left + Math.min(r.width / 2, 60), r.top + r.height / 2]
	})(document.querySelector(%q))`, selector))
	tab.Do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	return at[0], at[1]
}

// Click presses the mouse on the first element that fits a selector. It needs no
// script of the page's world, so it works where those are switched off.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	x, y := tab.Point(selector)
	tab.Do(chromedp.MouseClickXY(x, y))
}

// Before runs a script in every document that the tab opens from now on, before
// those of the page.
func (tab *Tab) Before(script string) {
	tab.t.Helper()
	Call(tab, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// Allow lets the pages of the tab do what a browser asks its user about, such as
// "clipboard-write".
func (tab *Tab) Allow(permission string) {
	tab.t.Helper()
	Call(tab, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: permission}, Setting: browser.PermissionSettingGranted,
		BrowserContextID: chromedp.FromContext(tab.ctx).BrowserContextID,
	})
}

// Hide minimises the tab's window: the page is told that it is hidden.
func (tab *Tab) Hide() {
	tab.t.Helper()
	tab.window(browser.WindowStateMinimized)
}

// Freeze hides the page and stops its timers, as a browser does with a tab that
// was hidden for long.
func (tab *Tab) Freeze() {
	tab.t.Helper()
	tab.Hide()
	Call(tab, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateFrozen})
}

// Show ends Hide and Freeze.
func (tab *Tab) Show() {
	tab.t.Helper()
	Call(tab, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: page.SetWebLifecycleStateStateActive})
	tab.window(browser.WindowStateNormal)
}

func (tab *Tab) window(state browser.WindowState) {
	tab.t.Helper()
	window := Call(tab, browser.GetWindowForTarget, browser.GetWindowForTargetParams{})
	Call(tab, browser.SetWindowBounds, browser.SetWindowBoundsParams{
		WindowID: window.WindowID, Bounds: &browser.Bounds{WindowState: state},
	})
}

// Until waits until an expression is true. It holds over navigations, and in
// hidden tabs, where the page's own timers sleep.
func (tab *Tab) Until(condition string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last error
	for {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if holds {
			return
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			tab.t.Fatalf("in vain waited until %s (last error: %v); the page:\n%s", condition, last, tab.shown())
		case <-tick.C:
		}
	}
}

// shown is the text of the page for a message; it must not fail.
func (tab *Tab) shown() string {
	ctx, cancel := context.WithTimeout(tab.ctx, every*50)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

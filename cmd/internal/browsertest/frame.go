package browsertest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Frame waits until the page shows a frame of another site whose address holds
// part, and returns it. It is gone when its page is. What the page is expected to
// complain about, so is the frame.
func (tab *Tab) Frame(part string) *Tab {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	own := chromedp.FromContext(tab.ctx).BrowserContextID
	for {
		targets, err := chromedp.Targets(ctx)
		for _, info := range targets {
			if info.Type == "iframe" && info.BrowserContextID == own && strings.Contains(info.URL, part) {
				return tab.attach(info.TargetID)
			}
		}
		select {
		case <-ctx.Done():
			tab.t.Fatalf("no frame has %q in its address (last error: %v); the page:\n%s", part, err, tab.shown())
		case <-tick.C:
		}
	}
}

func (tab *Tab) attach(id target.ID) *Tab {
	tab.t.Helper()
	frame := &Tab{t: tab.t, expected: slices.Clone(tab.expected)}
	ctx, stop := chromedp.NewContext(tab.ctx, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel(), chromedp.WithListener(frame.heard))
	frame.ctx = ctx
	tab.t.Cleanup(func() {
		stop()
		for _, problem := range frame.Problems() {
			tab.t.Errorf("the frame complains: %s", problem)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		tab.t.Fatalf("attach to frame: %v", err)
	}
	return frame
}

// Shot is a picture of what the window shows, as PNG.
func Shot(tab *Tab) []byte {
	tab.t.Helper()
	return Call(tab, page.CaptureScreenshot, page.CaptureScreenshotParams{}).Data
}

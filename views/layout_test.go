package views_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"wavedeck/static"
	"wavedeck/views/sample"
)

func TestNoPageScrollsSideways(t *testing.T) {
	pages := map[string][]byte{}
	for _, c := range sample.Cases() {
		if c.Page {
			pages["/"+c.Name] = bytes.ReplaceAll(render(t, c), []byte("<details"), []byte("<details open"))
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, static.Dir) {
			static.Handler("").ServeHTTP(w, r)
			return
		}
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write(page)
	}))
	t.Cleanup(server.Close)
	ctx := browser(t)
	for path := range pages {
		if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+path)); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{320, 375, 768, 1024, 1440, 2560} {
			checkWidth(t, ctx, path, width)
		}
	}
}

func checkWidth(t *testing.T, ctx context.Context, path string, width int64) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
		t.Fatal(err)
	}
	// What sticks out is named, so that a failure says where to look.
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(() => {
		const e = document.scrollingElement
		if (e.scrollWidth <= e.clientWidth) return ''
		return [...document.querySelectorAll('body *')].filter(x => x.getBoundingClientRect().right > e.clientWidth + 1)
			.filter(x => { for (let p = x.parentElement; p; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return false; return true })
			.slice(0, 4).map(x => x.tagName + '.' + x.className).join(', ') || 'something'
	})()`))
	if err != nil {
		t.Fatal(err)
	}
	if out != "" {
		t.Errorf("%s scrolls sideways at %d px: %s", path, width, out)
	}
}

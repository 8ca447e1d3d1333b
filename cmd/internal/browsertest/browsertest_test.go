package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
)

func TestAComplaintOfThePageIsHeard(t *testing.T) {
	browser := browsertest.Start(t)
	bodies := map[string]string{
		"/":           `<p>fine</p><script src="/log.js"></script>`,
		"/log.js":     `console.log("no complaint"); document.body.dataset.ran = "yes"`,
		"/inline":     `<script>document.body.dataset.ran = "yes"</script>`,
		"/style":      `<p style="color: red">red</p>`,
		"/throws":     `<script src="/throws.js"></script>`,
		"/throws.js":  `throw new Error("thrown here")`,
		"/rejects":    `<script src="/rejects.js"></script>`,
		"/rejects.js": `Promise.reject(new Error("rejected here"))`,
		"/says":       `<script src="/says.js"></script>`,
		"/says.js":    `console.error("said here")`,
		"/lost":       `<img src="/nowhere.png">`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:")
		w.Header().Set("Content-Type", "text/html")
		if strings.HasSuffix(r.URL.Path, ".js") {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, body)
			return
		}
		fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><body>`+body)
	}))
	defer server.Close()

	for _, test := range []struct{ name, path, says string }{
		{"a page that is well says nothing", "/", ""},
		{"an inline script", "/inline", "Content Security Policy"},
		{"an inline style", "/style", "Content Security Policy"},
		{"an exception", "/throws", "thrown here"},
		{"a promise that nobody caught", "/rejects", "rejected here"},
		{"an error on the console", "/says", "said here"},
		{"a picture that is not there", "/lost", "404"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(server.URL + test.path)
			problems := strings.Join(tab.Problems(), "\n")
			for late := time.Now().Add(30 * time.Second); !strings.Contains(problems, test.says) && time.Now().Before(late); <-time.After(20 * time.Millisecond) {
				problems += strings.Join(tab.Problems(), "\n") // some are told after the page has loaded
			}
			if test.says == "" && problems != "" || !strings.Contains(problems, test.says) {
				t.Errorf("heard %q, want %q", problems, test.says)
			}
		})
	}

	t.Run("what the test expects is no complaint", func(t *testing.T) {
		tab := browser.Tab(t)
		tab.Expect("said here")
		tab.Open(server.URL + "/says")
		if problems := tab.Problems(); len(problems) > 0 {
			t.Errorf("heard %q", problems)
		}
	})
}

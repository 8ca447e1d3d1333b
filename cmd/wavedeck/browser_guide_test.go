package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"gopkg.in/yaml.v3"

	"wavedeck/cmd/internal/browsertest"
)

// snippets are those of the guide, by their names.
func snippets(t *testing.T, console string) map[string]string {
	t.Helper()
	resp, err := http.Get(console + "help/embedding")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := goquery.NewDocumentFromReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, pre := range doc.Find("pre[id^=guide-]").EachIter() {
		found[strings.TrimPrefix(pre.AttrOr("id", ""), "guide-")] = pre.Text()
	}
	return found
}

// guideWorks carries out what the guide says, as it stands in the page.
func guideWorks(t *testing.T, browser *browsertest.Browser) {
	p := openPortal(t)
	console, goOn := startEmbedded(t, p)
	goOn()
	guide := snippets(t, console.url)
	done := map[string]bool{}
	take := func(t *testing.T, name string) string {
		t.Helper()
		done[name] = true
		if guide[name] == "" {
			t.Fatalf("the guide has no snippet %s", name)
		}
		return guide[name]
	}
	// show puts a body into a page of the portal with a policy of its own.
	show := func(t *testing.T, policy, body string) *browsertest.Tab {
		t.Helper()
		tab := browser.Tab(t)
		p.mu.Lock()
		p.policy = policy
		p.mu.Unlock()
		tab.Open(p.put("/"+url.PathEscape(t.Name()), body))
		return tab
	}
	ready := func(t *testing.T, tab *browsertest.Tab, part, says string) {
		t.Helper()
		tab.Until(`document.querySelector('wave-embed').getAttribute('state') === 'ready'`)
		tab.Frame(part).Until(`document.querySelector('.wavedeck').innerText.includes('` + says + `')`)
	}

	t.Run("the command line lets the site in", func(t *testing.T) {
		if code := take(t, "allow"); code != "wavedeck serve --embed-origins "+p.origin {
			t.Errorf("it says %q", code)
		}
	})
	t.Run("plain HTML", func(t *testing.T) {
		tab := show(t, "default-src 'none'; "+take(t, "html-policy"), take(t, "html"))
		tab.Frame("/card").Until(succeeded)
		if name := browsertest.Eval[string](tab, `document.querySelector('iframe').title`); name == "" {
			t.Error("the frame has no name")
		}
	})
	t.Run("the element", func(t *testing.T) {
		tab := show(t, "default-src 'none'; "+take(t, "element-policy"), take(t, "element"))
		ready(t, tab, "/timeline", "fix-issue")
	})
	t.Run("a token", func(t *testing.T) {
		code := take(t, "token")
		curl, err := exec.LookPath("curl")
		if err != nil {
			t.Skip("no curl here")
		}
		out, err := exec.Command("sh", "-c", strings.Replace(code, "curl", curl, 1)).Output()
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ URL, Token string }
		if err := json.Unmarshal(out, &got); err != nil || got.Token == "" {
			t.Fatalf("%v: %s", err, out)
		}
		tab := show(t, "default-src 'none'; frame-src "+strings.TrimSuffix(console.url, "/"), `<iframe src="`+got.URL+`/steps" title="Steps"></iframe>`)
		tab.Frame("/steps").Until(`document.querySelectorAll('tr.step.succeeded').length === 4`)
	})
	t.Run("the element with a token", func(t *testing.T) {
		origin := strings.TrimSuffix(console.url, "/")
		tab := show(t, "default-src 'none'; script-src "+origin+"; frame-src "+origin+"; connect-src 'self'", take(t, "renew"))
		ready(t, tab, "/t/", "fix-issue")
	})
	t.Run("nginx's headers, an include and htmx", func(t *testing.T) {
		conf := take(t, "nginx")
		if m := regexp.MustCompile(`location (\S+) \{\s+proxy_pass (\S+);`).FindStringSubmatch(conf); m == nil || m[1] != "/wave/" || m[2] != console.url {
			t.Fatalf("the proxy is %q", conf)
		}
		headers := map[string]string{}
		for _, m := range regexp.MustCompile(`proxy_set_header (\S+) (\S+);`).FindAllStringSubmatch(conf, -1) {
			headers[m[1]] = strings.NewReplacer("$http_host", strings.TrimPrefix(p.origin, "http://"), "$scheme", "http").Replace(m[2])
		}
		p.mu.Lock()
		p.headers = headers
		p.mu.Unlock()
		tab := show(t, "default-src 'none'; connect-src 'self'; script-src 'self'; style-src "+strings.TrimSuffix(console.url, "/"),
			take(t, "style")+`<meta name="htmx-config" content='{"includeIndicatorCSS":false}'><script src="/wave/static/htmx.min.js"></script><section>`+take(t, "include")+`</section>`+take(t, "htmx"))
		tab.Until(`document.querySelector('section .wd-title').innerText.includes('fix-issue')`)
		tab.Until(`document.querySelectorAll('[hx-get] tr.step.succeeded').length === 4`)
		if family := browsertest.Eval[string](tab, `getComputedStyle(document.querySelector('section .wd-title')).fontFamily`); !strings.Contains(family, "system-ui") {
			t.Errorf("the include is in %s", family)
		}
		if href := browsertest.Eval[string](tab, `document.querySelector('[hx-get] a').href`); !strings.HasPrefix(href, p.origin+"/wave/runs/") {
			t.Errorf("a link leads to %s", href)
		}
	})
	t.Run("Backstage", func(t *testing.T) {
		var config struct {
			Backend struct{ CSP map[string][]string }
		}
		if err := yaml.Unmarshal([]byte(take(t, "backstage-config")), &config); err != nil {
			t.Fatal(err)
		}
		policy := "default-src 'self'" // as Backstage has it
		for name, values := range config.Backend.CSP {
			policy += "; " + name + " " + strings.Join(values, " ")
		}
		card := regexp.MustCompile(`<wave-embed[^>]*></wave-embed>`).FindString(take(t, "backstage-card"))
		tab := show(t, policy, take(t, "backstage-index")+card)
		ready(t, tab, "/history", "fix-issue")
	})
	t.Run("Grafana", func(t *testing.T) {
		if !strings.Contains(take(t, "grafana-ini"), "disable_sanitize_html = true") {
			t.Error("Grafana would take the frame out")
		}
		var panel struct {
			Type    string
			Options struct{ Mode, Content string }
		}
		if err := json.Unmarshal([]byte(take(t, "grafana-panel")), &panel); err != nil || panel.Type != "text" || panel.Options.Mode != "html" {
			t.Fatalf("%v: %+v", err, panel)
		}
		tab := show(t, "script-src 'self'; object-src 'none'", panel.Options.Content)
		tab.Frame("/latest").Until(succeeded)
	})
	t.Run("the badge", func(t *testing.T) {
		m := regexp.MustCompile(`^\[!\[.*\]\((\S+)\)\]\((\S+)\)$`).FindStringSubmatch(take(t, "badge"))
		if m == nil {
			t.Fatalf("the badge is %q", guide["badge"])
		}
		tab := show(t, "default-src 'none'; img-src "+strings.TrimSuffix(console.url, "/"), `<a href="`+m[2]+`"><img src="`+m[1]+`" alt="fix-issue"></a>`)
		tab.Until(`document.querySelector('img').naturalWidth > 60`)
	})
	t.Run("oEmbed", func(t *testing.T) {
		resp, err := http.Get(take(t, "oembed"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var got struct{ HTML string }
		if body, _ := io.ReadAll(resp.Body); json.Unmarshal(body, &got) != nil || got.HTML == "" {
			t.Fatalf("it answers %s", body)
		}
		tab := show(t, "default-src 'none'; frame-src "+strings.TrimSuffix(console.url, "/"), got.HTML)
		tab.Frame("/card").Until(succeeded)
	})
	t.Run("looks", func(t *testing.T) {
		tab := show(t, "default-src 'none'; frame-src "+strings.TrimSuffix(console.url, "/"), `<iframe src="`+take(t, "looks")+`" title="Runs"></iframe>`)
		tab.Frame("/runs?").Until(`getComputedStyle(document.body).backgroundColor === 'rgb(16, 20, 24)'`)
		p.mu.Lock()
		p.style = take(t, "looks-css")
		p.mu.Unlock()
		tab = show(t, "default-src 'none'; style-src 'self' "+strings.TrimSuffix(console.url, "/"), guide["style"]+`<link rel="stylesheet" href="/portal.css">`+guide["include"])
		tab.Until(`getComputedStyle(document.querySelector('.wavedeck')).backgroundColor === 'rgb(251, 251, 248)'`)
	})
	for name := range guide {
		if !done[name] {
			t.Errorf("the snippet %s was not tried", name)
		}
	}
}

func shareWorks(t *testing.T, browser *browsertest.Browser) {
	p := openPortal(t)
	console, goOn := startEmbedded(t, p)
	goOn()
	tab := browser.Tab(t)
	for _, path := range []string{"runs/" + embeddedRun, "pipelines/fix-issue"} {
		tab.Open(console.url + path)
		tab.Until(live)
		tab.Click(`a[data-share]`)
		tab.Until(`document.querySelector('dialog#share').open && document.querySelector('#snippet-iframe')`)
	}
	tab.Click(`dialog #policy`)
	tab.Until(`document.querySelector('#policy-said').textContent.includes('It holds. Pages of these sites may frame it: ` + p.origin + `')`)
	tab.Run(`document.querySelector('dialog input[name=site]').value = 'https://other.example'; document.querySelector('dialog form button').click()`)
	tab.Until(`document.querySelector('main .notice')?.textContent.includes('--embed-origins https://other.example') && !document.querySelector('#snippet-iframe')`)
	tab.Click(`main #policy`)
	tab.Until(`document.querySelector('#policy-said').textContent.includes('will not let pages of https://other.example')`)

	tab.Open(console.url + "share?of=runs/" + embeddedRun + "&kind=steps") // as without scripts
	frame, element := browsertest.Eval[string](tab, `document.querySelector('#snippet-iframe').textContent`), browsertest.Eval[string](tab, `document.querySelector('#snippet-element').textContent`)
	for kind, code := range map[string]string{"frame": frame, "element": element} {
		t.Run(fmt.Sprintf("the %s that it gives", kind), func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(p.put("/"+kind, code))
			tab.Frame("/steps").Until(`document.querySelectorAll('tr.step.succeeded').length === 4`)
		})
	}
}

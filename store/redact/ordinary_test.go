package redact

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ordinaryFiles are the files of this repository by what they hold.
func ordinaryFiles(t *testing.T) map[string]string {
	texts := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (strings.HasPrefix(d.Name(), ".git") || d.Name() == "redact" || d.Name() == "testdata") {
			if d != nil && d.IsDir() && err == nil {
				return fs.SkipDir
			}
			return err
		}
		kind := map[string]string{".go": "Go source", ".js": "JavaScript", ".css": "CSS", ".md": "Markdown", ".templ": "templates", ".sum": "go.sum", ".svg": "SVG"}[filepath.Ext(path)]
		if kind == "" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		texts[kind] += string(data) + "\n"
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// ordinaryLines are made, some hundreds of each kind.
func ordinaryLines() map[string]string {
	m := maker{newRand()}
	made := map[string]string{}
	add := func(kind, form string, args ...any) { made[kind] += fmt.Sprintf(form, args...) + "\n" }
	words := strings.Fields("token key secret password login value name user client server cookie session header auth parse scan config cache index state event run step")
	word := func() string { return words[m.IntN(len(words))] }
	for i := range 400 {
		add("git", "commit %s\n%s refs/heads/%s\nindex %s..%s 100644", m.from(hex16, 40), m.from(hex16, 40), word(), m.from(hex16, 7), m.from(hex16, 7))
		add("UUIDs", "id=%s request_id: %s {\"trace\":\"%s\"}", m.uuid(), m.uuid(), m.uuid())
		add("sha256sums", "%s  dist/%s-%d.tar.gz\n%s *x", m.from(hex16, 64), word(), i, m.from(hex16, 128))
		add("images", "![x](data:image/png;base64,iVBORw0KGgo%s==)", m.from(alnum+"+/", 300))
		add("lockfile", "    \"node_modules/%s\": {\n      \"version\": \"1.%d.0\",\n      \"resolved\": \"https://registry.npmjs.org/%s/-/%[1]s-1.%d.0.tgz\",\n      \"integrity\": \"sha512-%s==\"\n    },", word(), i, word(), i, m.from(alnum+"+/", 86))
		add("poetry", "    {file = \"%s-1.%d-py3-none-any.whl\", hash = \"sha256:%s\"},", word(), i, m.from(hex16, 64))
		add("yarn", "\"@types/%s@^%d.0.1\":\n  version \"%d.2.3\"\n  integrity sha1-%s=", word(), i, i, m.from(alnum+"+/", 27))
		add("minified", "function %s(e,t){var n=e.%s,r=t.%s||n;return r.%s(n),this.%s=r,e&&e.%s?(0,n.%s)(r):{key:n,token:r,value:e.value}};", word(), word(), word(), word(), word(), word(), word())
		add("Python", "def %s_%s(self, %s=None, password=None):\n    self.%s = %s.get(\"%s\")\n    if token is None and key in self.%s:\n        return %s(token=self.token, key=key)", word(), word(), word(), word(), word(), word(), word(), word())
		add("JavaScript", "const %s = await fetchToken({ key: options.key, token: getToken(), value: props.value });\nexport const use%s = (key) => store.getState().%s[key];\n<input name=\"%s\" value={value} onChange={(e) => setPassword(e.target.value)} />", word(), word(), word(), word())
		add("log", "2026-11-%02dT00:38:29.%03dZ INFO %s/%s.go:%d: %s of %s read, tokens=%d key=%s", i%28+1, i, word(), word(), i, word(), word(), i*7, word())
		add("log", "[%d/400] ok %s/%s %d.%03ds (cached) coverage: %d.%d%% of statements", i, word(), word(), i, i, i%100, i%10)
		add("compiler", "%s/%s.go:%d:%d: cannot use %s (variable of type *%s) as %s value in argument to %s", word(), word(), 1000+i, i, word(), word(), word(), word())
		add("YAML", "- name: %s\n  key: %s\n  description: the %s of a %s\n  value: %d\n  secretKeyRef:\n    name: %s\n    key: %s", word(), word(), word(), word(), i, word(), word())
		add("XML", "<item key=\"%s\" value=\"%d\"><name>%s</name><value>%s</value></item>", word(), i, word(), word())
		add("HTML", "<label for=\"password\">Password</label> <a href=\"/login?next=/%s\">%s</a> <p>The %s of the %s</p>", word(), word(), word(), word())
		add("prose", "The %s is %s, and a %s has a %s: see the login page, machine %d, and the password policy.", word(), word(), word(), word(), i)
		add("commands", "$ mysql -u root -P 3306 -e 'select %d'\n$ curl -sS -o %s.json -X POST https://example.com/%s?page=%d\n$ docker run -p 8080:80 -u 1000:1000 -b %s\n$ ssh -p 22 a@b", i, word(), word(), i, word())
		add("prices", "costs $%d and $%d.%02d; awk '{print $1$2}' $HOME/%s $%s", i, i, i%100, word(), word())
		add("dotted", "s.%s%s(x).%s.Get%s2(y) e.%s.v1.%s, see a.b.c/%s/v2.%d.0", word(), word(), word(), word(), word(), word(), word(), i)
		object, _ := json.Marshal(map[string]any{"name": word(), "value": i, "key": word(), "tokens": i * 100, "cookie": i%2 == 0, "auth": word()})
		add("JSON", "%s", object)
	}
	return made
}

func TestOrdinaryTextOfEachKindStaysAsItIs(t *testing.T) {
	texts := ordinaryLines()
	for kind, text := range ordinaryFiles(t) {
		texts[kind+" of this repository"] = text
	}
	total, hit := 0, 0
	for kind, text := range texts {
		lines := strings.Count(text, "\n")
		_, found := Text(text)
		taken := 0
		for i, f := range found {
			taken += 1 + strings.Count(text[f.Start:f.End], "\n")
			if i < 6 {
				t.Logf("%s: %s: %.60q", kind, f.Kind, text[max(0, f.Start-20):f.End])
			}
		}
		t.Logf("%-32s %6d lines %3d hit, %.3f %%", kind, lines, taken, 100*float64(taken)/float64(lines))
		if total, hit = total+lines, hit+taken; taken*100 > lines {
			t.Errorf("%s: %d of %d lines hit", kind, taken, lines)
		}
	}
	t.Logf("%d of %d lines hit, %.4f %%", hit, total, 100*float64(hit)/float64(total))
}

// A megabyte takes some ten milliseconds. What is looked at again and again takes
// minutes, on any machine.
func TestHostileTextIsReadOnce(t *testing.T) {
	for name, text := range inputs() {
		start := time.Now()
		Text(text)
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s: a megabyte took %s", name, took)
		}
	}
}

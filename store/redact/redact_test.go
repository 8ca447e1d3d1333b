package redact

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestNoSecretOfTheCorpusIsLeft(t *testing.T) {
	samples, missed := 0, map[string]int{}
	perKind := map[string]int{}
	for seed := range uint64(5) {
		for _, s := range corpus(seed) {
			samples++
			perKind[strings.TrimRight(s.kind, " 0123456789")]++
			out, found := Text(s.text)
			for _, secret := range s.secret {
				if strings.Contains(out, secret) || len(found) == 0 {
					if missed[s.kind]++; missed[s.kind] <= 3 {
						t.Errorf("%s: %q is left:\n%q\ngives\n%q", s.kind, secret, s.text, out)
					}
					break
				}
			}
		}
	}
	for kind, n := range missed {
		t.Errorf("%s: %d missed", kind, n)
	}
	for kind, n := range perKind {
		if n < 12 {
			t.Errorf("%s has %d samples only", kind, n)
		}
	}
	t.Logf("%d samples of %d kinds", samples, len(perKind))
}

func TestRedactingTwiceChangesNothing(t *testing.T) {
	for _, s := range corpus(1) {
		once, _ := Text(s.text)
		if twice, found := Text(once); twice != once {
			t.Errorf("%s: %q becomes %q by %v", s.kind, once, twice, found)
		}
	}
}

func TestWhatStaysAndWhatIsSaid(t *testing.T) {
	jwt := maker{newRand()}.jwt()
	for name, tt := range map[string]struct{ in, want string }{
		"the key of an assignment stays":                  {"DB_PASSWORD=hunter2\nX=1", "DB_PASSWORD=[redacted: password]\nX=1"},
		"JSON stays JSON":                                 {`{"password": "a\"b", "n": 1}`, `{"password": "[redacted: password]", "n": 1}`},
		"a query goes on behind its secret":               {"/?token=abc123def&page=2", "/?token=[redacted: token]&page=2"},
		"a YAML comment stays":                            {"password: hunter2 # old", "password: [redacted: password] # old"},
		"the scheme of a header stays":                    {"Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted: authorization]"},
		"the user and the host of a URL stay":             {"postgres://u:pw@db/x", "postgres://u:[redacted: URL password]@db/x"},
		"two secrets of a line":                           {"password=a1 token=" + jwt, "password=[redacted: password] token=[redacted: token]"},
		"a token alone is named by its kind":              {"got " + jwt, "got [redacted: JWT]"},
		"a Go test that passed holds none":                {"{\"Output\":\"--- PASS: TestParseNetrc4 (0.00s)\\n\"}", "{\"Output\":\"--- PASS: TestParseNetrc4 (0.00s)\\n\"}"},
		"a reference to a secret is none":                 {"PASSWORD=${DB_PASSWORD} TOKEN=$TOKEN", "PASSWORD=${DB_PASSWORD} TOKEN=$TOKEN"},
		"a count of tokens is none":                       {`{"total_tokens": 1234567, "tokens": 12, "token": 42}`, `{"total_tokens": 1234567, "tokens": 12, "token": 42}`},
		"null is none":                                    {`{"password": null, "secret": ""}`, `{"password": null, "secret": ""}`},
		"a name that only begins so is none":              {"password_file: /run/x\npassword_min_length: 8", "password_file: /run/x\npassword_min_length: 8"},
		"a comparison is none":                            {`if password == "" || token != other1 {`, `if password == "" || token != other1 {`},
		"code is none":                                    {"token := scanner.Scan1()\nsecret = s.key1(x)", "token := scanner.Scan1()\nsecret = s.key1(x)"},
		"a public key is none":                            {"-----BEGIN PUBLIC KEY-----\nMIIBIjAN\n-----END PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\nMIIBIjAN\n-----END PUBLIC KEY-----"},
		"a sentence about bearers is none":                {"uses bearer authentication", "uses bearer authentication"},
		"an address in a URL path is none":                {"https://example.com/@user:x", "https://example.com/@user:x"},
		"a port and an at sign in a query are none":       {"http://h:80/?q=a@b", "http://h:80/?q=a@b"},
		"a made up placeholder hides no secret behind it": {`password="[redacted: x]hunter2"`, `password="[redacted: password]"`},
		"text in other scripts and no UTF-8 stay":         {"пароль \xff 密码 ok", "пароль \xff 密码 ok"},
		"an empty text":                                   {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, found := Text(tt.in); got != tt.want {
				t.Errorf("Text(%q)\n gives %q (%v)\n want  %q", tt.in, got, found, tt.want)
			}
		})
	}
}

func TestFindingsLieWhereTheSecretsWere(t *testing.T) {
	in := "a\npassword=hunter2 and postgres://u:pw1@db/x"
	_, found := Text(in)
	if len(found) != 2 || in[found[0].Start:found[0].End] != "hunter2" || in[found[1].Start:found[1].End] != "pw1" || found[1].Kind != URLPassword {
		t.Errorf("found %v", found)
	}
}

// The sources of the standard library are full of words like token, key, secret
// and password, of test keys, hashes and base64.
// goroot asks the go command: what a test knows itself is empty under -trimpath.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestOrdinaryTextStaysAsItIs(t *testing.T) {
	src := filepath.Join(goroot(t), "src")
	lines, hit, shown := 0, 0, 0
	for _, dir := range []string{"net/http", "crypto/tls", "go/scanner", "go/parser", "encoding/json", "encoding/base64", "cmd/go/internal", "text/template", "os", "net/url", "net/mail", "net/smtp", "html"} {
		err := filepath.WalkDir(filepath.Join(src, dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.Contains(path, "testdata") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text := string(data)
			lines += strings.Count(text, "\n")
			_, found := Text(text)
			last := -1
			for _, f := range found {
				if line := strings.Count(text[:f.Start], "\n"); line != last {
					last = line
					hit += 1 + strings.Count(text[f.Start:f.End], "\n")
					if shown++; testing.Verbose() && shown < 400 {
						t.Logf("%s:%d: %s: %.60q", path, line+1, f.Kind, text[f.Start:f.End])
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d lines hit: %.4f %%", hit, lines, 100*float64(hit)/float64(max(lines, 1)))
	if lines == 0 || hit*100 > lines {
		t.Errorf("%d of %d lines hit", hit, lines)
	}
	for i, text := range ordinary() {
		if out, found := Text(text); out != text {
			t.Errorf("ordinary text %d: %v: %.300q", i, found, out)
		}
	}
}

func ordinary() []string {
	m := maker{newRand()}
	return []string{
		"commit " + m.from(hex16, 40) + "\nAuthor: A B <a@example.com>\n",
		"id: " + m.from(hex16, 8) + "-" + m.from(hex16, 4) + "-4" + m.from(hex16, 3) + "-" + m.from(hex16, 4) + "-" + m.from(hex16, 12),
		"sha256:" + m.from(hex16, 64), "![x](data:image/png;base64," + m.from(alnum+"+/", 4000) + "==)",
		"steps:\n  - id: plan\n    persona: navigator\n    exec:\n      type: prompt\n    output_artifacts:\n      - name: plan\n        path: plan.md\n",
		"# Tokens\n\nThe token: what it is, and how the `password` is kept.\nSee [secret](docs/secret.md) and https://example.com/a:b/@c.\n",
		"tokens_in=1200 tokens_out=340 total_tokens=1540 max_tokens: 4096 token_budget=100000",
		`{"artifacts":{"plan":{"content_type":"markdown","exists":true}},"phase":"implement"}`,
		"secretName: widgets\nsecretKeyRef:\n  key: url\npasswordPolicy: strict\n", "diff --git a/token.go b/token.go\nindex 83db48f..bf269f4 100644\n--- a/token.go\n+++ b/token.go\n@@ -1,4 +1,4 @@\n",
		"h1:" + m.from(alnum+"+/", 43) + "=", "task-list-item-checkbox-2026 risk-assessment-of-disk-failure-1",
	}
}

func TestReaderGivesWhatTextGives(t *testing.T) {
	var all strings.Builder
	for i, s := range corpus(2) {
		fmt.Fprintf(&all, "== %d\n%s\n", i, s.text)
	}
	for i, s := range serviceSamples() {
		if i%101 == 0 {
			fmt.Fprintf(&all, "== %d\n%s\n", i, s.text)
		}
	}
	filler := strings.Repeat("an ordinary line of a log, with nothing in it\n", 3000)
	text := all.String() + filler + all.String() + filler[:77000] + all.String()
	want, _ := Text(text)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"in whole chunks":      func(r io.Reader) io.Reader { return r },
		"in halves":            iotest.HalfReader,
		"with a data error":    iotest.DataErrReader,
		"in chunks of 4093":    func(r io.Reader) io.Reader { return chunks{r, 4093} },
		"in chunks of 65537":   func(r io.Reader) io.Reader { return chunks{r, 65537} },
		"in chunks of one":     iotest.OneByteReader,
		"in chunks of 100,003": func(r io.Reader) io.Reader { return chunks{r, 100003} },
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(wrap(strings.NewReader(text)))
			got, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				t.Errorf("differs at %d: %.80q, want %.80q", at, got[max(0, at-20):], want[max(0, at-20):])
			}
		})
	}
	t.Run("a border at every place of a key and a token", func(t *testing.T) {
		m := maker{newRand()}
		secret := "x\npassword: hunter2\n" + m.pem("RSA PRIVATE KEY", 600) + "\n" + m.jwt() + "\nend\n"
		for shift := 0; shift < len(secret)+300; shift += 7 {
			text := strings.Repeat("a", window-shift) + secret + filler[:lookahead]
			want, _ := Text(text)
			got, err := io.ReadAll(NewReader(strings.NewReader(text)))
			if err != nil || string(got) != want {
				t.Fatalf("shift %d: %v, differs", shift, err)
			}
		}
	})
}

func TestReaderPassesAnErrorOn(t *testing.T) {
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(strings.NewReader("password=hunt"), iotest.ErrReader(broken)))
	got, err := io.ReadAll(r)
	if !errors.Is(err, broken) || bytes.Contains(got, []byte("hunt")) {
		t.Errorf("got %q, %v", got, err)
	}
}

type chunks struct {
	r    io.Reader
	size int
}

func (c chunks) Read(p []byte) (int, error) { return c.r.Read(p[:min(len(p), c.size)]) }

package redact

import (
	"io"
	"regexp"
	"strings"
	"testing"
)

// megabyte repeats text up to 1 MiB.
func megabyte(text string) string {
	return strings.Repeat(text, 1<<20/len(text)+1)[:1<<20]
}

func inputs() map[string]string {
	m := maker{newRand()}
	var dense strings.Builder
	for i, s := range corpus(1) {
		if i%50 == 0 {
			dense.WriteString(s.text + "\n")
		}
	}
	in := map[string]string{
		"typical log":      "2026-11-23T00:38:29Z INFO step=implement attempt=2 tokens=1200 msg=\"read internal/pkg/file.go: 240 lines\"\n[14] compiling acme/widgets/internal/pkg14\n",
		"typical source":   "func (s *Server) Handle(w http.ResponseWriter, r *http.Request) {\n\tif token := r.Header.Get(\"X-Token\"); token != s.token {\n\t\treturn // a comment: with words\n\t}\n}\n",
		"secrets on lines": dense.String(),
		"base64":           m.from(alnum+"+/", 4000),
	}
	for _, hostile := range []string{
		"sk-", "eyJ", "eyJ-", "eyJaaaaaaaaa.eyJ", "-----BEGIN ", pemBegin + "RSA " + pemPrivate + "-----\n", "-----END ", "token=", "token=\"", "password:", "password: '", "A", "=", ":", "://", "://a:", "://a:b",
		"https://aaaaaaaaaaaaaaaaaaaaaaaaaaaa:", "ghp_", "npm_aaaaaaaaaaa", "xoxb-", "Bearer ", "Authorization: ", "8Q~", "~", "\\", "\\\"", "password=\\\\\\\"", "\x1b[31m", "[redacted: ", "password=[redacted: ", "\n", "\n\n\nA=",
		"AKIA" + "ABCDEFGHIJKLMNOP ", "--password ", "%3A%2F%2Fa%3A", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaatoken=", "secret: a b c d ", "                                      =", "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm:", "1;1;1;1;1;1;1;1;1m=",
		"curl -u ", "curl -ua:", "mysql -p", "sshpass -p a ", "machine login password ", "name: password\n", "value: ", "\"value\":\"a\",", ">", "<password>", "<key>token</key>",
		"password: |\n", "password: |\n a\n", "Cookie: a=", "cookie=a", "auth=", "auth=YTpi", "$1$", "$2b$12$a", "%24", "%243D", "%3D", "token%3D", "%3AAA", ":AA", "1:AAa", ".atlasv1.", "a.bcdefg.", "@tcp(", "a:@tcp(",
		"NRAL", "LS1CRUdJTi", "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t\n", "Private-Lines:", "Private-Lines: 1\nAAAA\n", "{SSHA", "SK", "EAAA", "cio", "s.", "hf_", "*:*:*:*:", "a:5432:b:c:", "\n*:*:*:a:", "aaaaaaaa-", "webhook.office.com/webhookb2/", "u0026token=", "fm2_",
	} {
		in["hostile "+strings.TrimSpace(hostile)] = hostile
	}
	for name, text := range in {
		in[name] = megabyte(text)
	}
	in["hostile body before many ends"] = megabyte(strings.Repeat("\nAAAA", 3000) + "-----END RSA " + pemPrivate + "-----")
	in["hostile beginnings before one end"] = megabyte(pemBegin+"RSA "+pemPrivate+"-----\nAAAA\n") + "-----END RSA " + pemPrivate + "-----"
	in["hostile blank lines before an end"] = megabyte("\n ") + "-----END RSA " + pemPrivate + "-----"
	return in
}

func BenchmarkText(b *testing.B) {
	for name, text := range inputs() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Text(text)
			}
		})
	}
}

// BenchmarkMergedExpression is what one regular expression for a few of the kinds
// costs, to compare with.
func BenchmarkMergedExpression(b *testing.B) {
	merged := regexp.MustCompile(`gh[pousr]_[A-Za-z0-9]{36}|AKIA[A-Z0-9]{16}|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*|(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END|(?i)(?:password|token|secret)\s*[=:]\s*"?([^\s"]+)`)
	for _, name := range []string{"typical log", "secrets on lines", "hostile token="} {
		text := inputs()[name]
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				merged.ReplaceAllString(text, "")
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	text := strings.Repeat(inputs()["typical log"], 16)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, NewReader(strings.NewReader(text))); err != nil {
			b.Fatal(err)
		}
	}
}

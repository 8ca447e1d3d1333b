package redact

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
)

// The secrets of the tests are made when they run: none stands in the source,
// where scanners of repositories would find it.
type maker struct{ *rand.Rand }

func (m maker) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowerCase = "abcdefghijklmnopqrstuvwxyz"
	digits10  = "0123456789"
	alnum     = upperCase + lowerCase + digits10
	hex16     = digits10 + "abcdef"
)

func (m maker) alnum(n int) string { return "aB3" + m.from(alnum, n-3) }
func (m maker) url64(n int) string { return "aB3" + m.from(alnum+"_-", n-4) + "q" }

func (m maker) jwt() string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"HS256","typ":"JWT"}`) + "." + part(`{"sub":"`+m.from(digits10, 10)+`","iat":1516239022}`) + "." + m.url64(43)
}

func (m maker) pem(label string, size int) string {
	raw := make([]byte, size)
	for i := range raw {
		raw[i] = byte(m.IntN(256))
	}
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: raw})), "\n")
}

// sample is a text with a secret in it.
type sample struct {
	kind   string
	text   string
	secret []string // none of these may be left
}

// tokens makes one token of each kind that is known by its looks alone.
func (m maker) tokens() map[Kind][]string {
	slack := "xox"
	return map[Kind][]string{
		AWSKeyID:    {"AK" + "IA" + m.from(upperCase+"234567", 16), "AS" + "IA" + m.from(upperCase+"234567", 16)},
		GitHub:      {"gh" + "p_" + m.alnum(36), "gh" + "o_" + m.alnum(36), "gh" + "u_" + m.alnum(36), "gh" + "s_" + m.alnum(36), "gh" + "r_" + m.alnum(76), "github" + "_pat_" + m.alnum(22) + "_" + m.alnum(59)},
		GitLab:      {"gl" + "pat-" + m.url64(20), "gl" + "pat-" + m.url64(27) + ".01." + m.from(hex16, 9), "gl" + "rt-" + m.url64(20), "gl" + "dt-" + m.url64(20)},
		OpenAI:      {"s" + "k-" + m.alnum(20) + "T3Blbk" + "FJ" + m.alnum(20), "s" + "k-proj-" + m.url64(74) + "T3Blbk" + "FJ" + m.url64(74), "s" + "k-svcacct-" + m.url64(58)},
		Anthropic:   {"s" + "k-ant-api03-" + m.url64(93) + "AA", "s" + "k-ant-admin01-" + m.url64(93) + "AA"},
		OpenRouter:  {"s" + "k-or-v1-" + m.from(hex16, 64)},
		Slack:       {slack + "b-" + m.from(digits10, 12) + "-" + m.from(digits10, 13) + "-" + m.alnum(24), slack + "p-" + m.from(digits10, 12) + "-" + m.from(digits10, 12) + "-" + m.from(hex16, 32), "xa" + "pp-1-A" + m.from(upperCase+digits10, 10) + "-" + m.from(digits10, 13) + "-" + m.from(hex16, 64)},
		Stripe:      {"s" + "k_live_" + m.alnum(24), "r" + "k_live_" + m.alnum(99), "s" + "k_test_" + m.alnum(99)},
		GoogleKey:   {"AI" + "za" + m.url64(35)},
		GoogleOAuth: {"GOC" + "SPX-" + m.url64(28), "ya" + "29." + m.url64(120)},
		NPM:         {"np" + "m_" + m.alnum(36)},
		PyPI:        {"py" + "pi-AgEIcHlwaS5vcmc" + m.url64(150)},
		Azure:       {m.from(alnum, 3) + "8" + "Q~" + m.url64(34)},
		JWT:         {m.jwt()},
	}
}

// around puts a token into what tokens are found in.
func around(token string) []string {
	quoted, _ := json.Marshal(map[string]string{"note": "first\n" + token + "\nlast", "x": token})
	inner, _ := json.Marshal(string(quoted))
	return []string{
		token, "deploy token " + token, "token is " + token + ".", "\n" + token + "\r\nnext", `"` + token + `"`, "'" + token + "'", "`" + token + "`",
		"(" + token + ")", "<" + token + ">", "key: " + token + "\nother: 1\n", "KEY=" + token + "\n", "export KEY='" + token + "'",
		"2026-11-23T00:38:29Z INFO got " + token + ", going on", "\x1b[31m" + token + "\x1b[0m", `\u001b[1;32m` + token + `\u001b[0m`,
		string(quoted), string(inner), "a=1&k=" + token + "&b=2", "https://example.com/?k=" + url.QueryEscape(token) + "#top", "x%3D" + token,
		"- " + token + "\n- other", "curl -H 'X-Thing: " + token + "' https://example.com", "| " + token + " |", "line\t" + token + "\tend", token + "\x00rest", "prefix:" + token + ";",
	}
}

// passwords are what people choose; they are of no shape that could be known.
func (m maker) passwords() []string {
	return []string{m.from(lowerCase, 9), m.alnum(16), m.from(lowerCase, 6) + "!" + m.from(digits10, 3), m.from(alnum+"!%*+-./^_~", 20) + "z9", m.from(lowerCase, 5) + "-" + m.from(lowerCase, 6) + "-" + m.from(lowerCase, 4)}
}

func (m maker) assignments(name, v string) []string {
	object, _ := json.Marshal(map[string]any{"user": "bob", name: v, "zone": 3})
	inner, _ := json.Marshal(string(object))
	deeper, _ := json.Marshal(string(inner))
	pretty, _ := json.MarshalIndent(map[string]any{"user": "bob", name: v, "zone": 3}, "", "  ")
	return []string{
		name + "=" + v, "export " + name + "=" + v + "\nB=2", name + `="` + v + `"`, name + "='" + v + "' make", "set " + name + "=" + v + "\r\nnext",
		name + ": " + v, "  " + name + ": " + v + "\n  other: 1", "- " + name + ": " + v + "  # why", name + `: "` + v + `"`, name + ": '" + v + "'",
		string(object), string(pretty), string(inner), string(deeper), "config " + string(object) + " read",
		"https://example.com/login?user=bob&" + name + "=" + url.QueryEscape(v) + "&x=1", "/login?" + name + "=" + url.QueryEscape(v) + "#top",
		"2026-11-23 00:38:29 level=info user=bob " + name + "=" + v + " ok", "\x1b[36m" + name + "\x1b[0m=\x1b[32m" + v + "\x1b[0m", "\x1b[36m" + name + "\x1b[0m: \x1b[32m" + v + "\x1b[0m",
		name + ` = "` + v + `"`, name + ` := "` + v + `"`, "'" + name + "' => '" + v + "'", "tool --" + name + "=" + v, "tool --" + name + " " + v + " run", "docker run -e " + name + "=" + v + " image",
		"{" + name + `: "` + v + `", b: 1}`, "[section]\n" + name + "=" + v + "\n", `os.environ["` + name + `"] = "` + v + `"`,
	}
}

// corpus is rebuilt from a seed.
func corpus(seed uint64) []sample {
	m := maker{rand.New(rand.NewPCG(seed, 7))}
	var all []sample
	add := func(kind string, text string, secret ...string) { all = append(all, sample{kind, text, secret}) }
	for kind, list := range m.tokens() {
		for _, token := range list {
			for _, text := range around(token) {
				add(string(kind), text, token)
			}
		}
	}
	secret := m.from(alnum, 10) + "/K7" + m.from(alnum+"+/", 10) + "a" + m.from(alnum, 16)
	id := "AK" + "IA" + m.from(upperCase+"234567", 16)
	for _, form := range []string{"%s,%s", "%s\t%s\n", "Access key ID,Secret access key\n%s,%s\n", "%s / %s", `{"id":"%s","s":"%s"}`, "%s:%s", "id %s with %s.", "  - %s\n  - %s\n", "'%s' '%s'", "\x1b[1m%s\x1b[0m \x1b[2m%s\x1b[0m", "%s|%s|", "id=%s;k=%s;"} {
		add(string(AWSSecret), fmt.Sprintf(form, id, secret), secret)
	}
	for _, name := range []string{"aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "SecretAccessKey", "secretAccessKey"} {
		for _, text := range m.assignments(name, secret) {
			add(string(AWSSecret), text, secret, url.QueryEscape(secret))
		}
	}
	hook := "T" + m.from(upperCase+digits10, 8) + "/B" + m.from(upperCase+digits10, 10) + "/" + m.alnum(24)
	for _, text := range around("https://hooks.sl" + "ack.com/services/" + hook) {
		add(string(SlackWebhook), text, hook)
	}
	account := m.from(alnum+"+/", 86) + "=="
	for _, text := range []string{
		"DefaultEndpointsProtocol=https;AccountName=x;AccountKey=" + account + ";EndpointSuffix=core.windows.net", "AccountKey=" + account,
		`"AccountKey": "` + account + `"`, "AccountKey: " + account, "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=" + account,
		"https://x.blob.core.windows.net/c/b?sv=2022&se=2030&sig=" + url.QueryEscape(account) + "&sp=r", "?sv=2022&sig=" + url.QueryEscape(account),
	} {
		add(string(Azure), text, account[:40])
	}
	for _, name := range []string{"password", "PASSWORD", "DB_PASSWORD", "passwd", "db.password", "spring.datasource.password", "userPassword", "secret", "CLIENT_SECRET", "client-secret", "PGPASSWORD", "db_pass"} {
		for _, v := range m.passwords() {
			for _, text := range m.assignments(name, v) {
				add("assigned password", text, v, url.QueryEscape(v))
			}
		}
	}
	for _, name := range []string{"token", "api_key", "apikey", "API-KEY", "access_token", "ACCESS_KEY", "auth_token", "refreshToken", "_authToken", "x-api-key"} {
		for _, v := range []string{m.alnum(20), m.from(hex16, 32), m.url64(40), m.alnum(12) + "." + m.alnum(14), m.from(lowerCase, 24)} {
			for _, text := range m.assignments(name, v) {
				add("assigned token", text, v)
			}
		}
	}
	for _, v := range []string{m.alnum(24), m.from(hex16, 40), m.url64(64), m.alnum(30) + "==", m.alnum(20) + "." + m.alnum(20), m.from(lowerCase, 30)} {
		for _, scheme := range []string{"Bearer", "bearer", "Basic", "token"} {
			header := "Authorization: " + scheme + " " + v
			for _, text := range append(around(header), `{"Authorization":"`+scheme+" "+v+`"}`, "Proxy-"+header, strings.ToLower(header), `headers["Authorization"] = "`+scheme+" "+v+`"`, "> "+header+"\r\n> Accept: */*\r\n") {
				if !strings.Contains(text, "http") || strings.Contains(text, "curl") {
					add("authorization", text, v)
				}
			}
		}
		add("authorization", "sent Bearer "+v+" to it", v)
	}
	for _, v := range append(m.passwords(), m.alnum(40), "p@ss"+m.from(digits10, 4)) {
		if strings.ContainsAny(v, "/") {
			continue
		}
		for _, text := range around("postgres://user:" + v + "@db.example.com:5432/app?sslmode=off") {
			add("URL password", text, v)
		}
		add("URL password", "git clone https://x-access-token:"+v+"@example.com/a/b.git", v)
		add("URL password", "REDIS=redis://:"+v+"@cache:6379/0", v)
	}
	for n, label := range []string{"RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"} {
		all = append(all, m.keys(label, 300+200*n)...)
	}
	return all
}

// keys gives a private key in many forms. Lines of it, and no pieces shorter than
// those, are looked for in what is left.
func (m maker) keys(label string, size int) (all []sample) {
	key := m.pem(label, size)
	lines := strings.Split(key, "\n")
	body := lines[1 : len(lines)-1]
	add := func(text string, secret ...string) { all = append(all, sample{"private key", text, secret}) }
	indent := func(prefix string) string { return prefix + strings.Join(lines, "\n"+prefix) }
	object, _ := json.Marshal(map[string]string{"a": "b", "private_key": key + "\n", "z": "y"})
	inner, _ := json.Marshal(string(object))
	add(key, body...)
	add("before\n"+key+"\nafter", body...)
	add(strings.ReplaceAll(key, "\n", "\r\n"), body...)
	add("key: |\n"+indent("    ")+"\nnext: 1", body...)
	add(indent("> "), body...)
	add(indent("2026-11-23 00:38:29 | "), body...)
	add(string(object), body...)
	add(string(inner), body...)
	add(`KEY="`+strings.Join(lines, `\n`)+`"`, body...)
	add("\x1b[33m"+key+"\x1b[0m", body...)
	add("var k = `"+key+"`", body...)
	add(`"`+strings.Join(lines, "\\n\" +\n\t\"")+`"`, body...)
	add(lines[0]+"\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"+strings.ToUpper(m.from(hex16, 32))+"\n\n"+strings.Join(lines[1:], "\n"), body...)
	add("text\n"+strings.Join(lines[:4], "\n"), lines[1:4]...)                               // the end is cut off
	add(strings.Join(lines[:4], "\n")+"\n"+lines[4][:17], lines[1], lines[2], lines[4][:17]) // within a line
	add(strings.Join(lines[:4], "\n")+"\n\nAnd then some text follows.\n", lines[1:4]...)
	add("x: "+strings.Join(lines[:4], `\n`), lines[1:4]...)
	add(strings.Join(lines[2:], "\n")+"\nafter", lines[2:len(lines)-1]...) // the beginning is cut off
	add("log starts\n"+strings.Join(lines[3:], "\n"), lines[3:len(lines)-1]...)
	add(lines[0]+"\n"+lines[1]+"\n"+key, body...)
	for i := range all {
		all[i].text += strings.Repeat("\n", i%2)
		all[i].kind += " " + strconv.Itoa(i)
	}
	return all
}

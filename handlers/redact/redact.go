// Package redact takes secrets out of text before it is shown: cloud keys,
// tokens of well-known services, JWTs, private keys, passwords in assignments,
// headers and URLs. Each is replaced by a placeholder that names its kind, so that
// a reader sees that something was taken out and what.
//
// The rules are our own. The rules of gitleaks, used as a library, were tried:
// 62 modules, 0.8 s for a megabyte, and no Bearer header, password of a URL or
// DB_PASSWORD= among what they find. They look for a leak in a repository, where
// a doubtful hit costs a reviewer's time; a page that is shown has to err on the
// other side, within the time of a request. The prefixes and lengths are those
// that the services document.
//
// Text is read once, from left to right. What is decided at a place depends on a
// bounded stretch before and after it, so the time is linear in the input, and a
// stream gives what the whole text would.
package redact

import (
	"strings"
)

// Kind names what was taken out, as the placeholder says it.
type Kind string

// The kinds that are found.
const (
	AWSKeyID      Kind = "AWS access key id"
	AWSSecret     Kind = "AWS secret key"
	GitHub        Kind = "GitHub token"
	GitLab        Kind = "GitLab token"
	OpenAI        Kind = "OpenAI key"
	Anthropic     Kind = "Anthropic key"
	OpenRouter    Kind = "OpenRouter key"
	Slack         Kind = "Slack token"
	SlackWebhook  Kind = "Slack webhook"
	Stripe        Kind = "Stripe key"
	GoogleKey     Kind = "Google API key"
	GoogleOAuth   Kind = "Google OAuth credential"
	NPM           Kind = "npm token"
	PyPI          Kind = "PyPI token"
	Azure         Kind = "Azure secret"
	JWT           Kind = "JWT"
	PrivateKey    Kind = "private key"
	Password      Kind = "password"
	Secret        Kind = "secret"
	Token         Kind = "token"
	Key           Kind = "key"
	Authorization Kind = "authorization"
	URLPassword   Kind = "URL password"
)

var kinds = [...]Kind{
	AWSKeyID, AWSSecret, GitHub, GitLab, OpenAI, Anthropic, OpenRouter, Slack, SlackWebhook, Stripe, GoogleKey,
	GoogleOAuth, NPM, PyPI, Azure, JWT, PrivateKey, Password, Secret, Token, Key, Authorization, URLPassword,
}

const opening = "[redacted: "

// Marked reports whether something was taken out of text.
func Marked(text string) bool { return strings.Contains(text, opening) }

// Placeholder is what stands for a secret of this kind.
func (k Kind) Placeholder() string { return opening + string(k) + "]" }

// Finding is a secret that was taken out: bytes Start to End of the input.
type Finding struct {
	Kind       Kind
	Start, End int
}

// Text gives text without its secrets, and where they were, in order. Redacting
// what is redacted changes nothing. Bytes that are no UTF-8 stay as they are.
func Text(text string) (string, []Finding) {
	var out strings.Builder
	var found []Finding
	s := scanner{text: text, whole: true}
	last := 0
	for {
		f, ok := s.next()
		if !ok {
			break
		}
		if last == 0 {
			out.Grow(len(text) + len(text)/16)
		}
		out.WriteString(text[last:f.Start])
		out.WriteString(f.Kind.Placeholder())
		found = append(found, f)
		last = f.End
	}
	if found == nil {
		return text, nil
	}
	out.WriteString(text[last:])
	return out.String(), found
}

// placeholder gives the length of the placeholder that text begins with.
func placeholder(text string) (int, bool) {
	rest, ok := strings.CutPrefix(text, opening)
	if !ok {
		return 0, false
	}
	for _, k := range kinds {
		if after, ok := strings.CutPrefix(rest, string(k)); ok && strings.HasPrefix(after, "]") {
			return len(opening) + len(k) + 1, true
		}
	}
	return 0, false
}

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
	HuggingFace   Kind = "Hugging Face token"
	DigitalOcean  Kind = "DigitalOcean token"
	SendGrid      Kind = "SendGrid key"
	Vault         Kind = "Vault token"
	Databricks    Kind = "Databricks token"
	DockerHub     Kind = "Docker Hub token"
	Atlassian     Kind = "Atlassian token"
	Terraform     Kind = "Terraform token"
	Discord       Kind = "Discord token"
	Teams         Kind = "Teams webhook"
	Telegram      Kind = "Telegram token"
	Twilio        Kind = "Twilio key"
	Mailgun       Kind = "Mailgun key"
	Shopify       Kind = "Shopify token"
	Linear        Kind = "Linear key"
	Notion        Kind = "Notion token"
	Figma         Kind = "Figma token"
	Grafana       Kind = "Grafana token"
	NewRelic      Kind = "New Relic key"
	Sentry        Kind = "Sentry token"
	Postman       Kind = "Postman key"
	RubyGems      Kind = "RubyGems key"
	CratesIO      Kind = "crates.io token"
	Vercel        Kind = "Vercel token"
	Supabase      Kind = "Supabase key"
	PlanetScale   Kind = "PlanetScale credential"
	Groq          Kind = "Groq key"
	XAI           Kind = "xAI key"
	Replicate     Kind = "Replicate token"
	Fly           Kind = "Fly token"
	Heroku        Kind = "Heroku key"
	MongoDBAtlas  Kind = "MongoDB Atlas key"
	Square        Kind = "Square token"
	Artifactory   Kind = "Artifactory token"
	Age           Kind = "age key"
	PasswordHash  Kind = "password hash"
	Cookie        Kind = "cookie"
	Login         Kind = "login"
)

var kinds = map[Kind]bool{
	AWSKeyID: true, AWSSecret: true, GitHub: true, GitLab: true, OpenAI: true, Anthropic: true, OpenRouter: true, Slack: true,
	SlackWebhook: true, Stripe: true, GoogleKey: true, GoogleOAuth: true, NPM: true, PyPI: true, Azure: true, JWT: true,
	PrivateKey: true, Password: true, Secret: true, Token: true, Key: true, Authorization: true, URLPassword: true,
	HuggingFace: true, DigitalOcean: true, SendGrid: true, Vault: true, Databricks: true, DockerHub: true, Atlassian: true, Terraform: true, Discord: true, Teams: true, Telegram: true, Twilio: true, Mailgun: true, Shopify: true, Linear: true, Notion: true, Figma: true, Grafana: true, NewRelic: true, Sentry: true, Postman: true, RubyGems: true, CratesIO: true, Vercel: true, Supabase: true, PlanetScale: true, Groq: true, XAI: true, Replicate: true, Fly: true, Heroku: true, MongoDBAtlas: true, Square: true, Artifactory: true, Age: true, PasswordHash: true, Cookie: true, Login: true,
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
	s := &scanner{text: text, whole: true}
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
	if n := strings.IndexByte(rest[:min(len(rest), 40)], ']'); n >= 0 && kinds[Kind(rest[:n])] {
		return len(opening) + n + 1, true
	}
	return 0, false
}

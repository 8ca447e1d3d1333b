package redact

import "strings"

// class is a set of bytes that tokens consist of.
type class int

const (
	classAlnum    class = iota // A-Z a-z 0-9
	classWord                  // and _
	classURL                   // and _ -, as in base64 for URLs
	classDotted                // and _ - .
	classBase64                // A-Z a-z 0-9 + /
	classBearer                // what RFC 6750 allows in a bearer token
	classEncoded               // A-Z a-z 0-9 % _ - . @
	classPadded                // A-Z a-z 0-9 _ - = %
	classPadded64              // A-Z a-z 0-9 + / = _ - %
	classPath                  // of a URL
	classToken                 // A-Z a-z 0-9 _ - . =
	classCrypt                 // of hashes of passwords
	classes
)

type charSet [256]bool

func chars(more string) *charSet {
	var t charSet
	for b := range t {
		c := byte(b)
		t[b] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(more, c) >= 0
	}
	return &t
}

var (
	classChars = [classes]*charSet{chars(""), chars("_"), chars("_-"), chars("_-."), chars("+/"), chars("_-.~+/="), chars("%_-.@"), chars("_-=%"), chars("+/=_-%"), chars("/@_-.%"), chars("_-.="), chars("./$=+,_-%")}
	wordChar   = chars("_")
	base64Char = chars("+/=")
)

// runCache remembers where the last runs of a class lie, so that many beginnings
// within one long run cost no more than the run.
type runCache struct {
	spans [2]struct{ start, end int }
	turn  int
}

// run gives where the run of bytes of class c ends that i lies in.
func (s *scanner) run(i int, c class) int {
	cache := &s.runs[c]
	for _, span := range cache.spans {
		if span.start <= i && i < span.end {
			return span.end
		}
	}
	end := i
	for set := classChars[c]; end < len(s.text) && set[s.text[end]]; end++ {
	}
	if end > i {
		cache.spans[cache.turn] = struct{ start, end int }{i, end}
		cache.turn = (cache.turn + 1) % len(cache.spans)
	}
	return end
}

// rule describes tokens that begin with a prefix of their own.
type rule struct {
	prefix   string
	kind     Kind
	class    class
	min, max int  // of what follows the prefix; a max of 0 is none
	inWord   bool // may follow a letter or digit: the prefix is like no word
	check    func(rest string) bool
	keep     bool                                    // the prefix is no secret and stays
	noCall   bool                                    // is no method that is called
	alone    bool                                    // no base64 goes on before or behind it
	match    func(s *scanner, i int) (Finding, bool) // in place of all that
}

var rules = []rule{
	{prefix: "AKIA", kind: AWSKeyID, class: classWord, min: 16, max: 16, check: upperOrDigits},
	{prefix: "ASIA", kind: AWSKeyID, class: classWord, min: 16, max: 16, check: upperOrDigits},
	{prefix: "ABIA", kind: AWSKeyID, class: classWord, min: 16, max: 16, check: upperOrDigits},
	{prefix: "ACCA", kind: AWSKeyID, class: classWord, min: 16, max: 16, check: upperOrDigits},
	{prefix: "AIza", kind: GoogleKey, class: classURL, min: 35, max: 35},
	{prefix: "GOCSPX-", kind: GoogleOAuth, class: classURL, min: 24, inWord: true},
	{prefix: "ya29.", kind: GoogleOAuth, class: classDotted, min: 20},
	{prefix: "1//0", kind: GoogleOAuth, class: classURL, min: 40, check: mixed},
	{prefix: "ghp_", kind: GitHub, class: classWord, min: 30, inWord: true},
	{prefix: "gho_", kind: GitHub, class: classWord, min: 30, inWord: true},
	{prefix: "ghu_", kind: GitHub, class: classWord, min: 30, inWord: true},
	{prefix: "ghs_", kind: GitHub, class: classDotted, min: 30, inWord: true},
	{prefix: "ghr_", kind: GitHub, class: classWord, min: 30, inWord: true},
	{prefix: "github_pat_", kind: GitHub, class: classWord, min: 22, inWord: true},
	{prefix: "glpat-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "gldt-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "glrt-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "glcbt-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "glptt-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "glft-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "glimt-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "gloas-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "glsoat-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "glffct-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "glagent-", kind: GitLab, class: classDotted, min: 20, inWord: true},
	{prefix: "sk-ant-", kind: Anthropic, class: classURL, min: 20, inWord: true},
	{prefix: "sk-or-v1-", kind: OpenRouter, class: classURL, min: 20, inWord: true},
	{prefix: "sk-proj-", kind: OpenAI, class: classURL, min: 20, inWord: true, check: mixed},
	{prefix: "sk-svcacct-", kind: OpenAI, class: classURL, min: 20, inWord: true, check: mixed},
	{prefix: "sk-admin-", kind: OpenAI, class: classURL, min: 20, inWord: true, check: mixed},
	{prefix: "sk-", kind: OpenAI, class: classURL, min: 20, check: openAI},
	{prefix: "xoxa-", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxb-", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxc-", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxd-", kind: Slack, class: classBearer, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxe-", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxe.xox", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxo-", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxp-", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxr-", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xoxs-", kind: Slack, class: classURL, min: 10, inWord: true, check: hasDigit},
	{prefix: "xapp-", kind: Slack, class: classURL, min: 10, check: hasDigit},
	{prefix: "hooks.slack.com/services/", kind: SlackWebhook, class: classBase64, min: 20, inWord: true, keep: true},
	{prefix: "hooks.slack.com/workflows/", kind: SlackWebhook, class: classBase64, min: 20, inWord: true, keep: true},
	{prefix: "hooks.slack.com/triggers/", kind: SlackWebhook, class: classBase64, min: 20, inWord: true, keep: true},
	{prefix: "hooks.slack.com%2Fservices%2F", kind: SlackWebhook, class: classEncoded, min: 20, inWord: true, keep: true},
	{prefix: "sk_live_", kind: Stripe, class: classWord, min: 16, inWord: true},
	{prefix: "sk_test_", kind: Stripe, class: classWord, min: 16, inWord: true, check: hasDigit},
	{prefix: "rk_live_", kind: Stripe, class: classWord, min: 16, inWord: true},
	{prefix: "rk_test_", kind: Stripe, class: classWord, min: 16, inWord: true, check: hasDigit},
	{prefix: "whsec_", kind: Stripe, class: classBase64, min: 24, inWord: true},
	{prefix: "npm_", kind: NPM, class: classAlnum, min: 36, inWord: true},
	{prefix: "pypi-", kind: PyPI, class: classURL, min: 40, inWord: true, check: mixed},
	{prefix: "eyJ", kind: JWT, class: classURL, min: 8},
}

// ruleGroups holds the rules that begin with the same two bytes, in their order;
// groupOf is the group of two bytes, 0: there is none.
var ruleGroups, groupOf = func() (groups [][]rule, of [1 << 16]uint8) {
	groups = [][]rule{nil}
	for _, list := range [][]rule{rules, serviceRules} {
		for _, r := range list {
			pair := uint16(r.prefix[0])<<8 | uint16(r.prefix[1])
			if of[pair] == 0 {
				of[pair] = uint8(len(groups))
				groups = append(groups, nil)
			}
			groups[of[pair]] = append(groups[of[pair]], r)
		}
	}
	return groups, of
}()

func findToken(s *scanner, i int, r *rule) (Finding, bool) {
	if r.match != nil {
		return r.match(s, i)
	}
	if !r.inWord && !s.boundary(i) {
		return Finding{}, false
	}
	if r.kind == JWT {
		return findJWT(s, i)
	}
	body := i + len(r.prefix)
	if body >= len(s.text) {
		return Finding{}, false
	}
	end := s.run(body, r.class)
	if n := end - body; n < r.min || r.max > 0 && n > r.max {
		return Finding{}, false
	}
	if r.noCall && end < len(s.text) && s.text[end] == '(' {
		return Finding{}, false
	}
	if r.alone && (i > 0 && s.text[i-1] == '+' || end < len(s.text) && (s.text[end] == '+' || s.text[end] == '=')) {
		return Finding{}, false
	}
	end = min(end, i+longest)
	if r.check != nil && !r.check(s.text[body:end]) {
		return Finding{}, false
	}
	for (r.class == classDotted || r.class == classPath || r.class == classToken || r.class == classBearer || r.class == classCrypt || r.class == classEncoded) && s.text[end-1] == '.' { // ends the sentence, not the token
		end--
	}
	if r.keep {
		return Finding{r.kind, body, end}, true
	}
	return Finding{r.kind, i, end}, true
}

// findJWT matches header.claims.signature, and the five parts of an encrypted token.
// An unsigned one has an empty signature.
func findJWT(s *scanner, i int) (Finding, bool) {
	header := s.run(i, classURL)
	if header-i < 12 || header-i > longest || header+1 >= len(s.text) || s.text[header] != '.' {
		return Finding{}, false
	}
	end := min(s.run(header, classDotted), i+longest)
	claims := s.text[header+1 : end]
	signed := strings.HasPrefix(claims, "eyJ")
	if parts := strings.Count(claims[:min(len(claims), 8<<10)], "."); parts < 1 || !signed && parts != 3 || len(claims) < 12 {
		return Finding{}, false
	}
	return Finding{JWT, i, end}, true
}

// findAzureClientSecret matches at the ~ of the "8Q~" that Azure puts in its secrets.
func findAzureClientSecret(s *scanner, i int) (Finding, bool) {
	start := i - 5
	if start < s.floor || s.text[i-1] != 'Q' || s.text[i-2] < '0' || s.text[i-2] > '9' {
		return Finding{}, false
	}
	set := classChars[classBearer]
	end := i + 1
	for end < len(s.text) && end-i < 64 && set[s.text[end]] && s.text[end] != '/' && s.text[end] != '+' && s.text[end] != '=' {
		end++
	}
	if n := end - i - 1; n < 31 || n > 36 {
		return Finding{}, false
	}
	return Finding{Azure, start, end}, true
}

// The checks look at no more than the beginning of what a prefix is followed by,
// so that a run that fails is not read again and again.
const checked = 64

func upperOrDigits(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// count says how many digits, upper and lower case letters s begins with.
func count(s string) (digits, upper, lower int) {
	var sum uint32
	for i := range min(len(s), checked) {
		sum += countOf[s[i]]
	}
	return int(sum & 0xff), int(sum >> 8 & 0xff), int(sum >> 16)
}

var countOf = func() (t [256]uint32) {
	for c := range t {
		switch {
		case c >= '0' && c <= '9':
			t[c] = 1
		case c >= 'A' && c <= 'Z':
			t[c] = 1 << 8
		case c >= 'a' && c <= 'z':
			t[c] = 1 << 16
		}
	}
	return t
}()

func hasDigit(s string) bool { d, _, _ := count(s); return d > 0 }

func mixed(s string) bool { d, u, l := count(s); return d > 0 && u > 0 && l > 0 }

// openAI tells a key with the bare prefix sk- from a name such as sk-fading-circle.
func openAI(s string) bool {
	d, u, l := count(s)
	return d > 0 && u > 0 && l > 0 || d >= 4 && len(s) >= 32 && strings.IndexByte(s[:32], '-') < 0
}

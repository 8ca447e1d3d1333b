package redact

import "strings"

// A writer that passes on what it reads in pieces breaks a secret in two: each
// piece is a text of its own, and neither is found by Text.

// joined is how much of two texts is looked at where they meet, in bytes.
const joined = 2 << 10

// named are the kinds that are known by a name or a form around them, and not by
// their own looks.
var named = map[Kind]bool{
	Password: true, Secret: true, Token: true, Key: true, Authorization: true, URLPassword: true, Cookie: true, Login: true, PasswordHash: true, Azure: true,
}

// rests are how a token may go on.
var rests = []string{strings.Repeat("aB3q", 5), strings.Repeat("aB3q", 9), strings.Repeat("aB3q", 16), strings.Repeat("0a1b", 6), strings.Repeat("0a1b", 16)}

// Cut gives a text without the beginning of a token that it ends with: one that
// would be found if it went on.
func (Keys) Cut(text string) string {
	word := lastWord(text)
	if len(word) < 8 || strings.HasSuffix(word, "]") || !strings.ContainsAny(word, "_-.0123456789") {
		return text
	}
	for _, rest := range rests {
		if f, ok := over(word, rest); ok && !named[f.Kind] && len(word)-f.Start >= 8 && !endsFound(word) {
			return text[:len(text)-len(word)+f.Start] + f.Kind.Placeholder()
		}
	}
	return text
}

// MayJoin reports quickly whether a text may begin with the rest of a secret.
func (Keys) MayJoin(text string) bool {
	word := strings.Trim(firstWord(strings.TrimLeft(text[:min(len(text), joined)], " \t")), `"'`)
	digits, upper, lower := count(word)
	return len(word) >= 4 && digits > 0 && upper+lower > 0 || len(word) >= 20 && scrambled(word)
}

// Join gives a text without the rest of a secret that began at the end of the text
// before it, or was named there.
func (k Keys) Join(before, text string) string {
	if !k.MayJoin(text) {
		return text
	}
	tail, word := lastWord(before), firstWord(text)
	if f, ok := over(tail, word); ok {
		part := word[:f.End-len(tail)]
		if !named[f.Kind] && !endsFound(tail) || len(part) >= 8 && k.MayJoin(part) {
			return f.Kind.Placeholder() + text[len(part):]
		}
	}
	line := before[strings.LastIndexAny(strings.TrimRight(before, "\r\n"), "\r\n")+1:]
	line = strings.TrimRight(line[max(0, len(line)-joined):], " \t\r\n")
	if !strings.HasSuffix(line, ":") && !strings.HasSuffix(line, "=") {
		return text
	}
	first, rest := text, ""
	if n := strings.IndexAny(text[:min(len(text), joined)], "\r\n"); n >= 0 {
		first, rest = text[:n], text[n:]
	}
	if len(first) > joined {
		return text
	}
	if out, found := Text(line + "\n" + first); len(found) == 1 && found[0].Start > len(line) {
		return out[len(line)+1:] + rest
	}
	return text
}

// over is the secret that begins in tail and ends in word, once they are joined.
func over(tail, word string) (Finding, bool) {
	if tail == "" || word == "" {
		return Finding{}, false
	}
	_, found := Text(tail + word)
	for _, f := range found {
		if f.Start < len(tail) && f.End > len(tail) {
			return f, true
		}
	}
	return Finding{}, false
}

// endsFound reports whether a secret is found at the end of text.
func endsFound(text string) bool {
	_, found := Text(text)
	return len(found) > 0 && found[len(found)-1].End == len(text)
}

func lastWord(text string) string {
	text = strings.TrimRight(text[max(0, len(text)-joined):], "\r\n")
	return text[strings.LastIndexAny(text, " \t\r\n")+1:]
}

func firstWord(text string) string {
	text = text[:min(len(text), joined)]
	if n := strings.IndexAny(text, " \t\r\n"); n >= 0 {
		return text[:n]
	}
	return text
}

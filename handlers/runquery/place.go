package runquery

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Place is what a caret in a query stands in, for completing it. The query
// need not be one that can be read.
type Place struct {
	From, To int    // the bytes that a completion takes the place of
	Key      string // canonical; empty: a word or a key
	Op       Op
	Typed    string // what of the word or value is there before the caret
}

// PlaceAt finds the place of byte at in text.
func PlaceAt(text string, at int) Place {
	at = max(0, min(at, len(text)))
	for at > 0 && at < len(text) && !utf8.RuneStart(text[at]) {
		at--
	}
	start, end := termAround(text, at)
	if start < at && text[start] == '-' {
		start++
	}
	p := parser{text: text, at: start}
	name, op := p.keyAndOp()
	key, known := KeyOf(name)
	value := start + len(name) + len(op)
	if name == "" || !known || at < value {
		return Place{From: start, To: end, Op: Is, Typed: unquoted(text[start:at])}
	}
	place := Place{From: value, To: end, Key: key.Name, Op: op}
	quoted := false
	for i := value; i < end; i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ',' && !quoted && i < at:
			place.From = i + 1
		case text[i] == ',' && !quoted:
			place.To = i
			end = i
		}
	}
	place.Typed = unquoted(text[place.From:at])
	return place
}

// termAround is where the term begins and ends that at stands in or at the end
// of; both are at where it stands between two.
func termAround(text string, at int) (start, end int) {
	quoted, inside := false, false
	for i, r := range text {
		switch space := unicode.IsSpace(r) && !quoted; {
		case space && inside && i >= at:
			return start, i
		case space:
			inside = false
		case !inside && i > at:
			return at, at
		case !inside:
			start, inside, quoted = i, true, r == '"'
		case r == '"':
			quoted = !quoted
		}
	}
	if inside {
		return start, len(text)
	}
	return at, at
}

// unquoted is the beginning of a value without its opening quote.
func unquoted(typed string) string {
	typed, quoted := strings.CutPrefix(typed, `"`)
	if quoted {
		typed = strings.TrimSuffix(typed, `"`)
	}
	return typed
}

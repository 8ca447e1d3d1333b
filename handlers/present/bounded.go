package present

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wavedeck/views"
)

// Bounds of what a row of a list shows of one text. The whole text is on the page,
// or in the JSON, of the thing that the row is about.
const (
	TextShown    = 300           // bytes of a text in a row
	NameShown    = 80            // bytes of a name that is that no address holds
	manyShown    = 24            // names in one field of a row
	LineShown    = 150           // bytes that the input or the reason of a run is of in a list, as HTML
	wordShown    = 40            // bytes that a tag, a branch or a step is of in a list, as HTML
	tagsListed   = 3             // tags of a run in a list
	nowListed    = 2             // steps of a run that go on, in a list
	AccountShown = 4 << 10       // bytes of a text that a row unfolds
	TextsWhole   = 32 << 10      // bytes of the text that a page is about
	openingRead  = 4 * TextShown // read of a text, so that a secret at the end of what is shown is known for one
)

// Opening is the beginning of a recorded text for a row.
func Opening(text string) string {
	return Redact(clipWhole(text, openingRead))
}

// BothEnds are the beginning and the end of a recorded text: a line that says what is
// wrong stands in one of the two.
func BothEnds(text string) string {
	if len(text) <= TextsWhole {
		return text
	}
	const half = TextsWhole / 2
	return clipWhole(text, half) + "\n…\n" + strings.ToValidUTF8(text[len(text)-half:], "")
}

// Whole is the beginning of a long text with its size, for a page that is about it.
func Whole(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return clipWhole(text, limit) + "…\n(cut: " + views.Bytes(int64(len(text))) + " in all)"
}

// Clip cuts s to at most n bytes between two characters and marks the cut.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return clipWhole(s, n) + "…"
}

// ClipMarkup cuts s to at most n bytes of HTML.
func ClipMarkup(s string, n int) string {
	for at, r := range s {
		switch r {
		case '<', '>':
			n -= len("&lt;")
		case '&', '"', '\'':
			n -= len("&amp;")
		default:
			n -= utf8.RuneLen(r)
		}
		if n < 0 {
			return Clip(s, at)
		}
	}
	return s
}

// clipWhole cuts s to at most n bytes between two characters as a reader sees
// them: marks and joiners stay with the letter before them, as far as that is near.
func clipWhole(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	for at, back := n, 0; at > 0 && back < 16; back++ {
		after, _ := utf8.DecodeRuneInString(s[at:])
		before, size := utf8.DecodeLastRuneInString(s[:at])
		if !joins(after) && before != '\u200d' {
			return s[:at]
		}
		at -= size
	}
	return s[:n]
}

// joins reports whether a character belongs to the one before it.
func joins(r rune) bool {
	return unicode.In(r, unicode.M, unicode.Variation_Selector) || r == '\u200d' || r >= 0x1f3fb && r <= 0x1f3ff
}

// BoundedName is a name that is not long. Long ones that differ still do.
func BoundedName(name string) string {
	if len(name) <= views.MaxName {
		return name
	}
	sum := fnv.New32a()
	sum.Write([]byte(name))
	return fmt.Sprintf("%s %08x", Clip(name, NameShown), sum.Sum32())
}

// Bounded is a row, of a page or of JSON, in which no text and no list of names is
// long. Addresses stay: what they are made of is short, see views.Paths.
func Bounded[T any](row T) T {
	boundIn(reflect.ValueOf(&row).Elem(), "", TextShown)
	return row
}

// BoundedTo is bounded with another limit for texts.
func BoundedTo[T any](row T, limit int) T {
	boundIn(reflect.ValueOf(&row).Elem(), "", limit)
	return row
}

//nolint:gochecknoglobals // a type
var timeType = reflect.TypeFor[time.Time]()

// boundIn bounds a value, the field of that name. What it changes it has copied: a
// slice or what a pointer leads to may be another's too.
func boundIn(v reflect.Value, field string, limit int) {
	switch v.Kind() {
	case reflect.String:
		if isName(field) {
			v.SetString(BoundedName(v.String()))
		} else if n := limitOf(field, limit); v.Len() > n {
			v.SetString(Clip(v.String(), n))
		}
	case reflect.Struct:
		if v.Type() == timeType {
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); v.Field(i).CanSet() && !isAddress(f.Name) {
				boundIn(v.Field(i), f.Name, limit)
			}
		}
	case reflect.Slice:
		boundSlice(v, field, limit)
	case reflect.Pointer:
		if v.IsNil() || v.Elem().Kind() != reflect.Struct || v.Elem().Type() == timeType {
			return
		}
		copied := reflect.New(v.Elem().Type())
		copied.Elem().Set(v.Elem())
		boundIn(copied.Elem(), field, limit)
		v.Set(copied)
	}
}

func boundSlice(v reflect.Value, field string, limit int) {
	kind := v.Type().Elem().Kind()
	if v.Len() == 0 || kind != reflect.String && kind != reflect.Struct && kind != reflect.Pointer {
		return
	}
	n := v.Len()
	if kind == reflect.String {
		n = min(n, manyShown)
	}
	copied := reflect.MakeSlice(v.Type(), n, n+1)
	reflect.Copy(copied, v)
	for i := range n {
		boundIn(copied.Index(i), field, limit)
	}
	if left := v.Len() - n; left > 0 {
		copied = reflect.Append(copied, reflect.ValueOf(fmt.Sprintf("… %d more", left)).Convert(v.Type().Elem()))
	}
	v.Set(copied)
}

// isAddress reports whether a field holds a link: half of one leads elsewhere.
func isAddress(field string) bool {
	switch field {
	case "Cursor", "Remove", "Rename", "Move", "Hook", "Link", "Href", "Refresh", "Complete", "OEmbed", "Share", "ActionAt", "In", "Out":
		return field != "In"
	}
	return strings.HasSuffix(field, "URL") || strings.HasSuffix(field, "Href")
}

// isName reports whether a field names something that has a page of its own.
func isName(field string) bool {
	switch field {
	case "ID", "RunID", "Run", "Pipeline", "PipelineName", "Name", "Step", "StepID", "Persona", "ParentRunID", "Value", "From", "To", "Blocked", "Dependencies":
		return true
	}
	return false
}

func limitOf(field string, limit int) int {
	if (field == "Text" || field == "Context") && limit == TextShown { // a row unfolds it
		return AccountShown
	}
	if field == "Tags" {
		return NameShown
	}
	return limit
}

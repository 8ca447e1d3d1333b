package legible_test

import (
	"testing"

	"wavedeck/views/legible"
)

func TestWhatIsNotSeenInANameIsMarked(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "build": "build", "two words": "two words", "größe": "größe", "日本": "日本", "שלום": "שלום", "👩\u200d💻": "👩\u200d💻", "⚠\ufe0f x": "⚠\ufe0f x",
		" a": "␣a", "a ": "a␣", " ": "␣", "a  b": "a ␣b", "\ta": "<U+0009>a", "a\nb": "a<U+000A>b", "a\x00b": "a<U+0000>b", "a\x7f": "a<U+007F>",
		"a\u0085": "a<U+0085>", "a\u00a0b": "a<U+00A0>b", "a\u202eb": "a<U+202E>b", "a\u2066b": "a<U+2066>b", "a\u200fb": "a<U+200F>b",
		"a\u200b": "a<U+200B>", "a\u200db": "a<U+200D>b", "\ufeffa": "<U+FEFF>a", "a\u00adb": "a<U+00AD>b", "a\ufe0f": "a<U+FE0F>", "a\u3164": "a<U+3164>",
		"a\U000e0041": "a<U+E0041>", "👩\u200d": "👩<U+200D>", "a\xffb": "a\ufffdb",
	} {
		got := legible.Name(name)
		if got != want {
			t.Errorf("%q is shown as %q, not %q", name, got, want)
		}
		if again := legible.Name(got); again != got {
			t.Errorf("%q, shown twice, becomes %q", got, again)
		}
	}
}

func TestWhatIsNotSeenInATextIsMarked(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "two  words \n\tand a line\r\n": "two  words \n\tand a line\r\n", "10\u00a0km": "10\u00a0km", "größe": "größe", "שלום": "שלום",
		"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", // Persian is written with it
		"\u0915\u094d\u200d\u0937":                         "\u0915\u094d\u200d\u0937", "👩\u200d💻 ⚠\ufe0f": "👩\u200d💻 ⚠\ufe0f",
		"a\u202eb": "a<U+202E>b", "a\u2028b": "a<U+2028>b", "a\u200bb": "a<U+200B>b", "a\u200db": "a<U+200D>b", "a\u200cb": "a<U+200C>b", "\ufeffa": "<U+FEFF>a",
		"a\u00adb": "a<U+00AD>b", "a\x00b": "a<U+0000>b", "a\x1b[31m": "a<U+001B>[31m", "a\u0085": "a<U+0085>", "a\u3164": "a<U+3164>", "a\U000e0041": "a<U+E0041>",
	} {
		if got := legible.Text(text); got != want {
			t.Errorf("%q is shown as %q, not %q", text, got, want)
		}
	}
}

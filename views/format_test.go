package views

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestDuration(t *testing.T) {
	tests := []struct {
		name   string
		d      time.Duration
		coarse bool
		want   string
	}{
		{"nothing measured in milliseconds", 0, false, "0 ms"},
		{"nothing measured in whole seconds is less than one", 0, true, "<1s"},
		{"milliseconds", 850 * time.Millisecond, false, "850 ms"},
		{"a coarse part of a second", 850 * time.Millisecond, true, "<1s"},
		{"a few seconds have tenths", 1460 * time.Millisecond, false, "1.4s"},
		{"a few coarse seconds have none", 3 * time.Second, true, "3s"},
		{"tenths are cut off and do not become ten", 9999 * time.Millisecond, false, "9.9s"},
		{"seconds", 15840 * time.Millisecond, false, "15s"},
		{"a minute", time.Minute, true, "1m 00s"},
		{"minutes", 4*time.Minute + 22*time.Second, true, "4m 22s"},
		{"just below an hour", time.Hour - time.Millisecond, false, "59m 59s"},
		{"hours", 63 * time.Minute, true, "1h 03m"},
		{"days", 52 * time.Hour, true, "2d 04h"},
		{"below zero is not known", -time.Second, true, "–"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := FormatDuration(test.d, test.coarse); got != test.want {
				t.Errorf("FormatDuration(%v, %v) = %q, want %q", test.d, test.coarse, got, test.want)
			}
		})
	}
}

func TestAgo(t *testing.T) {
	tests := []struct {
		name string
		at   time.Time
		want string
	}{
		{"no time", time.Time{}, "–"},
		{"this moment", noon, "now"},
		{"a clock that is a little ahead", noon.Add(30 * time.Second), "now"},
		{"what lies ahead is absolute", noon.Add(2 * time.Hour), "23 Nov 14:00 UTC"},
		{"seconds", noon.Add(-12 * time.Second), "12 s ago"},
		{"minutes", noon.Add(-119 * time.Second), "1 min ago"},
		{"hours", noon.Add(-24*time.Hour + time.Second), "23 h ago"},
		{"a day is absolute", noon.Add(-24 * time.Hour), "22 Nov 12:00 UTC"},
		{"another year is named", noon.AddDate(-1, 0, 0), "23 Nov 2025 12:00 UTC"},
		{"another zone is told in UTC", noon.Add(-48 * time.Hour).In(time.FixedZone("X", 5*3600)), "21 Nov 12:00 UTC"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Ago(test.at, noon); got != test.want {
				t.Errorf("Ago = %q, want %q", got, test.want)
			}
		})
	}
}

func TestDay(t *testing.T) {
	midnight := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		at   time.Time
		want string
	}{
		{"the first second of today", midnight, "Today, 23 Nov 2026 UTC"},
		{"the last second of yesterday", midnight.Add(-time.Second), "Yesterday, 22 Nov 2026 UTC"},
		{"before that the day of the week", midnight.Add(-25 * time.Hour), "Sat 21 Nov 2026 UTC"},
		{"tomorrow is a date", midnight.Add(24 * time.Hour), "Tue 24 Nov 2026 UTC"},
		{"no time", time.Time{}, "Start unknown"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Day(test.at, noon); got != test.want {
				t.Errorf("Day = %q, want %q", got, test.want)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	if got := Tokens(nil); got != "–" {
		t.Errorf("unknown tokens show as %q", got)
	}
	for n, want := range map[int64]string{
		-5: "-5", 0: "0", 999: "999", 1000: "1.0k", 24_940: "24.9k", 999_949: "999.9k", 999_950: "1.0M", 1_200_000: "1.2M", 2_500_000_000: "2.5G",
	} {
		if got := Tokens(&n); got != want {
			t.Errorf("Tokens(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1\u202f000", 18233: "18\u202f233", 1234567: "1\u202f234\u202f567", -18233: "-18\u202f233", -100: "-100",
		-9223372036854775808: "-9\u202f223\u202f372\u202f036\u202f854\u202f775\u202f808",
	} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{-1: "–", 0: "0 B", 812: "812 B", 1_482_332: "1.5 MB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	tests := []struct {
		name        string
		part, whole int
		want        string
	}{
		{"of nothing is not known", 0, 0, "–"},
		{"none", 0, 9, "0 %"},
		{"one of many is not none", 1, 1000, "<1 %"},
		{"nearly all is not all", 999, 1000, "99 %"},
		{"all", 7, 7, "100 %"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Percent(test.part, test.whole); got != test.want {
				t.Errorf("Percent(%d, %d) = %q, want %q", test.part, test.whole, got, test.want)
			}
		})
	}
}

func FuzzDOMID(f *testing.F) {
	f.Add("a b", "a_20b")
	f.Add("日本", "<b>")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := domID("run", a), domID("run", b)
		if (a == b) != (x == y) {
			t.Errorf("%q and %q have the ids %q and %q", a, b, x, y)
		}
		for _, r := range x {
			if r <= ' ' || r > '~' || r == '"' || r == '<' || r == '&' || r == '\'' {
				t.Errorf("id of %q holds %q", a, r)
			}
		}
	})
}

func TestMarked(t *testing.T) {
	tests := []struct{ name, text, line, before, hit, after string }{
		{"a line in the text", "a: b\nc", "b", "a: ", "b", "\nc"},
		{"a line that is not in it comes first", "text", "why", "", "why", "\ntext"},
		{"a line alone", "", "why", "", "why", ""},
		{"no line", "text", "", "text", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before, hit, after := marked(test.text, test.line)
			if before != test.before || hit != test.hit || after != test.after {
				t.Errorf("marked = %q, %q, %q", before, hit, after)
			}
		})
	}
}

func TestDeltaText(t *testing.T) {
	third, tiny, tenfold := 33.3, 0.2, 1100.0
	tests := []struct {
		name string
		d    Delta
		want string
	}{
		{"what is not known is not said", Delta{By: 5}, ""},
		{"the same is no percentage of anything", Delta{Known: true}, "0 %"},
		{"a share has its sign", Delta{Known: true, By: -5, Percent: &third}, "−33 %"},
		{"less than one per cent is not nothing", Delta{Known: true, By: 1, Percent: &tiny}, "<1 %"},
		{"many times as much is a factor", Delta{Known: true, By: 100, Percent: &tenfold}, "×12"},
		{"without a share the difference itself is said", Delta{Known: true, By: 34}, "+34"},
		{"of whole seconds it is about so long", Delta{Known: true, By: 3000, Time: true, Coarse: true}, "≈ +3s"},
		{"below what whole seconds can tell it is about nothing", Delta{Known: true, By: -11, Time: true, Coarse: true}, "≈ 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := DeltaText(test.d); got != test.want {
				t.Errorf("DeltaText(%+v) = %q, want %q", test.d, got, test.want)
			}
		})
	}
}

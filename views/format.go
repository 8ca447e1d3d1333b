package views

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// dash stands for what is not known. It is never a zero.
const dash = "–"

const day = 24 * time.Hour

// FormatDuration writes d to the two largest units that say something, cut off and
// never rounded up: "850 ms", "1.4s", "16s", "4m 22s", "1h 03m", "2d 04h". A
// coarse duration was measured in whole seconds: it has no decimals, and below
// one second it is "<1s".
func FormatDuration(d time.Duration, coarse bool) string {
	switch {
	case d < 0:
		return dash
	case coarse && d < time.Second:
		return "<1s"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second && !coarse:
		tenths := d.Milliseconds() / 100
		return fmt.Sprintf("%d.%ds", tenths/10, tenths%10)
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm %02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh %02dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd %02dh", d/day, d%day/time.Hour)
	}
}

// Ago writes t as seen at now: relative below 24 hours, absolute after that and
// for what lies ahead. Two clocks may disagree by a minute: that is "now".
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return dash
	case d < -time.Minute || d >= day:
		return Absolute(t, now)
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	default:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	}
}

// Absolute writes t in UTC with its zone, leaving out the year of now.
func Absolute(t, now time.Time) string {
	t = t.UTC()
	if t.Year() == now.UTC().Year() {
		return t.Format("2 Jan 15:04 UTC")
	}
	return t.Format("2 Jan 2006 15:04 UTC")
}

// Clock is the time of day in UTC, without its zone: the heading names it.
func Clock(t time.Time) string {
	if t.IsZero() {
		return dash
	}
	return t.UTC().Format("15:04:05")
}

// Day is the heading over what began on the day of t, in UTC.
func Day(t, now time.Time) string {
	if t.IsZero() {
		return "Start unknown"
	}
	date := t.UTC().Format("2 Jan 2006 UTC")
	switch days := now.UTC().Truncate(day).Sub(t.UTC().Truncate(day)) / day; days {
	case 0:
		return "Today, " + date
	case 1:
		return "Yesterday, " + date
	default:
		return t.UTC().Format("Mon ") + date
	}
}

// Tokens writes a count in three digits or so: "812", "24.9k", "1.2M".
func Tokens(n *int64) string {
	if n == nil {
		return dash
	}
	v := float64(*n)
	switch {
	case *n < 1000: // and what is below zero, as it was recorded
		return strconv.FormatInt(*n, 10)
	case v < 999_950:
		return fmt.Sprintf("%.1fk", v/1e3)
	case v < 999_950_000:
		return fmt.Sprintf("%.1fM", v/1e6)
	default:
		return fmt.Sprintf("%.1fG", v/1e9)
	}
}

// Bytes writes a size in decimal units; below zero is not known.
func Bytes(n int64) string {
	if n < 0 {
		return dash
	}
	return humanize.Bytes(uint64(n))
}

// Number groups digits by threes with a narrow space that does not break: "18 233".
func Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// Plural counts a noun: "1 run", "4 runs".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(int64(n)) + " " + many
}

// Percent is part of whole in whole percent; it says 100 only when nothing is
// missing, and 0 only when there is nothing.
func Percent(part, whole int) string {
	if whole <= 0 {
		return dash
	}
	p := part * 100 / whole
	if p == 0 && part > 0 {
		return "<1 %"
	}
	return strconv.Itoa(p) + " %"
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// iso is for the datetime attribute; the zero time has none.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func isoDuration(d time.Duration) string {
	return "PT" + strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "S"
}

func itoa(n int) string { return strconv.Itoa(n) }

func itoa64(n int64) string { return strconv.FormatInt(n, 10) }

// domID makes a DOM id of a name that may hold any text: letters, digits, "-"
// and "." stay, every other byte becomes "_" and two hex digits, so that
// different names have different ids. A long name becomes its hash.
func domID(kind, name string) string {
	var b strings.Builder
	b.WriteString(kind)
	b.WriteByte('-')
	if len(name) > MaxName {
		sum := sha256.Sum256([]byte(name))
		return b.String() + hex.EncodeToString(sum[:16])
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

// firstLine is the first line that holds anything.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

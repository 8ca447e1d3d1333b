package timeline

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"wavedeck/views/legible"
)

// dash stands for what is not known.
const dash = "–"

// length writes milliseconds in the two largest units that say something, cut
// off: "850 ms", "1.4s", "16s", "4m 22s", "8h 12m", "2d 04h". A coarse length
// was measured in whole seconds.
func length(ms int64, coarse bool) string {
	s := ms / 1000
	switch {
	case coarse && ms < 1000:
		return "<1s"
	case ms < 1000:
		return strconv.FormatInt(ms, 10) + " ms"
	case ms < 10_000 && !coarse:
		return fmt.Sprintf("%d.%ds", s, ms%1000/100)
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm %02ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh %02dm", s/3600, s%3600/60)
	default:
		return fmt.Sprintf("%dd %02dh", s/86400, s%86400/3600)
	}
}

// exact writes a place on the time axis, leaving out the units that are zero:
// "0s", "250 ms", "1.5s", "1m 30s", "8h 12m 32s".
func exact(ms int64) string {
	if ms > 0 && ms < 1000 {
		return strconv.FormatInt(ms, 10) + " ms"
	}
	var parts []string
	rest := ms
	for _, unit := range [...]struct {
		ms   int64
		name string
	}{{86_400_000, "d"}, {3_600_000, "h"}, {60_000, "m"}} {
		if n := rest / unit.ms; n > 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+unit.name)
		}
		rest %= unit.ms
	}
	if rest > 0 || len(parts) == 0 {
		parts = append(parts, strconv.FormatFloat(float64(rest)/1000, 'f', -1, 64)+"s")
	}
	return strings.Join(parts, " ")
}

// count writes a number of tokens in three digits or so: "812", "24.9k", "1.2M".
func count(n int64) string {
	v := float64(n)
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10)
	case v < 999_950:
		return fmt.Sprintf("%.1fk", v/1e3)
	case v < 999_950_000:
		return fmt.Sprintf("%.1fM", v/1e6)
	default:
		return fmt.Sprintf("%.1fG", v/1e9)
	}
}

// roundCount is count of a round number: "25k".
func roundCount(n int64) string { return strings.Replace(count(n), ".0", "", 1) }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// percent writes a thousandth of a percent as an SVG length.
func percent(x int) string {
	return strconv.FormatFloat(float64(x)/1000, 'f', -1, 64) + "%"
}

func (r *Row) name() string {
	return legible.Name(cmp.Or(r.Label, r.ID))
}

func (r *Row) word() string {
	if r.Word != "" {
		return r.Word
	}
	return knownState(r.State)
}

// attempts is how many there were, as the spans count them.
func (r *Row) attempts() int {
	n := 0
	for _, s := range r.Attempts {
		if s.Kind.known() == Work {
			n = max(n, s.Attempt, 1)
		}
	}
	return n
}

// note says why a lane did not run, or what the caller says of it.
func (r *Row) note() string {
	if r.Note == "" && r.Blocked != "" {
		return "blocked by " + legible.Name(r.Blocked)
	}
	return legible.Name(r.Note)
}

// second is what stands beside the name, in less prominent letters.
func (r *Row) second() string {
	if r.Alert != "" {
		return r.Alert
	}
	if note := r.note(); note != "" {
		return note
	}
	return legible.Name(r.Detail)
}

// label is the name and what stands beside it, for where they are cut off.
func (r *Row) label() string {
	if second := r.second(); second != "" {
		return r.name() + " · " + second
	}
	return r.name()
}

// untimed reports whether the lane must have run at a time that nobody recorded.
func (r *Row) untimed(scale Scale) bool {
	if scale != ByTime || r.Ran || r.toCome() {
		return false
	}
	if len(r.Attempts) > 0 {
		return true
	}
	switch knownState(r.State) {
	case "skipped", "unknown", "pending", "queued":
		return false
	default:
		return len(r.Children) == 0
	}
}

// words say the whole row behind its name.
func (r *Row) words(scale Scale) string {
	parts := []string{"", r.word()}
	add := func(when bool, text string) {
		if when {
			parts = append(parts, text)
		}
	}
	add(r.Alert != "", r.Alert)
	add(r.note() != "", r.note())
	if scale == ByTime {
		add(r.Ran, "starts at "+exact(r.Extent.From))
	}
	add(r.untimed(scale), "times not recorded")
	add(r.Duration != "", "took "+r.Duration)
	n := r.attempts()
	add(n > 0, plural(n, "attempt", "attempts"))
	if r.Tokens != nil {
		add(true, count(*r.Tokens)+" tokens")
	} else {
		add(scale == ByTokens && r.Ran, "tokens not recorded")
	}
	add(r.Critical, "critical")
	add(r.Before, "before this window")
	add(r.After, "after this window")
	add(len(r.Children) > 0, r.kin())
	return strings.Join(parts, ", ")
}

// kin counts what is nested: "4 of 4 ended, 1 failed".
func (r *Row) kin() string {
	text := fmt.Sprintf("%d of %d ended", r.Ended, len(r.Children))
	if r.Failed > 0 {
		text += fmt.Sprintf(", %d failed", r.Failed)
	}
	return text
}

// title says a bar in words.
func (b *Bar) title(scale Scale) string {
	var what string
	switch b.Mark {
	case Mark(Queued):
		what = "queued"
	case Mark(Contract):
		what = "contract check"
	case Mark(Wait):
		what = "waiting for a human"
	case Mark(Backoff):
		what = "back-off"
	case ToCome:
		return "not run"
	case Sum:
		what = "child runs"
	default:
		what = b.State
	}
	if b.Attempt > 0 {
		what = "attempt " + strconv.Itoa(b.Attempt) + ", " + what
	}
	switch {
	case b.Mark == Unknown:
		return what + ": tokens not recorded"
	case scale == ByTokens:
		return what + ": " + count(b.Length) + " tokens"
	case b.Open:
		return what + ": " + length(b.Length, b.Coarse) + " so far"
	default:
		return what + ": " + length(b.Length, b.Coarse)
	}
}

package criteria

import (
	"math"
	"strings"
	"unicode/utf8"

	"wavedeck/store/wave"
)

// How much of the texts of a run is searched, in bytes.
const (
	searchBytes = 1024            // of an input and an error; longer ones are prose and code
	InputBytes  = 4 * searchBytes // read, so that a secret at the end of what is searched is known for one
)

// SearchText is the part of a recorded text that is searched: the beginning of
// what a reader sees of it, in lower case. A zero byte would join what are two texts.
func SearchText(shown func(string) string, text string) string {
	return strings.ToLower(strings.ReplaceAll(ClipBytes(shown(ClipBytes(text, InputBytes)), searchBytes), "\x00", " "))
}

// ClipBytes is the beginning of a text, cut between two characters.
func ClipBytes(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// DurationSeconds is how long an ended run took by its row; -1: not known.
func DurationSeconds(state wave.State, started, completed int64) int32 {
	if state == wave.Lost || !state.Ended() || started <= 0 || completed < started || completed-started > math.MaxInt32 {
		return -1
	}
	return int32(completed - started) //nolint:gosec // it fits
}

package runner

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxText bounds an input in bytes: Linux gives a process no argument and no
// variable longer than 128 KiB.
const MaxText = 120 << 10

// CheckText says what makes a text unfit to be handed to a process.
func CheckText(text string) error {
	switch {
	case strings.ContainsRune(text, 0):
		return errors.New("holds a NUL character")
	case !utf8.ValidString(text):
		return errors.New("is not valid UTF-8")
	case len(text) > MaxText:
		return fmt.Errorf("is longer than %d bytes", MaxText)
	default:
		return nil
	}
}

// plainName is what a name must be to become a part of a path and of an id.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$`)

// CheckName says what makes a name of a run, a pipeline or a step unfit to
// name a folder.
func CheckName(name string) error {
	if !plainName.MatchString(name) {
		return errors.New("may hold letters, digits, dots, dashes and underscores only")
	}
	return nil
}

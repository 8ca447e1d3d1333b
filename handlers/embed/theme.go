package embed

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/image/colornames"

	"wavedeck/handlers/present"
	"wavedeck/store/criteria"
	"wavedeck/views"
)

// theme is the appearance of an embedded fragment.
type theme struct {
	views.Look
	zone *time.Location // nil: UTC
	vars string         // the theme variables of the address, as a query; empty: none
	set  []themeVar
}

type themeVar struct{ name, value string }

// Theme variables that an address may set.
//
//nolint:gochecknoglobals // lists cannot be constants
var (
	themeColours = []string{
		"--wd-bg", "--wd-raise", "--wd-line", "--wd-edge", "--wd-text", "--wd-dim", "--wd-accent",
		"--wd-pending", "--wd-running", "--wd-ok", "--wd-failed", "--wd-waiting", "--wd-cancelled",
	}
	themeLengths = []string{"--wd-row", "--wd-pad"}
)

var (
	hexColour  = regexp.MustCompile(`^#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$`)
	funcColour = regexp.MustCompile(`^(rgba?|hsla?|hwb|lab|lch|oklab|oklch)\([0-9a-z.,%/ +-]{1,60}\)$`)
	length     = regexp.MustCompile(`^([0-9]{1,3}(\.[0-9]{1,3})?(px|rem|em|ch|pt)|0)$`)
)

// parseTheme reads the parameters of a fragment:
//
//	theme=auto|light|dark  density=compact|comfortable  live=off|poll|sse
//	tz=UTC|local|NAME      moments instead of ages; a name such as Europe/Berlin
//	--wd-NAME=VALUE        a colour or a length of the theme
//
// Errors are *store.InputError.
func parseTheme(q url.Values) (theme, error) {
	var l theme
	var err error
	choose := func(key string, from ...string) string {
		value := cmp.Or(q.Get(key), from[0])
		if !slices.Contains(from, value) && err == nil {
			err = &criteria.InputError{Field: key, Got: present.Clip(value, 64), Want: strings.Join(from, " or ")}
		}
		return value
	}
	l.Theme = choose("theme", "auto", "light", "dark")
	l.Density = choose("density", "compact", "comfortable")
	l.Live = choose("live", "poll", "off", "sse")
	if err != nil {
		return l, err
	}
	if l.zone, err = parseZone(q.Get("tz")); err != nil {
		return l, err
	}
	l.Zone = q.Get("tz")
	return l, l.parseVars(q)
}

// parseZone reads the name of a zone; what only the browser knows is UTC here.
func parseZone(name string) (*time.Location, error) {
	switch name {
	case "", "UTC", "local":
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || len(name) > 64 || name == "Local" {
		return nil, &criteria.InputError{Field: "tz", Got: present.Clip(name, 64), Want: "UTC, local or the name of a zone such as Europe/Berlin"}
	}
	return zone, nil
}

func (l *theme) parseVars(q url.Values) error {
	kept := url.Values{}
	for key, values := range q {
		if !strings.HasPrefix(key, "--") {
			continue
		}
		value := strings.TrimSpace(values[0])
		switch {
		case slices.Contains(themeColours, key):
			if !isColour(value) {
				return &criteria.InputError{Field: key, Got: present.Clip(value, 64), Want: "a color such as #0d8651 or rgb(13 134 81)"}
			}
		case slices.Contains(themeLengths, key):
			if !length.MatchString(value) {
				return &criteria.InputError{Field: key, Got: present.Clip(value, 64), Want: "a length such as 28px or 2rem"}
			}
		default:
			return &criteria.InputError{Field: "theme variable", Got: present.Clip(key, 64), Want: "one of " + strings.Join(slices.Concat(themeColours, themeLengths), ", ")}
		}
		kept.Set(key, value)
		l.set = append(l.set, themeVar{key, value})
	}
	slices.SortFunc(l.set, func(a, b themeVar) int { return strings.Compare(a.name, b.name) })
	l.vars = kept.Encode()
	return nil
}

func isColour(value string) bool {
	if hexColour.MatchString(value) || funcColour.MatchString(value) {
		return true
	}
	_, named := colornames.Map[strings.ToLower(value)]
	return named
}

// css sets the theme variables. They have been checked: none can end its rule.
func (l *theme) css() string {
	var b strings.Builder
	b.WriteString(":root{")
	for _, v := range l.set {
		b.WriteString(v.name + ":" + v.value + ";")
	}
	b.WriteString("}\n")
	return b.String()
}

// time writes a moment so that it stays true however long the fragment is kept.
func (l *theme) time(t, now time.Time, clock bool) string {
	zoned := t.In(cmp.Or(l.zone, time.UTC))
	if clock {
		return zoned.Format("15:04:05")
	}
	if zoned.Year() == now.In(zoned.Location()).Year() {
		return zoned.Format("2 Jan 15:04:05 MST")
	}
	return zoned.Format("2 Jan 2006 15:04 MST")
}

package runview

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"wavedeck/handlers/web"
	"wavedeck/views"
)

// LogLine is a line's permalink.
func (rv *Reader) LogLine(run string, keep url.Values, line int64) string {
	q := url.Values{"L": {strconv.FormatInt(line, 10)}}
	maps.Copy(q, keep)
	return rv.Paths.Log(run, "", q) + "#" + views.LogAnchor(line)
}

// FileName keeps of a name what every file system takes.
func FileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, name)
	if len(name) > 120 {
		name = name[len(name)-120:]
	}
	return strings.TrimLeft(name, ".")
}

// BreakOff ends an answer that has begun and cannot go on: what is there must not
// look whole.
func (rv *Reader) BreakOff(ctx context.Context, err error) error {
	if ctx.Err() == nil && web.Describe(err).Status != web.StatusClientClosed {
		rv.Log.ErrorContext(ctx, "failed to send the rest of a response", "request", web.RequestID(ctx), "err", err)
	}
	panic(http.ErrAbortHandler)
}

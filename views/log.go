package views

import (
	"context"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"wavedeck/views/ansi"
)

// LogView is a run's log.
type LogView struct {
	RunView
	Log Log
}

// Log is a window of a log with all that leads to other windows of it. A line's
// number is its link for ever: of events it is the id.
type Log struct {
	Of       string // what it is the log of, for those who listen
	Missing  string // why there is none; empty: there is one
	Form     LogForm
	Hits     LogHits
	Block    LogBlock
	End      LogEnd
	Target   int64  // the line to open at; 0: the beginning of the window
	AtEnd    bool   // open at the end, and follow
	Clock    string // how times are shown: "none", "clock" or "since"
	Wrap     bool
	Fragment string // URL of the blocks, to which before= or after= is added
	Places   []Option
	Steps    []Option // where each step, or attempt at it, begins
	Clocks   []Option
	Wraps    []Option
	Sources  []Option
	Download []Option
}

// LogForm is the filter.
type LogForm struct {
	Action string
	Step   string
	State  string
	Text   string
	All    bool // hits are marked among all lines, not listed alone
	Narrow bool
	Steps  []string
	States []Option
	Keep   url.Values // what the form has no field for
	Clear  string
	Plain  bool // lines have no step and no state
}

// LogHits is what the filter found in the whole log.
type LogHits struct {
	Known bool
	Text  string // "123 hits"
	Prev  string // links
	Next  string
}

// LogEnd is what comes after the last line.
type LogEnd struct {
	URL   string // of this fragment; empty: it does not change
	Text  string
	Last  int64 // the number of the last line there is
	Total int64 // how many there are
	Page  string
}

// LogBlock is a window of lines.
type LogBlock struct {
	First, Last int64 // the lines that it accounts for, shown or left out by the filter
	Count       int   // lines of text
	Groups      []LogGroup
	Earlier     LogMore
	Later       LogMore
}

// LogMore leads on: to the fragment, and to the page without scripts. The zero
// value is nothing.
type LogMore struct{ URL, Page string }

// LogGroup is lines of one attempt at a step in a row.
type LogGroup struct {
	Label string
	More  bool // it goes on from the block before
	Lines []LogLine
}

// LogLine is an event, or a line of a file.
type LogLine struct {
	No    int64
	Href  string // its permalink
	At    time.Time
	Since time.Duration // from the start of the run
	Step  string        // where lines of steps are mixed
	State string
	Tone  string // derived state whose colour fits, or empty
	Text  []ansi.Line
	Facts string // tokens, duration, model
	Left  string // what is left out of a long text
	Whole string // the link to all of it
	Mark  bool
	Hit   bool
}

// LogAnchor is the DOM id of a line.
func LogAnchor(no int64) string { return "L" + strconv.FormatInt(no, 10) }

func (l LogLine) class() string {
	class := "l"
	if l.Mark {
		class += " mk"
	}
	if l.Hit {
		class += " hit"
	}
	switch tone := l.Tone; tone {
	case "failed", "rejected":
		class += " bad"
	}
	return class
}

func (l LogLine) tone() string {
	if l.Tone == "" {
		return "dim"
	}
	return knownState(l.Tone)
}

// since is a time from the start of the run: "+1m 03s".
func since(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-d, true)
	}
	if d < time.Second {
		return "+0s"
	}
	return "+" + FormatDuration(d, true)
}

func (l LogLine) text() templ.Component { return ansiLines(l.Text) }

// ansiLines shows the output of a terminal. It is no template because those put
// white space between elements, which counts here.
func ansiLines(lines []ansi.Line) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for i, line := range lines {
			if i > 0 {
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err
				}
			}
			if err := line.View().Render(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// logClass is how the lines are laid out.
func logClass(l Log) string {
	class := []string{"lines"}
	if !l.Wrap {
		class = append(class, "nowrap")
	}
	if l.Form.Plain {
		class = append(class, "plain")
	}
	if l.Clock != "clock" && l.Clock != "since" || l.Form.Plain {
		class = append(class, "notime")
	}
	return strings.Join(class, " ")
}

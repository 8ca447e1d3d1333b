package views

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"wavedeck/views/legible"
)

// CompareView is two runs side by side; left is asked about, right is what it is
// measured by.
type CompareView struct {
	Layout
	Left, Right         *RunRow // Left nil: none is chosen yet; Right nil: there is none
	LeftName, RightName string  // as the form shows them
	Why                 string  // why Right was chosen; empty when it was named
	None                string  // why there is no Right
	SwapURL             string
	Refresh             string // set while one of them goes on
	Other               OtherPipeline
	First               *FirstDifference // nil: none
	FirstOutput         *OutputRef       // the first output with another content
	Unended             bool             // one of them goes on: what is the same may still change
	Facts               []CompareFact
	InputDiffers        bool
	Input               CompareText
	Steps               []CompareStep
	Loose               []CompareOutput // outputs of no known step
	OutputsMore         int             // outputs that were not looked at
}

// OtherPipeline says that the runs are of two pipelines; zero when they are not.
type OtherPipeline struct {
	Left, Right         string
	Shared              int
	OnlyLeft, OnlyRight []string // ids of steps
}

// FirstDifference is where the runs part.
type FirstDifference struct {
	Step        string // empty: of the runs as a whole
	Attempt     int    // from 1; 0: of the step as a whole
	Fact        string
	Left, Right string
}

// OutputRef leads to an output of the comparison.
type OutputRef struct {
	Step, Name string
	Attempt    int
	Anchor     string
}

// CompareFact is one thing that is known of either run.
type CompareFact struct {
	Name        string
	Left, Right CompareSide
	Differs     bool
	First       bool
	Delta       Delta
}

// CompareSide is what one run says; the first of the parts that is there.
type CompareSide struct {
	Duration *Duration
	Count    *int64
	State    string // a derived state, whose word is Text
	Text     string
	Title    string // all of Text, when it is cut
}

// Delta is how much more the left is than the right.
type Delta struct {
	Known   bool
	By      int64    // milliseconds when Time
	Percent *float64 // of the right
	Coarse  bool
	Time    bool
}

// CompareStep is a step of either run or of both.
type CompareStep struct {
	ID                  string
	Only                string // "left" or "right"; empty: both have it
	State, RightState   string
	Differs, First      bool
	Differing           []string // what differs, in words
	LeftHref, RightHref string
	Facts               []CompareFact
	Attempts            []CompareAttempt
	Outputs             []CompareOutput
}

// CompareAttempt is one try on both sides.
type CompareAttempt struct {
	Number int
	Only   string
	First  bool
	Facts  []CompareFact
}

// CompareOutput is one output on both sides.
type CompareOutput struct {
	Name        string
	Attempt     int
	Anchor      string
	Verdict     string // same, differs, only_left, only_right, same_file, missing_left, missing_right, missing_both, unknown
	Note        string
	First       bool
	Delta       Delta
	Left, Right *OutputSide
	Text        CompareText
}

// OutputSide is one run's file; Size below 0: there is none.
type OutputSide struct {
	Href    string
	Size    int64
	Refused string
}

// CompareText is a diff of two texts.
type CompareText struct {
	Diff           templ.Component // nil: none
	Removed, Added int
	LeftOut        int
}

// OutputAnchor is the DOM id of an output in a comparison.
func OutputAnchor(step, name string, attempt int) string {
	return domID("out", step+"/"+name+"/"+strconv.Itoa(attempt))
}

// DeltaText writes a difference: "+12 %", "≈ +3s" where only whole seconds are
// known, "+34" where there is nothing to take a share of.
func DeltaText(d Delta) string {
	if !d.Known {
		return ""
	}
	about := ""
	if d.Coarse {
		about = "≈ "
	}
	switch {
	case d.Coarse && (d.By == 0 || d.Time && max(d.By, -d.By) < 1000):
		return "≈ 0"
	case d.By == 0:
		return "0 %"
	case d.Percent != nil && *d.Percent < 1000:
		p := math.Round(*d.Percent)
		if p == 0 {
			return about + "<1 %"
		}
		return about + signed(fmt.Sprintf("%.0f", math.Abs(p)), d.By) + " %"
	case d.Percent != nil:
		return about + "×" + fmt.Sprintf("%.0f", *d.Percent/100+1)
	case d.Time:
		return about + signed(FormatDuration(time.Duration(max(d.By, -d.By))*time.Millisecond, d.Coarse), d.By)
	default:
		return about + signed(Number(max(d.By, -d.By)), d.By)
	}
}

func signed(text string, by int64) string {
	if by < 0 {
		return "−" + text
	}
	return "+" + text
}

func onlyWords(only string) string {
	if only == "" {
		return ""
	}
	return "only on the " + only
}

// verdictWords says what was found of an output's two files.
func verdictWords(o CompareOutput) string {
	switch o.Verdict {
	case "same":
		return "the same content"
	case "differs":
		if o.Text.Removed+o.Text.Added > 0 {
			return "differs: " + Plural(o.Text.Removed, "line", "lines") + " only on the left, " + Number(int64(o.Text.Added)) + " only on the right"
		}
		return "differs"
	case "only_left":
		return "only on the left"
	case "only_right":
		return "only on the right"
	case "same_file":
		return "one file"
	case "missing_left":
		return "no file on the left"
	case "missing_right":
		return "no file on the right"
	case "missing_both":
		return "no file on either side"
	default:
		return "unknown"
	}
}

func outputName(name string, attempt int) string {
	if attempt == 0 {
		return legible.Name(name)
	}
	return legible.Name(name) + ", attempt " + strconv.Itoa(attempt)
}

func firstPlace(f FirstDifference) string {
	if f.Step == "" {
		return "The runs as a whole"
	}
	if f.Attempt > 0 {
		return f.Step + ", attempt " + strconv.Itoa(f.Attempt)
	}
	return f.Step
}

func sameClass(f CompareFact) string {
	if f.Differs || f.Delta.Known {
		return ""
	}
	return "dim"
}

// compareSummary is a step's line while it is folded.
func compareSummary(s CompareStep) string {
	switch {
	case s.Only != "":
		return onlyWords(s.Only)
	case len(s.Differing) > 0:
		return "differs: " + strings.Join(s.Differing, ", ")
	case s.Differs:
		return "differs"
	default:
		return "the same"
	}
}

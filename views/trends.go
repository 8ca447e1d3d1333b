package views

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TrendsView is how a pipeline did over its last runs.
type TrendsView struct {
	Layout
	Pipeline string
	Points   []TrendPoint // oldest first
	Stats    Stats
	Failures []FailureRow
	Steps    []SpreadRow // slowest first
	Cost     string      // of all of them, an estimate; empty where no prices are given
	Refresh  string
}

// TrendPoint is one run.
type TrendPoint struct {
	ID, State, Word string
	Started         time.Time
	Duration        Duration
	Tokens          *int64
	Cost            *float64 // an estimate; nil: not known
	CostText        string   // empty where no prices are given
}

// FailureRow is one failure over many runs.
type FailureRow struct {
	Line        string // of the newest
	Key         string // what all of them have in common
	Count       int
	First, Last time.Time
	NewestURL   string
	ListURL     string // the runs that did not end well between first and last
}

// SpreadRow is one step over those runs.
type SpreadRow struct {
	Step               string
	Runs, Attempts     int
	P50, P90           time.Duration
	Timed              int
	Coarse             bool
	Tokens50, Tokens90 int64
	Counted            int
}

// chart is a row of marks over an axis that a few outliers do not flatten.
type chart struct {
	ID, Title string
	Ticks     []chartTick
	Lines     []chartLine
	Marks     []chartMark
	Unknown   int // points without a value: there is a gap
	Above     int // points above the axis, drawn at its top
	Top       string
}

type chartTick struct{ Y, Label string }

type chartLine struct{ X1, Y1, X2, Y2 string }

type chartMark struct {
	X, Y, State, Href, Title string
	Above                    bool
}

// Places in a chart, in pixels from its top.
const (
	chartTop    = 16
	chartBottom = 104
)

// durationSteps are the steps of an axis of time, in milliseconds.
var durationSteps = []float64{ //nolint:gochecknoglobals // never written
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3,
	3600e3, 7200e3, 14400e3, 21600e3, 43200e3, 86400e3, 172800e3, 604800e3,
}

func durationChart(v TrendsView) chart {
	return newChart(v, "took", "Duration", durationSteps,
		func(p TrendPoint) (float64, bool) {
			return float64(p.Duration.D.Milliseconds()), p.Duration.Known && p.Duration.Since.IsZero()
		},
		func(ms float64) string {
			if ms == 0 {
				return "0"
			}
			text := FormatDuration(time.Duration(ms)*time.Millisecond, ms >= 1000)
			return strings.TrimSuffix(strings.TrimSuffix(text, " 00s"), " 00m") // the ticks are whole
		})
}

func tokensChart(v TrendsView) chart {
	var steps []float64
	for decade := 1.0; decade < 1e13; decade *= 10 {
		steps = append(steps, decade, 2*decade, 5*decade)
	}
	return newChart(v, "tokens", "Tokens", steps,
		func(p TrendPoint) (float64, bool) {
			if p.Tokens == nil || *p.Tokens < 0 {
				return 0, false
			}
			return float64(*p.Tokens), true
		},
		func(n float64) string { count := int64(n); return Tokens(&count) })
}

// costChart has the estimates of the runs; a lower bound stands where it is.
func costChart(v TrendsView) chart {
	var steps []float64
	for decade := 1e-6; decade < 1e9; decade *= 10 {
		steps = append(steps, decade, 2*decade, 5*decade)
	}
	c := newChart(v, "cost", "Cost, estimated", steps,
		func(p TrendPoint) (float64, bool) {
			if p.Cost == nil {
				return 0, false
			}
			return *p.Cost, true
		},
		func(amount float64) string { return strconv.FormatFloat(amount, 'g', 3, 64) })
	texts := map[string]string{}
	for _, p := range v.Points {
		texts[v.Paths.Run(p.ID)] = join(", ", p.CostText, wordOf(p.State, p.Word), p.ID)
	}
	for i := range c.Marks {
		c.Marks[i].Title = texts[c.Marks[i].Href]
	}
	return c
}

func newChart(v TrendsView, id, title string, steps []float64, value func(TrendPoint) (float64, bool), label func(float64) string) chart {
	c := chart{ID: id, Title: title}
	var values []float64
	for _, p := range v.Points {
		if n, ok := value(p); ok {
			values = append(values, n)
		}
	}
	top, step := axisTop(values, steps)
	for at := 0.0; at <= top*1.0001 && step > 0; at += step {
		c.Ticks = append(c.Ticks, chartTick{Y: chartY(at, top), Label: label(at)})
	}
	c.Top = label(top)
	last := -1
	for i, p := range v.Points {
		n, ok := value(p)
		if !ok {
			c.Unknown++
			continue
		}
		x := chartX(i, len(v.Points))
		m := chartMark{X: x, Y: chartY(n, top), State: p.State, Href: v.Paths.Run(p.ID), Above: n > top}
		m.Title = join(", ", label(n), wordOf(p.State, p.Word), p.ID)
		if m.Above {
			c.Above++
		}
		if last == i-1 && len(c.Marks) > 0 {
			before := c.Marks[len(c.Marks)-1]
			c.Lines = append(c.Lines, chartLine{before.X, before.Y, x, m.Y})
		}
		c.Marks = append(c.Marks, m)
		last = i
	}
	return c
}

// axisTop is where an axis ends, and its step. It holds all values, unless the
// largest are more than three times what nine of ten stay below: a single run
// that hung would make all others one flat line.
func axisTop(values, steps []float64) (top, step float64) {
	if len(values) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(values))
	most := sorted[len(sorted)-1]
	if p90 := sorted[(len(sorted)*9+9)/10-1]; len(sorted) >= 5 && p90 > 0 && most > 3*p90 {
		most = 1.5 * p90
	}
	if most <= 0 {
		return 1, 1
	}
	for _, step = range steps {
		if step*4 >= most {
			break
		}
	}
	return max(step*math.Ceil(most/step), step), step
}

// chartX leaves room for the labels of the axis.
func chartX(i, n int) string {
	const labels = 8
	return strconv.FormatFloat(labels+math.Round((float64(i)+0.5)/float64(n)*(100-labels)*100)/100, 'f', -1, 64) + "%"
}

func chartY(value, top float64) string {
	if top <= 0 {
		return itoa(chartBottom)
	}
	share := min(value/top, 1)
	return strconv.FormatFloat(math.Round((chartBottom-share*(chartBottom-chartTop))*10)/10, 'f', -1, 64)
}

// chartNote says what a chart does not show by itself.
func chartNote(c chart) string {
	above, unknown := "", ""
	if c.Above > 0 {
		above = Plural(c.Above, "run is", "runs are") + " above the axis, which ends at " + c.Top
	}
	if c.Unknown > 0 {
		unknown = "unknown for " + Plural(c.Unknown, "run", "runs")
	}
	return join("; ", above, unknown)
}

func spreadText(p50, p90 time.Duration, n int, coarse bool) string {
	if n == 0 {
		return ""
	}
	if n < 5 || p90 <= p50 {
		return FormatDuration(p50, coarse)
	}
	return FormatDuration(p50, coarse) + " – " + FormatDuration(p90, coarse)
}

func tokenSpread(s SpreadRow) string {
	switch {
	case s.Counted == 0:
		return ""
	case s.Counted < 5 || s.Tokens90 <= s.Tokens50:
		return Tokens(&s.Tokens50)
	default:
		return Tokens(&s.Tokens50) + " – " + Tokens(&s.Tokens90)
	}
}

// costliest is the step whose attempts typically spend most; empty when no
// tokens are known.
func costliest(steps []SpreadRow) string {
	best := ""
	var most int64
	for _, s := range steps {
		if s.Counted > 0 && s.Tokens50 > most {
			best, most = s.Step, s.Tokens50
		}
	}
	return best
}

package views

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAxisTop(t *testing.T) {
	cases := []struct {
		name      string
		values    []float64
		top, step float64
	}{
		{"without values there is no axis", nil, 0, 0},
		{"zeros only have one step", []float64{0, 0}, 1, 1},
		{"the axis ends at a whole step above all values", []float64{61_000, 95_000}, 120_000, 30_000},
		{"one that hung does not flatten the others", []float64{10, 11, 12, 13, 12, 11, 10, 12, 13, 9000}, 20, 5},
		{"two of four may be large: too few to call one an outlier", []float64{1, 1, 9000, 9000}, 10_000, 5000},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if top, step := axisTop(c.values, durationSteps); top != c.top || step != c.step {
				t.Errorf("top %v in steps of %v, want %v and %v", top, step, c.top, c.step)
			}
		})
	}
}

// TestChartPlacesEachRun reads the values back from the places of the marks.
func TestChartPlacesEachRun(t *testing.T) {
	v := TrendsView{}
	for i := range 20 {
		p := TrendPoint{ID: strconv.Itoa(i), State: "succeeded", Duration: Duration{D: time.Duration(100+7*i) * time.Second, Known: true}}
		if i == 5 {
			p.Duration = Duration{}
		}
		if i == 19 {
			p.Duration = Duration{Since: time.Unix(1, 0)}
		}
		if i == 8 {
			p.Duration.D = 100 * time.Hour
		}
		v.Points = append(v.Points, p)
	}
	c := durationChart(v)
	if len(c.Marks) != 18 || c.Unknown != 2 || c.Above != 1 {
		t.Fatalf("%d marks, %d unknown, %d above", len(c.Marks), c.Unknown, c.Above)
	}
	if len(c.Lines) != 16 { // none over the gap, none to what is not known
		t.Errorf("%d lines", len(c.Lines))
	}
	top := 360e3 // in steps of two minutes: one and a half times what nine of ten stay below is 328 s
	if c.Top != "6m" {
		t.Errorf("the axis ends at %s", c.Top)
	}
	lastX := 0.0
	for _, m := range c.Marks {
		i, err := strconv.Atoi(strings.TrimPrefix(m.Href, "/runs/"))
		if err != nil {
			t.Fatal(err)
		}
		x, err := strconv.ParseFloat(strings.TrimSuffix(m.X, "%"), 64)
		if err != nil || x <= lastX || x > 100 {
			t.Errorf("run %d at %s, after %v", i, m.X, lastX)
		}
		lastX = x
		y, err := strconv.ParseFloat(m.Y, 64)
		if err != nil {
			t.Fatal(err)
		}
		if i == 8 {
			if !m.Above || y != chartTop {
				t.Errorf("the one above stands at %v", y)
			}
			continue
		}
		value := (chartBottom - y) / (chartBottom - chartTop) * top
		if want := float64(100+7*i) * 1000; math.Abs(value-want) > top/800 || m.Above {
			t.Errorf("run %d stands for %v, want %v", i, value, want)
		}
	}
}

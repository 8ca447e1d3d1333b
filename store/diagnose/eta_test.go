package diagnose

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"wavedeck/store/wave"
)

// lasting draws how many seconds something takes.
type lasting func(*rand.Rand) float64

func lognormal(median, sigma float64) lasting {
	return func(r *rand.Rand) float64 { return median * math.Exp(sigma*r.NormFloat64()) }
}

func pareto(least, alpha float64) lasting {
	return func(r *rand.Rand) float64 { return least * math.Pow(1-r.Float64(), -1/alpha) }
}

func uniform(from, to float64) lasting {
	return func(r *rand.Rand) float64 { return from + (to-from)*r.Float64() }
}

// either is one of two, as a cache that is warm or cold.
func either(share float64, a, b lasting) lasting {
	return func(r *rand.Rand) float64 {
		if r.Float64() < share {
			return a(r)
		}
		return b(r)
	}
}

// course is a pipeline as generated: how long each step takes, how often it is
// passed over, and how late it begins after what it waits for.
type course struct {
	def  []wave.StepDef
	took map[string]lasting
	skip map[string]float64
	wait lasting // nil: at once
}

func chain(took ...lasting) course {
	c := course{took: map[string]lasting{}}
	for i, l := range took {
		s := wave.StepDef{ID: fmt.Sprint("s", i)}
		if i > 0 {
			s.Dependencies = []string{fmt.Sprint("s", i-1)}
		}
		c.def = append(c.def, s)
		c.took[s.ID] = l
	}
	return c
}

// fan is a step, several side by side, and one that joins them.
func fan(first lasting, last lasting, between ...lasting) course {
	c := course{def: []wave.StepDef{{ID: "first"}}, took: map[string]lasting{"first": first, "join": last}}
	join := wave.StepDef{ID: "join"}
	for i, l := range between {
		s := wave.StepDef{ID: fmt.Sprint("side", i), Dependencies: []string{"first"}}
		c.def, c.took[s.ID] = append(c.def, s), l
		join.Dependencies = append(join.Dependencies, s.ID)
	}
	c.def = append(c.def, join)
	return c
}

// draw makes a run of the course, in whole seconds as Wave records it.
func (c course) draw(r *rand.Rand) *PastRun {
	p := &PastRun{Steps: map[string]PastStep{}, Planned: len(c.def)}
	ends := map[string]float64{}
	for _, s := range c.def {
		at := 0.0
		for _, dep := range s.Dependencies {
			at = max(at, ends[dep])
		}
		if r.Float64() < c.skip[s.ID] {
			ends[s.ID] = at
			p.Steps[s.ID] = PastStep{Skipped: true}
			continue
		}
		if c.wait != nil {
			at += c.wait(r)
		}
		ends[s.ID] = at + c.took[s.ID](r)
		p.Steps[s.ID] = PastStep{Start: int64(at), End: int64(ends[s.ID])}
		p.Duration = max(p.Duration, int64(ends[s.ID]))
	}
	return p
}

// seenAt is how far the run was so many seconds after it began.
func (p *PastRun) seenAt(def []wave.StepDef, elapsed int64) Standing {
	at := Standing{Elapsed: elapsed, Done: map[string]bool{}, Running: map[string]int64{}, Planned: p.Planned}
	for _, s := range def {
		step := p.Steps[s.ID]
		ready := true
		for _, dep := range s.Dependencies {
			ready = ready && at.Done[dep]
		}
		switch {
		case step.Skipped:
			at.Done[s.ID] = ready
		case step.End <= elapsed:
			at.Done[s.ID] = true
		case step.Start <= elapsed:
			at.Running[s.ID] = step.Start
		}
	}
	return at
}

func courses() map[string]course {
	branch := chain(uniform(20, 40), lognormal(300, .5), uniform(20, 40))
	branch.skip = map[string]float64{"s1": .3}
	queue := chain(lognormal(60, .4), lognormal(60, .4), lognormal(60, .4))
	queue.wait = either(.7, uniform(0, 2), uniform(30, 120))
	return map[string]course{
		"steps that hardly vary":        chain(uniform(55, 65), uniform(110, 130), uniform(25, 35)),
		"steps that vary evenly":        chain(uniform(10, 200), uniform(10, 200), uniform(10, 200)),
		"a heavy tail":                  chain(uniform(20, 30), lognormal(120, 1), uniform(20, 30)),
		"a tail without a mean":         chain(pareto(30, 1), pareto(30, 1.5)),
		"a cache that is warm or cold":  chain(uniform(20, 30), either(.7, uniform(30, 40), uniform(300, 400)), uniform(20, 30)),
		"steps side by side":            fan(uniform(20, 40), uniform(20, 40), lognormal(100, .5), lognormal(120, .8), uniform(60, 200)),
		"steps side by side, one heavy": fan(uniform(20, 40), lognormal(30, 1), pareto(40, 1.2), uniform(60, 200)),
		"a branch that may be skipped":  branch,
		"steps that wait for a slot":    queue,
	}
}

// TestEstimateHoldsWhatItSays replays generated runs against the past before
// them and looks each time some seconds went by. At least 80 of 100 true ends
// lie between Earliest and P90, and about half before P50.
func TestEstimateHoldsWhatItSays(t *testing.T) {
	for name, c := range courses() {
		for _, n := range []int{5, 20, 60} {
			t.Run(fmt.Sprintf("%s, %d past runs", name, n), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, uint64(n)))
				told, inside, before, all := 0, 0, 0, 0
				for range 1500 / n { // many pasts: a single one may be unlucky
					past := make([]*PastRun, n)
					for i := range past {
						past[i] = c.draw(rng)
					}
					for range 20 {
						run := c.draw(rng)
						for at := int64(0); at < min(run.Duration, 3000); at += 40 {
							all++
							eta := Estimate(c.def, run.seenAt(c.def, at), past)
							if eta == nil || eta.N == 0 {
								continue
							}
							told++
							left := wave.Seconds(run.Duration - at)
							if left >= eta.Earliest && left <= eta.P90 {
								inside++
							}
							if left <= eta.P50 {
								before++
							}
							if eta.N < minPast || eta.N > n || eta.P50 > eta.P90 || eta.Earliest > eta.P50 {
								t.Fatalf("told %+v", *eta)
							}
						}
					}
				}
				share, half := float64(inside)/float64(told), float64(before)/float64(told)
				t.Logf("%.1f %% inside, %.1f %% before p50, told %d of %d times", 100*share, 100*half, told, all)
				if share < .8 {
					t.Errorf("only %.1f %% of %d true ends lie inside", 100*share, told)
				}
				if half < .4 || half > .68 {
					t.Errorf("%.1f %% of the true ends lie before p50", 100*half)
				}
			})
		}
	}
}

func TestEstimate(t *testing.T) {
	def := []wave.StepDef{{ID: "a"}, {ID: "b", Dependencies: []string{"a"}}, {ID: "c", Dependencies: []string{"a"}}, {ID: "d", Dependencies: []string{"b", "c"}}}
	run := func(a, b, c, d int64) *PastRun { // b and c side by side
		return &PastRun{Duration: a + max(b, c) + d, Planned: 4, Steps: map[string]PastStep{
			"a": {Start: 0, End: a}, "b": {Start: a, End: a + b}, "c": {Start: a, End: a + c}, "d": {Start: a + max(b, c), End: a + max(b, c) + d},
		}}
	}
	same := []*PastRun{run(10, 60, 100, 30), run(10, 60, 100, 30), run(10, 60, 100, 30), run(10, 60, 100, 30), run(10, 60, 100, 30)}
	for _, tt := range []struct {
		name string
		def  []wave.StepDef
		at   Standing
		past []*PastRun
		want string
	}{
		{"steps side by side count once", def, Standing{}, same, "2m20s-2m20s n=5"},
		{"a step that runs counts by what is left of it", def, Standing{Elapsed: 40, Done: map[string]bool{"a": true, "b": true}, Running: map[string]int64{"c": 10}}, same, "1m40s-1m40s n=5"},
		{"a step that was passed over quickly leaves the rest as it was", def, Standing{Elapsed: 4, Done: map[string]bool{"a": true}}, same, "2m10s-2m10s n=5"},
		{"four past runs are too few", def, Standing{}, same[:4], "hidden"},
		{"a step that takes longer than ever makes a run late", def, Standing{Elapsed: 130, Done: map[string]bool{"a": true, "b": true}, Running: map[string]int64{"c": 10}}, same, "late"},
		{"a run that was delayed before is late as a whole and its rest is known", def, Standing{Elapsed: 300, Done: map[string]bool{"a": true, "b": true, "c": true}, Running: map[string]int64{"d": 290}}, same, "20s-20s n=5 late"},
		{"past runs with other steps tell nothing", append(def, wave.StepDef{ID: "e"}), Standing{Planned: 5}, same, "hidden"},
		{"a running step that is not defined any more tells nothing", def, Standing{Running: map[string]int64{"x": 0}}, same, "hidden"},
		{"without a definition the whole counts", nil, Standing{Elapsed: 100}, same, "40s-40s n=5"},
		{"dependencies in a circle end", []wave.StepDef{{ID: "a", Dependencies: []string{"b"}}, {ID: "b", Dependencies: []string{"a"}}}, Standing{}, same, "2m20s-2m20s n=5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.at.Done == nil {
				tt.at.Done = map[string]bool{}
			}
			got := "hidden"
			if eta := Estimate(tt.def, tt.at, tt.past); eta != nil {
				got = ""
				if eta.N > 0 {
					got = fmt.Sprintf("%s-%s n=%d", eta.P50, eta.P90, eta.N)
				}
				if eta.Late {
					got = fmt.Sprint(got, map[bool]string{true: " ", false: ""}[got != ""], "late")
				}
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

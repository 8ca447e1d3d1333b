package diagnose

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// doing lists actions, a pause apart.
func doing(pause time.Duration, texts ...string) []ToolCall {
	deeds := make([]ToolCall, len(texts))
	for i, text := range texts {
		deeds[i] = ToolCall{storetest.Base.Add(time.Duration(i) * pause), Normalize(text)}
	}
	return deeds
}

// rounds is the same actions over and over.
func rounds(n int, actions ...string) []string {
	var all []string
	for range n {
		all = append(all, actions...)
	}
	return all
}

// each is an action on many targets.
func each(n int, format string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return all
}

func between2(a []string, b string) []string {
	var all []string
	for _, text := range a {
		all = append(all, text, b)
	}
	return all
}

func TestRepeats(t *testing.T) {
	const second = time.Second
	for _, tt := range []struct {
		name  string
		deeds []ToolCall
		want  string // actions and times; empty: no runaway
	}{
		{"one action twelve times in a row", doing(2*second, rounds(12, "Bash make test")...), "bash make test x12 of 12"},
		{"one action eleven times in a row", doing(2*second, rounds(11, "Bash make test")...), ""},
		{"the same action written otherwise", doing(2*second, rounds(6, "Bash  make test", "bash make\ttest ")...), "bash make test x12 of 12"},
		{"a loop after a lot of work", doing(2*second, append(each(60, "Read src/%d.go"), rounds(15, "Grep TODO")...)...), "grep TODO x15 of 15"},
		{"a loop that is over", doing(2*second, append(rounds(15, "Grep TODO"), each(3, "Read src/%d.go")...)...), ""},
		{"an edit and a test of the same file in turn", doing(5*second, rounds(10, "Edit main.go", "Bash go test")...), "edit main.go, bash go test x10 of 20"},
		{"nine rounds of it", doing(5*second, rounds(9, "Edit main.go", "Bash go test")...), ""},
		{"a circle of three", doing(2*second, rounds(11, "Read a", "Edit a", "Bash test")...), "read a, edit a, bash test x11 of 33"},
		{"one action with few others in between", doing(2*second, rounds(9, "Bash ls", "Bash ls", "Bash ls", "Bash ls", "Bash ls", "Read x")...), "bash ls x41 of 50"},

		{"reading a hundred files", doing(second, each(100, "Read src/file%d.go")...), ""},
		{"reading the pages of one file", doing(second, each(100, "Read big.log:%d")...), ""},
		{"a test after each edit of another file", doing(5*second, between2(each(40, "Edit src/%d.go"), "Bash go test ./...")...), ""},
		{"searching for many words with the same tool", doing(second, each(60, "Grep word%d")...), ""},
		{"looking at a build once a minute", doing(time.Minute, rounds(30, "Bash gh run view 17")...), ""},
		{"twelve times in an hour", doing(5*time.Minute, rounds(12, "Bash make test")...), ""},
		{"nothing", nil, ""},
		{"texts that are empty", doing(second, rounds(5, "", " ")...), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if _, found := Repeats(tt.deeds); found != nil {
				got = fmt.Sprintf("%s x%d of %d", strings.Join(found.Actions, ", "), found.Times, found.Of)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestWorkIsNoRunaway draws work as agents do it: many files, few of them again
// and again, tests in between, at the pace of a model.
func TestWorkIsNoRunaway(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	for range 200 {
		var texts []string
		files := 3 + rng.IntN(30)
		for range 300 {
			file := fmt.Sprintf("src/%d.go", int(float64(files)*rng.Float64()*rng.Float64()))
			texts = append(texts, [...]string{"Read " + file, "Edit " + file, "Bash go test ./...", "Grep " + file, "Bash go build"}[rng.IntN(5)])
		}
		deeds := doing(4*time.Second, texts...)
		for i := range deeds {
			if _, found := Repeats(deeds[:i+1]); found != nil {
				t.Fatalf("%+v after %v", *found, texts[max(0, i-30):i+1])
			}
		}
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("Bash  make\ttest")
	f.Add("\xff\x00 É")
	f.Fuzz(func(t *testing.T, text string) {
		once := Normalize(text)
		if twice := Normalize(once); twice != once {
			t.Errorf("%q becomes %q, and that %q", text, once, twice)
		}
	})
}

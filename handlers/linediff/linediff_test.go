package linediff

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestHunks(t *testing.T) {
	cases := []struct{ name, left, right, want string }{
		{"the same texts have no hunk", "a\nb\n", "a\nb\n", ""},
		{"two empty texts have no hunk", "", "", ""},
		{"a newline at the end is no line", "a\nb", "a\nb\n", ""},
		{"a line is added to nothing", "", "a\n", "@@ -0,0 +1 @@\n+a\n"},
		{"a line is removed to nothing", "a\n", "", "@@ -1 +0,0 @@\n-a\n"},
		{"a line is changed", "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
		{
			"what lies far apart is two hunks", "1\nx\n3\n4\n5\n6\n7\n8\n9\n10\nx\n12\n", "1\ny\n3\n4\n5\n6\n7\n8\n9\n10\ny\n12\n",
			"@@ -1,5 +1,5 @@\n 1\n-x\n+y\n 3\n 4\n 5\n@@ -8,5 +8,5 @@\n 8\n 9\n 10\n-x\n+y\n 12\n",
		},
		{"a moved line is told by the lines that stay", "m\na\nb\nc\n", "a\nb\nc\nm\n", "@@ -1,4 +1,4 @@\n-m\n a\n b\n c\n+m\n"},
		{"lines that repeat are told by the shortest script", "a\na\nb\nb\n", "a\nb\na\nb\n", "@@ -1,4 +1,4 @@\n a\n-a\n b\n+a\n b\n"},
		{"another line end is seen", "a\r\n", "a\n", "@@ -1 +1 @@\n-a␍\n+a\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, left := Unified(Hunks(Lines(c.left), Lines(c.right), 3), 1000)
			if left != 0 {
				t.Errorf("%d lines are left out", left)
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestUnifiedSaysWhatIsLeftOut(t *testing.T) {
	text, left := Unified(Hunks(Lines(strings.Repeat("a\n", 10)), Lines(strings.Repeat("b\n", 10)), 3), 5)
	if left != 15 || strings.Count(text, "\n") != 6 {
		t.Errorf("%d left out of\n%s", left, text)
	}
}

// apply makes the right side of the left one and all edits, which must lie in
// order and apart, and must change something.
func apply(t testing.TB, left, right []string) []string {
	t.Helper()
	var out []string
	at, bt := 0, 0
	for _, e := range edits(left, right) {
		if e.a0 < at || e.b0 < bt || e.a0 == e.a1 && e.b0 == e.b1 || e.a0-at != e.b0-bt {
			t.Fatalf("edit %+v after %d, %d", e, at, bt)
		}
		out = append(out, left[at:e.a0]...)
		out = append(out, right[e.b0:e.b1]...)
		at, bt = e.a1, e.b1
	}
	if len(left)-at != len(right)-bt {
		t.Fatalf("what follows the last edit differs in length: %d, %d", len(left)-at, len(right)-bt)
	}
	return append(out, left[at:]...)
}

// lcs is the length of a longest common subsequence, by the textbook.
func lcs(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j], above)
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

func TestRandomTexts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 3000 {
		kinds := 1 + rng.IntN(12)
		draw := func() []string {
			lines := make([]string, rng.IntN(25))
			for i := range lines {
				lines[i] = strconv.Itoa(rng.IntN(kinds))
			}
			return lines
		}
		left, right := draw(), draw()
		if got := apply(t, left, right); !slices.Equal(got, right) {
			t.Fatalf("round %d: %q becomes %q, not %q", round, left, got, right)
		}
		// Without anchors the script is a shortest one.
		d := differ{}
		numbers := map[string]int{}
		d.a, d.b = number(left, numbers), number(right, numbers)
		d.shortest(0, len(left), 0, len(right))
		changed := 0
		for _, e := range d.edits {
			changed += e.a1 - e.a0 + e.b1 - e.b0
		}
		if want := len(left) + len(right) - 2*lcs(left, right); changed != want {
			t.Fatalf("round %d: %q to %q takes %d lines, the shortest %d", round, left, right, changed, want)
		}
	}
}

func TestTextsWithoutAnythingInCommonEndSoon(t *testing.T) {
	left, right := make([]string, 20000), make([]string, 20000)
	for i := range left {
		left[i], right[i] = fmt.Sprint("l", i%50), fmt.Sprint("r", i%50)
	}
	if e := edits(left, right); len(e) != 1 || e[0] != (edit{0, 20000, 0, 20000}) {
		t.Errorf("edits %v", e)
	}
}

// TestPatchAgrees gives the diff to patch(1), which knows nothing of us.
func TestPatchAgrees(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("patch is not installed")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		var left, right []string
		for i := range 200 {
			line := fmt.Sprint("line ", i%70)
			if rng.IntN(10) > 0 {
				left = append(left, line)
			}
			if rng.IntN(10) > 0 {
				right = append(right, line)
			}
		}
		text, _ := Unified(Hunks(left, right, 3), 1<<20)
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte(strings.Join(left, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "patch", "-s", file)
		cmd.Stdin = strings.NewReader("--- f\n+++ f\n" + text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("patch: %v %s", err, out)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != strings.Join(right, "\n")+"\n" {
			t.Fatal("patch makes another text of it")
		}
	}
}

func FuzzHunks(f *testing.F) {
	f.Add("a\nb\n", "b\na\n")
	f.Add("", "\n\n")
	f.Fuzz(func(t *testing.T, l, r string) {
		left, right := Lines(l), Lines(r)
		if len(left) > 2000 || len(right) > 2000 {
			return
		}
		if got := apply(t, left, right); !slices.Equal(got, right) {
			t.Fatalf("%q becomes %q, not %q", left, got, right)
		}
		Unified(Hunks(left, right, 3), 100)
	})
}

func BenchmarkHunks(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	var left, right []string
	for i := range 20000 {
		line := fmt.Sprint("line ", i%4000)
		left = append(left, line)
		if rng.IntN(20) > 0 {
			right = append(right, line)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		Hunks(left, right, 3)
	}
}

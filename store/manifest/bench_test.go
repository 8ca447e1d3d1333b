package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manyPipelines is the example project with n pipelines in all.
func manyPipelines(b *testing.B, n int) Project {
	b.Helper()
	root := widgets(b)
	text, err := os.ReadFile("testdata/widgets/pipelines/release-check.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for i := range n - 7 {
		name := fmt.Sprintf("copy-%04d", i)
		copied := strings.Replace(string(text), "name: release-check", "name: "+name, 1)
		writeFile(b, filepath.Join(root, ".agents/pipelines", name+".yaml"), copied)
	}
	return mustLocate(b, Options{Dir: root})
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{7, 100, 1000} {
		b.Run(fmt.Sprintf("pipelines=%d", n), func(b *testing.B) {
			p := manyPipelines(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if c := Load(p); len(c.Pipelines) != n {
					b.Fatalf("got %d pipelines", len(c.Pipelines))
				}
			}
		})
	}
}

// BenchmarkPoll is what a source that sees no change costs, every two seconds.
func BenchmarkPoll(b *testing.B) {
	p := manyPipelines(b, 100)
	s, err := Open(Options{Dir: p.Root})
	if err != nil {
		b.Fatal(err)
	}
	w := newWatch(s.newWatcher)
	b.Cleanup(w.close)
	b.ReportAllocs()
	for b.Loop() {
		s.refresh(w)
	}
}

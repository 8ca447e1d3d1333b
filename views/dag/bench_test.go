package dag_test

import (
	"io"
	"testing"

	"wavedeck/views/dag"
)

func benchmarks() []sample {
	return []sample{
		layered(60, 81, 8, 1), layered(300, 391, 50, 2), layered(900, 1187, 12, 3), layered(900, 1285, 75, 4),
		fan(897), chain(900),
	}
}

func BenchmarkLay(b *testing.B) {
	for _, s := range benchmarks() {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			var l *dag.Layout
			for b.Loop() {
				l = dag.Lay(s.nodes, s.edges)
			}
			b.ReportMetric(float64(l.Crossings), "crossings")
		})
	}
}

func BenchmarkGraph(b *testing.B) {
	for _, s := range benchmarks() {
		b.Run(s.name, func(b *testing.B) {
			l := dag.Lay(s.nodes, s.edges)
			for b.Loop() {
				if err := dag.Graph(l, s.options()).Render(b.Context(), io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

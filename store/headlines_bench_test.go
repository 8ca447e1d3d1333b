package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

func BenchmarkHeadlinesOfAHundredFailedRuns(b *testing.B) {
	for name, size := range map[string]int{"as usual": 0, "with 64 KB each": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			s := storetest.New(b)
			ids := make([]string, 100)
			for i := range ids {
				ids[i] = s.Run(storetest.Run{Status: "failed", Error: `step "build" failed: exit status 1`})
				said := strings.Repeat(fmt.Sprintf("worker %d indexed 4096 documents, took 12ms\n", i), size/45)
				s.Event(ids[i], storetest.Event{Step: "build", State: "failed", Message: "command failed: exit status 1\nstderr: " + said + "no stock"})
			}
			d := openTest(b, s.Path, storetest.Base.Add(100*time.Hour), Options{})
			for b.Loop() {
				runs, err := d.RunsByID(b.Context(), ids)
				if err != nil || runs[99].Headline != "no stock" {
					b.Fatal(runs[99].Headline, err)
				}
			}
		})
	}
}

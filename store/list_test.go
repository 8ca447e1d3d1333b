package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
)

func TestPagesHoldEveryRunOnce(t *testing.T) {
	const n = 400
	d := openTest(t, storetest.Crowd(t, n, 150).Path, time.Unix(1700001000, 0), Options{})
	var want []string
	if err := d.Select(&want, `SELECT run_id FROM pipeline_run WHERE parent_run_id IS NULL ORDER BY started_at DESC, run_id DESC`); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{3, 25, 100} {
		t.Run(fmt.Sprintf("with %d a page", limit), func(t *testing.T) {
			walk := func(f criteria.RunFilter, next func(criteria.RunPage) criteria.RunFilter) (ids []string, last criteria.RunPage) {
				for range n + 1 {
					page, err := d.page(t.Context(), f)
					if err != nil {
						t.Fatal(err)
					}
					last = page
					for _, r := range page.Runs {
						ids = append(ids, r.ID)
					}
					f = next(page)
					if f.Older == nil && f.Newer == nil {
						return ids, last
					}
				}
				t.Fatal("the pages have no end")
				return nil, last
			}
			older, last := walk(criteria.RunFilter{Limit: limit}, func(p criteria.RunPage) criteria.RunFilter { return criteria.RunFilter{Limit: limit, Older: p.Older} })
			if diff := cmp.Diff(want, older); diff != "" {
				t.Errorf("going back (-want +got)\n%s", diff)
			}
			from := criteria.Cursor{T: last.Runs[len(last.Runs)-1].StartedAt.Unix(), ID: last.Runs[len(last.Runs)-1].ID}
			newer := []string{from.ID}
			f := criteria.RunFilter{Limit: limit, Newer: &from}
			for f.Newer != nil {
				page, err := d.page(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range slices.Backward(page.Runs) {
					newer = append(newer, r.ID)
				}
				f.Newer = page.Newer
			}
			slices.Reverse(newer)
			if diff := cmp.Diff(want, newer); diff != "" {
				t.Errorf("going forward (-want +got)\n%s", diff)
			}
		})
	}
}

func TestPageEnds(t *testing.T) {
	d := openTest(t, storetest.Crowd(t, 30, 300).Path, time.Unix(1700001000, 0), Options{})
	first, err := d.page(t.Context(), criteria.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Runs) != criteria.DefaultLimit || first.Newer != nil || first.Older == nil {
		t.Fatalf("the first page has %d runs, newer %v, older %v", len(first.Runs), first.Newer, first.Older)
	}
	second, err := d.page(t.Context(), criteria.RunFilter{Older: first.Older})
	if err != nil {
		t.Fatal(err)
	}
	if len(second.Runs) != 2 || second.Newer == nil || second.Older != nil {
		t.Fatalf("the second page has %d runs, newer %v, older %v", len(second.Runs), second.Newer, second.Older)
	}
	back, err := d.page(t.Context(), criteria.RunFilter{Newer: second.Newer})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, back); diff != "" {
		t.Errorf("the way back (-first +back)\n%s", diff)
	}
}

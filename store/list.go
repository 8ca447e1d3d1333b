package store

import (
	"context"
	"fmt"
	"slices"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// page returns a page of the list without restriction: the runs that no other
// run started.
func (d *runReader) page(ctx context.Context, f criteria.RunFilter) (criteria.RunPage, error) {
	page, err := d.readPage(ctx, f)
	if err != nil {
		return criteria.RunPage{}, fmt.Errorf("list runs: %w", err)
	}
	return page, nil
}

func (d *runReader) readPage(ctx context.Context, f criteria.RunFilter) (criteria.RunPage, error) {
	var page criteria.RunPage
	places, more, err := d.places(ctx, f)
	if err != nil || len(places) == 0 {
		return page, err
	}
	first, last := places[0], places[len(places)-1]
	if f.Newer != nil && f.Older == nil {
		if more {
			page.Newer = &first
		}
		if more, err = d.any(ctx, last, false); more {
			page.Older = &last
		}
	} else {
		if more {
			page.Older = &last
		}
		if f.Older != nil {
			if more, err = d.any(ctx, first, true); more {
				page.Newer = &first
			}
		}
	}
	if err != nil {
		return page, err
	}
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.ID
	}
	page.Runs, err = d.runsOf(ctx, d, ids)
	return page, err
}

// places finds the page's runs, newest first, and whether more follow in the
// direction of reading.
func (d *runReader) places(ctx context.Context, f criteria.RunFilter) ([]criteria.Cursor, bool, error) {
	toNewer, from := false, criteria.Cursor{T: wave.MaxUnix}
	switch {
	case f.Older != nil:
		from = *f.Older
	case f.Newer != nil:
		toNewer, from = true, *f.Newer
	}
	places, err := d.Places(ctx, from, toNewer, f.PageSize()+1)
	if err != nil {
		return nil, false, err
	}
	more := len(places) > f.PageSize()
	if more {
		places = places[:f.PageSize()]
	}
	if toNewer {
		slices.Reverse(places)
	}
	return places, more, nil
}

func (d *runReader) any(ctx context.Context, from criteria.Cursor, toNewer bool) (bool, error) {
	places, err := d.Places(ctx, from, toNewer, 1)
	return len(places) > 0, err
}

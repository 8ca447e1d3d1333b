package criteria

import "wavedeck/store/wave"

// CursorOf is a run's place in the list. Runs whose start is unknown come last,
// at second 0.
func CursorOf(r wave.Run) Cursor {
	c := Cursor{ID: r.ID}
	if !r.StartedAt.IsZero() {
		c.T = r.StartedAt.Unix()
	}
	return c
}

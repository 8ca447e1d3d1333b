package views_test

import (
	"testing"
	"time"

	"wavedeck/views"
)

func TestLeft(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		from, to time.Duration
		want     string
	}{
		{0, 0, "0 s left"},
		{-time.Minute, 20 * time.Second, "0–20 s left"},
		{40 * time.Second, 95 * time.Second, "40–95 s left"},
		{40 * time.Second, 9 * time.Minute, "1–9 min left"},
		{3*time.Minute + time.Second, 4 * time.Minute, "4 min left"},
		{100 * time.Minute, 119 * time.Minute, "100–119 min left"},
		{30 * time.Minute, 150 * time.Minute, "1–3 h left"},
		{49 * time.Hour, 100 * time.Hour, "49–100 h left"},
	} {
		if got := views.Left(now.Add(tt.from), now.Add(tt.to), now); got != tt.want {
			t.Errorf("from %v to %v: %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
}

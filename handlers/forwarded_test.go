package handlers

import "testing"

// TestWhoIsBehindAProxyWakesTheWork: the work is done once, whatever prefix it
// was asked for under.
func TestWhoIsBehindAProxyWakesTheWork(t *testing.T) {
	s := New(Config{})
	behind := s.mounts.under("/portal")
	behind.hookWake.up()
	behind.wake.up()
	if len(s.hookWake) != 1 || len(s.wake) != 1 {
		t.Errorf("woken: hooks %d, bulk %d", len(s.hookWake), len(s.wake))
	}
}

package auth

import (
	"fmt"
	"testing"
	"time"
)

// TestWhoIsRememberedIsBounded: an attacker has as many addresses as they like.
func TestWhoIsRememberedIsBounded(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	g := newLoginLimit()
	for i := range 3 * maxLoginAddresses {
		g.wrong(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), at)
	}
	if len(g.byPlace) != maxLoginAddresses || g.order.Len() != maxLoginAddresses {
		t.Errorf("%d and %d", len(g.byPlace), g.order.Len())
	}
}

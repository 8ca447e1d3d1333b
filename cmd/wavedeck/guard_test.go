package main

import (
	"context"
	"io"
	"strings"
	"testing"
)

func TestTheGuardOfARunThatLeftNothingEnds(t *testing.T) {
	if code := run(context.Background(), []string{"guard", "WAVE_RUN_ID=none", "WAVE_STATE_DB=none"}, stdio{strings.NewReader("done\n"), io.Discard, io.Discard}); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

package system

import (
	"os"
	"testing"
	"time"
)

func TestBorn(t *testing.T) {
	born, ok := Born(os.Getpid())
	if !ok {
		t.Fatal("of this very process it is not known")
	}
	if age := time.Since(born); age < -2*time.Second || age > time.Hour {
		t.Errorf("this process began %v ago", age)
	}
	if _, ok := Born(1 << 30); ok {
		t.Error("a process that is none has begun")
	}
}

// TestBornLongAfterTheBoot: after three years, the nanoseconds of as many seconds
// as there are ticks are more than 64 bits hold.
func TestBornLongAfterTheBoot(t *testing.T) {
	boot := time.Unix(1_000_000_000, 0)
	for stat, want := range map[string]time.Duration{
		"7 (sh) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345678 0":            123_456*time.Second + 780*time.Millisecond,
		"7 (a b) R ) x) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 15768000000 0": 5 * 365 * 24 * time.Hour,
	} {
		if born, ok := bornBy([]byte(stat), boot); !ok || born.Sub(boot) != want {
			t.Errorf("began %v after the boot, want %v", born.Sub(boot), want)
		}
	}
	for _, stat := range []string{"", "7 sh S 1", "7 (sh) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 soon 0"} {
		if born, ok := bornBy([]byte(stat), boot); ok {
			t.Errorf("%q tells %v", stat, born)
		}
	}
}

package ledger

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
	"time"
)

// TestID: ids are UUIDs of version 7 (RFC 9562 §5.7) that only grow.
func TestID(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(0x017F22E279B0)
	last := id{}
	for n := range 3 * idSteps {
		if n == idSteps {
			now = now.Add(-time.Hour) // the clock goes back
		}
		next, err := last.next(now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		s := next.String()
		if next.head <= last.head || s[14] != '7' || !strings.Contains("89ab", s[19:20]) || s <= last.String() {
			t.Fatalf("%s follows %s", s, last)
		}
		if back, ok := parseID(s); !ok || back != next {
			t.Fatalf("%s is read as %v, %v", s, back, ok)
		}
		last = next
	}
	if got := last.time().Sub(time.UnixMilli(0x017F22E279B0)); got != 2*time.Millisecond {
		t.Errorf("the last id is of %v later", got)
	}
	if s := (id{0x017F22E279B07CC3, 0x98C4DC0C0C07398F}).String(); s != "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" { // RFC 9562 §A.6
		t.Errorf("written as %s", s)
	}
	for _, s := range []string{"", "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "g17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
		"017f22e279b07cc3-98c4-dc0c0c07398f----", "017f22e2-79b0-7cc3-98c4-dc0c0c--398f", "f17f22e2-79b0-7cc3-98c4-dc0c0c07398f"} {
		if _, ok := parseID(s); ok {
			t.Errorf("%q is read", s)
		}
	}
	if _, err := (id{}).next(now, bytes.NewReader(nil)); err == nil {
		t.Error("an id without randomness")
	}
}

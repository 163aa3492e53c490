package presence

import (
	"fmt"
	"testing"
)

// TestRounds: who is named comes first and once; who is named while she is
// judged, once more; then everybody who is not being judged.
func TestRounds(t *testing.T) {
	t.Parallel()
	r := newRounds(func() []string { return []string{"carla", "anna", "berta"} })
	next := func(want string, sweeping bool) {
		t.Helper()
		if got, swept, ok := r.next(); got != want || swept != sweeping || !ok {
			t.Fatalf("%q, %v, %v; want %q, %v", got, swept, ok, want, sweeping)
		}
	}
	r.want("anna")
	r.all()
	r.want("dora")
	r.want("anna")
	next("anna", false)
	r.want("anna")
	next("dora", false)
	r.done("dora", false)
	if n := r.load(); n != 0 {
		t.Errorf("%d wait", n)
	}
	r.done("anna", false)
	next("anna", false)
	next("berta", true)
	next("carla", true) // anna is being judged
	r.done("anna", false)
	next("anna", false) // and so is judged again
	for range maxWanted {
		r.want(fmt.Sprint(r.load()))
	}
	if n := r.load(); n != maxWanted || r.due {
		t.Errorf("%d wait, %v", n, r.due)
	}
	r.want("too many")
	if n := r.load(); n != maxWanted || !r.due {
		t.Errorf("%d wait, %v", n, r.due)
	}
	r.close()
	if _, _, ok := r.next(); ok {
		t.Error("it goes on")
	}
}

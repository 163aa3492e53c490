package radiusd

import (
	"crypto/tls"
	"testing"

	"memberradius/radiusd/radiustest"
)

// Light packets of EAP are answered where they were read, though nobody has a
// turn to compute; the others wait for one.
func TestLightPacketsNeedNoTurn(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	d := r.device(radiustest.PEAP, radiustest.EAP{MaxTLS: tls.VersionTLS12})
	light := []bool{true, false, false, true, true, false, true, true}
	for i, isLight := range light {
		if !isLight {
			d.next()
			continue
		}
		taken := r.takeTurns()
		more := d.next()
		for range taken {
			r.turns.give()
		}
		if last := i == len(light)-1; more == last {
			t.Fatalf("round %d of %d: %v", i+1, len(light), d.reply.Code)
		}
	}
	if d.reply.Code != radiustest.AccessAccept {
		t.Errorf("ended with %v", d.reply.Code)
	}
}

// takeTurns takes all that are free, and returns how many they were.
func (r *rig) takeTurns() (taken int) {
	r.turns.mu.Lock()
	taken, r.turns.free = r.turns.free, 0
	r.turns.mu.Unlock()
	return taken
}

package main

import "testing"

func TestGarbagePercent(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{
		0: 100, 1 << 20: 800, 8 << 20: 400, 16 << 20: 200, 32 << 20: 100, 56 << 20: 100, 112 << 20: 50, 1 << 40: 25,
	} {
		if got := garbagePercent(live, syncGarbage); got != want {
			t.Errorf("%d octets live: %d %%, want %d %%", live, got, want)
		}
	}
	if got := garbagePercent(112<<20, mostGarbage); got != 100 {
		t.Errorf("without a sync: %d %%", got)
	}
	if got := garbagePercent(512<<20, mostGarbage); got != 25 {
		t.Errorf("with much in memory: %d %%", got)
	}
}

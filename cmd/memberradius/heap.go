package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// leastGarbage is what a server with little in memory may leave lying before
	// it is collected, in octets. Go would collect 8 MB of live memory after
	// 8 MB of garbage, which TLS makes in a twentieth of a second.
	leastGarbage = 32 << 20
	// mostGarbage is what a server with much in memory may leave lying: 100,000 open
	// sessions have some 200 MB alive, and each report makes 5 KB of garbage.
	mostGarbage = 128 << 20
	// syncGarbage is that while all members are read. 100,000 of them have some 140 MB
	// alive for seconds, and by Go's own measure the process would grow to more than
	// twice of that and stay so large.
	syncGarbage = 56 << 20
	// goPercent is Go's own measure: as much garbage as there is live memory.
	goPercent = 100
	// tuneEvery is how often the measure is taken again.
	tuneEvery = time.Second
)

// tuneGarbage has the collector wait for leastGarbage at least and mostGarbage at
// most, while syncing says so syncGarbage, until ctx ends. In between Go's own
// measure holds.
func tuneGarbage(ctx context.Context, syncing func() bool) {
	tick := time.NewTicker(tuneEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	held := goPercent
	defer debug.SetGCPercent(debug.SetGCPercent(held))
	for {
		metrics.Read(sample)
		most := uint64(mostGarbage)
		if syncing() {
			most = syncGarbage
		}
		// Each change stops the world for a moment: small ones are not worth it.
		if percent := garbagePercent(sample[0].Value.Uint64(), most); percent < held || percent > held+held/4 {
			held = percent
			debug.SetGCPercent(held)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// garbagePercent is how much garbage there may be beside so much live memory, at most
// bound.
func garbagePercent(live, bound uint64) int {
	const least, most = 25, 800
	switch {
	case live == 0:
		return goPercent
	case live > bound:
		return int(max(100*bound/live, least))
	}
	return int(min(max(100*leastGarbage/live, goPercent), most))
}

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
	// goPercent is Go's own measure: as much garbage as there is live memory.
	goPercent = 100
	// tuneEvery is how often the measure is taken again.
	tuneEvery = time.Second
)

// tuneGarbage has the collector wait for leastGarbage at least, until ctx ends. A server
// whose live memory is more than that is left to Go's own measure.
func tuneGarbage(ctx context.Context) {
	tick := time.NewTicker(tuneEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	held := goPercent
	defer debug.SetGCPercent(debug.SetGCPercent(held))
	for {
		metrics.Read(sample)
		// Each change stops the world for a moment: small ones are not worth it.
		if percent := garbagePercent(sample[0].Value.Uint64()); percent < held || percent > held+held/4 {
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

// garbagePercent is how much garbage there may be beside so much live memory.
func garbagePercent(live uint64) int {
	const most = 800
	if live == 0 {
		return goPercent
	}
	return int(min(max(100*leastGarbage/live, goPercent), most))
}

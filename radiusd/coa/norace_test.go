//go:build !race

package coa

// raceEnabled says that the race detector watches.
const raceEnabled = false

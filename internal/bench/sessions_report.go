//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// sorted returns a sorted copy.
func sorted(took []time.Duration) []time.Duration { return slices.Sorted(slices.Values(took)) }

// best returns in which of keepings FreeRADIUS was fastest with that journal,
// among those that answered everything; -1 where none did.
func (s *sessions) best(journal string) int {
	best := -1
	for i, k := range keepings {
		if f := s.free[i]; k.journal == journal && len(f) > 0 && f.lost() == 0 && (best < 0 || f.rate() > s.free[best].rate()) {
			best = i
		}
	}
	return best
}

// verdicts holds the figures against their targets.
func (s *sessions) verdicts() (all []verdict) {
	rate := s.starts.rate()
	all = append(all, verdict{"accounting, new sessions a second", fmt.Sprintf("%.0f", rate), fmt.Sprintf("at least %d", reportRate), rate >= reportRate},
		below("accounting, new sessions, p99", s.starts.p99(), reportP99))
	if best := s.best(journalDelete); best >= 0 {
		all = append(all, atLeast("accounting, of FreeRADIUS with SQLite", s.starts, s.free[best], reportToFree)...)
	}
	lost := s.starts.lost() + s.updates.lost()
	all = append(all,
		verdict{"accounting, acknowledged and not kept", fmt.Sprint(s.missing), "at most 0", len(s.starts) > 0 && s.missing == 0},
		verdict{"accounting, no or wrong answer", fmt.Sprint(lost), "at most 0", len(s.starts) > 0 && lost == 0},
		below(fmt.Sprintf("%d Disconnects at once, all settled", disconnectsAtOnce), middle(s.gone), disconnectTime))
	if s.kept != nil {
		all = append(all, below(fmt.Sprintf("%d sessions kept, slowest list page", s.kept.sessions), s.kept.slowest(), keptPage))
	}
	return all
}

// table has every contender's figures, and what else there is to say.
func (s *sessions) table() string {
	t := table{head: []string{"sessions, each durable when answered", "records/s (median)", "lowest to highest", "p50", "p99", "CPU a record", "its core busy", "no or wrong answer"}}
	add := func(name string, s series) {
		if len(s) == 0 {
			return
		}
		low, high := s.spread()
		t.add(name, fmt.Sprintf("%.0f", s.rate()), fmt.Sprintf("%.0f to %.0f", low, high), inMilliseconds(s.p50()), inMilliseconds(s.p99()),
			fmt.Sprintf("%.1f µs", float64(s.cpu())/1000), fmt.Sprintf("%.0f %%", 100*s.busy()), fmt.Sprint(s.lost()))
	}
	for i, k := range keepings {
		add(k.String()+": new", s.free[i])
	}
	add(fmt.Sprintf("memberradius, %d in flight: new", reportsInFlight), s.starts)
	for i, k := range keepings {
		add(k.String()+": updates", s.freeUpdates[i])
	}
	add(fmt.Sprintf("memberradius, %d in flight: updates", reportsInFlight), s.updates)
	text := t.String() + fmt.Sprintf("\nTo keep a page of 4 KB took this disk %s (p50; p99 %s).", inMilliseconds(percentile(s.syncs, 50)), inMilliseconds(percentile(s.syncs, 99)))
	if best := s.best(journalWAL); best >= 0 {
		text += fmt.Sprintf(" Of FreeRADIUS with SQLite's WAL, which it does not use as it comes, ours is %.1f times.", s.starts.of(s.free[best]))
	}
	if s.best(journalDelete) >= 0 {
		text += fmt.Sprintf(" Of what FreeRADIUS acknowledged, %d sessions were missing.", s.freeMissing)
	}
	text += "\n"
	if s.kept != nil {
		text += "\n" + s.kept.table()
	}
	return text
}

//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// page is docs/benchmarks.md.
func page(m machine, r *run, found results) string {
	var b strings.Builder
	say := func(format string, arguments ...any) { _, _ = fmt.Fprintf(&b, format+"\n", arguments...) }
	say("# Benchmarks\n")
	say("Written by `make bench`; every figure is from one run. Do not edit: run it again.\n")
	say("- Machine: %s", m)
	say("- Measured: %s, commit %s", m.date, m.commit)
	if r.busy > quietLoad {
		say("- **The machine was busy with other work** (load %.1f before the run): trust no figure of this page.", r.busy)
	}
	say("- Contenders: %s; %s", m.ours, m.free)
	say("- Command: `go run ./internal/bench -rounds %d -seconds %g`: medians of %d rounds, the contenders taking turns,",
		r.rounds, r.seconds, r.rounds)
	say("  each alone on core %d, with the load and the member system on core %d. A ratio is the median of the rounds' ratios.\n", r.cores.server, r.cores.load)
	say("## Against the targets\n")
	say("%s", found.verdictTable())
	say("## What was measured\n")
	say("%s", found.rateTable())
	if found.enterprise != nil {
		say("%s", found.enterprise.table())
	}
	if c := found.crowd; c != nil {
		say("With 100,000 members in `local`: ready %s after the start, %d MB resident then and %d MB after the load (medians).\n",
			inMilliseconds(middle(c.start)), middle(c.memory)>>20, middle(c.loaded)>>20)
	}
	if found.membership != nil {
		say("%s", found.membership.table())
	}
	if found.sessions != nil {
		say("%s", found.sessions.table())
	}
	say("%s", method(r))
	if len(r.skipped) > 0 {
		say("## Not measured\n")
		for _, s := range r.skipped {
			say("- %s", s)
		}
	}
	return b.String()
}

// method says how the figures came about.
func method(r *run) string {
	var b strings.Builder
	say := func(format string, arguments ...any) { _, _ = fmt.Fprintf(&b, format+"\n", arguments...) }
	say("## How\n")
	say("- The floor is a server that takes and sends back datagrams by recvmmsg and sendmmsg and looks at none: what the")
	say("  system calls leave of a core. It gets the same requests as the others.")
	say("- Both servers take requests with Message-Authenticator only, sign replies with one, and answer with a VLAN and a")
	say("  session's length. FreeRADIUS has `files`, `pap` and `mschap` and nothing else, no logs and no reject delay.")
	if r.free != nil {
		word := "with its thread pool"
		if r.free.single {
			word = "without its thread pool (-s)"
		}
		say("  On one core it was faster %s, so that is how it runs.", word)
	}
	say("- Without a member system %d requests are in work at any time; with one, %d, each with a login of its own.",
		speedInFlight, systemInFlight)
	say("- WPA-Enterprise: all contenders of a row run, and the load goes from one to the next and round again, %d times a round. A ratio", eapSlices)
	say("  is the median of what slices that followed each other came to in processor time of the server. FreeRADIUS is taken as it")
	say("  comes, with a pool of %d threads, and, for comparison, without one (-s), which it has for debugging.", freeradiusThreads)
	say("- The member system answers after %v. Nothing is cached. It is asked by PAP.", systemDelay)
	say("- Nexudus is the project's own stand-in for it, without limits and beside the load, to which it gives way. A sync of everybody")
	say("  counts from its first request until all can log in, with passwords made for them, on an empty store; that of changes is the")
	say("  verb's, its start included. Of the webhooks %d come one by one and %d in bursts of %d.", hooksAlone, hooksBursts*hooksTogether, hooksTogether)
	say("- Sessions: each report is a request of its own, answered when it is on the disk, in a database that is empty when the turn begins;")
	say("  rows are counted after it. FreeRADIUS has one statement for a report, a table with indexes on key, login and start, and SQLite's")
	say("  synchronous = FULL. Its pool is %d threads with a connection each, as it comes; they give up where another holds SQLite's lock, so", freeradiusThreads)
	say("  that it is held against at its best of the ways that lose nothing, with the journal that SQLite has by itself.")
	say("- Disconnects go by radiusd/coa to %d NASes, which are on core %d. Of the sessions that are kept %d are open; each list is read %d times.",
		disconnectNASes, r.cores.load, keptOpen, keptTries)
	say("- memberradius logs at level warn; that an accepted request allocates nothing is a test of package radiusd.")
	return b.String()
}

// writePage replaces the page whole or not at all.
func writePage(path, text string) error {
	temporary := path + ".new"
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a page for everybody
		return err
	}
	if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil { //nolint:gosec // a page for everybody
		return err
	}
	return os.Rename(temporary, path)
}

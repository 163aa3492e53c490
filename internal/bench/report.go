//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The targets of the project, each with the unit of its figure.
const (
	papToFree, papToFloor       = 4, 0.70
	mschapToFree, mschapToFloor = 6, 0.55
	askToClient, askToFree      = 0.75, 10
	askP99                      = 120 * time.Millisecond
	crowdStart                  = 2 * time.Second
	crowdMemory                 = 150 << 20 // octets
	crowdToFew                  = 0.90
)

// A verdict is a figure beside its target.
type verdict struct {
	what, figure, target string
	met                  bool
}

// results are what was measured; what was left out is nil.
type results struct {
	speed  *speed
	asking *asking
	crowd  *crowd

	enterprise *enterprise
	membership *membership
	sessions   *sessions
}

// atLeast judges a contender by another; one that had no turn is not judged.
func atLeast(what string, s, base series, target float64) []verdict {
	ratio := s.of(base)
	if ratio == 0 {
		return nil
	}
	return []verdict{{what, fmt.Sprintf("%.2f", ratio), fmt.Sprintf("at least %g", target), ratio >= target}}
}

// verdicts holds every figure against its target.
func (r results) verdicts() (all []verdict) {
	if s := r.speed; s != nil {
		for _, m := range []struct {
			method, name      string
			toFree, toTheEcho float64
		}{{methods[0], "PAP", papToFree, papToFloor}, {methods[1], "MS-CHAPv2", mschapToFree, mschapToFloor}} {
			ours := s.ours[m.method]
			all = append(all, atLeast(m.name+", of FreeRADIUS", ours, s.free[m.method], m.toFree)...)
			all = append(all, atLeast(m.name+", of the floor", ours, s.floor, m.toTheEcho)...)
		}
	}
	if a := r.asking; a != nil {
		all = append(all, atLeast("rest, of a bare net/http client", a.ours, a.client, askToClient)...)
		all = append(all, atLeast("rest, of FreeRADIUS as it comes", a.ours, a.free, askToFree)...)
		all = append(all, below("rest, p99", a.ours.p99(), askP99))
	}
	if e := r.enterprise; e != nil {
		all = append(all, e.verdicts()...)
	}
	if m := r.membership; m != nil {
		all = append(all, m.verdicts()...)
	}
	if s := r.sessions; s != nil {
		all = append(all, s.verdicts()...)
	}
	if c := r.crowd; c != nil {
		all = append(all, atLeast("100,000 members, rate of that with 10", c.many, c.few, crowdToFew)...)
		all = append(all, below("100,000 members, start", middle(c.start), crowdStart))
		memory := middle(slices.Concat(c.memory, c.loaded))
		if loaded := middle(c.loaded); loaded > memory {
			memory = loaded
		}
		all = append(all, verdict{"100,000 members, resident memory",
			fmt.Sprintf("%d MB", memory>>20), fmt.Sprintf("under %d MB", crowdMemory>>20), memory < crowdMemory})
	}
	return all
}

func below(what string, figure, target time.Duration) verdict {
	return verdict{what, inMilliseconds(figure), "under " + inMilliseconds(target), figure > 0 && figure < target}
}

// middle is the median of whole numbers.
func middle[T ~int64](values []T) T {
	floats := make([]float64, len(values))
	for i, v := range values {
		floats[i] = float64(v)
	}
	return T(median(floats))
}

func inMilliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// A table is rows under a head, as Markdown.
type table struct {
	head []string
	rows [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// String lines the columns up, so that the page reads as well as its source.
func (t *table) String() string {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	line := func(cells []string, fill string) {
		for i, cell := range cells {
			b.WriteString("| " + cell + strings.Repeat(fill, widths[i]-len([]rune(cell))) + " ")
		}
		b.WriteString("|\n")
	}
	line(t.head, " ")
	rule := make([]string, len(t.head))
	for i := range rule {
		rule[i] = "---"
		widths[i] = max(widths[i], len(rule[i]))
	}
	line(rule, "-")
	for _, row := range t.rows {
		line(row, " ")
	}
	return b.String()
}

// verdictTable is what the run comes to.
func (r results) verdictTable() string {
	t := table{head: []string{"what", "measured", "target", ""}}
	for _, v := range r.verdicts() {
		word := "met"
		if !v.met {
			word = "**missed**"
		}
		t.add(v.what, v.figure, v.target, word)
	}
	return t.String()
}

// rateTable has every contender's figures.
func (r results) rateTable() string {
	t := table{head: []string{"contender", "requests/s (median)", "lowest to highest", "p50", "p99", "CPU a request", "its core busy", "no or wrong answer"}}
	add := func(name string, s series) {
		if len(s) == 0 {
			return
		}
		low, high := s.spread()
		t.add(name, fmt.Sprintf("%.0f", s.rate()), fmt.Sprintf("%.0f to %.0f", low, high),
			inMilliseconds(s.p50()), inMilliseconds(s.p99()), fmt.Sprintf("%.2f µs", float64(s.cpu())/1000),
			fmt.Sprintf("%.0f %%", 100*s.busy()), fmt.Sprint(s.lost()))
	}
	if s := r.speed; s != nil {
		add("UDP echo (the floor)", s.floor)
		for i, name := range []string{"PAP", "MS-CHAPv2"} {
			add(name+": FreeRADIUS", s.free[methods[i]])
			add(name+": memberradius", s.ours[methods[i]])
		}
	}
	if a := r.asking; a != nil {
		add("rest: bare net/http client", a.client)
		add("rest: memberradius", a.ours)
		add(fmt.Sprintf("rest: FreeRADIUS, %d threads (as it comes)", freeradiusThreads), a.free)
		add(fmt.Sprintf("rest: FreeRADIUS, %d threads", systemInFlight), a.freeWide)
	}
	if c := r.crowd; c != nil {
		add("local, 10 members: memberradius", c.few)
		add("local, 100,000 members: memberradius", c.many)
	}
	return t.String()
}

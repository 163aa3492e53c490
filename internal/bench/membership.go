//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// The targets of a member system that is synced.
const (
	syncTime      = 60 * time.Second
	syncMemory    = 300 << 20 // octets
	syncToQuiet   = 1.2
	deltaRequests = 3
	deltaTime     = time.Second
	hookTime      = time.Second
)

const (
	// besideRate is how many logins by PAP come a second beside a sync.
	besideRate = 2000
	// deltaChanges is how many contracts change between two syncs, of members from deltaFrom on.
	deltaChanges, deltaFrom = 10, 5000
	// syncPoll is how often the server's metrics are looked at, which costs it a
	// millisecond; it bounds the error of a sync's time.
	syncPoll = 500 * time.Millisecond
	// spaceBackend is the name of the synced system in config.toml.
	spaceBackend = "space"
)

// A membership is what it costs to follow a member system.
type membership struct {
	// took is how long everybody was read, and peak the most memory that the
	// server had then, in octets; settled is what it had a load later.
	took          []time.Duration
	peak, settled []int64
	// quiet is PAP at besideRate after the sync, beside the same during it.
	quiet, beside series
	// delta is how long a sync of deltaChanges changes took by the verb, and
	// asked how many requests it needed.
	delta []time.Duration
	asked []int64
	hooks []time.Duration
}

// measureMembership takes a new space and a new server in each round.
func (r *run) measureMembership(ctx context.Context) (m membership, err error) {
	for round := range r.rounds {
		if err := r.turnMembership(ctx, round, &m); err != nil {
			return m, err
		}
	}
	m.hooks, err = r.measureHooks(ctx)
	return m, err
}

// A following is a server that follows a space.
type following struct {
	*server
	space *server
	site  ourSite
	where string
}

// follow starts a space, and a server that waits for it to be opened.
func (r *run) follow(ctx context.Context, o *ours, secrecy string) (*following, error) {
	space, err := r.startSpace(ctx)
	if err != nil {
		return nil, err
	}
	f := &following{space: space}
	f.where, f.site, err = o.prepare(r.dir, ourSite{Kind: "file", Members: speedMembers, Space: &spaceSite{
		URL: "http://" + space.address.String(), Secrecy: secrecy, HookSecret: spaceSecret,
	}})
	if err == nil {
		f.server, err = o.start(ctx, r.cores.server, f.where, f.site)
	}
	if err != nil {
		space.stop()
		return nil, err
	}
	return f, nil
}

func (f *following) stop() {
	f.server.stop()
	f.space.stop()
}

// turnMembership measures a sync of everybody, and one of some changes.
func (r *run) turnMembership(ctx context.Context, round int, m *membership) error {
	f, err := r.follow(ctx, r.ours, "generate")
	if err != nil {
		return err
	}
	defer f.stop()
	pap := job{Method: methods[0], Members: speedMembers, InFlight: speedInFlight, Rate: besideRate, Shared: true}
	during := pap
	during.UntilTold = true
	load, err := r.startLoad(f.server, during)
	if err != nil {
		return err
	}
	defer load.stop()
	if err := load.waitFor(ctx, readyLine); err != nil {
		return err
	}
	took, err := f.readAll(ctx)
	if err != nil {
		return err
	}
	load.end()
	beside, err := load.outcome(ctx)
	if err != nil {
		return f.failure(fmt.Errorf("load beside a sync: %w", err))
	}
	peak, err := f.peak()
	if err != nil {
		return err
	}
	quiet, err := r.load(ctx, f.server, pap)
	if err != nil {
		return err
	}
	settled, err := f.memory()
	if err != nil {
		return err
	}
	r.say("round %d/%d  %d members synced in %v, at most %d MB resident, %d MB later", round+1, r.rounds, spaceMembers,
		took.Round(time.Millisecond), peak>>20, settled>>20)
	r.note(round, "PAP without a sync", quiet)
	r.note(round, "PAP beside a sync", beside)
	m.took, m.peak, m.settled = append(m.took, took), append(m.peak, peak), append(m.settled, settled)
	m.quiet, m.beside = append(m.quiet, quiet), append(m.beside, beside)
	return r.turnDelta(ctx, round, f, m)
}

// comes finds in the server's metrics how many members of the space can log in.
var comes = regexp.MustCompile(`(?m)^memberradius_members\{backend="` + spaceBackend + `"\} (\S+)$`)

// readAll opens the space and returns how long it takes until all members can log in.
func (f *following) readAll(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*syncTime)
	defer cancel()
	began := time.Now()
	if err := f.space.tell(ctx, order{path: spaceOpen}); err != nil {
		return 0, err
	}
	tick := time.NewTicker(syncPoll)
	defer tick.Stop()
	for {
		if found := comes.FindStringSubmatch(metrics(ctx, "http://"+f.site.HTTP+"/metrics")); found != nil && found[1] == strconv.Itoa(spaceMembers) {
			return time.Since(began), nil
		}
		select {
		case <-tick.C:
		case <-f.ended:
			return 0, f.failure(fmt.Errorf("it ended before the members came: %w", f.err))
		case <-ctx.Done():
			return 0, f.failure(fmt.Errorf("the members did not come: %w", ctx.Err()))
		}
	}
}

// metrics returns what the server says of itself, "" where it says nothing.
func metrics(ctx context.Context, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// A syncReport is what the verb says of a sync, as far as it counts here.
type syncReport struct{ Changed, Requests int }

// turnDelta measures a sync of a few changes by the verb, its start included.
func (r *run) turnDelta(ctx context.Context, round int, f *following, m *membership) error {
	if err := f.space.tell(ctx, order{path: spaceChange, from: deltaFrom, count: deltaChanges}); err != nil {
		return err
	}
	began := time.Now()
	text, err := r.ours.runOn(ctx, r.cores.load, f.where, "sync", spaceBackend, "--json")
	took := time.Since(began)
	if err != nil {
		return err
	}
	var said syncReport
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		return fmt.Errorf("the verb's answer: %w\n%s", err, text)
	}
	if said.Changed != deltaChanges {
		return f.failure(fmt.Errorf("%d members changed, and the sync found %d", deltaChanges, said.Changed))
	}
	r.say("round %d/%d  %d changes synced in %v by %d requests", round+1, r.rounds, deltaChanges, took.Round(time.Millisecond), said.Requests)
	m.delta, m.asked = append(m.delta, took), append(m.asked, int64(said.Requests))
	return nil
}

// slower returns how many times the p99 of s is that of base: the median of the rounds.
func (s series) slower(base series) float64 {
	ratios := make([]float64, 0, len(s))
	for i := range min(len(s), len(base)) {
		if base[i].P99 > 0 {
			ratios = append(ratios, float64(s[i].P99)/float64(base[i].P99))
		}
	}
	return median(ratios)
}

// verdicts holds the figures against their targets.
func (m *membership) verdicts() []verdict {
	peak, slower, asked := middle(m.peak), m.beside.slower(m.quiet), middle(m.asked)
	return []verdict{
		below("sync of 100,000 members", middle(m.took), syncTime),
		{"sync of 100,000 members, most resident memory", fmt.Sprintf("%d MB", peak>>20), fmt.Sprintf("under %d MB", syncMemory>>20), peak > 0 && peak < syncMemory},
		{fmt.Sprintf("PAP at %d/s beside that sync, p99 of that without", besideRate), fmt.Sprintf("%.2f", slower), fmt.Sprintf("at most %g", syncToQuiet), slower > 0 && slower <= syncToQuiet},
		{fmt.Sprintf("sync of %d changes, requests", deltaChanges), fmt.Sprint(asked), fmt.Sprintf("at most %d", deltaRequests), asked > 0 && asked <= deltaRequests},
		below(fmt.Sprintf("sync of %d changes", deltaChanges), middle(m.delta), deltaTime),
		below("webhook to changed decision, p99", percentile(m.hooks, 99), hookTime),
	}
}

// table has what the verdicts leave out.
func (m *membership) table() string {
	t := table{head: []string{"Nexudus, 100,000 members", "logins/s", "p50", "p99", "no or wrong answer"}}
	add := func(name string, s series) {
		t.add(name, fmt.Sprintf("%.0f", s.rate()), inMilliseconds(s.p50()), inMilliseconds(s.p99()), fmt.Sprint(s.lost()))
	}
	add("PAP without a sync", m.quiet)
	add("PAP beside a sync of everybody", m.beside)
	return t.String() + fmt.Sprintf("\nWith those members, some time after the sync: %d MB resident. From webhook to changed decision: p50 %s, slowest of %d %s.\n",
		middle(m.settled)>>20, inMilliseconds(percentile(m.hooks, 50)), len(m.hooks), inMilliseconds(percentile(m.hooks, 100)))
}

// hookURL is where the server takes webhooks.
func (f *following) hookURL() string {
	return "http://" + f.site.HTTP + "/webhooks/" + spaceBackend
}

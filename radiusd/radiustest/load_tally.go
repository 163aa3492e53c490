package radiustest

import (
	"context"
	"time"
)

// A tally counts what a Load has seen, and says when it may go on.
type tally struct {
	load      *Load
	transport transport
	begin     time.Time
	out       int    // requests, of EAP logins, in work
	issued    uint64 // of those in all, warm-up included
	counts    Counts
	window    // what is counted since the warm-up

	tick   time.Duration
	active time.Duration // when something was last sent or received
	// waited says that any socket may have something, also one with nothing out:
	// a late reply that nobody took would end every wait at once.
	waited bool

	shown struct {
		at      time.Duration
		replies uint64
	}
}

// A worker is what a Load does over and over.
type worker interface {
	// send sends what may be sent now, and says whether there was something.
	send(now time.Duration) (bool, error)
	// receive takes what has come, and says whether there was something.
	receive() (bool, error)
	// expire gives up what has waited for longer than Timeout.
	expire(now time.Duration)
}

// A window is the part of the run that counts.
type window struct {
	warm     bool
	from, to time.Duration
	replies  uint64 // at to
	latency  Histogram
	behind   time.Duration
}

const (
	// housekeeping is how often timeouts, context and progress are looked after.
	housekeeping = 5 * time.Millisecond
	// oversleep is more than a sleep ends late, some 50 µs: it would count as the
	// server's latency.
	oversleep = 200 * time.Microsecond
)

func (t *tally) now() time.Duration { return time.Since(t.begin) }

// loop sends what may be sent, takes what has come, and sleeps where there is
// neither.
func (t *tally) loop(ctx context.Context, w worker) error {
	for {
		now := t.now()
		if now >= t.tick {
			t.tick = now + housekeeping
			t.warmUp(now)
			w.expire(now)
			t.show(now)
			if err := ctx.Err(); err != nil {
				t.stop(now)
				return err
			}
		}
		sending := t.sending(now)
		if !sending {
			t.stop(now)
			if t.out == 0 {
				return nil
			}
		}
		worked := false
		if sending {
			sent, err := w.send(now)
			if err != nil {
				return err
			}
			worked = sent
		}
		received, err := w.receive()
		if err != nil {
			return err
		}
		if worked || received {
			t.active = now
			continue
		}
		t.idle(now, sending)
	}
}

// idle spins for a while and then sleeps, until a reply comes or the next
// request or the housekeeping is due.
func (t *tally) idle(now time.Duration, sending bool) {
	until := t.tick
	if sending && t.load.Rate > 0 && t.out < t.load.InFlight {
		until = min(until, t.due(t.issued))
	}
	if t.load.Spin >= 0 && (now-t.active < t.load.Spin || until-now < oversleep) {
		return
	}
	t.transport.wait(max(until-now, 0))
	t.waited = true
}

// sending says whether there is more to send, ever.
func (t *tally) sending(now time.Duration) bool {
	if t.load.Count > 0 && t.counts.Sent >= t.load.Count {
		return false
	}
	return t.load.Duration == 0 || now < t.load.Warmup+t.load.Duration
}

// allowed returns how many requests may be sent now.
func (t *tally) allowed(now time.Duration) int {
	n := t.load.InFlight - t.out
	if t.load.Rate > 0 {
		due := int64(now.Seconds()*t.load.Rate) + 1 - int64(t.issued)
		if due <= 0 && t.due(t.issued) <= now {
			due = 1 // rounding must not make the loop run round a request that is due
		}
		n = int(min(int64(n), due))
	}
	if t.load.Count > 0 {
		n = int(min(uint64(max(n, 0)), t.load.Count-t.counts.Sent))
	}
	return n
}

// due returns when a request of an open loop is: number 0 at once, number i after i/Rate seconds.
func (t *tally) due(number uint64) time.Duration {
	return time.Duration(float64(number) / t.load.Rate * float64(time.Second))
}

// warmUp begins to count when the warm-up is over.
func (t *tally) warmUp(now time.Duration) {
	if t.warm || now < t.load.Warmup {
		return
	}
	t.window = window{warm: true, from: now}
	// What is out now is answered within the time that counts.
	t.counts = Counts{Sent: uint64(t.out)}
	t.shown.at, t.shown.replies = now, 0
}

// stop ends the time that is counted, once.
func (t *tally) stop(now time.Duration) {
	if t.to == 0 {
		t.to, t.window.replies = max(now, 1), t.counts.Replies
	}
}

// show reports progress each second.
func (t *tally) show(now time.Duration) {
	since := now - t.shown.at
	if t.load.Progress == nil || !t.warm || since < time.Second {
		return
	}
	t.load.Progress(Snapshot{
		Counts:   t.counts,
		Elapsed:  now - t.from,
		InFlight: t.out,
		Rate:     float64(t.counts.Replies-t.shown.replies) / since.Seconds(),
		P50:      t.latency.Quantile(0.5),
		P99:      t.latency.Quantile(0.99),
	})
	t.shown.at, t.shown.replies = now, t.counts.Replies
}

func (t *tally) result() *Result {
	t.stop(t.now())
	r := &Result{Counts: t.counts, Mode: t.load.Mode, Elapsed: t.to - t.from, Latency: t.latency, Behind: t.behind}
	if r.Elapsed > 0 {
		r.Rate = float64(t.window.replies) / r.Elapsed.Seconds()
	}
	return r
}

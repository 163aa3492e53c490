package coa

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"memberradius/member"

	"layeh.com/radius"
)

var lobby = netip.MustParseAddrPort("192.0.2.10:3799")

// TestSilentNAS is the trace of rule D7 on the wire, by the standard's timers: the same
// octets each time, identifier and Event-Timestamp too, and given up after 30 s.
func TestSilentNAS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{})
		r, err := c.Disconnect(t.Context(), target(lobby), session())
		if r != (Result{Outcome: Timeout, Sends: 4, Took: 30 * time.Second}) || !errors.Is(err, ErrTimeout) || r.Gone() {
			t.Errorf("%+v, %v", r, err)
		}
		if !strings.Contains(err.Error(), "client lobby: Disconnect-Request to 192.0.2.10:3799: no answer within 30s, sent 4 times") {
			t.Error(err)
		}
		sent := w.sendings()
		for i, s := range sent {
			if want := seconds(0, 2, 6, 14)[i]; s.at != want || s.to != lobby || string(s.packet) != string(sent[0].packet) || s.line != sent[0].line {
				t.Errorf("sending %d at %v, want %v, the same octets from the same port", i, s.at, want)
			}
		}
	})
}

// TestAnswersOfNAS is what each answer makes of a request, and when.
func TestAnswersOfNAS(t *testing.T) {
	t.Parallel()
	ask := map[string]func(*Client, context.Context) (Result, error){
		"disconnect": func(c *Client, ctx context.Context) (Result, error) {
			return c.Disconnect(ctx, target(lobby), session())
		},
		"coa": func(c *Client, ctx context.Context) (Result, error) {
			return c.Change(ctx, target(lobby), session(), []byte{27, 6, 0, 0, 14, 16})
		},
	}
	for _, c := range []struct {
		name  string
		ask   string
		code  radius.Code
		cause ErrorCause
		after time.Duration
		want  Result
		gone  bool
	}{
		{"ack", "disconnect", radius.CodeDisconnectACK, 0, time.Millisecond, Result{ACK, 0, 1, time.Millisecond}, true},
		{"ack with a cause", "disconnect", radius.CodeDisconnectACK, 201, time.Millisecond, Result{ACK, 201, 1, time.Millisecond}, true},
		{"no such session", "disconnect", radius.CodeDisconnectNAK, 503, time.Millisecond, Result{NAK, 503, 1, time.Millisecond}, true},
		{"not removable", "disconnect", radius.CodeDisconnectNAK, 504, time.Millisecond, Result{NAK, 504, 1, time.Millisecond}, false},
		{"nak without a cause", "disconnect", radius.CodeDisconnectNAK, 0, time.Millisecond, Result{NAK, 0, 1, time.Millisecond}, false},
		{"CoA ack", "coa", radius.CodeCoAACK, 0, time.Millisecond, Result{ACK, 0, 1, time.Millisecond}, true},
		{"CoA nak", "coa", radius.CodeCoANAK, 405, time.Millisecond, Result{NAK, 405, 1, time.Millisecond}, false},
		{"after it was sent again", "disconnect", radius.CodeDisconnectACK, 0, 7 * time.Second, Result{ACK, 0, 3, 7 * time.Second}, true},
		{"at the last moment", "disconnect", radius.CodeDisconnectACK, 0, 29 * time.Second, Result{ACK, 0, 4, 29 * time.Second}, true},
		{"too late", "disconnect", radius.CodeDisconnectACK, 0, 31 * time.Second, Result{Timeout, 0, 4, 30 * time.Second}, false},
		{"an answer to another kind", "disconnect", radius.CodeCoAACK, 0, time.Second, Result{Timeout, 0, 4, 30 * time.Second}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, client := newWorld(t, Config{})
				w.nases[lobby] = says(t, lobby, c.after, c.code, c.cause)
				r, err := ask[c.ask](client, t.Context())
				if r != c.want || r.Gone() != c.gone || (err == nil) != (c.want.Outcome != Timeout) {
					t.Errorf("%+v, gone %t, %v; want %+v", r, r.Gone(), err, c.want)
				}
			})
		})
	}
}

// Whoever has not the secret, or is not where the NAS is, settles nothing, and is counted.
func TestStrangersAnswer(t *testing.T) {
	t.Parallel()
	wrong := func(t testing.TB, packet []byte) []byte {
		return answerTo(t, packet, radius.CodeDisconnectACK, "not the secret of it at all", 0, false)
	}
	right := func(t testing.TB, packet []byte) []byte {
		return answerTo(t, packet, radius.CodeDisconnectACK, testSecret, 0, true)
	}
	for _, c := range []struct {
		name, counted string
		answer        func(testing.TB, []byte) datagram
	}{
		{"forged", "forged", func(t testing.TB, p []byte) datagram { return datagram{b: wrong(t, p), peer: lobby} }},
		{"another port", "unknown", func(t testing.TB, p []byte) datagram {
			return datagram{b: right(t, p), peer: netip.AddrPortFrom(lobby.Addr(), 3798)}
		}},
		{"another address", "unknown", func(t testing.TB, p []byte) datagram { return datagram{b: right(t, p), peer: nowhere} }},
		{"another identifier", "unknown", func(t testing.TB, p []byte) datagram {
			b := right(t, p)
			b[1]++
			return datagram{b: b, peer: lobby}
		}},
		{"cut", "malformed", func(t testing.TB, p []byte) datagram { return datagram{b: right(t, p)[:19], peer: lobby} }},
		{"shorter than its Length", "malformed", func(t testing.TB, p []byte) datagram {
			b := right(t, p)
			return datagram{b: b[:len(b)-1], peer: lobby}
		}},
		{"an ICMP error that quotes too little", "malformed", func(_ testing.TB, p []byte) datagram {
			return datagram{b: p[:8], peer: lobby, refused: true}
		}},
		{"an ICMP error that quotes something else", "unknown", func(_ testing.TB, p []byte) datagram {
			b := append([]byte(nil), p...)
			b[10]++
			return datagram{b: b, peer: lobby, refused: true}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, client := newWorld(t, Config{})
				w.nases[lobby] = func(l *line, packet []byte) { l.put(time.Millisecond, c.answer(t, packet)) }
				r, err := client.Disconnect(t.Context(), target(lobby), session())
				if r.Outcome != Timeout || !errors.Is(err, ErrTimeout) {
					t.Errorf("%+v, %v", r, err)
				}
				if n := counted(t, client.meters.ignored.WithLabelValues(c.counted)); n != 4 {
					t.Errorf("%v counted as %s, not 4", n, c.counted)
				}
				if forged := strings.Contains(err.Error(), "compare the secret"); forged != (c.counted == "forged") {
					t.Error(err)
				}
			})
		})
	}
}

// Behind a forged answer the true one still counts; behind that, nothing does.
func TestAnswersOneAfterAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{})
		w.nases[lobby] = func(l *line, packet []byte) {
			l.put(1*time.Millisecond, datagram{b: answerTo(t, packet, radius.CodeDisconnectACK, "forged by someone", 0, true), peer: lobby})
			l.put(2*time.Millisecond, datagram{b: answerTo(t, packet, radius.CodeDisconnectNAK, testSecret, 506, true), peer: lobby})
			l.put(2*time.Millisecond, datagram{b: answerTo(t, packet, radius.CodeDisconnectNAK, testSecret, 506, true), peer: lobby})
			l.put(9*time.Millisecond, datagram{b: answerTo(t, packet, radius.CodeDisconnectACK, testSecret, 0, true), peer: lobby})
		}
		r, err := c.Disconnect(t.Context(), target(lobby), session())
		if err != nil || r.Outcome != NAK || r.Cause != ResourcesUnavailable {
			t.Errorf("%+v, %v", r, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for reason, want := range map[string]float64{"forged": 1, "unknown": 2, "malformed": 0} {
			if n := counted(t, c.meters.ignored.WithLabelValues(reason)); n != want {
				t.Errorf("%v %s, want %v", n, reason, want)
			}
		}
	})
}

// What ICMP quotes back, Request Authenticator and all, ends a request at once.
func TestRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{})
		w.nases[lobby] = func(l *line, packet []byte) {
			l.put(time.Millisecond, datagram{b: packet[:headerSize+8], peer: lobby, refused: true})
		}
		r, err := c.Disconnect(t.Context(), target(lobby), session())
		if r != (Result{Outcome: Refused, Sends: 1, Took: time.Millisecond}) || !errors.Is(err, ErrRefused) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestContextEndsAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		r, err := c.Disconnect(ctx, target(lobby), session())
		if r != (Result{Outcome: Ended, Sends: 2, Took: 3 * time.Second}) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := c.Disconnect(ctx, target(lobby), session()); r != (Result{Outcome: Ended}) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("begun after its end: %+v, %v", r, err)
		}
		if n := len(w.sendings()); n != 2 {
			t.Errorf("sent %d times", n)
		}
	})
}

// Close ends whoever waits, and nothing begins after it. The bubble ends only when
// every goroutine has.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{})
		time.AfterFunc(time.Second, func() {
			if err := c.Close(); err != nil || !w.line(0).left.Load() {
				t.Errorf("%v, its reader has ended: %t", err, w.line(0).left.Load())
			}
		})
		for range 2 {
			if r, err := c.Disconnect(t.Context(), target(lobby), session()); r.Outcome != Ended || !errors.Is(err, ErrClosed) {
				t.Errorf("%+v, %v", r, err)
			}
		}
		if n, m := w.open(), len(w.sendings()); n != 0 || m != 1 {
			t.Errorf("%d ports are open, sent %d times", n, m)
		}
	})
}

// A port that breaks ends those who wait on it, and the next request has another.
func TestBrokenPort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(t, Config{})
		time.AfterFunc(time.Second, func() { w.line(0).broken <- errNoNetwork })
		if r, err := c.Disconnect(t.Context(), target(lobby), session()); r.Outcome != Ended || r.Sends != 1 || !errors.Is(err, errNoNetwork) {
			t.Errorf("%+v, %v", r, err)
		}
		synctest.Wait()
		if n := w.open(); n != 0 {
			t.Errorf("%d ports are open", n)
		}
		w.nases[lobby] = says(t, lobby, time.Millisecond, radius.CodeDisconnectACK, 0)
		if r, err := c.Disconnect(t.Context(), target(lobby), session()); err != nil || !r.Gone() {
			t.Errorf("%+v, %v", r, err)
		}
		w.mute = errNoNetwork
		if r, err := c.Disconnect(t.Context(), target(lobby), session()); r.Outcome != Timeout || !errors.Is(err, errNoNetwork) || !errors.Is(err, ErrTimeout) {
			t.Errorf("what can't be sent: %+v, %v", r, err)
		}
		w.fail = errNoNetwork
		time.Sleep(2 * linger)
		if r, err := c.Disconnect(t.Context(), target(lobby), session()); r.Outcome != Unsent || !errors.Is(err, errNoNetwork) || c.waiting != 0 {
			t.Errorf("no port: %+v, %v", r, err)
		}
	})
}

// What can't be asked is not asked.
func TestUnsent(t *testing.T) {
	t.Parallel()
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.listen = func(bool) (wire, error) {
		t.Error("a port is opened")
		return nil, errNoNetwork
	}
	nobody := &member.Session{User: "anna", NASIdentifier: "ap1"}
	for name, ask := range map[string]func() (Result, error){
		"no address": func() (Result, error) { return c.Disconnect(t.Context(), target(netip.AddrPort{}), session()) },
		"no port": func() (Result, error) {
			return c.Disconnect(t.Context(), target(netip.AddrPortFrom(lobby.Addr(), 0)), session())
		},
		"no secret": func() (Result, error) {
			return c.Disconnect(t.Context(), &Target{Address: lobby, Name: "lobby"}, session())
		},
		"unspecified": func() (Result, error) {
			return c.Disconnect(t.Context(), target(netip.MustParseAddrPort("0.0.0.0:3799")), session())
		},
		"multicast": func() (Result, error) {
			return c.Disconnect(t.Context(), target(netip.MustParseAddrPort("224.0.0.1:3799")), session())
		},
		"no session": func() (Result, error) {
			return c.Change(t.Context(), target(lobby), nobody, []byte{27, 6, 0, 0, 14, 16})
		},
	} {
		if r, err := ask(); r.Outcome != Unsent || r.Sends != 0 || err == nil || errors.Is(err, ErrUnidentified) != (name == "no session") || strings.Contains(err.Error(), string(testSecret)) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	long := func() (Result, error) {
		return c.Change(t.Context(), target(lobby), session(), make([]byte, maxPacket))
	}
	c.listen = (&world{tb: t}).listen
	if r, err := long(); r.Outcome != Unsent || r.Sends != 0 || err == nil {
		t.Errorf("too long: %+v, %v", r, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

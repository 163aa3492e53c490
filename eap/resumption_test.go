package eap_test

import (
	"crypto/tls"
	"fmt"
	"slices"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// eachTunnel runs a test for PEAP and TTLS, on TLS 1.2 and 1.3.
func eachTunnel(t *testing.T, kinds []eap.Type, run func(t *testing.T, kind eap.Type, version uint16)) {
	t.Helper()
	t.Parallel()
	for _, kind := range kinds {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(fmt.Sprintf("%s on %s", kind, tls.VersionName(version)), func(t *testing.T) {
				t.Parallel()
				run(t, kind, version)
			})
		}
	}
}

// wallet is where a device keeps its ticket. It counts those that it got.
type wallet struct {
	session *tls.ClientSessionState
	got     int
}

func (w *wallet) Get(string) (*tls.ClientSessionState, bool) { return w.session, w.session != nil }

func (w *wallet) Put(_ string, s *tls.ClientSessionState) {
	if s != nil {
		w.session = s
		w.got++
	}
}

// login is one conversation, of a device with this wallet.
func (w *world) login(kind eap.Type, version uint16, secret string, keep tls.ClientSessionCache) (*eaptest.Device, eap.Outcome) {
	d := device(kind, version, secret)
	defer d.Close()
	d.TLS.ClientSessionCache, d.TLS.Time = keep, w.Clock
	return d, w.Converse(d.Peer("anonymous"))
}

func worldAt(now *time.Time, types ...eap.Type) *world {
	w := newWorld(types...)
	w.Clock = func() time.Time { return *now }
	return w
}

// TestCVE2017_9148: a handshake whose inner login was refused, or never came,
// gives a ticket that opens nothing (RFC 5281 §7.5), rule T7.
func TestCVE2017_9148(t *testing.T) {
	eachTunnel(t, []eap.Type{eap.PEAP, eap.TTLS}, func(t *testing.T, kind eap.Type, version uint16) {
		now := eaptest.Now()
		attacks := map[string]func(w *world, keep *wallet){
			"refused": func(w *world, keep *wallet) {
				if _, o := w.login(kind, version, "wrong", keep); o.Kind != eap.Reject {
					t.Errorf("a wrong password ended with %+v", o)
				}
			},
			"abandoned": func(w *world, keep *wallet) {
				d := device(kind, version, password)
				defer d.Close()
				d.TLS.ClientSessionCache, d.TLS.Time = keep, w.Clock
				d.Inside = func(*eaptest.Device, []byte) []byte { return nil }
				p := d.Peer("anonymous")
				p.Method = func(data []byte) []byte { // it has what it wants, and leaves
					if keep.got > 0 {
						return nil
					}
					return d.Answer(data)
				}
				w.Converse(p)
			},
		}
		for name, attack := range attacks {
			w, keep := worldAt(&now), &wallet{}
			attack(w, keep)
			if keep.got == 0 {
				t.Fatalf("%s: there was no ticket to attack with", name)
			}
			// The attacker has no password, and says what one says who has resumed.
			d, o := w.login(kind, version, "still wrong", keep)
			if o.Kind != eap.Reject || o.Result.Resumed || len(o.Result.MSK) > 0 {
				t.Errorf("%s: with the ticket it ended with %+v", name, o)
			}
			if d.Resumed() {
				t.Errorf("%s: the ticket was taken", name)
			}
			if got := w.members.Recalled(); len(got) != 0 {
				t.Errorf("%s: %q were decided without a proof", name, got)
			}
		}
		// The same ticket of a login that was let in resumes: the attack was a real one.
		w, keep := worldAt(&now), &wallet{}
		w.login(kind, version, password, keep)
		d, o := w.login(kind, version, "not needed", keep)
		if o.Kind != eap.Accept || !o.Result.Resumed || !d.Resumed() {
			t.Errorf("an honest ticket ended with %+v", o)
		}
		if got := w.members.Recalled(); !slices.Equal(got, []string{login}) {
			t.Errorf("%q were decided again", got)
		}
	})
}

// TestT6CancelledMember: who was cancelled since is not let in by a ticket, and
// a full handshake says why.
func TestT6CancelledMember(t *testing.T) {
	eachTunnel(t, []eap.Type{eap.PEAP, eap.TTLS, eap.TLS}, func(t *testing.T, kind eap.Type, version uint16) {
		now := eaptest.Now()
		w, keep := worldAt(&now), &wallet{}
		if _, o := w.login(kind, version, password, keep); o.Kind != eap.Accept {
			t.Fatalf("the first login: %+v", o.Result)
		}
		w.members.Refuse(login, member.ReasonExpired)
		d, o := w.login(kind, version, password, keep)
		if o.Kind != eap.Reject || o.Result.Decision.Reason != member.ReasonExpired || o.Result.Resumed || d.Resumed() {
			t.Errorf("a cancelled member: %+v, resumed %t", o, d.Resumed())
		}
		w.members.Refuse(login, member.ReasonNone)
		w.members.Silence()
		if d, o = w.login(kind, version, password, keep); o.Kind != eap.Unanswered || d.Resumed() {
			t.Errorf("members who can't say: %+v, resumed %t", o, d.Resumed())
		}
	})
}

// TestTicketOpensItsMethodAlone: one of PEAP is none of TTLS, though both know it.
func TestTicketOpensItsMethodAlone(t *testing.T) {
	eachTunnel(t, []eap.Type{eap.PEAP, eap.TTLS}, func(t *testing.T, kind eap.Type, version uint16) {
		now := eaptest.Now()
		other := eap.PEAP + eap.TTLS - kind
		w, keep := worldAt(&now), &wallet{}
		if _, o := w.login(kind, version, password, keep); o.Kind != eap.Accept || keep.got == 0 {
			t.Fatalf("the first login: %+v, %d tickets", o.Result, keep.got)
		}
		d, o := w.login(other, version, password, keep)
		if o.Kind != eap.Accept || o.Result.Resumed || d.Resumed() {
			t.Errorf("a ticket of %s opened %s: %+v", kind, other, o.Result)
		}
	})
}

// TestTicketsExpire: from the full handshake on, however often it was resumed.
func TestTicketsExpire(t *testing.T) {
	eachTunnel(t, []eap.Type{eap.PEAP, eap.TTLS, eap.TLS}, func(t *testing.T, kind eap.Type, version uint16) {
		now := eaptest.Now()
		w, keep := worldAt(&now), &wallet{}
		begin := now
		for _, c := range []struct {
			after   time.Duration
			resumed bool
		}{{0, false}, {40 * time.Minute, true}, {time.Hour - time.Nanosecond, true}, {time.Hour, false}, {time.Hour + 59*time.Minute, true}, {2 * time.Hour, false}} {
			now = begin.Add(c.after)
			d, o := w.login(kind, version, password, keep)
			if o.Kind != eap.Accept || o.Result.Resumed != c.resumed || d.Resumed() != c.resumed {
				t.Errorf("after %s: %d, resumed %t, want %t", c.after, o.Kind, o.Result.Resumed, c.resumed)
			}
		}
	})
}

// TestResumptionKeys: both ends have one MSK after a fast reconnect, and not
// that of the first login; How says the way of the proof.
func TestResumptionKeys(t *testing.T) {
	eachTunnel(t, []eap.Type{eap.PEAP, eap.TTLS, eap.TLS}, func(t *testing.T, kind eap.Type, version uint16) {
		now := eaptest.Now()
		w, keep := worldAt(&now), &wallet{}
		_, full := w.login(kind, version, password, keep)
		d, o := w.login(kind, version, password, keep)
		want := d.Material()[:64]
		if kind == eap.PEAP { // with Crypto-Binding: see TestBoundKeys in peap
			want = nil
		}
		if !o.Result.Resumed || len(o.Result.MSK) != 64 || want != nil && !slices.Equal(o.Result.MSK, want) {
			t.Errorf("MSK %x, want %x", o.Result.MSK, want)
		}
		if slices.Equal(o.Result.MSK, full.Result.MSK) || slices.Equal(o.Result.SessionID, full.Result.SessionID) {
			t.Error("the fast reconnect has the keys or the Session-Id of the full login")
		}
		how := map[eap.Type]string{eap.PEAP: "peap/eap-mschapv2", eap.TTLS: "ttls/pap", eap.TLS: "tls"}[kind]
		if o.Result.How != how || full.Result.How != how || o.Result.Decision.Login != login {
			t.Errorf("How %q, then %q, want %q; login %q", full.Result.How, o.Result.How, how, o.Result.Decision.Login)
		}
	})
}

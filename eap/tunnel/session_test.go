package tunnel

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// established returns a pair whose handshake has ended, with nothing in flight.
func established(t *testing.T, version uint16) *pair {
	t.Helper()
	p := newPair(newConfig(eap.PEAP), version)
	p.shake(t)
	return p
}

// hears takes a flight of the device's to the session, in fragments.
func (p *pair) hears(t *testing.T, flight []byte) Event {
	t.Helper()
	var from frame
	from.send(flight)
	for {
		e := p.session.Step(from.next(1000), exchangeAt(eaptest.Now()))
		if !from.sending() {
			return e
		}
		if !bytes.Equal(e.Turn.Data, []byte{0}) {
			t.Fatalf("a fragment was answered with %+v", e)
		}
	}
}

// TestWhatIsSaidInside goes both ways, also in fragments, also in several records.
func TestWhatIsSaidInside(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := established(t, version)
		for _, size := range []int{0, 1, 1000, 5000, maxPlain} {
			said := bytes.Repeat([]byte{byte(size)}, size)
			e := p.hears(t, p.device.Client.Say(said))
			if !e.Ready || !bytes.Equal(e.Plain, said) {
				t.Errorf("%d octets came out as %d, ready %t, %+v", size, len(e.Plain), e.Ready, e.Turn)
			}
		}
		if p.session.Waiting() {
			t.Error("something waits that nobody said")
		}
		for _, part := range []string{"first", "second"} {
			if err := p.session.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		if !p.session.Waiting() {
			t.Error("what was said does not wait")
		}
		p.device.Answer(p.session.Flush().Data)
		if got := string(p.device.Heard); got != "firstsecond" || p.session.Waiting() {
			t.Errorf("the device heard %q, waiting %t", got, p.session.Waiting())
		}
	}
}

func TestWhatBreaksATunnel(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range []struct {
			name   string
			flight func(p *pair) []byte
			reason member.Reason
			detail string
		}{
			{"too much", func(p *pair) []byte { return p.device.Client.Say(make([]byte, maxPlain+1)) }, member.ReasonEAP, "the device says too much inside the tunnel"},
			{"it closes it", func(p *pair) []byte { return p.device.Client.CloseNotify() }, member.ReasonEAP, "the device closed the tunnel"},
			{"a bit that is wrong", func(p *pair) []byte {
				flight := p.device.Client.Say([]byte("hello"))
				flight[len(flight)-1] ^= 1
				return flight
			}, member.ReasonTLS, "local error: tls: bad record MAC"},
			{"an alert in clear", func(*pair) []byte { return []byte{recordAlert, 3, 3, 0, 2, 2, 48} }, member.ReasonNotTrusted, "unknown CA"},
			{"something that is no TLS", func(*pair) []byte { return []byte("hello, world") }, member.ReasonTLS, ""},
		} {
			p := established(t, version)
			e := p.hears(t, c.flight(p))
			got := e.Turn.Result.Fault
			if e.Ready || e.Turn.Kind != eap.Reject || got.Reason != c.reason || c.detail != "" && got.Detail != c.detail {
				t.Errorf("%s, on %s: ready %t, %+v; want %q", c.name, tls.VersionName(version), e.Ready, e.Turn, c.detail)
			}
		}
	}
}

// TestAcknowledgementOfNothing makes no sense to a session that waits for TLS.
func TestAcknowledgementOfNothing(t *testing.T) {
	t.Parallel()
	s, x := newConfig(eap.PEAP).Start(), exchangeAt(eaptest.Now())
	defer s.End()
	if e := s.Step(nil, x); !bytes.Equal(e.Turn.Data, []byte{flagStart}) || e.Turn.Kind != eap.Ask {
		t.Errorf("it starts with %+v", e)
	}
	if e := s.Step([]byte{0}, x); e.Ready || e.Turn.Kind != eap.Ignore {
		t.Errorf("an acknowledgement of the start: %+v", e)
	}
	if e := s.Step([]byte{}, x); e.Turn.Kind != eap.Reject {
		t.Errorf("no flags: %+v", e)
	}
}

func TestWhereAPeerStopped(t *testing.T) {
	t.Parallel()
	p := newPair(newConfig(eap.PEAP), tls.VersionTLS13)
	p.device.Fragment = 100 // its ClientHello is three
	p.session = p.config.Start()
	defer p.session.End()
	x := exchangeAt(eaptest.Now())
	e := p.session.Step(nil, x)
	for _, want := range []string{"before its ClientHello", "before its ClientHello", "before its ClientHello", "after this server's certificate"} {
		if got := p.session.Where(); !strings.HasPrefix(got, want) {
			t.Errorf("it is %q, want %q", got, want)
		}
		e = p.session.Step(p.device.Answer(e.Turn.Data), x)
	}
	for !e.Ready {
		if e.Turn.Kind != eap.Ask {
			t.Fatalf("the handshake ended with %+v", e.Turn)
		}
		e = p.session.Step(p.device.Answer(e.Turn.Data), x)
	}
	if got := p.session.Where(); got != "inside the tunnel" {
		t.Errorf("it is %q", got)
	}
}

// TestCurves: the hybrid of ML-KEM is not used (its flights are longer), and in TLS
// 1.2, where the server chooses, it is what costs it least.
func TestCurves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version uint16
		offered []tls.CurveID
		want    tls.CurveID
	}{
		{tls.VersionTLS13, []tls.CurveID{tls.X25519MLKEM768, tls.X25519}, tls.X25519},
		{tls.VersionTLS13, []tls.CurveID{tls.X25519, tls.CurveP256}, tls.X25519},
		{tls.VersionTLS12, []tls.CurveID{tls.X25519, tls.CurveP256}, tls.CurveP256},
		{tls.VersionTLS12, []tls.CurveID{tls.X25519}, tls.X25519},
		{tls.VersionTLS12, []tls.CurveID{tls.CurveP384}, tls.CurveP384},
	} {
		p := newPair(newConfig(eap.PEAP), c.version)
		p.device.TLS.CurvePreferences = c.offered
		p.shake(t)
		if got := p.device.Client.State().CurveID; got != c.want {
			t.Errorf("of %v on %s it is %s, want %s", c.offered, tls.VersionName(c.version), got, c.want)
		}
	}
}

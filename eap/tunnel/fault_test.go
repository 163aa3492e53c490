package tunnel

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

// run talks until the session has an end, or is ready, and says how it went.
// alter may change what the device sends; n counts its answers from 0.
func (p *pair) run(now time.Time, alter func(n int, data []byte) []byte) (e Event, rounds int) {
	x := exchangeAt(now)
	p.session = p.config.Start()
	for data := []byte(nil); ; rounds++ {
		if e = p.session.Step(data, x); e.Ready || e.Turn.Kind != eap.Ask {
			p.session.End()
			p.device.Close()
			return e, rounds
		}
		data = p.device.Answer(e.Turn.Data)
		if alter != nil {
			data = alter(rounds, data)
		}
	}
}

var errRevoked = errors.New("it was revoked on 3 March (key compromise)")

// TestFaults: each way in which TLS fails is told to the operator in words, and
// with the right one to blame.
func TestFaults(t *testing.T) {
	t.Parallel()
	show := func(name string) func(*pair) {
		return func(p *pair) {
			pair := eaptest.Pair(name)
			p.device.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
	}
	tests := []struct {
		name   string
		change func(p *pair)
		reason member.Reason
		detail string // "" is: the handshake ends well
	}{
		{"a good certificate", show(eaptest.Phone), member.ReasonNone, ""},
		{"a device that does not trust", func(p *pair) { p.device.TLS.RootCAs = x509.NewCertPool() }, member.ReasonNotTrusted, "bad certificate"},
		{"a device that wants another name", func(p *pair) { p.device.TLS.ServerName = "other.example" }, member.ReasonNotTrusted, "bad certificate"},
		{"no certificate", func(*pair) {}, member.ReasonCertificate, "it sent none"},
		{"an expired one", show(eaptest.Expired), member.ReasonCertificate, "it has expired, or is not valid yet"},
		{"a foreign one", show(eaptest.Foreign), member.ReasonCertificate, "nobody who is trusted here has signed it"},
		{"a server's", show(eaptest.Host), member.ReasonCertificate, "it is not for clients"},
		{"a revoked one", func(p *pair) {
			show(eaptest.Phone)(p)
			p.config.Identity().Verify = func(chains [][]*x509.Certificate) error {
				if len(chains) != 1 || len(chains[0]) != 2 {
					return errors.New("not the whole chain")
				}
				return errRevoked
			}
		}, member.ReasonCertificate, errRevoked.Error()},
		{"a server that trusts nobody", func(p *pair) {
			show(eaptest.Phone)(p)
			p.config.Identity().ClientCAs = nil
		}, member.ReasonCertificate, "nobody who is trusted here has signed it"},
	}
	for _, c := range tests {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(c.name+" on "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				p := newPair(newConfig(eap.TLS), version)
				p.config.ClientCertificate = true
				p.config.Identity().ClientCAs = eaptest.Pool(eaptest.CA)
				c.change(p)
				e, _ := p.run(eaptest.Now(), nil)
				if e.Ready != (c.detail == "") {
					t.Fatalf("ready %t, %+v", e.Ready, e.Turn)
				}
				if got := e.Turn.Result.Fault; !e.Ready && (e.Turn.Kind != eap.Reject || got.Reason != c.reason || got.Detail != c.detail) {
					t.Errorf("it is %q, %q; want %q, %q", got.Reason, got.Detail, c.reason, c.detail)
				}
				if c.reason == member.ReasonCertificate && p.device.Client.Err == nil {
					t.Error("the device was not told by an alert (RFC 5216 §2.1.3)")
				}
			})
		}
	}
}

// TestNobodyTrustedIsNotTheSystem: crypto/tls takes no pool for the system's,
// which anybody can buy a certificate of.
func TestNobodyTrustedIsNotTheSystem(t *testing.T) {
	t.Parallel()
	c := newConfig(eap.TLS)
	c.ClientCertificate = true
	if pool := c.prepare().tls.ClientCAs; pool == nil || !pool.Equal(x509.NewCertPool()) {
		t.Error("without an authority of its own the server trusts the system's")
	}
}

// TestCertificateIsJudgedWhenThePacketCame: the clock is the exchange's.
func TestCertificateIsJudgedWhenThePacketCame(t *testing.T) {
	t.Parallel()
	for year, want := range map[int]string{1999: "it has expired, or is not valid yet", 2000: "", 2099: "", 2101: "it has expired, or is not valid yet"} {
		p := newPair(newConfig(eap.TLS), tls.VersionTLS13)
		p.config.ClientCertificate = true
		p.config.Identity().ClientCAs = eaptest.Pool(eaptest.CA)
		p.device.TLS.Certificates = []tls.Certificate{eaptest.Pair(eaptest.Phone)}
		e, _ := p.run(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC), nil)
		if got := e.Turn.Result.Fault.Detail; got != want || e.Ready != (want == "") {
			t.Errorf("in %d: %q, ready %t; want %q", year, got, e.Ready, want)
		}
	}
}

// oldHello is the ClientHello of a device that knows no extensions: the version
// alone says what it offers.
func oldHello(minor byte) []byte {
	body := append([]byte{3, minor}, bytes.Repeat([]byte{7}, 32)...) // random
	body = append(body, 0, 0, 4, 0x00, 0x2f, 0x00, 0x35, 1, 0)       // no session, AES-CBC by RSA, no compression
	handshake := append([]byte{1, 0, 0, byte(len(body))}, body...)
	return append([]byte{22, 3, 1, 0, byte(len(handshake))}, handshake...)
}

func TestOldDevices(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		change     func(p *pair)
		hello      []byte
	}{
		{"TLS 1.0, raw", "the device offers only TLS 1.0", nil, oldHello(1)},
		{"TLS 1.1, raw", "the device offers only TLS 1.1, TLS 1.0", nil, oldHello(2)},
		{"TLS 1.1", "the device offers only TLS 1.1", func(p *pair) { p.device.TLS.MinVersion, p.device.TLS.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 }, nil},
		{"TLS 1.3 where 1.2 is the most", "the device offers only TLS 1.3", func(p *pair) {
			p.config.MaxTLS = tls.VersionTLS12
			p.device.TLS.MinVersion, p.device.TLS.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
		}, nil},
		{"no cipher in common", "no cipher suite supported by both client and server", func(p *pair) {
			p.device.TLS.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		}, nil},
		{"no TLS at all", "first record does not look like a TLS handshake", nil, []byte("GET / HTTP/1.0\r\n\r\n")},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPair(newConfig(eap.PEAP), tls.VersionTLS12)
			if c.change != nil {
				c.change(p)
			}
			e, rounds := p.run(eaptest.Now(), func(n int, data []byte) []byte {
				if n == 0 && c.hello != nil {
					return append([]byte{0}, c.hello...)
				}
				return data
			})
			got := e.Turn.Result.Fault
			if e.Turn.Kind != eap.Reject || got.Reason != member.ReasonTLS || !strings.HasPrefix(got.Detail, c.want) {
				t.Errorf("it is %d, %q, %q; want %q", e.Turn.Kind, got.Reason, got.Detail, c.want)
			}
			if rounds != 1 {
				t.Errorf("it took %d rounds: a device that can't read the alert never answers one", rounds)
			}
		})
	}
}

// TestAlerts: what a device says in clear, as OpenSSL does in TLS 1.3 too,
// tells why it left; Failure comes at once.
func TestAlerts(t *testing.T) {
	t.Parallel()
	for alert, want := range map[byte]eap.Fault{
		48:  {Reason: member.ReasonNotTrusted, Detail: "unknown CA"},
		46:  {Reason: member.ReasonNotTrusted, Detail: "certificate unknown"},
		45:  {Reason: member.ReasonNotTrusted, Detail: "certificate expired"},
		42:  {Reason: member.ReasonNotTrusted, Detail: "bad certificate"},
		40:  {Reason: member.ReasonTLS, Detail: "the device ended it: handshake failure"},
		80:  {Reason: member.ReasonTLS, Detail: "the device ended it: internal error, which wpa_supplicant says of a server whose name is not the one that it expects"},
		200: {Reason: member.ReasonTLS, Detail: "the device ended it: alert 200"},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			p := newPair(newConfig(eap.PEAP), version)
			e, rounds := p.run(eaptest.Now(), func(n int, data []byte) []byte {
				if n == 1 {
					return []byte{0, recordAlert, 3, 3, 0, 2, 2, alert}
				}
				return data
			})
			if e.Turn.Kind != eap.Reject || e.Turn.Result.Fault != want || rounds != 2 {
				t.Errorf("alert %d on %s: %+v after %d rounds, want %+v after 2", alert, tls.VersionName(version), e.Turn, rounds, want)
			}
		}
	}
}

// TestAlertsAreFoundAmongRecords, and half a record is none.
func TestAlertsAreFoundAmongRecords(t *testing.T) {
	t.Parallel()
	alert := []byte{recordAlert, 3, 3, 0, 2, 2, 48}
	for _, c := range []struct {
		flight []byte
		found  bool
	}{
		{alert, true},
		{append([]byte{20, 3, 3, 0, 1, 1}, alert...), true},
		{append(bytes.Clone(alert), 22, 3, 3), true},
		{alert[:6], false},
		{nil, false},
		{[]byte{recordAlert, 3, 3, 0, 3, 2, 48, 0}, false}, // encrypted ones are longer
		{[]byte{22, 3, 3, 0, 7, recordAlert, 3, 3, 0, 2, 2, 48}, false},
	} {
		var p peer
		if p.flight(c.flight); p.alerted != c.found || c.found && p.alert != 48 {
			t.Errorf("%x: alerted %t, %d", c.flight, p.alerted, p.alert)
		}
	}
}

func FuzzFlight_NoPanic(f *testing.F) {
	f.Add([]byte{recordAlert, 3, 3, 0, 2, 2, 48})
	f.Add(oldHello(1))
	f.Fuzz(func(_ *testing.T, flight []byte) {
		var p peer
		var k keys
		p.flight(flight)
		k.asked(flight)
		k.served(flight)
		_, _ = k.Write(flight)
	})
}

// FuzzSession_NoPanic has a session take what a device sends in its first two
// packets; it never ends well.
func FuzzSession_NoPanic(f *testing.F) {
	d := eaptest.NewDevice(eap.PEAP, tls.VersionTLS12)
	f.Add(d.Answer([]byte{flagStart}), []byte{0})
	d.Close()
	f.Add(append([]byte{0}, oldHello(3)...), []byte{0, recordAlert, 3, 3, 0, 2, 2, 48})
	f.Add([]byte{flagLength | flagMore, 0x80, 0, 0, 0}, []byte{flagMore})
	c := newConfig(eap.PEAP)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		s, x := c.Start(), exchangeAt(eaptest.Now())
		defer s.End()
		s.Step(nil, x)
		for _, data := range [][]byte{first, second, {0}, {0}} {
			if data == nil {
				data = []byte{}
			}
			e := s.Step(data, x)
			if e.Ready || e.Turn.Kind == eap.Accept || len(e.Turn.Data) > x.Room() {
				t.Fatalf("%x: %+v", data, e)
			}
			if e.Turn.Kind != eap.Ask {
				return
			}
		}
	})
}

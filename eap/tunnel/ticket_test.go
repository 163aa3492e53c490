package tunnel

import (
	"crypto/tls"
	"sync"
	"testing"
	"time"

	"memberradius/eap"
	"memberradius/eap/eaptest"
	"memberradius/member"
)

func TestMemoryKeepsTheYoungest(t *testing.T) {
	t.Parallel()
	const most = 3
	m := NewMemory(most)
	for n := range byte(10) {
		m.Keep(TicketID{n}, &Ticket{How: string('a' + rune(n))})
		for old := range byte(10) {
			got := m.Recall(TicketID{old})
			if want := old <= n && old+most > n; (got != nil) != want || want && got.How != string('a'+rune(old)) {
				t.Errorf("after %d tickets, %d is %+v", n+1, old, got)
			}
		}
	}
	if len(m.all) != most {
		t.Errorf("%d tickets are kept, want %d", len(m.all), most)
	}
	m.Keep(TicketID{9}, &Ticket{How: "again"})
	if got := m.Recall(TicketID{9}); got == nil || got.How != "again" {
		t.Errorf("a ticket that is kept anew is %+v", got)
	}
	var all sync.WaitGroup
	for n := range byte(50) {
		all.Go(func() {
			m.Keep(TicketID{n, 1}, &Ticket{})
			m.Recall(TicketID{n})
		})
	}
	all.Wait()
	if len(m.all) != most || len(m.ring) != most {
		t.Errorf("%d tickets, %d places, want %d", len(m.all), len(m.ring), most)
	}
}

// TestTicketsOpenAfterAdmit: what the peer was sent is kept by Admit, and not before.
func TestTicketsOpenAfterAdmit(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := newPair(newConfig(eap.TTLS), version)
		p.shake(t)
		memory := p.config.Tickets.(*Memory)
		if len(p.session.issued) != 1 || len(memory.all) != 0 {
			t.Fatalf("%d tickets were sent, %d are open before Admit", len(p.session.issued), len(memory.all))
		}
		id := p.session.issued[0].id
		p.session.Admit(&eap.Decision{Verdict: member.Allow, Login: "anna"}, "ttls/pap")
		ticket := memory.Recall(id)
		if ticket == nil || ticket.Type != eap.TTLS || ticket.How != "ttls/pap" || ticket.Decision.Login != "anna" || !ticket.Born.Equal(eaptest.Now()) {
			t.Errorf("the ticket is %+v", ticket)
		}
		p.session.Admit(&eap.Decision{Login: "bob"}, "")
		if got := memory.Recall(id); got != ticket {
			t.Errorf("a second Admit made it %+v", got)
		}
	}
}

// TestUnwrapRefusesWithoutError: a ticket that opens nothing leads to a full
// handshake; an error would end it.
func TestUnwrapRefusesWithoutError(t *testing.T) {
	t.Parallel()
	now := eaptest.Now()
	p := newPair(newConfig(eap.TTLS), tls.VersionTLS12)
	p.shake(t)
	session := p.session.issued[0].state
	allow := eap.Decision{Verdict: member.Allow}
	good := Ticket{Type: eap.TTLS, Session: session, Decision: allow, Born: now}
	tests := []struct {
		name   string
		change func(k *Ticket, id *[]byte)
		opens  bool
	}{
		{"a good one", func(*Ticket, *[]byte) {}, true},
		{"one of no time ago", func(k *Ticket, _ *[]byte) { k.Born = now.Add(-time.Hour + 1) }, true},
		{"too old", func(k *Ticket, _ *[]byte) { k.Born = now.Add(-time.Hour) }, false},
		{"another method's", func(k *Ticket, _ *[]byte) { k.Type = eap.PEAP }, false},
		{"a refused member's", func(k *Ticket, _ *[]byte) { k.Decision.Verdict = member.Deny }, false},
		{"one who can't be asked", func(k *Ticket, _ *[]byte) { k.Decision.Verdict = member.Unanswered }, false},
		{"a broken session", func(k *Ticket, _ *[]byte) { k.Session = session[:5] }, false},
		{"too short", func(_ *Ticket, id *[]byte) { *id = (*id)[:15] }, false},
		{"too long", func(_ *Ticket, id *[]byte) { *id = append(*id, 0) }, false},
		{"empty", func(_ *Ticket, id *[]byte) { *id = nil }, false},
		{"unknown", func(_ *Ticket, id *[]byte) { (*id)[0]++ }, false},
	}
	for _, c := range tests {
		ticket, id := good, make([]byte, len(TicketID{}))
		s := &Session{config: newConfig(eap.TTLS), x: exchangeAt(now)}
		c.change(&ticket, &id)
		s.config.Tickets.Keep(TicketID{}, &ticket)
		state, err := s.unwrap(id, tls.ConnectionState{})
		if err != nil || (state != nil) != c.opens || (s.recalled != nil) != c.opens {
			t.Errorf("%s: %v, %v, recalled %t", c.name, state, err, s.recalled != nil)
		}
	}
}

func TestNoTicketsWhereThereIsNoReconnect(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *Config){
		"no Tickets": func(c *Config) { c.Tickets = nil }, "no time": func(c *Config) { c.Resume = 0 },
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			p := newPair(newConfig(eap.TTLS), version)
			change(p.config)
			p.shake(t)
			if len(p.session.issued) != 0 {
				t.Errorf("%s: a ticket was sent", name)
			}
			p.session.Admit(&eap.Decision{}, "")
		}
	}
}

// TestIdentityIsReadAnew: a new certificate serves the next conversation.
func TestIdentityIsReadAnew(t *testing.T) {
	t.Parallel()
	c := newConfig(eap.TTLS)
	before := c.prepare()
	if c.prepare() != before {
		t.Error("the TLS configuration is made for each conversation")
	}
	next := &Identity{Certificate: eaptest.Pair(eaptest.Phone)}
	c.Identity = func() *Identity { return next }
	p := newPair(c, tls.VersionTLS13)
	p.device.TLS.InsecureSkipVerify = true
	p.shake(t)
	if got := p.device.Client.State().PeerCertificates[0]; !got.Equal(next.Certificate.Leaf) {
		t.Errorf("the certificate is %s", got.Subject)
	}
}

package radiusd

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"memberradius/eap"
	"memberradius/eap/tunnel"
	"memberradius/member"
	"memberradius/mschap"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"

	"github.com/sirupsen/logrus"
)

// A cage holds what must never be seen again.
type cage struct {
	mu      sync.Mutex
	secrets map[string][]byte
}

func (c *cage) hide(name string, secret []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(secret) >= 8 { // less could be there by chance
		c.secrets[name] = append([]byte(nil), secret...)
	}
}

// flown returns which secrets are in a text, in any spelling.
func (c *cage) flown(text string) (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, s := range c.secrets {
		h := hex.EncodeToString(s)
		for _, spelling := range []string{
			string(s), h, strings.ToUpper(h), base64.StdEncoding.EncodeToString(s), base64.RawURLEncoding.EncodeToString(s),
			strings.Trim(fmt.Sprint(s), "[]"), strings.Trim(fmt.Sprintf("%q", s), `"`), strings.Trim(fmt.Sprintf("%#v", s), "[]byte{}"),
		} {
			if strings.Contains(text, spelling) {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// tapped is a Tickets that keeps the numbers of tickets, which open a session.
type tapped struct {
	tunnel.Tickets
	cage *cage
}

// Keep implements tunnel.Tickets.
func (t tapped) Keep(id tunnel.TicketID, ticket *tunnel.Ticket) {
	t.cage.hide(fmt.Sprintf("ticket %x", id[:2]), id[:])
	t.cage.hide(fmt.Sprintf("session of ticket %x", id[:2]), ticket.Session)
	t.Tickets.Keep(id, ticket)
}

// The canary test of EAP: at debug level, by every way and with every kind of
// end, no password, State, ticket, key or MS-CHAP value is in the log, in a
// metric or in an explanation.
func TestEAPCanary(t *testing.T) {
	t.Parallel()
	const canary = "canary-password-of-eap"
	c := &cage{secrets: map[string][]byte{"password": []byte(canary), "secret": []byte(rigSecret)}}
	nt := mschap.NTHash(canary)
	key := mschap.HashHash(nt)
	c.hide("NT hash", nt[:])
	c.hide("NT key", key[:])
	r, a := startEAP(t, func(c *Config, _ *ClientConfig, m *members) {
		c.Log.SetLevel(logrus.TraceLevel)
		m.records["bob"] = &member.Record{Credential: member.Credential{Password: canary}}
		m.records["broken"] = &member.Record{Credential: member.Credential{Argon2id: "$argon2id$" + canary}}
	})
	a.tickets = tapped{a.tickets, c}
	tables := *r.tables.Load()
	tables.EAP = a.methods(eap.PEAP, eap.TTLS, eap.TLS, eap.MSCHAPv2)
	r.Swap(tables)
	for _, version := range versions {
		for _, method := range []radiustest.Method{radiustest.PEAP, radiustest.TTLS, radiustest.TLS, radiustest.EAPMSCHAPv2} {
			for _, login := range []string{"bob", "broken", "nobody"} {
				s := &peer.Session{}
				for _, password := range []member.Secret{canary, canary, canary + "-wrong", ""} {
					d := r.newDevice(peer.Config{Method: peer.Method(method), Login: login, Password: password, Options: peer.Options{
						Certificate: a.device(login), MaxTLS: version, Session: s,
					}})
					d.spy(c)
				}
			}
		}
	}
	// What makes no sense is quoted nowhere.
	for _, method := range []radiustest.Method{radiustest.PEAP, radiustest.TTLS, radiustest.EAPMSCHAPv2} {
		for rounds := range 4 {
			d := r.device(method, radiustest.EAP{}).reach(rounds)
			if d.packet = append([]byte{2, 200, 0, 60, 26}, canary...); rounds > 0 && d.reply.Code == radiustest.AccessChallenge {
				d.packet = d.typed(append([]byte{9}, canary...)...)
			}
			d.ask()
		}
	}
	r.lose(r.engine.Expire(r.Server.clock().Add(2 * idleConversation)))
	metrics, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprint(metrics)
	for _, login := range []string{"bob", "broken", "nobody"} {
		for _, d := range r.Why(login, 99) {
			all += fmt.Sprintf("%+v %#v %s", d, d, d.Sentence())
		}
	}
	if err := r.stop(); err != nil { // the log is whole
		t.Fatal(err)
	}
	all += r.log.String()
	if len(c.secrets) < 100 || len(all) < 10_000 {
		t.Fatalf("the canary did not fly: %d secrets, %d octets said", len(c.secrets), len(all))
	}
	for _, name := range c.flown(all) {
		t.Errorf("said: %s", name)
	}
	if c.hide("control", []byte("wrong_password")); len(c.flown(all)) != 1 {
		t.Error("the search finds nothing at all")
	}
}

// spy runs a conversation and hides everything in it that is secret.
func (d *device) spy(c *cage) {
	d.t.Helper()
	for more := true; more; {
		more = d.next()
		c.hide(fmt.Sprintf("State %x", d.state[:2]), d.state)
		if p := message(d.reply); len(p) > 30 {
			c.hide(fmt.Sprintf("Request %x", p[10:12]), p[6:])
		}
		if len(d.packet) > 30 {
			c.hide(fmt.Sprintf("Response %x", d.packet[10:12]), d.packet[6:])
		}
	}
	msk := d.peer.MSK()
	if len(msk) == 64 {
		c.hide(fmt.Sprintf("MSK %x", msk[:2]), msk)
		c.hide(fmt.Sprintf("first key %x", msk[:2]), msk[:32])
		c.hide(fmt.Sprintf("second key %x", msk[:2]), msk[32:])
	}
}

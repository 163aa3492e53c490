package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"memberradius/member"
	"memberradius/store"

	"github.com/sirupsen/logrus"
)

// A postOffice is a server with a store and an outbox, and nothing that listens.
type postOffice struct {
	*server
	t *testing.T
}

// newPostOffice has letters go to a mail server.
func newPostOffice(t *testing.T, smtp string) *postOffice {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`
[server]
data = %q
[http]
public_url = "https://wifi.example.com"
[mail]
smtp = "smtp://%s"
from = "wifi@example.com"
[[site]]
name = "berlin"
ssid = "Members"
[[backend]]
name = "club"
kind = "local"
`, dir, smtp)
	c, found := readConfig("config.toml", dir, text)
	if found.bad() {
		t.Fatal(found)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	p := &postOffice{&server{log: log, systems: newSystems(dir, log)}, t}
	t.Cleanup(p.systems.shut)
	if err := p.systems.keepStore(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.config.Store(c)
	return p
}

// post adds a member and an event for her.
func (p *postOffice) post(login, email, kind string) {
	p.t.Helper()
	db, ctx := p.systems.database(), p.t.Context()
	r := &member.Record{Member: member.Member{Login: login}, Email: email, Credential: member.Credential{Password: "a-password-of-hers"}}
	if err := db.Add(ctx, "club", r); err != nil && !errors.Is(err, store.ErrExists) {
		p.t.Fatal(err)
	}
	if _, err := db.Apply(ctx, "club", &store.Changes{Events: []store.Event{{Login: login, Kind: kind}}}); err != nil {
		p.t.Fatal(err)
	}
}

// only is the one event that there is.
func (p *postOffice) only() store.Event {
	p.t.Helper()
	events, err := p.systems.database().Events(p.t.Context(), 10)
	if err != nil || len(events) != 1 {
		p.t.Fatalf("%d events, %v", len(events), err)
	}
	return events[0]
}

// mailServer answers each sender as reply says, by the first word of what it
// says, and 250 to all else. It returns its address and how many letters it took.
func mailServer(t *testing.T, reply map[string]string) (address string, taken func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	letters := make(chan struct{}, 100)
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serveMail(conn, reply, letters)
		}
	}()
	return l.Addr().String(), func() int { return len(letters) }
}

func serveMail(conn net.Conn, reply map[string]string, letters chan<- struct{}) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	lines := bufio.NewScanner(conn)
	say := func(s string) { _, _ = io.WriteString(conn, s+"\r\n") }
	say("220 mail.example.com")
	body := false
	for lines.Scan() {
		word, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		switch {
		case body && lines.Text() == ".":
			body = false
			letters <- struct{}{}
			say("250 taken")
		case body:
		case word == "DATA":
			body = true
			say("354 go on")
		case word == "QUIT":
			say("221 bye")
			return
		case reply[word] != "":
			say(reply[word])
		default:
			say("250 yes")
		}
	}
}

// A letter that was taken is not sent again, also by a server that starts anew.
func TestDeliver(t *testing.T) {
	t.Parallel()
	address, taken := mailServer(t, nil)
	p := newPostOffice(t, address)
	p.post("anna@example.com", "anna@example.com", "welcome")
	p.deliverDue(t.Context())
	p.deliverDue(t.Context())
	if e := p.only(); taken() != 1 || e.Done.IsZero() {
		t.Fatalf("%d letters, %+v", taken(), e)
	}
}

// What can't be delivered now waits, each time longer; what never can be is
// given up, and said so.
func TestUndelivered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, email, kind string
		reply             map[string]string
		dead              bool
	}{
		{"the server is busy", "anna@example.com", "welcome", map[string]string{"RCPT": "451 later"}, false},
		{"the operator's account is refused", "anna@example.com", "password", map[string]string{"MAIL": "530 sign in"}, false},
		{"nobody has that address", "anna@example.com", "welcome", map[string]string{"RCPT": "550 no such user"}, true},
		{"no address at all", "", "welcome", nil, true},
		{"a system that shows no passwords", "anna@example.com", "writeback", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address, taken := mailServer(t, tt.reply)
			p := newPostOffice(t, address)
			p.post("anna@example.com", tt.email, tt.kind)
			before := time.Now()
			p.deliverDue(t.Context())
			e := p.only()
			if taken() != 0 || e.Dead != tt.dead || !e.Done.IsZero() && !tt.dead || e.LastError == "" {
				t.Fatalf("%d letters, %+v", taken(), e)
			}
			if strings.Contains(e.LastError, "a-password") {
				t.Errorf("the error holds the password: %s", e.LastError)
			}
			if !tt.dead && (e.Tries != 1 || e.Next.Before(before.Add(50*time.Second))) {
				t.Errorf("after %d tries again at %v", e.Tries, e.Next)
			}
		})
	}
}

// Who was forgotten meanwhile gets no letter, and it is no reason to try for ever.
func TestDeliverToNobody(t *testing.T) {
	t.Parallel()
	address, taken := mailServer(t, nil)
	p := newPostOffice(t, address)
	if _, err := p.systems.database().Apply(t.Context(), "club", &store.Changes{Events: []store.Event{{Login: "nobody", Kind: "welcome"}}}); err != nil {
		t.Fatal(err)
	}
	p.deliverDue(t.Context())
	if e := p.only(); taken() != 0 || !e.Dead {
		t.Errorf("%d letters, %+v", taken(), e)
	}
}

// deliver ends with its context, in the middle of nothing.
func TestDeliverEnds(t *testing.T) {
	t.Parallel()
	address, _ := mailServer(t, nil)
	p := newPostOffice(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.deliver(ctx)
	}()
	cancel()
	<-done
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	last, all := time.Duration(0), time.Duration(0)
	for tries := range deliverTries {
		wait := backoff(tries)
		if wait < last || wait > 6*time.Hour {
			t.Errorf("after %d tries %v, before %v", tries, wait, last)
		}
		last, all = wait, all+wait
	}
	if backoff(0) != time.Minute || all < 48*time.Hour || all > 120*time.Hour {
		t.Errorf("the first after %v, all within %v", backoff(0), all)
	}
}

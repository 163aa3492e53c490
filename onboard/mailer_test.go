package onboard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func TestNewMailer(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"smtps://user@mail.example.com:465":              "mail.example.com:465 user secure",
		"smtps://user@mail.example.com":                  "mail.example.com:465 user secure",
		"smtp://user%40example.com@mail.example.com":     "mail.example.com:587 user@example.com",
		"smtp://user@example.com@mail.example.com:25":    "mail.example.com:25 user@example.com",
		"smtp://user@localhost":                          "localhost:25 user here",
		"smtp://user@[::1]:2525":                         "[::1]:2525 user here",
		"smtp://user@127.0.0.1":                          "127.0.0.1:25 user here",
		"smtps://user@localhost":                         "localhost:465 user secure here",
		"smtp://user@localhost.example.com":              "localhost.example.com:587 user",
		"smtp://user@LOCALHOST/":                         "localhost:25 user here",
		"smtp://user@mail.example.com.127.0.0.1.example": "mail.example.com.127.0.0.1.example:587 user",
	} {
		m, err := NewMailer(Mail{SMTP: address, From: "wifi@example.com", Password: "x"})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		got := m.Server() + " " + m.user
		if m.secure {
			got += " secure"
		}
		if m.here {
			got += " here"
		}
		if got != want || m.timeout != 30*time.Second {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestNewMailer_Refused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*Mail)
		key    string
		says   string
	}{
		{func(c *Mail) { c.SMTP = "" }, "smtp", "no address"},
		{func(c *Mail) { c.SMTP = "mail.example.com:25" }, "smtp", "no address"},
		{func(c *Mail) { c.SMTP = "smtp://" }, "smtp", "no address"},
		{func(c *Mail) { c.SMTP = "http://mail.example.com" }, "smtp", "begins neither"},
		{func(c *Mail) { c.SMTP = "smtps://user:topsecret@mail.example.com" }, "smtp", "write it into password"},
		{func(c *Mail) { c.SMTP = "smtps://user:topsecret@mail.example.com:port" }, "smtp", "no address"},
		{func(c *Mail) { c.SMTP = "smtps://mail.example.com:0" }, "smtp", "port"},
		{func(c *Mail) { c.SMTP = "smtps://mail.example.com:70000" }, "smtp", "port"},
		{func(c *Mail) { c.SMTP = "smtps://mail.example.com/topsecret" }, "smtp", "behind"},
		{func(c *Mail) { c.SMTP = "smtps://user@mail.example.com" }, "password", "no password"},
		{func(c *Mail) { c.Password = "topsecret" }, "password", "names no user"},
		{func(c *Mail) { c.From = "" }, "from", "no mail address"},
		{func(c *Mail) { c.From = "wifi" }, "from", "no mail address"},
		{func(c *Mail) { c.From = "wifi@exa_mple" }, "from", "no mail address"},
		{func(c *Mail) { c.From = "wifi@example.com\r\nBcc: x@example.com" }, "from", "no mail address"},
		{func(c *Mail) { c.Subject = "{{user_name}}" }, "subject", "{{user_name}}"},
		{func(c *Mail) { c.Subject = "two\nlines" }, "subject", "one line"},
		{func(c *Mail) { c.Subject = "It is {{password}}" }, "subject", "log"},
		{func(c *Mail) { c.Subject = "At {{ profile_url }}" }, "subject", "log"},
		{func(c *Mail) { c.Body = "x\n{{pass" }, "body", "line 2"},
	} {
		config := Mail{SMTP: "smtps://mail.example.com", From: "wifi@example.com"}
		c.change(&config)
		_, err := NewMailer(config)
		var key *KeyError
		if !errors.As(err, &key) || key.Key != c.key || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%v, want %q of %s", err, c.says, c.key)
		}
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, mode         string
		account, elsewhere bool
		tls                bool
	}{
		{"TLS from the first octet on", "tls", true, true, true},
		{"STARTTLS", "starttls", true, true, true},
		{"this host, an account", "plain", true, false, false},
		{"this host, open", "plain", false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startSMTP(t, c.mode, c.account)
			m := s.mailer(t, c.elsewhere)
			if err := m.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := m.Send(t.Context(), testLetter()); err != nil {
				t.Fatal(err)
			}
			got := s.letter(t)
			if got.TLS != c.tls || (got.Login == smtpUser) != c.account || got.MailFrom != "wifi@example.com" || fmt.Sprint(got.RcptTos) != "[anna@example.com]" {
				t.Errorf("%+v", got)
			}
			head, text, _ := readLetter(t, []byte(got.Content))
			if head.Get("Message-Id") != "<0197a2b4-event@example.com>" || !strings.Contains(text, "Password: abcd-efgh-jkmn-pqrs\n") {
				t.Errorf("%v\n%s", head, text)
			}
		})
	}
}

func TestSend_Refused(t *testing.T) {
	t.Parallel()
	s := startSMTP(t, "starttls", true)
	m := s.mailer(t, true)
	for to, want := range map[string]struct {
		says      string
		permanent bool
	}{
		"gone@example.com":  {"refused the member's address: it said 550 5.1.1, no such mailbox", true},
		"later@example.com": {"it said 451 4.7.1", false},
		"auth@example.com":  {"it said 530 5.7.0, sign-in needed", false},
		"spam@example.com":  {"refused the letter: it said 554 5.7.1, refused", true},
		"nobody":            {"no mail address", true},
	} {
		l := testLetter()
		l.To = to
		refusedWith(t, m.Send(t.Context(), l), want.says, want.permanent)
	}
	s.mail.From = "refused@example.com"
	refusedWith(t, s.mailer(t, true).Send(t.Context(), testLetter()), "refused the sender <refused@example.com>: it said 553 5.7.1", false)
	s.mail.From, s.mail.Password = "wifi@example.com", "wrong-topsecret"
	refusedWith(t, s.mailer(t, true).Send(t.Context(), testLetter()), "refused to let us in: it said 535 5.7.8, user or password wrong", false)
}

// TestSend_Insecure: neither password nor letter goes where it can be read.
func TestSend_Insecure(t *testing.T) {
	t.Parallel()
	open := startSMTP(t, "plain", true)
	refusedWith(t, open.mailer(t, true).Send(t.Context(), testLetter()), "STARTTLS", false)
	for _, mode := range []string{"tls", "starttls"} {
		s := startSMTP(t, mode, true)
		s.mail.Roots = nil
		refusedWith(t, s.mailer(t, true).Send(t.Context(), testLetter()), "certificate", false)
	}
	select {
	case l := <-open.lines:
		t.Errorf("a letter went out in clear: %+v", l)
	default:
	}
}

// TestSend_CutOff: the server has the letter and could not say so. It is sent
// again, and both are known to be one.
func TestSend_CutOff(t *testing.T) {
	t.Parallel()
	s := startSMTP(t, "tls", true)
	m := s.mailer(t, true)
	l := testLetter()
	l.To = "lost@example.com"
	for range 2 {
		refusedWith(t, m.Send(t.Context(), l), "was cut off before it took the letter", false)
		head, _, _ := readLetter(t, []byte(s.letter(t).Content))
		if got := head.Get("Message-Id"); got != "<0197a2b4-event@example.com>" {
			t.Errorf("Message-ID %q", got)
		}
	}
}

func TestSend_Slow(t *testing.T) {
	t.Parallel()
	s := startSMTP(t, "plain", false)
	s.mail.Timeout = 500 * time.Millisecond
	l := testLetter()
	l.To = "slow@example.com"
	refusedWith(t, s.mailer(t, false).Send(t.Context(), l), "no answer within 500ms", false)
	s.letter(t)
	s.mail.Timeout = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan error)
	go func() { sent <- s.mailer(t, false).Send(ctx, l) }()
	s.letter(t) // it waits for the answer now
	cancel()
	err := <-sent
	refusedWith(t, err, "context canceled", false)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
}

func TestSend_NobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	m := newTestMailer(t, func(c *Mail) { c.SMTP = "smtp://" + address })
	refusedWith(t, m.Send(t.Context(), testLetter()), "connection refused", false)
}

// listen is a mail server of ours that answers as it is told to, on one
// connection. ended says how the other side left it.
func listen(t *testing.T, answer func(line string) string) (address string, ended chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ended = make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			ended <- err
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "220 mail.example.com\r\n")
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			_, _ = io.WriteString(conn, answer(lines.Text()))
		}
		ended <- lines.Err()
	}()
	return listener.Addr().String(), ended
}

// TestSend_LineIsClosed: go-mail leaves the connection open where the server
// has no STARTTLS; with an outbox that tries again, they would add up.
func TestSend_LineIsClosed(t *testing.T) {
	// Not in parallel: a collection of garbage would close it too.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	address, ended := listen(t, func(string) string { return "250 mail.example.com\r\n" })
	m := newTestMailer(t, func(c *Mail) { c.SMTP, c.Timeout = "smtp://"+address, time.Minute })
	m.here = false
	refusedWith(t, m.Check(t.Context()), "STARTTLS", false)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the connection is still open")
	}
}

// TestSend_Echo: what a server repeats of our password is in no error.
func TestSend_Echo(t *testing.T) {
	t.Parallel()
	address, _ := listen(t, func(line string) string {
		switch word, _, _ := strings.Cut(line, " "); word {
		case "EHLO":
			return "250-mail.example.com\r\n250 AUTH PLAIN\r\n"
		case "QUIT":
			return "221 bye\r\n"
		}
		return "535 5.7.8 " + line + "\r\n"
	})
	m := newTestMailer(t, func(c *Mail) { c.SMTP, c.Password = "smtp://wifi@"+address, smtpPassword })
	err := m.Check(t.Context())
	refusedWith(t, err, "it said 535 5.7.8, user or password wrong", false)
	if strings.Contains(fmt.Sprint(err), "AHdpZm") { // base64 of what AUTH PLAIN says
		t.Error(err)
	}
}

package onboard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// A refusal is why a letter did not go out.
type refusal struct {
	what      string
	permanent bool
	err       error
}

// Error implements error.
func (r *refusal) Error() string {
	if r.err == nil {
		return "onboard: mail: " + r.what
	}
	return "onboard: mail: " + r.what + ": " + r.err.Error()
}

// Unwrap returns the cause.
func (r *refusal) Unwrap() error { return r.err }

// Permanent says whether an error of Send holds for that letter however often
// it is tried: its address is none, or the mail server refused it for good
// (5xx, RFC 5321 §4.2.1). What is wrong with our own settings at the mail
// server, such as the password or the sender, is not permanent: the operator
// can put it right, and the letters that wait go out then.
func Permanent(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.permanent
}

// deliver sends a message, or only signs in where there is none. However it
// ends, the connection ends with it, and no later than the timeout.
func (m *Mailer) deliver(ctx context.Context, msg *mail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	var line net.Conn
	stop := func() bool { return true }
	defer func() {
		stop()
		if line != nil {
			_ = line.Close() // go-mail leaves it open after a failed sign-in
		}
	}()
	client, err := m.client(func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := m.dial(dialing, network, address)
		if err == nil {
			line = conn
			stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	})
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return m.failed(ctx, "refused to let us in", "can't be used", err)
	}
	if msg != nil {
		if err := m.transact(ctx, session, msg); err != nil {
			return err
		}
	}
	_ = session.Quit() // the letter is out, whatever the server says to a good-bye
	return nil
}

// dial connects to the mail server, by TLS where that comes first.
func (m *Mailer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if m.secure {
		return (&tls.Dialer{Config: m.tls()}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// cutOff is how a server breaks off that has let us in.
const cutOff = "was cut off before it took the letter"

// transact is one mail transaction (RFC 5321 §3.3).
func (m *Mailer) transact(ctx context.Context, session *smtp.Client, msg *mail.Msg) error {
	from, err := msg.GetSender(false)
	if err != nil {
		return fmt.Errorf("onboard: mail: %w", err)
	}
	to, err := msg.GetRecipients()
	if err != nil {
		return fmt.Errorf("onboard: mail: %w", err)
	}
	if err := session.Mail(from); err != nil {
		return m.failed(ctx, "refused the sender "+from, cutOff, err)
	}
	for _, address := range to {
		if err := session.Rcpt(address); err != nil {
			return m.letterFailed(ctx, "refused the member's address", err)
		}
	}
	content, err := session.Data()
	if err != nil {
		return m.letterFailed(ctx, "refused the letter", err)
	}
	if _, err := msg.WriteTo(content); err != nil {
		return m.letterFailed(ctx, "refused the letter", err)
	}
	if err := content.Close(); err != nil {
		return m.letterFailed(ctx, "refused the letter", err)
	}
	return nil
}

// failed says what the mail server refused, or else how it broke off, for a
// cause that is not the letter's.
func (m *Mailer) failed(ctx context.Context, refused, broke string, err error) *refusal {
	r := &refusal{what: "the mail server " + m.Server() + " " + broke, err: err}
	var said *textproto.Error
	var wait net.Error
	switch {
	case errors.As(err, &said):
		r.what, r.err = "the mail server "+m.Server()+" "+refused, reply(said)
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &wait) && wait.Timeout():
		// The connection was closed under it: what it says of that is not the cause.
		r.err = fmt.Errorf("no answer within %s", m.timeout)
	case ctx.Err() != nil:
		r.err = ctx.Err()
	}
	return r
}

// letterFailed is failed for a cause that can be the letter's.
func (m *Mailer) letterFailed(ctx context.Context, refused string, err error) *refusal {
	r := m.failed(ctx, refused, cutOff, err)
	var said *textproto.Error
	r.permanent = errors.As(err, &said) && said.Code >= 500 && !ours(said.Code)
	return r
}

// ours says whether a refusal is for how we signed in (RFC 4954 §4 and §6).
func ours(code int) bool { return code == 530 || code == 534 || code == 535 || code == 538 }

// reply is a mail server's refusal without its words: by then it knows the
// letter and our password, and nothing keeps it from repeating them.
func reply(said *textproto.Error) error {
	words := fmt.Sprintf("it said %d", said.Code)
	if status := regexp.MustCompile(`^[45]\.\d{1,3}\.\d{1,3}\b`).FindString(said.Msg); status != "" {
		words += " " + status
	}
	if meaning := meanings()[said.Code]; meaning != "" {
		words += ", " + meaning
	}
	return errors.New(words)
}

// meanings are those of the replies that operators meet (RFC 5321 §4.2.3, RFC 4954 §6).
func meanings() map[int]string {
	return map[int]string{
		421: "not available now", 450: "mailbox not available now", 451: "local error", 452: "no storage left",
		454: "can't sign in now", 530: "sign-in needed", 534: "a stronger way to sign in is needed",
		535: "user or password wrong", 538: "sign-in needs TLS", 550: "no such mailbox, or a policy against it",
		551: "not a user there", 552: "too big", 553: "address not allowed", 554: "refused",
		555: "address not understood",
	}
}

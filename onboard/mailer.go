package onboard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"memberradius/member"
)

// mailTimeout is how long one letter may take, from the look-up of the server
// to its last word.
const mailTimeout = 30 * time.Second

// Mail says how letters are sent and what is in them.
type Mail struct {
	// SMTP is the operator's mail server: smtps://user@host (port 465), or
	// smtp://user@host (port 587), where the connection must become TLS by
	// STARTTLS before anything is said. To this host (localhost, 127.0.0.1, ::1)
	// smtp:// speaks as it is, on port 25.
	SMTP string
	// Password is the user's at the mail server.
	Password member.Secret
	// From is the sender: an address, or a name and an address in <>.
	From string
	// Subject and Body are the templates; empty: the built-in text. A subject
	// may hold neither the password nor the link, since mail servers log it.
	Subject, Body string
	// Roots are the CAs that the mail server's certificate may come from; nil: the system's.
	Roots *x509.CertPool
	// Timeout bounds one letter; zero: 30 s.
	Timeout time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A KeyError says what is wrong with one key of Mail.
type KeyError struct {
	Key string // smtp, password, from, subject, body
	Err error
}

// Error implements error.
func (e *KeyError) Error() string { return "onboard: mail: " + e.Key + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *KeyError) Unwrap() error { return e.Err }

// A Mailer sends letters. Its methods may be called by several goroutines.
type Mailer struct {
	host     string
	port     int
	secure   bool // TLS from the first octet on
	here     bool // the server is on this host
	user     string
	password member.Secret
	from     *netmail.Address
	// subject and body are nil where the built-in text is sent.
	subject, body template
	roots         *x509.CertPool
	timeout       time.Duration
	now           func() time.Time
}

// NewMailer checks the settings and makes a Mailer of them; it connects to
// nobody. Its error is a KeyError.
func NewMailer(c Mail) (*Mailer, error) {
	m := &Mailer{password: c.Password, roots: c.Roots, timeout: c.Timeout, now: c.Now}
	if m.timeout <= 0 {
		m.timeout = mailTimeout
	}
	if m.now == nil {
		m.now = time.Now
	}
	if err := m.readURL(c.SMTP); err != nil {
		return nil, &KeyError{"smtp", err}
	}
	switch {
	case m.user != "" && m.password == "":
		return nil, &KeyError{"password", errors.New("smtp names a user, and there is no password")}
	case m.user == "" && m.password != "":
		return nil, &KeyError{"password", errors.New("there is a password, and smtp names no user: write smtps://user@host")}
	}
	from, err := netmail.ParseAddress(c.From)
	if err != nil || !hostName(domain(from.Address)) || !plain(c.From) {
		return nil, &KeyError{"from", errors.New("it is no mail address: write wifi@example.com, or Example Space <wifi@example.com>")}
	}
	m.from = from
	if m.subject, err = parseTemplate(c.Subject); err != nil {
		return nil, &KeyError{"subject", err}
	}
	switch {
	case strings.ContainsAny(c.Subject, "\r\n"):
		return nil, &KeyError{"subject", errors.New("it must be one line")}
	case m.subject.has(wordPassword) || m.subject.has(wordPage):
		return nil, &KeyError{"subject", errors.New("mail servers log subjects: leave {{password}} and {{profile_url}} to the body")}
	}
	if m.body, err = parseTemplate(c.Body); err != nil {
		return nil, &KeyError{"body", err}
	}
	return m, nil
}

// readURL reads the address of the mail server. No error repeats it: people
// write passwords into addresses.
func (m *Mailer) readURL(address string) error {
	const form = "write smtps://user@host or smtp://user@host"
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return errors.New("it is no address of a mail server: " + form)
	}
	m.secure = u.Scheme == "smtps"
	switch _, password := u.User.Password(); {
	case !m.secure && u.Scheme != "smtp":
		return errors.New("the address begins neither with smtps:// nor with smtp://: " + form)
	case password:
		return errors.New("there is a password in the address: write it into password")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("there is something behind host and port: " + form)
	}
	m.host, m.user = strings.ToLower(u.Hostname()), u.User.Username()
	ip := net.ParseIP(m.host)
	m.here = m.host == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case u.Port() != "":
		m.port, err = strconv.Atoi(u.Port())
	case m.secure:
		m.port = 465 // RFC 8314 §7.3
	case m.here:
		m.port = 25
	default:
		m.port = 587 // RFC 6409 §3.1
	}
	if err != nil || m.port < 1 || m.port > 65535 {
		return errors.New("the port is no number from 1 to 65535")
	}
	return nil
}

// Send hands a letter to the mail server. It is sent where the error is nil. An
// error for which Permanent says no is worth another try, with the same ID: the
// server may have taken the letter and been cut off before it could say so. No
// error repeats the letter or what is secret in it.
func (m *Mailer) Send(ctx context.Context, l *Letter) error {
	msg, err := m.message(l)
	if err != nil {
		return err
	}
	return m.deliver(ctx, msg)
}

// Check connects and signs in, and sends nothing.
func (m *Mailer) Check(ctx context.Context) error { return m.deliver(ctx, nil) }

// Server is the mail server's host and port, for what is shown.
func (m *Mailer) Server() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// client makes a client of go-mail for one letter, whose connections come from dial.
func (m *Mailer) client(dial mail.DialContextFunc) (*mail.Client, error) {
	options := []mail.Option{
		mail.WithPort(m.port), mail.WithTimeout(m.timeout), mail.WithDialContextFunc(dial),
		mail.WithTLSConfig(m.tls()), mail.WithTLSPolicy(mail.TLSMandatory),
	}
	if m.secure || m.here {
		options = append(options, mail.WithTLSPolicy(mail.NoTLS)) // there already, or not needed
	}
	if m.user != "" {
		options = append(options, mail.WithUsername(m.user), mail.WithPassword(string(m.password)),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	client, err := mail.NewClient(m.host, options...)
	if err != nil {
		return nil, fmt.Errorf("onboard: mail server %s: %w", m.Server(), err)
	}
	return client, nil
}

func (m *Mailer) tls() *tls.Config {
	return &tls.Config{ServerName: m.host, RootCAs: m.roots, MinVersion: tls.VersionTLS12}
}

package onboard

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"
)

func testLetter() *Letter {
	return &Letter{To: "anna@example.com", ID: "0197a2b4-event", Values: *testValues()}
}

// newTestMailer is one that sends to nobody.
func newTestMailer(t *testing.T, change func(*Mail)) *Mailer {
	t.Helper()
	c := Mail{SMTP: "smtps://mail.example.com", From: "Example Space <wifi@example.com>",
		Now: func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }}
	if change != nil {
		change(&c)
	}
	m, err := NewMailer(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// written is the letter as it goes over the wire.
func written(t *testing.T, m *Mailer, l *Letter) []byte {
	t.Helper()
	msg, err := m.message(l)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLetter_Golden(t *testing.T) {
	t.Parallel()
	changed := testLetter()
	changed.Changed = true
	bare := testLetter()
	bare.Values = Values{SSID: "Members", Username: "anna@example.com"}
	operators := func(c *Mail) {
		c.Subject = "Wi-Fi for {{member_name}} at {{space_name}}"
		c.Body = "Hi {{member_name}},\n\n{{ssid}} / {{username}} / {{password}}\n{{profile_url}}\n"
	}
	hostile := testLetter()
	hostile.Values.MemberName = "O'Neil\r\nBcc: everybody@example.com\r\n\r\n<b>" + strings.Repeat("ü", 60)
	for name, c := range map[string]struct {
		mailer *Mailer
		letter *Letter
	}{
		"welcome.eml":   {newTestMailer(t, nil), testLetter()},
		"changed.eml":   {newTestMailer(t, nil), changed},
		"bare.eml":      {newTestMailer(t, nil), bare},
		"operators.eml": {newTestMailer(t, operators), testLetter()},
		"hostile.eml":   {newTestMailer(t, operators), hostile},
	} {
		text := written(t, c.mailer, c.letter)
		if again := written(t, c.mailer, c.letter); !bytes.Equal(text, again) {
			t.Errorf("%s: built again it is another letter", name)
		}
		golden(t, name, bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	}
}

// readLetter reads a letter as a mail program does.
func readLetter(t *testing.T, text []byte) (head netmail.Header, plainPart, htmlPart string) {
	t.Helper()
	msg, err := netmail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	kind, parameters, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	var bodies []string
	for r := multipart.NewReader(msg.Body, parameters["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil || part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("%v %v", part.Header, err)
		}
		bodies = append(bodies, strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
	if len(bodies) != 2 {
		t.Fatalf("%d parts", len(bodies))
	}
	return msg.Header, bodies[0], bodies[1]
}

func TestLetter_Read(t *testing.T) {
	t.Parallel()
	head, text, html := readLetter(t, written(t, newTestMailer(t, nil), testLetter()))
	for key, want := range map[string]string{
		"From": `"Example Space" <wifi@example.com>`, "To": "<anna@example.com>",
		"Subject": "Your Wi-Fi access at Example Space", "Message-Id": "<0197a2b4-event@example.com>",
		"Auto-Submitted": "auto-generated", "Date": "Sun, 22 Nov 2026 12:00:00 +0000",
	} {
		if got := head.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	for _, want := range []string{"Anna", "Members", "anna@example.com", "abcd-efgh-jkmn-pqrs", "https://wifi.example.com/me/Tok3n"} {
		if !strings.Contains(text, want) || !strings.Contains(html, want) {
			t.Errorf("%q is not in both:\n%s\n%s", want, text, html)
		}
	}
	if !strings.Contains(html, `monospace;font-size:1.1em">abcd-efgh-jkmn-pqrs</code>`) || strings.Contains(text, "<") {
		t.Errorf("%s\n%s", text, html)
	}
}

// TestLetter_Headers: whatever a name holds, the letter has these headers and no others.
func TestLetter_Headers(t *testing.T) {
	t.Parallel()
	const breaks = "x\r\nBcc: evil@example.com\n\rX-Evil: yes\x00\u2028Subject: y"
	m := newTestMailer(t, func(c *Mail) {
		c.Subject = "{{space_name}}{{member_name}}{{ssid}}{{username}}"
	})
	l := testLetter()
	l.ID = breaks
	l.Values = Values{SpaceName: breaks, MemberName: breaks, SSID: breaks, Username: breaks, Password: breaks, ProfileURL: breaks}
	head, _, _ := readLetter(t, written(t, m, l))
	var keys []string
	for key := range head {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
	if !slices.Equal(keys, want) {
		t.Errorf("headers %q, want %q", keys, want)
	}
	if id := head.Get("Message-Id"); id != "<7ef5de57b6a8fd16d0a4d1e3e86d9a2e@example.com>" && (len(id) != 32+len("<@example.com>") || strings.ContainsAny(id, " \r\n")) {
		t.Errorf("Message-ID %q", id)
	}
}

func TestLetter_Addresses(t *testing.T) {
	t.Parallel()
	m := newTestMailer(t, nil)
	for _, to := range []string{"", "anna", "anna@", "@example.com", "a@example.com, b@example.com", "Anna <anna@example.com>",
		"anna@example.com\r\nBcc: b@example.com", "anna@example.com\nX: y", "anna@exam\x00ple.com", "an\u0085na@example.com", "<anna@example.com>"} {
		l := testLetter()
		l.To = to
		_, err := m.message(l)
		refusedWith(t, err, "no mail address", true)
	}
	for _, to := range []string{"anna@example.com", "o'neil+wifi@example.com", "jürgen@example.com"} {
		l := testLetter()
		l.To = to
		if _, err := m.message(l); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"0197a2b4-event": "0197a2b4-event", "A_z-9": "A_z-9"} {
		if got := messageID(in); got != want {
			t.Errorf("%q gives %q", in, got)
		}
	}
	seen := map[string]bool{}
	for _, in := range []string{"", "a b", "a@b", "<>", strings.Repeat("x", 65), "é"} {
		got := messageID(in)
		if len(got) != 32 || seen[got] || got != messageID(in) {
			t.Errorf("%q gives %q", in, got)
		}
		seen[got] = true
	}
}

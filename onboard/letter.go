package onboard

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"strings"

	"github.com/wneessen/go-mail"

	"memberradius/member"
)

// A Letter is one to one member about one event.
type Letter struct {
	// To is her address alone, without a name.
	To string
	// ID is the event's: a letter that is sent twice has one Message-ID, so
	// that her mail system can tell.
	ID string
	// Changed says that she has had access before and the password is new: the
	// built-in text then says so. A template of the operator's own serves both.
	Changed bool
	// Values are what the words of the template stand for.
	Values Values
}

// Values are what the words of a template stand for. A word without a value
// stands for nothing.
type Values struct {
	SpaceName, MemberName, SSID, Username string
	Password                              member.Secret
	// ProfileURL is as good as the password: whoever has it first gets in.
	ProfileURL member.Secret
}

// builtInSubject is the subject of a letter where the operator wrote none.
func builtInSubject(l *Letter) string {
	subject := "Your Wi-Fi access"
	if l.Changed {
		subject = "Your new Wi-Fi password"
	}
	if display(l.Values.SpaceName) != "" {
		subject += " at {{" + wordSpace + "}}"
	}
	return subject
}

// builtInBody is the text of a letter where the operator wrote none. What has
// no value is not spoken of.
func builtInBody(l *Letter) string {
	v := &l.Values
	greeting, place := "Hello", "your"
	if display(v.MemberName) != "" {
		greeting += " {{" + wordMember + "}}"
	}
	if display(v.SpaceName) != "" {
		place = "welcome to {{" + wordSpace + "}}! Your"
	}
	opening := place + " access to the Wi-Fi is ready."
	page := "The easiest way: open this page on the device that is to go online. It sets the device up for you, and shows a code that brings your other devices there."
	if l.Changed {
		opening = "you have a new password for the Wi-Fi. The old one no longer works."
		page = "A device that was set up with a profile needs the new one: open this page on it, and install the profile again."
	}
	paragraphs := []string{greeting + ",", opening}
	lines := []string{"Network: {{" + wordSSID + "}}", "User name: {{" + wordUser + "}}"}
	if v.Password != "" {
		lines = append(lines, "Password: {{"+wordPassword+"}}")
	}
	paragraphs = append(paragraphs, strings.Join(lines, "\n"))
	if v.ProfileURL != "" {
		paragraphs = append(paragraphs, page, "{{"+wordPage+"}}", "The link works once, and not for long. If it has ended, ask at the desk for another.")
	}
	if v.Password != "" {
		paragraphs = append(paragraphs, "The password is yours alone and for the Wi-Fi only: please do not pass it on.")
	}
	return strings.Join(paragraphs, "\n\n") + "\n"
}

// message builds the letter. Built again it is the same, but for its date.
func (m *Mailer) message(l *Letter) (*mail.Msg, error) {
	to, err := netmail.ParseAddress(l.To)
	if err != nil || to.Address != strings.TrimSpace(l.To) || !plain(l.To) {
		return nil, &refusal{what: "the member's address is no mail address", permanent: true}
	}
	subject, body := m.subject, m.body
	if subject == nil {
		if subject, err = parseTemplate(builtInSubject(l)); err != nil {
			return nil, fmt.Errorf("onboard: built-in subject: %w", err)
		}
	}
	if body == nil {
		if body, err = parseTemplate(builtInBody(l)); err != nil {
			return nil, fmt.Errorf("onboard: built-in text: %w", err)
		}
	}
	id := messageID(l.ID)
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithBoundary("mr_"+id))
	msg.FromMailAddress(m.from)
	msg.ToMailAddress(&netmail.Address{Address: to.Address})
	msg.Subject(strings.TrimSpace(subject.plainText(&l.Values)))
	msg.SetDateWithValue(m.now())
	msg.SetMessageIDWithValue(id + "@" + domain(m.from.Address))
	// RFC 3834 §5: no machine is to answer, neither on holiday nor by ticket.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, body.plainText(&l.Values))
	msg.AddAlternativeString(mail.TypeTextHTML, page(body.markup(&l.Values)))
	return msg, nil
}

// page makes an HTML document of the letter's paragraphs.
func page(paragraphs string) string {
	return "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"></head>\n" +
		"<body style=\"font-family:sans-serif;line-height:1.5\">\n" + paragraphs + "</body>\n</html>\n"
}

// messageID returns the left side of the Message-ID of an event: the event's
// own ID where that is what a Message-ID can be (dot-atom-text, RFC 5322 §3.2.3).
func messageID(event string) string {
	fit := event != "" && len(event) <= 64
	for _, c := range []byte(event) {
		fit = fit && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_')
	}
	if fit {
		return event
	}
	sum := sha256.Sum256([]byte(event))
	return hex.EncodeToString(sum[:16])
}

// domain is the right side of a mail address.
func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

package main

import (
	"context"
	"fmt"
	"time"

	"memberradius/member"
	"memberradius/onboard"
)

// mailCmd is letters to members.
type mailCmd struct {
	Test mailTestCmd `cmd:"" help:"Send a letter as a member would get it, to try [mail]."`
}

type mailTestCmd struct {
	To string `arg:"" help:"Where to."`
}

// Help implements kong.HelpProvider.
func (mailTestCmd) Help() string {
	return "It holds the operator's own text with made-up values: no member's.\n\n" + example("memberradius mail test me@example.com")
}

// mailTimeout bounds the test: servers that make senders wait do so for some 20 s.
const mailTimeout = 40 * time.Second

// Run sends a letter.
func (v mailTestCmd) Run(p *program) error {
	c, err := p.wholeConfig()
	if err != nil {
		return err
	}
	if !c.Mail.Set {
		return fmt.Errorf("%s has no [mail]; add one:\n\n[mail]\nsmtp = \"smtps://user@mail.example.com:465\"\npassword = \"env:SMTP_PASSWORD\"\nfrom = \"wifi@example.com\"", c.File)
	}
	mailer, err := onboard.NewMailer(c.Mail.Mail)
	if err != nil {
		return err
	}
	site, nobodys := &c.Sites[0], member.Secret("only-a-test")
	ctx, cancel := context.WithTimeout(p.ctx, mailTimeout)
	defer cancel()
	err = mailer.Send(ctx, &onboard.Letter{To: v.To, ID: fmt.Sprintf("test-%d", time.Now().UnixNano()), Values: onboard.Values{
		SpaceName: site.space(), MemberName: "Test Member", SSID: site.SSID, Username: "test@example.com",
		Password: nobodys, ProfileURL: member.Secret(c.HTTP.PublicURL),
	}})
	if err != nil {
		if onboard.Permanent(err) {
			return fmt.Errorf("%w; another try brings nothing: see the address", err)
		}
		return fmt.Errorf("%w; letters wait and are tried again: see smtp, password and from below [mail]", err)
	}
	p.printf("sent to %s\n", v.To)
	return nil
}

package main

import (
	"errors"
	"fmt"
	"os"

	"memberradius/onboard"
)

// mailConfig is [mail]. Without it no letter goes out.
type mailConfig struct {
	onboard.Mail
	// Set says that there is a table.
	Set bool
}

// maxTemplate bounds the file of a letter's text.
const maxTemplate = 64 << 10

func (c *config) readMail(t *table, set bool) {
	m := mailConfig{Set: set, Mail: onboard.Mail{
		SMTP:    t.text("smtp", ""),
		From:    t.text("from", ""),
		Subject: t.text("subject", ""),
		Body:    t.template("template"),
	}}
	if t.has("password") {
		m.Password = t.secret("password")
	}
	t.end()
	if !set {
		return
	}
	if m.SMTP == "" {
		t.wrong("smtp", "there is no smtp", `write smtp = "smtps://user@mail.example.com:465", or "smtp://..." for STARTTLS`)
		return
	}
	if _, err := onboard.NewMailer(m.Mail); err != nil {
		key, what := "", err
		var at *onboard.KeyError
		if errors.As(err, &at) {
			if key, what = at.Key, at.Err; key == "body" {
				key = "template"
			}
			what = fmt.Errorf("%s: %w", key, what)
		}
		t.wrong(key, what.Error(), "put it right; `memberradius mail test TO` sends a letter to try it")
	}
	c.Mail = m
}

// template reads the file of a letter's text.
func (t *table) template(key string) string {
	path := t.filePath(key, "")
	if path == "" {
		return ""
	}
	text, err := os.ReadFile(path)
	if err == nil && len(text) > maxTemplate {
		err = fmt.Errorf("%s has %d octets, more than %d", path, len(text), maxTemplate)
	}
	if err != nil {
		t.wrong(key, fmt.Sprintf("%s: %v", key, err), "name a text file that the server may read; without one a text is built in")
		return ""
	}
	return string(text)
}

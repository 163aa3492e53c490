package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"memberradius/member"
)

// maxSecret bounds what is read of a secret's file.
const maxSecret = 64 << 10

// errEmpty says that a secret is there, and is empty.
var errEmpty = errors.New("is empty")

// readSecret returns what a secret's value stands for: "file:PATH", "env:NAME"
// or the text itself. A loose file is one that others on this machine may read.
func (r *reader) readSecret(value string) (s member.Secret, loose bool, err error) {
	if path, ok := strings.CutPrefix(value, "file:"); ok {
		s, loose, err = secretFile(r.abs(path))
	} else if name, ok := strings.CutPrefix(value, "env:"); ok {
		text, set := os.LookupEnv(name)
		if !set {
			return "", false, fmt.Errorf("the environment has no %s", name)
		}
		s = member.Secret(strings.TrimRight(text, "\r\n"))
	} else {
		s = member.Secret(value)
	}
	if err == nil && s == "" {
		err = errEmpty
	}
	return s, loose, err
}

func secretFile(path string) (s member.Secret, loose bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", false, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", false, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", false, err
	}
	if len(text) > maxSecret {
		return "", false, fmt.Errorf("%s holds more than %d bytes", path, maxSecret)
	}
	return member.Secret(strings.TrimRight(string(text), "\r\n")), info.Mode().Perm()&0o044 != 0, nil
}

// secret reads a secret. Empty is an error: nothing may be proved with it.
func (t *table) secret(key string) member.Secret {
	value := t.text(key, "")
	if value == "" {
		remedy := "write " + key + ` = "file:PATH", "env:NAME" or the text itself`
		if t.has(key) {
			t.wrong(key, key+" is empty", remedy)
		} else {
			t.wrong(key, "there is no "+key, remedy)
		}
		return ""
	}
	return t.resolve(key, value)
}

// resolve reads what value stands for, and says what is wrong with it.
func (t *table) resolve(key, value string) member.Secret {
	s, loose, err := t.r.readSecret(value)
	switch {
	case errors.Is(err, errEmpty):
		t.wrong(key, key+" is empty", "put a secret where it points to; `memberradius secret generate` makes one")
	case err != nil:
		t.wrong(key, fmt.Sprintf("%s: %v", key, err), "write it as \"file:PATH\" (relative to this file), \"env:NAME\" or the text itself, and see that the server may read it")
	case loose:
		t.warn(key, key+": others on this machine may read its file", "chmod 600 "+strings.TrimPrefix(value, "file:"))
	}
	return s
}

// weakLength is up to which length a RADIUS secret is called weak
// (draft-ietf-radext-deprecating-radius).
const weakLength = 12

// weakSecret says why a RADIUS secret is weak: short, or one that everybody
// tries first, the one of config.toml.example among them.
func weakSecret(s member.Secret) (why string, weak bool) {
	switch strings.ToLower(string(s)) {
	case "testing123", "testing", "secret", "radius", "radiussecret", "radius_secret", "sharedsecret", "shared_secret",
		"shared-secret", "mysecret", "my-secret", "password", "passw0rd", "changeme", "change-me", "changemeplease", "cisco", "cisco123",
		"admin", "administrator", "default", "letmein", "qwertyuiop123", "1234567890123", "public", "private", "whatever",
		"ubnt", "unifi", "mikrotik", "meraki", "aruba", "ruckus", "fortinet", "freeradius", "memberradius", "supersecret",
		exampleSecret:
		return "everybody knows it", true
	}
	if len(s) <= weakLength {
		return fmt.Sprintf("it has no more than %d characters", weakLength), true
	}
	return "", false
}

// exampleSecret is the one in config.toml.example.
const exampleSecret = "only-for-trying-it-out"

// abs makes path relative to the configuration file.
func (r *reader) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(r.dir, path)
}

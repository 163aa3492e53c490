package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"memberradius/backends"
	"memberradius/member"
	"memberradius/onboard"
	"memberradius/radiusd/policy"

	"golang.org/x/sys/unix"
)

type checkCmd struct {
	Online bool `help:"Ask the member systems themselves: is the address right, is the token taken?"`
}

// Help implements kong.HelpProvider.
func (checkCmd) Help() string {
	return "Exit status 1 says that the server would not start with it; warnings alone are exit status 0.\n\n" +
		example("memberradius check --online --config /etc/memberradius/config.toml")
}

// Run says every finding.
func (c *checkCmd) Run(p *program) error {
	cfg, found, err := loadConfig(p.Config)
	if err != nil {
		return err
	}
	if cfg != nil {
		found = append(found, cfg.vendorFindings()...)
		found = append(found, cfg.dataFindings()...)
		if !found.bad() {
			found = append(found, cfg.tryAll(p.ctx, c.Online)...)
		}
		found.sort()
	}
	if p.JSON {
		if err := p.printJSON(append(findings{}, found...)); err != nil {
			return err
		}
	} else {
		found.print(p.stdout)
		p.printf("%s\n", found.summary(cfg))
	}
	if found.bad() {
		return errQuiet
	}
	return nil
}

// summary counts the findings and, where the file can be used, what it holds.
func (fs findings) summary(c *config) string {
	counts := map[level]int{}
	for _, f := range fs {
		counts[f.Level]++
	}
	text := fmt.Sprintf("%s, %s, %s", counted(counts[wrong], "error"), counted(counts[warn], "warning"), counted(counts[note], "note"))
	if counts[wrong] > 0 || c == nil {
		return text + ": the server would not start"
	}
	return text + fmt.Sprintf(": good to serve %s, %s, %s and %s", counted(len(c.Clients), "client"),
		counted(len(c.Sites), "site"), counted(len(c.Plans), "plan"), counted(len(c.Backends), "backend"))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// vendorFindings says what each client's vendor has no attribute for.
func (c *config) vendorFindings() findings {
	var found findings
	for i, cl := range c.Clients {
		path := fmt.Sprintf("client[%d]", i)
		for _, limit := range policy.Limits(cl.Vendor) {
			found = append(found, finding{File: c.File, Line: c.lines.line(path + ".vendor"), Level: note,
				What: fmt.Sprintf("client %q: %s: %s", cl.Name, cl.Vendor, limit), Remedy: "set it at the access point or controller where it matters"})
		}
	}
	return found
}

// dataFindings says whether the data directory can be used.
func (c *config) dataFindings() findings {
	at := func(l level, what, remedy string) findings {
		return findings{{File: c.File, Line: c.lines.line("server.data"), Level: l, What: what, Remedy: remedy}}
	}
	dir := c.Server.Data
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		parent := filepath.Dir(dir)
		if err := unix.Access(parent, unix.W_OK|unix.X_OK); err != nil && !errors.Is(err, os.ErrNotExist) {
			return at(wrong, fmt.Sprintf("the data directory %s can't be made: %s: %v", dir, parent, err), "make it for the server's user, mode 0700, or name another below [server]")
		}
		return nil
	}
	switch {
	case err != nil:
		return at(wrong, fmt.Sprintf("the data directory can't be reached: %v", err), "give the server's user the way there")
	case !info.IsDir():
		return at(wrong, fmt.Sprintf("data %s is no directory", dir), "name another below [server]")
	case unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK) != nil:
		return at(wrong, fmt.Sprintf("the data directory %s may not be written to by this user", dir), "run this as the server's user, or give it the directory: chown")
	case info.Mode().Perm()&0o077 != 0:
		return at(warn, fmt.Sprintf("others on this machine may look into the data directory %s", dir), "chmod 700 "+dir)
	}
	return nil
}

// tryAll builds everything that the server would, except what lives in data.
func (c *config) tryAll(ctx context.Context, online bool) findings {
	_, found := c.book(nil)
	_, more := c.clientTable()
	found = append(found, more...)
	found = append(found, c.certificateFindings()...)
	found = append(found, c.eapFindings(ctx, online)...)
	found = append(found, c.portalFindings(ctx, online)...)
	if online && c.Mail.Set {
		found = append(found, c.mailFindings(ctx)...)
	}
	for i := range c.Backends {
		found = append(found, c.tryBackend(ctx, i, online)...)
	}
	return found
}

// certificateFindings says whether the certificate of [http] can be used.
func (c *config) certificateFindings() findings {
	if c.HTTP.Certificate == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(c.HTTP.Certificate, c.HTTP.Key); err != nil {
		return findings{{File: c.File, Line: c.lines.line("http.certificate"), Level: wrong, What: fmt.Sprintf("[http]: certificate and key can't be used: %v", err),
			Remedy: "both are PEM files that belong together; the server's user must be able to read them"}}
	}
	return nil
}

// mailFindings says whether the mail server takes us.
func (c *config) mailFindings(ctx context.Context) findings {
	mailer, err := onboard.NewMailer(c.Mail.Mail)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, mailTimeout)
		defer cancel()
		err = mailer.Check(ctx)
	}
	if err != nil {
		return findings{{File: c.File, Line: c.lines.line("mail.smtp"), Level: wrong, What: "[mail]: " + err.Error(), Remedy: "see smtp, password and from; letters wait meanwhile"}}
	}
	return nil
}

// checkTimeout bounds what `check --online` waits for one member system.
const checkTimeout = 15 * time.Second

// tryBackend opens a backend, and asks it what is wrong where that needs no
// network or online is set.
func (c *config) tryBackend(ctx context.Context, i int, online bool) findings {
	b := &c.Backends[i]
	k := kinds()[b.Kind]
	opened, end, err := b.openAlone(c.Dir)
	if err != nil {
		return c.openFindings(i, err)
	}
	defer end()
	found := c.planFindings(ctx, i)
	checker, ok := opened.(backends.Checker)
	if !ok || (k.live || k.remote) && !online {
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for _, f := range checker.Check(ctx) {
		l := warn
		if f.Wrong {
			l = wrong
		}
		found = append(found, finding{File: c.File, Line: c.lines.line(fmt.Sprintf("backend[%d]", i)), Level: l,
			What: fmt.Sprintf("backend %q: %s", b.Name, f.What), Remedy: f.Remedy})
	}
	return found
}

// openAlone opens a backend for a verb, without a store and without layers. end closes it.
func (b *backendConfig) openAlone(base string) (opened backends.Backend, end func(), err error) {
	opened, err = b.opener.Open(backends.Deps{Name: b.Name, Base: base, Directory: nobody{}})
	if err != nil {
		return nil, nil, err
	}
	return opened, func() {
		if closer, ok := opened.(io.Closer); ok {
			_ = closer.Close()
		}
	}, nil
}

// nobody is a store without members: check opens none.
type nobody struct{}

// Lookup implements backends.Directory.
func (nobody) Lookup(string) (*member.Record, bool) { return nil, false }

// Expect implements backends.Directory.
func (nobody) Expect([]string) {}

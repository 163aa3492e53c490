package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"memberradius/onboard"
	"memberradius/store"
)

type profileCmd struct {
	memberOf
	Login  string `arg:"" help:"Whose."`
	Format string `enum:"all,apple,onc,windows,hand,link" default:"all" help:"Which: apple (iPhone, iPad, Mac), onc (ChromeOS, Android), windows, hand (what to type), link (her page), or all (default)."`
	Out    string `placeholder:"DIR" help:"Where to write the files (default: here)."`
}

// Help implements kong.HelpProvider.
func (profileCmd) Help() string {
	return "The files hold her password: hand them to her alone. A link opens her own page once.\n\n" +
		example("memberradius profile anna@example.com --format apple --out /tmp", "memberradius profile anna@example.com --format link")
}

// Run writes the profiles of a member.
func (v profileCmd) Run(p *program) error {
	r, err := v.openAny(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	e, err := r.Get(p.ctx, r.backend, v.Login)
	if err != nil {
		return r.explain(v.Login, err)
	}
	if v.Format == "link" {
		return v.link(p, r, e)
	}
	n, err := r.network(p)
	if err != nil {
		return err
	}
	a := &onboard.Access{Login: e.Member.Login, Name: e.Member.Name, Password: e.Credential.Password}
	if v.Format == "hand" || v.Format == "all" {
		v.hand(p, n, a)
	}
	return v.write(p, r, n, a)
}

// link makes a link to her page.
func (v profileCmd) link(p *program, r *roll, who *store.Entry) error {
	if r.config.HTTP.PublicURL == "" {
		return errors.New(`[http] public_url is not set, so there is no address for her page: write public_url = "https://wifi.example.com"`)
	}
	address, err := r.config.link(p.ctx, r.MakeLink, who)
	if err != nil {
		return r.explain(who.Member.Login, err)
	}
	if p.JSON {
		return p.printJSON(map[string]string{"login": who.Member.Login, "link": address})
	}
	p.printf("%s\nIt opens once, within %d days.\n", address, int(linkLasts.Hours()/24))
	return nil
}

// network is the Wi-Fi as her devices are told of it.
func (r *roll) network(p *program) (*onboard.Network, error) {
	i, err := r.config.look(p.ctx)
	if err != nil {
		return nil, err
	}
	if i.Certificate.Leaf == nil {
		return nil, errNoCertificate
	}
	opened, end, err := r.config.backend(r.backend).openAlone(r.config.Dir)
	if err != nil {
		return nil, err
	}
	defer end()
	n := r.config.network(r.backend, i, secrecyOf(opened))
	if n == nil {
		return nil, fmt.Errorf("%s: site %q says no ssid, so that no device can be told which network is meant: write ssid = \"...\" into its [[site]]", r.config.File, r.config.siteOf(r.backend).Name)
	}
	return n, nil
}

// hand prints what to type.
func (profileCmd) hand(p *program, n *onboard.Network, a *onboard.Access) {
	for _, step := range onboard.ByHand(n, a) {
		p.printf("%s\n", step.Title)
		for _, do := range step.Do {
			p.printf("  %s\n", do)
		}
		for _, f := range step.Fields {
			if f.Password {
				f.Value = string(a.Password)
			}
			p.printf("    %-24s %s\n", f.Name, f.Value)
		}
	}
}

// A maker makes a profile's file.
type maker struct {
	format, extension string
	make              func() ([]byte, error)
}

// write writes the files that were asked for.
func (v profileCmd) write(p *program, r *roll, n *onboard.Network, a *onboard.Access) error {
	signer, err := r.config.signer()
	if err != nil {
		return err
	}
	makers := []maker{
		{"apple", ".mobileconfig", func() ([]byte, error) { return n.Apple(a, signer) }},
		{"onc", ".onc", func() ([]byte, error) { return n.ONC(a) }},
		{"windows", ".xml", func() ([]byte, error) { return n.Windows(a) }},
	}
	for _, m := range makers {
		if v.Format != "all" && v.Format != m.format {
			continue
		}
		octets, err := m.make()
		if errors.Is(err, onboard.ErrUnfit) && v.Format == "all" {
			_, _ = fmt.Fprintf(p.stderr, "memberradius: %s: %v\n", m.format, err)
			continue
		}
		if err != nil {
			return err
		}
		path := filepath.Join(v.Out, fileName(a.Login)+m.extension)
		if err := writeNew(path, octets); err != nil {
			return err
		}
		p.printf("written: %s\n", path)
	}
	return nil
}

// writeNew writes a file that is not there yet, for its owner alone.
func writeNew(path string, octets []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("profile: %w; take the old one away, or say where to by --out DIR", err)
	}
	_, err = f.Write(octets)
	return errors.Join(err, f.Close())
}

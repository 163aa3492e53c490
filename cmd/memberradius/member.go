package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"memberradius/member"
	"memberradius/provision"
	"memberradius/store"
)

// memberCmd is the members of the embedded store. What changes them is in this
// file, what reads them in member_show.go, CSV in member_csv.go.
type memberCmd struct {
	Add     memberAddCmd     `cmd:"" help:"Add a member."`
	List    memberListCmd    `cmd:"" help:"List the members."`
	Show    memberShowCmd    `cmd:"" help:"Show one member."`
	Passwd  memberPasswdCmd  `cmd:"" help:"Set a member's password."`
	Disable memberDisableCmd `cmd:"" help:"Let a member in no more."`
	Enable  memberEnableCmd  `cmd:"" help:"Let a disabled member in again."`
	Remove  memberRemoveCmd  `cmd:"" help:"Forget a member."`
	Import  memberImportCmd  `cmd:"" help:"Add and change members from a CSV file."`
	Export  memberExportCmd  `cmd:"" help:"Write the members as CSV."`
}

// memberOf says whose members a verb is about.
type memberOf struct {
	Backend string `placeholder:"NAME" help:"The [[backend]] whose members are kept here (default: the only one)."`
}

// A roll is the members of one backend, open to be read and changed.
type roll struct {
	*store.Store
	config  *config
	backend string
}

// open finds a backend whose members are changed from here, and opens the store.
func (o memberOf) open(p *program) (*roll, error) { return o.openOf(p, false) }

// openAny is open also for those whose members are what their system says.
func (o memberOf) openAny(p *program) (*roll, error) { return o.openOf(p, true) }

func (o memberOf) openOf(p *program, synced bool) (*roll, error) {
	c, err := p.wholeConfig()
	if err != nil {
		return nil, err
	}
	backend, err := o.choose(c, synced)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(p.ctx, store.Config{Dir: c.Server.Data, Random: p.rand})
	if err != nil {
		return nil, err
	}
	return &roll{Store: s, config: c, backend: backend}, nil
}

// choose returns the name of the backend that is meant.
func (o memberOf) choose(c *config, synced bool) (string, error) {
	var local []string
	known := kinds()
	for i := range c.Backends {
		b := &c.Backends[i]
		k := known[b.Kind]
		switch {
		case !k.stored:
			continue
		case k.synced && !synced && o.Backend == b.Name:
			return "", fmt.Errorf("the members of backend %q are what its member system says: change them there; a new password is made by `memberradius member passwd LOGIN --backend %s --generate`", b.Name, b.Name)
		case k.synced && !synced:
			continue
		case o.Backend == b.Name:
			return o.Backend, nil
		}
		local = append(local, b.Name)
	}
	switch {
	case len(local) == 0:
		return "", fmt.Errorf("%s has no [[backend]] of kind \"local\", so no site asks the embedded store; add one:\n\n[[backend]]\nname = \"members\"\nkind = \"local\"", c.File)
	case o.Backend != "":
		return "", fmt.Errorf("%s has no [[backend]] %q of kind \"local\"; there are: %s", c.File, o.Backend, strings.Join(local, ", "))
	case len(local) > 1:
		return "", fmt.Errorf("%s has several [[backend]] of kind \"local\": say which by --backend, one of %s", c.File, strings.Join(local, ", "))
	}
	return local[0], nil
}

// explain turns what the store says of a login into what to do about it.
func (r *roll) explain(login string, err error) error {
	switch {
	case errors.Is(err, member.ErrUnknown):
		return fmt.Errorf("backend %q has no member %q; `memberradius member list` shows who is there", r.backend, login)
	case errors.Is(err, store.ErrExists):
		return fmt.Errorf("backend %q has a member %q already; change her password by `memberradius member passwd`, anything else by `memberradius member import`", r.backend, login)
	}
	return err
}

// announce tells a running server to read what has changed. It need not
// succeed: the server looks by itself too, a little later.
func (r *roll) announce(p *program) { p.announce(r.config) }

func (p *program) announce(c *config) {
	err := newControlClient(c.Server.Data).call(p.ctx, http.MethodPost, "/members/refresh", nil, nil)
	if err != nil && !errors.Is(err, errNotRunning) {
		_, _ = fmt.Fprintf(p.stderr, "memberradius: it is stored, but the running server has not taken it yet: %v; it looks again every %s\n", err, watchEvery)
	}
}

// done ends a change: a server that runs is told at once, and the operator what was done.
func (r *roll) done(p *program, what, login string, password member.Secret) error {
	r.announce(p)
	if p.JSON {
		out := map[string]string{"done": what, "backend": r.backend, "login": login}
		if password != "" {
			out["password"] = string(password)
		}
		return p.printJSON(out)
	}
	p.printf("%s: %s (backend %s)\n", what, login, r.backend)
	if password != "" {
		p.printf("password: %s\nIt is shown this once.\n", string(password))
	}
	return nil
}

type memberAddCmd struct {
	memberOf
	memberSecret
	Login      string     `arg:"" help:"What she types as her user name."`
	Name       string     `help:"What people call her."`
	Plan       []string   `sep:"none" placeholder:"PLAN" help:"A plan's name, or a name that a plan matches; may be given again."`
	Team       string     `help:"Her team or company."`
	VLAN       vlanFlag   `name:"vlan" placeholder:"VLAN" help:"A VLAN of her own, a number or a name."`
	ValidFrom  fromFlag   `placeholder:"TIME" help:"When her membership begins: 2026-01-31, or 2026-01-31T08:00:00+01:00."`
	ValidUntil untilFlag  `placeholder:"TIME" help:"When it ends; a day means the end of it."`
	Devices    deviceFlag `placeholder:"N" help:"How many devices may be on at the same time (default: what the plan says)."`
}

// Help implements kong.HelpProvider.
func (memberAddCmd) Help() string {
	return "Without one of the flags for it the password is asked for on the terminal.\n\n" +
		example(`memberradius member add bob@example.com --name Bob --plan hot-desk --valid-until 2026-12-31 --generate`)
}

// Run adds a member.
func (c memberAddCmd) Run(p *program) error {
	r, err := c.open(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	credential, shown, err := c.read(p)
	if err != nil {
		return err
	}
	record := member.Record{Credential: credential, Member: member.Member{
		Login: c.Login, Name: strings.TrimSpace(c.Name), Plans: c.Plan, Team: strings.TrimSpace(c.Team),
		VLAN: c.VLAN.VLAN, ValidFrom: c.ValidFrom.Time, ValidUntil: c.ValidUntil.Time, Devices: int(c.Devices),
	}}
	if err := r.Add(p.ctx, r.backend, &record); err != nil {
		return r.explain(c.Login, err)
	}
	return r.done(p, "added", c.Login, shown)
}

type memberPasswdCmd struct {
	memberOf
	memberSecret
	Login string `arg:"" help:"Whose password."`
}

// Help implements kong.HelpProvider.
func (memberPasswdCmd) Help() string {
	return "Without one of the flags for it the password is asked for on the terminal.\n\n" +
		example("memberradius member passwd bob@example.com --generate",
			"memberradius member passwd bob@example.com --password-stdin < password.txt")
}

// Run sets a password.
func (c memberPasswdCmd) Run(p *program) error {
	r, err := c.openAny(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if kinds()[r.config.backend(r.backend).Kind].synced {
		return r.renew(p, c.Login, c.Generate)
	}
	credential, shown, err := c.read(p)
	if err != nil {
		return err
	}
	e := store.Edit{Fields: store.FieldCredential}
	e.Record.Member.Login, e.Record.Credential = c.Login, credential
	if err := r.Edit(p.ctx, r.backend, &e); err != nil {
		return r.explain(c.Login, err)
	}
	return r.done(p, "password set", c.Login, shown)
}

// renew has a member of a synced backend get a new password as she would by
// herself: she is told, and her member system.
func (r *roll) renew(p *program, login string, generate bool) error {
	if !generate {
		return fmt.Errorf("passwords of backend %q are made here, and not typed: add --generate", r.backend)
	}
	opened, end, err := r.config.backend(r.backend).openAlone(r.config.Dir)
	if err != nil {
		return err
	}
	defer end()
	runner := provision.New(provision.Config{
		Backend: r.backend, Store: r.Store, Secrecy: secrecyOf(opened), Mail: r.config.Mail.Set, WriteBack: writesBack(opened),
		NTHash: ntHash, Rand: p.rand,
	})
	if err := runner.Renew(p.ctx, login); err != nil {
		return r.explain(login, err)
	}
	e, err := r.Get(p.ctx, r.backend, login)
	if err != nil {
		return r.explain(login, err)
	}
	return r.done(p, "password set", login, e.Credential.Password)
}

type memberDisableCmd struct {
	memberOf
	Login string `arg:"" help:"Who."`
}

// Help implements kong.HelpProvider.
func (memberDisableCmd) Help() string {
	return "She stays a member, and keeps her password.\n\n" + example("memberradius member disable bob@example.com")
}

// Run disables a member.
func (c memberDisableCmd) Run(p *program) error { return c.setDisabled(p, c.Login, true) }

type memberEnableCmd struct {
	memberOf
	Login string `arg:"" help:"Who."`
}

// Help implements kong.HelpProvider.
func (memberEnableCmd) Help() string { return example("memberradius member enable bob@example.com") }

// Run enables a member.
func (c memberEnableCmd) Run(p *program) error { return c.setDisabled(p, c.Login, false) }

func (o memberOf) setDisabled(p *program, login string, disabled bool) error {
	r, err := o.open(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	e := store.Edit{Fields: store.FieldDisabled}
	e.Record.Member.Login, e.Record.Member.Disabled = login, disabled
	if err := r.Edit(p.ctx, r.backend, &e); err != nil {
		return r.explain(login, err)
	}
	if disabled {
		return r.done(p, "disabled", login, "")
	}
	return r.done(p, "enabled", login, "")
}

type memberRemoveCmd struct {
	memberOf
	Login string `arg:"" help:"Who."`
}

// Help implements kong.HelpProvider.
func (memberRemoveCmd) Help() string {
	return "Her password and all that is stored of her are gone; `member disable` keeps them.\n\n" +
		example("memberradius member remove bob@example.com")
}

// Run removes a member.
func (c memberRemoveCmd) Run(p *program) error {
	r, err := c.open(p)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if err := r.Remove(p.ctx, r.backend, c.Login); err != nil {
		return r.explain(c.Login, err)
	}
	return r.done(p, "removed", c.Login, "")
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"memberradius/backends"
	"memberradius/store"
)

// backendCmd is the member systems.
type backendCmd struct {
	List  backendListCmd  `cmd:"" help:"List the member systems, and how their last run ended."`
	Runs  backendRunsCmd  `cmd:"" help:"List the runs of sync."`
	Hooks backendHooksCmd `cmd:"" help:"Show, or set up, what a member system tells this server of."`
}

type backendListCmd struct{}

// Help implements kong.HelpProvider.
func (backendListCmd) Help() string { return example("memberradius backend list") }

// A backendView is a member system as people and programs read it.
type backendView struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Sites   []string `json:"sites"`
	Members *int     `json:"members,omitempty"`
	LastRun *runView `json:"last_run,omitempty"`
}

// Run lists the member systems.
func (backendListCmd) Run(p *program) error {
	s, c, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	views := []backendView{}
	for i := range c.Backends {
		v, err := c.viewBackend(p.ctx, s, &c.Backends[i])
		if err != nil {
			return err
		}
		views = append(views, v)
	}
	if p.JSON {
		return p.printJSON(views)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "name\tkind\tsites\tmembers\tlast run")
	for _, v := range views {
		members, last := "-", "-"
		if v.Members != nil {
			members = fmt.Sprint(*v.Members)
		}
		if v.LastRun != nil {
			last = v.LastRun.summary()
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Name, v.Kind, strings.Join(v.Sites, ","), members, last)
	}
	return w.Flush()
}

// viewBackend says what is known of a backend without asking it.
func (c *config) viewBackend(ctx context.Context, s *store.Store, b *backendConfig) (backendView, error) {
	v := backendView{Name: b.Name, Kind: b.Kind, Sites: []string{}}
	for _, site := range c.Sites {
		if slices.Contains(site.Ask, b.Name) || slices.Contains(site.Gates, b.Name) {
			v.Sites = append(v.Sites, site.Name)
		}
	}
	if !kinds()[b.Kind].stored {
		return v, nil
	}
	n := 0
	if _, err := s.Kept(ctx, b.Name, func(k *store.Kept) error {
		if k.Lapsed.IsZero() {
			n++
		}
		return nil
	}); err != nil {
		return v, err
	}
	v.Members = &n
	runs, err := s.Runs(ctx, b.Name, 1)
	if err == nil && len(runs) > 0 {
		v.LastRun = viewRun(&runs[0])
	}
	return v, err
}

type backendRunsCmd struct {
	Name string `arg:"" optional:"" help:"Which [[backend]]; all where this is left out."`
	Most int    `default:"20" placeholder:"N" help:"How many at the most (default ${default})."`
}

// Help implements kong.HelpProvider.
func (backendRunsCmd) Help() string { return example("memberradius backend runs nexudus --most 5") }

// Run lists the runs, the newest first.
func (v backendRunsCmd) Run(p *program) error {
	s, _, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	runs, err := s.Runs(p.ctx, v.Name, max(v.Most, 1))
	if err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(viewRuns(runs))
	}
	for _, r := range viewRuns(runs) {
		p.printf("%s %s (%s, %s)\n", r.Backend, r.summary(), r.Trigger, counted(r.Requests, "request"))
		for _, n := range r.Notes {
			p.printf("  note: %s\n", n)
		}
	}
	return nil
}

type backendHooksCmd struct {
	Name    string `arg:"" help:"Which [[backend]]."`
	Install bool   `help:"Make what is missing, and wake what was switched off."`
}

// Help implements kong.HelpProvider.
func (backendHooksCmd) Help() string {
	return "They lead to [http] public_url, which must be reachable from the member system.\n\n" +
		example("memberradius backend hooks nexudus --install")
}

// hooksTimeout bounds it: some systems take a request a second.
const hooksTimeout = 2 * time.Minute

// Run shows the hooks.
func (v backendHooksCmd) Run(p *program) error {
	c, err := p.wholeConfig()
	if err != nil {
		return err
	}
	if c.HTTP.PublicURL == "" {
		return errors.New(`[http] public_url is not set: the member system has to be told where this server is, as public_url = "https://wifi.example.com"`)
	}
	hooker, end, err := c.hooker(v.Name)
	if err != nil {
		return err
	}
	defer end()
	ctx, cancel := context.WithTimeout(p.ctx, hooksTimeout)
	defer cancel()
	hooks, err := hooker.Hooks(ctx, strings.TrimRight(c.HTTP.PublicURL, "/")+"/webhooks/"+v.Name, v.Install)
	if err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(hooks)
	}
	troubled := false
	for _, h := range hooks {
		p.printf("%s: %s\n", h.About, hookState(&h))
		troubled = troubled || h.Missing || !h.Active || h.Errors > 0
	}
	if troubled && !v.Install {
		p.printf("`memberradius backend hooks %s --install` sets them up\n", v.Name)
	}
	return nil
}

func hookState(h *backends.Hook) string {
	switch {
	case h.Missing:
		return "missing"
	case !h.Active:
		return fmt.Sprintf("switched off after %s: %s", counted(h.Errors, "error"), h.LastError)
	case h.Errors > 0:
		return fmt.Sprintf("active, but %s in a row: %s", counted(h.Errors, "error"), h.LastError)
	}
	return "active"
}

// hooker opens a backend whose hooks can be set up.
func (c *config) hooker(name string) (h backends.Hooker, end func(), err error) {
	b := c.backend(name)
	if b == nil {
		return nil, nil, fmt.Errorf("%s has no [[backend]] %q; there are: %s", c.File, name, strings.Join(names(c.Backends, func(b backendConfig) string { return b.Name }), ", "))
	}
	opened, end, err := b.openAlone(c.Dir)
	if err != nil {
		return nil, nil, err
	}
	if h, ok := opened.(backends.Hooker); ok {
		return h, end, nil
	}
	end()
	return nil, nil, fmt.Errorf("backend %q (kind %q) has no hooks that can be set up from here", name, b.Kind)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"memberradius/backends"
	"memberradius/provision"
)

type syncCmd struct {
	Name   string `arg:"" optional:"" help:"Which [[backend]]; all that are synced where this is left out."`
	DryRun bool   `name:"dry-run" help:"Say what would change, and change nothing."`
	Accept bool   `help:"Take a list that has shrunk by more than the backend's shrink."`
	Full   bool   `help:"Read everything, not only what has changed."`
}

// Help implements kong.HelpProvider.
func (syncCmd) Help() string {
	return "A running server does it, and a second `sync` joins the run that is under way. Without one this program does it by itself.\n\n" +
		example("memberradius sync --dry-run", "memberradius sync nexudus", "memberradius sync nexudus --accept")
}

// A syncRequest is what a verb asks the running server for.
type syncRequest struct {
	Name   string `json:"name"`
	DryRun bool   `json:"dry_run"`
	Accept bool   `json:"accept"`
	Full   bool   `json:"full"`
}

// A syncEvent is one line of the answer: progress until the last, which is a report or an error.
type syncEvent struct {
	Progress *backends.Progress `json:"progress,omitempty"`
	Report   *provision.Report  `json:"report,omitempty"`
	Error    string             `json:"error,omitempty"`
}

// options are what a Runner is asked for.
func (r *syncRequest) options(trigger string, tell func(backends.Progress)) provision.Options {
	return provision.Options{Trigger: trigger, Full: r.Full || r.DryRun, DryRun: r.DryRun, Accept: r.Accept, Progress: tell}
}

// Run syncs.
func (v *syncCmd) Run(p *program) error {
	control, c, err := p.running()
	if err != nil {
		return err
	}
	names, err := c.syncedBackends(v.Name)
	if err != nil {
		return err
	}
	var failed bool
	for _, name := range names {
		report, err := v.one(p, control, c, name)
		if err != nil {
			_, _ = fmt.Fprintf(p.stderr, "memberradius: backend %q: %v\n", name, err)
			failed = true
			continue
		}
		failed = failed || report.Error != "" || report.Held
		if err := v.print(p, report); err != nil {
			return err
		}
	}
	if failed {
		return errQuiet
	}
	return nil
}

// syncedBackends returns the one that is meant, or all.
func (c *config) syncedBackends(name string) (all []string, err error) {
	known := kinds()
	for i := range c.Backends {
		if known[c.Backends[i].Kind].synced {
			all = append(all, c.Backends[i].Name)
		}
	}
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("%s has no [[backend]] whose members are synced (kind \"nexudus\" is such a one)", c.File)
	case name == "":
		return all, nil
	case !slices.Contains(all, name):
		return nil, fmt.Errorf("%s has no synced [[backend]] %q; there are: %s", c.File, name, strings.Join(all, ", "))
	}
	return []string{name}, nil
}

// one syncs one backend: by the running server, or else here.
func (v *syncCmd) one(p *program, control *controlClient, c *config, name string) (*provision.Report, error) {
	bar := newSyncBar(p, name)
	defer bar.end()
	request := syncRequest{Name: name, DryRun: v.DryRun, Accept: v.Accept, Full: v.Full}
	report, err := control.sync(p.ctx, &request, bar.show)
	if !errors.Is(err, errNotRunning) {
		return report, err
	}
	return c.syncHere(p, &request, bar.show)
}

// syncHere syncs without a server.
func (c *config) syncHere(p *program, r *syncRequest, tell func(backends.Progress)) (*provision.Report, error) {
	log := newLogger(p.stderr, c.Log)
	if err := makeData(c.Server.Data, log); err != nil {
		return nil, err
	}
	s := newSystems(c.Server.Data, log)
	defer s.shut()
	only := *c
	only.Backends = slices.DeleteFunc(slices.Clone(c.Backends), func(b backendConfig) bool { return b.Name != r.Name })
	all, _, found := s.renew(p.ctx, &only)
	if found.bad() {
		found.print(p.stderr)
		return nil, errFindings
	}
	defer all[r.Name].close()
	s.current.Store(c)
	return all[r.Name].keeper.Run(p.ctx, r.options("command", tell))
}

// sync asks the running server.
func (c *controlClient) sync(ctx context.Context, r *syncRequest, tell func(backends.Progress)) (report *provision.Report, err error) {
	err = c.stream(ctx, "/sync", r, func(e *syncEvent) error {
		switch {
		case e.Error != "":
			return errors.New(e.Error)
		case e.Report != nil:
			report = e.Report
		case e.Progress != nil:
			tell(*e.Progress)
		}
		return nil
	})
	if err == nil && report == nil {
		err = errors.New("the server stopped in the middle of the run: nothing has changed, or all of it; `memberradius sync` says which")
	}
	return report, err
}

// sync answers the verb, with a line for each step.
func (c *control) sync(w http.ResponseWriter, r *http.Request) {
	var req syncRequest
	if !read(w, r, &req) {
		return
	}
	runner := c.server.systems.runner(req.Name)
	if runner == nil {
		refuse(w, http.StatusNotFound, fmt.Errorf("the running server has no synced backend %q: reload it after a change of the configuration", req.Name))
		return
	}
	out := newLines(w)
	report, err := runner.Run(r.Context(), req.options("command", func(p backends.Progress) { out.say(syncEvent{Progress: &p}) }))
	if err != nil && report == nil {
		out.say(syncEvent{Error: err.Error()})
		return
	}
	out.say(syncEvent{Report: report})
}

// print says what has changed, in words.
func (v *syncCmd) print(p *program, r *provision.Report) error {
	if p.JSON {
		return p.printJSON(viewReport(r))
	}
	for _, change := range r.Changes {
		p.printf("%s\n", change)
	}
	verb := "done"
	switch {
	case r.Error != "":
		verb = "failed, and nothing has changed: " + r.Error
	case r.Held:
		verb = "held, and nothing has changed: " + r.Remedy
	case v.DryRun:
		verb = "nothing has changed: this was a dry run"
	}
	p.printf("%s: %d came, %d came back, %d changed, %d went, %d stayed as they were, %d were left out; %s in %s: %s\n", r.Backend,
		r.Added, r.Returned, r.Changed, r.Lapsed, r.Unchanged, r.Skipped, counted(r.Requests, "request"), r.Ended.Sub(r.Started).Round(time.Millisecond), verb)
	for _, n := range r.Notes {
		p.printf("  note: %s\n", n)
	}
	return nil
}

// A syncBar shows how far a run has come, where there is a terminal to show it on.
type syncBar struct {
	p     *program
	name  string
	began time.Time
	shown bool
}

func newSyncBar(p *program, name string) *syncBar {
	return &syncBar{p: p, name: name, began: time.Now()}
}

func (b *syncBar) show(s backends.Progress) {
	if _, ok := terminal(b.p.stderr); !ok {
		return
	}
	minutes := max(time.Since(b.began).Minutes(), 1.0/60)
	_, _ = fmt.Fprintf(b.p.stderr, "\r\x1b[K%s %s: %s, %s, %s a minute%s", b.name, bar(s.Members, s.Of), s.Doing,
		counted(s.Pages, "page"), counted(int(float64(s.Requests)/minutes), "request"), membersOf(s))
	b.shown = true
}

func (b *syncBar) end() {
	if b.shown {
		_, _ = fmt.Fprintf(b.p.stderr, "\r\x1b[K")
	}
}

func membersOf(s backends.Progress) string {
	if s.Of > 0 {
		return fmt.Sprintf(", %d of %d members", s.Members, s.Of)
	}
	return ", " + counted(s.Members, "member")
}

const barWidth = 24

// bar draws done of all; of an unknown number it draws none.
func bar(done, all int) string {
	if all <= 0 {
		return "[" + strings.Repeat("·", barWidth) + "]"
	}
	full := min(done*barWidth/all, barWidth)
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full) + "]"
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"memberradius/radiusd"
	"memberradius/store/ledger"
	"memberradius/web/api"
)

type sessionCmd struct {
	List   sessionListCmd   `cmd:"" help:"Who is online."`
	Show   sessionShowCmd   `cmd:"" help:"All that is known of one session."`
	Kick   sessionKickCmd   `cmd:"" help:"Throw a device off."`
	Export sessionExportCmd `cmd:"" help:"Write sessions as CSV or JSON."`
}

// sessions opens the ledger of the configuration's data directory. A server
// may have it open too.
func (p *program) sessions() (*ledger.Ledger, error) {
	c, err := p.wholeConfig()
	if err != nil {
		return nil, err
	}
	return ledger.Open(p.ctx, ledger.Config{Dir: c.Server.Data})
}

// sessionsOf says which sessions a verb is about.
type sessionsOf struct {
	All    bool   `help:"Those that have ended too, the newest first."`
	Login  string `placeholder:"LOGIN" help:"Of this member."`
	MAC    string `name:"mac" placeholder:"MAC" help:"Of this device."`
	Client string `placeholder:"NAME" help:"At this [[client]]."`
	Site   string `placeholder:"NAME" help:"At this [[site]]."`
	Plan   string `placeholder:"PLAN" help:"By this plan."`
}

// filter is what the flags say.
func (v *sessionsOf) filter() (*ledger.Filter, error) {
	f := &ledger.Filter{Login: v.Login, Client: v.Client, Site: v.Site, Plan: v.Plan}
	if v.MAC != "" {
		mac, err := readMAC(v.MAC)
		if err != nil {
			return nil, fmt.Errorf("--mac: %w", err)
		}
		f.MAC = mac
	}
	if online := true; !v.All {
		f.Online = &online
	}
	return f, nil
}

type sessionListCmd struct{ sessionsOf }

// Help implements kong.HelpProvider.
func (sessionListCmd) Help() string {
	return example("memberradius session list --site berlin", "memberradius session list --all --login bob@example.com --json")
}

// Run lists sessions.
func (v *sessionListCmd) Run(p *program) error {
	f, err := v.filter()
	if err != nil {
		return err
	}
	l, err := p.sessions()
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if p.JSON {
		return p.sessionsJSON(l, f)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "SESSION\tLOGIN\tDEVICE\tADDRESS\tAT\tSINCE\tLASTED\tUP\tDOWN\tPLAN\t")
	n := 0
	err = l.Each(p.ctx, f, func(s *ledger.Session) error {
		n++
		_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.ID, radiusd.Printable(s.Login), s.StationMAC, addressOf(s), radiusd.Printable(place(s)),
			s.Started.Local().Format(time.DateTime), lasted(s), octets(s.Input), octets(s.Output), radiusd.Printable(s.Plan))
		return err
	})
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	p.printf("%s\n", counted(n, "session"))
	return nil
}

// sessionsJSON prints an array of them, as they come.
func (p *program) sessionsJSON(l *ledger.Ledger, f *ledger.Filter) error {
	all := []any{}
	err := l.Each(p.ctx, f, func(s *ledger.Session) error {
		all = append(all, viewSession(s))
		return nil
	})
	if err != nil {
		return err
	}
	return p.printJSON(all)
}

// place is where a session is, for people.
func place(s *ledger.Session) string {
	parts := []string{}
	for _, part := range []string{s.Site, s.SSID, s.Client} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "/")
}

func addressOf(s *ledger.Session) string {
	if !s.Address.IsValid() {
		return "-"
	}
	return s.Address.String()
}

// lasted is how long a session has gone on, as far as is known.
func lasted(s *ledger.Session) string {
	switch {
	case !s.Open():
		return s.Ended.Sub(s.Started).Round(time.Second).String()
	default:
		return time.Since(s.Started).Round(time.Second).String()
	}
}

// octets writes an amount of data as people do.
func octets(n uint64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/1000, "kMGTPE"
	for v >= 999.95 && len(units) > 1 {
		v, units = v/1000, units[1:]
	}
	return fmt.Sprintf("%.1f %cB", v, units[0])
}

type sessionExportCmd struct {
	Format string `enum:"csv,json" default:"csv" help:"csv or json."`
	From   string `placeholder:"DATE" help:"That began on this day or later, as 2026-01-31."`
	Until  string `placeholder:"DATE" help:"That began before this day."`
	sessionsOf
}

// Help implements kong.HelpProvider.
func (sessionExportCmd) Help() string {
	return example("memberradius session export --all --from 2026-01-01 --until 2026-02-01 > january.csv")
}

// Run writes sessions.
func (v *sessionExportCmd) Run(p *program) error {
	f, err := v.filter()
	if err != nil {
		return err
	}
	for _, bound := range []struct {
		flag, text string
		to         *time.Time
	}{{"--from", v.From, &f.From}, {"--until", v.Until, &f.Until}} {
		if bound.text == "" {
			continue
		}
		if *bound.to, err = time.ParseInLocation(time.DateOnly, bound.text, time.Local); err != nil {
			return fmt.Errorf("%s: %q is no day: write it as 2026-01-31", bound.flag, bound.text)
		}
	}
	l, err := p.sessions()
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	return api.Export(p.stdout, v.Format, func(each func(*api.Session) error) error {
		return l.Each(p.ctx, f, func(s *ledger.Session) error {
			out := apiSession(s)
			return each(&out)
		})
	})
}

type sessionShowCmd struct {
	ID string `arg:"" help:"The session's id, or the access point's (Acct-Session-Id) where one open session has it."`
}

// Help implements kong.HelpProvider.
func (sessionShowCmd) Help() string { return example("memberradius session show 5F2A0001") }

// Run prints one session, and what was tried on it.
func (v *sessionShowCmd) Run(p *program) error {
	l, err := p.sessions()
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	s, err := l.Find(p.ctx, v.ID)
	if err != nil {
		return v.explain(err)
	}
	tried, err := l.Attempts(p.ctx, s.ID)
	if err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(viewSessionWhole(s, tried))
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"session", s.ID}, {"Acct-Session-Id", radiusd.Printable(s.Session.ID)}, {"member", radiusd.Printable(s.Login)}, {"backend", s.Backend},
		{"plan", s.Plan}, {"VLAN", s.VLAN}, {"device", s.StationMAC}, {"address", addressOf(s)}, {"at", radiusd.Printable(place(s))},
		{"NAS", radiusd.Printable(s.NAS)}, {"access point", radiusd.Printable(s.Called)}, {"began", s.Started.Local().Format(time.DateTime)},
		{"last heard of", s.Updated.Local().Format(time.DateTime)}, {"ended", ended(s)}, {"lasted", lasted(s)},
		{"from the device", octets(s.Input)}, {"to the device", octets(s.Output)},
	} {
		if row[1] != "" {
			_, _ = fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i := range tried {
		p.printf("%s\n", sentenceOf(&tried[i]))
	}
	return nil
}

func (v *sessionShowCmd) explain(err error) error {
	if errors.Is(err, ledger.ErrUnknown) {
		return fmt.Errorf("there is no session %q; `memberradius session list --all` has them", v.ID)
	}
	return err
}

// ended says when and by what a session ended.
func ended(s *ledger.Session) string {
	if s.Open() {
		return "no, it goes on"
	}
	how := s.Closed
	if s.Cause != "" {
		how += ", " + s.Cause
	}
	return s.Ended.Local().Format(time.DateTime) + " (" + how + ")"
}

// sentenceOf says what was tried on a session, and what came of it.
func sentenceOf(a *ledger.Attempt) string {
	said := fmt.Sprintf("%s %s to %s, since %s: %s", a.At.Local().Format(time.DateTime), a.Kind, a.Target, a.Why, a.Result)
	if a.ErrorCause != 0 {
		said += fmt.Sprintf(" (%s, %d)", coaCause(a.ErrorCause), a.ErrorCause)
	}
	said += fmt.Sprintf(" after %s, %s", counted(a.Sends, "packet"), a.Took.Round(time.Millisecond))
	switch {
	case !a.Gone.IsZero():
		said += "; it ended " + a.Gone.Local().Format(time.DateTime)
	case a.Result == "stayed":
		said += "; the access point acknowledged it, but no Stop came: the device may still be on"
	}
	return said
}

type sessionKickCmd struct {
	ID string `arg:"" help:"The session's id, or the access point's (Acct-Session-Id) where one open session has it."`
}

// Help implements kong.HelpProvider.
func (sessionKickCmd) Help() string {
	return "The access point is told to end the session (RFC 5176). The exit status is 0 where it did, or where it does not know the session any more.\n\n" +
		example("memberradius session kick 5F2A0001")
}

// A kickRequest is what the verb asks the running server for, kicked its answer.
type (
	kickRequest struct {
		Session string `json:"session"`
	}
	kicked struct {
		ID       string `json:"id"`
		Login    string `json:"login"`
		Left     bool   `json:"left"`
		Sentence string `json:"sentence"`
	}
)

// Run throws a device off.
func (v *sessionKickCmd) Run(p *program) error {
	control, _, err := p.running()
	if err != nil {
		return err
	}
	var done kicked
	if err := control.call(p.ctx, http.MethodPost, "/sessions/kick", kickRequest{v.ID}, &done); err != nil {
		return err
	}
	if p.JSON {
		if err := p.printJSON(done); err != nil {
			return err
		}
	} else {
		p.printf("%s\n", done.Sentence)
	}
	if !done.Left {
		return errQuiet
	}
	return nil
}

// kickWithin is a little less than an answer of the control socket may take, and
// no less than a NAS may (RFC 5080 §2.2.1: MRD).
const kickWithin = controlTimeout

// kick answers the verb.
func (c *control) kick(w http.ResponseWriter, r *http.Request) {
	var req kickRequest
	if !read(w, r, &req) {
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(kickWithin + 10*time.Second))
	ctx, cancel := context.WithTimeout(r.Context(), kickWithin+5*time.Second)
	defer cancel()
	s, a, err := c.server.online.kick(ctx, req.Session)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no session %q; `memberradius session list` has those that go on", req.Session))
	case s == nil || a == nil:
		refuse(w, http.StatusConflict, err)
	default:
		noted := noteOf(a)
		said := sentenceOf(&noted)
		if a.Err != "" {
			said += ": " + a.Err
		}
		answer(w, kicked{ID: s.ID, Login: s.Login, Left: a.Left(), Sentence: said})
	}
}

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"memberradius/store"
	"memberradius/web/api"
)

// tokenCmd is the tokens of the operator's API.
type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token, and show it this once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"Let a token do nothing more."`
}

// openStore opens the embedded store of the configuration.
func (p *program) openStore() (*store.Store, *config, error) {
	c, err := p.wholeConfig()
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(p.ctx, store.Config{Dir: c.Server.Data, Random: p.rand})
	return s, c, err
}

type tokenCreateCmd struct {
	Scope []string `required:"" sep:"," placeholder:"S" help:"What it may do: members, devices or vouchers with :read or :write, sessions:read, sessions:write, plans:read, backends:read, backends:sync, portal:read, portal_login, or admin for all."`
	Name  string   `default:"token" help:"What it is for."`
	Days  int      `placeholder:"N" help:"After how many days it ends (default: never)."`
}

// Help implements kong.HelpProvider.
func (tokenCreateCmd) Help() string {
	return "Only its hash is kept: what is lost is made anew.\n\n" +
		example("memberradius token create --name crm --scope members:read,members:write --days 365")
}

// Run makes a token.
func (v tokenCreateCmd) Run(p *program) error {
	if err := knownScopes(v.Scope); err != nil {
		return err
	}
	if v.Days < 0 {
		return fmt.Errorf("--days %d: a number above 0 is needed", v.Days)
	}
	s, _, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	var expires time.Time
	if v.Days > 0 {
		expires = time.Now().AddDate(0, 0, v.Days)
	}
	t, secret, err := s.CreateToken(p.ctx, v.Name, v.Scope, expires)
	switch {
	case errors.Is(err, store.ErrTokenExists):
		return fmt.Errorf("there is a token %q already: give this one another --name, or end that one by `memberradius token revoke %s`", v.Name, v.Name)
	case err != nil:
		return err
	}
	if p.JSON {
		return p.printJSON(map[string]any{"token": string(secret), "id": t.ID, "name": t.Name, "scopes": t.Scopes, "expires": whenSet(t.Expires)})
	}
	p.printf("%s\nIt is shown this once. Send it as: Authorization: Bearer TOKEN\n", string(secret))
	return nil
}

// knownScopes says which of scopes is none.
func knownScopes(scopes []string) error {
	for _, s := range scopes {
		if !slices.Contains(api.Scopes(), s) {
			return fmt.Errorf("--scope %q is unknown; use some of %s", s, strings.Join(api.Scopes(), ", "))
		}
	}
	return nil
}

type tokenListCmd struct{}

// Help implements kong.HelpProvider.
func (tokenListCmd) Help() string { return example("memberradius token list") }

// Run lists the tokens.
func (tokenListCmd) Run(p *program) error {
	s, _, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	all, err := s.Tokens(p.ctx)
	if err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(tokenViews(all))
	}
	if len(all) == 0 {
		p.printf("there is no token; `memberradius token create --scope members:read` makes one\n")
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "id\tname\tscopes\tmade\tlast used\tends")
	for _, t := range tokenViews(all) {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, strings.Join(t.Scopes, ","), when(t.Created), when(t.Used), t.end())
	}
	return w.Flush()
}

// A tokenView is a token as people and programs read it.
type tokenView struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Scopes  []string   `json:"scopes"`
	Created *time.Time `json:"created"`
	Expires *time.Time `json:"expires,omitempty"`
	Used    *time.Time `json:"used,omitempty"`
	Revoked *time.Time `json:"revoked,omitempty"`
}

func (t *tokenView) end() string {
	if t.Revoked != nil {
		return "revoked " + when(t.Revoked)
	}
	return when(t.Expires)
}

func tokenViews(all []store.Token) []tokenView {
	out := make([]tokenView, len(all))
	for i, t := range all {
		out[i] = tokenView{t.ID, t.Name, t.Scopes, whenSet(t.Created), whenSet(t.Expires), whenSet(t.Used), whenSet(t.Revoked)}
	}
	return out
}

// whenSet is nil for a time that is none.
func whenSet(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type tokenRevokeCmd struct {
	Which string `arg:"" name:"id|name" help:"Which one."`
}

// Help implements kong.HelpProvider.
func (tokenRevokeCmd) Help() string {
	return "The running server refuses it at once.\n\n" + example("memberradius token revoke crm")
}

// Run revokes a token.
func (v tokenRevokeCmd) Run(p *program) error {
	s, _, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := s.RevokeToken(p.ctx, v.Which); err != nil {
		return err
	}
	if p.JSON {
		return p.printJSON(map[string]string{"done": "revoked", "token": v.Which})
	}
	p.printf("revoked: %s\n", v.Which)
	return nil
}

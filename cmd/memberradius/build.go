package main

import (
	"context"
	"fmt"

	"memberradius/backends"
	"memberradius/radiusd"
	"memberradius/radiusd/policy"
)

// build makes of a configuration what the running server looks things up in.
// commit is called once the tables are in use.
func (s *server) build(ctx context.Context, c *config) (t radiusd.Tables, commit func(), found findings) {
	if err := s.systems.keepStore(ctx); err != nil {
		return t, nil, findings{{File: c.File, Line: c.lines.line("server.data"), Level: wrong, What: err.Error(), Remedy: "put it right, then try again"}}
	}
	book, found := c.book(s.systems.uses)
	if found.bad() {
		return t, nil, found
	}
	table, found := c.clientTable()
	if found.bad() {
		return t, nil, found
	}
	systems, commit, found := s.systems.renew(ctx, c)
	if found.bad() {
		return t, nil, found
	}
	t = radiusd.Tables{Clients: clients{table, s.loans}, Book: book}
	if s.wpa != nil {
		t.EAP = s.wpa.methods(&c.EAP)
	}
	complain := newComplaints(s.log).say
	chains, gates := map[string]asker{}, map[string]asker{}
	gated := false
	for _, site := range c.Sites {
		chains[site.Name] = backends.NewChain(named(site.Ask, systems)...)
		gates[site.Name] = backends.NewGates(nil, named(site.Gates, systems)...)
		gated = gated || len(site.Gates) > 0
	}
	members := &siteMembers{chains, complain}
	door := &doors{s.systems.doors, members}
	t.Members, t.Doors = &tickets{members, s.systems.store.UAMTickets(), door}, door
	if gated {
		t.Gates = &siteMembers{gates, complain}
	}
	return t, commit, nil
}

func named(names []string, systems map[string]*system) []backends.Named {
	out := make([]backends.Named, len(names))
	for i, name := range names {
		out[i] = backends.Named{Name: name, Backend: systems[name].backend}
	}
	return out
}

// book compiles the plans. uses may be nil where nobody logs in.
func (c *config) book(uses policy.Uses) (*policy.Book, findings) {
	p := policy.Config{Dictionary: c.Dictionary, Uses: uses}
	for _, plan := range c.Plans {
		p.Plans = append(p.Plans, plan.Plan)
	}
	for _, s := range c.Sites {
		p.Sites = append(p.Sites, policy.Site{Name: s.Name, Zone: s.Zone, DefaultPlan: s.DefaultPlan})
	}
	book, err := policy.New(p)
	if err != nil {
		return nil, findings{{File: c.File, Line: c.lines.line("plan[0]"), Level: wrong, What: err.Error(), Remedy: "put the plan right that it names"}}
	}
	return book, nil
}

// clientTable makes the table of NASes.
func (c *config) clientTable() (radiusd.Clients, findings) {
	var found findings
	entries := make([]radiusd.ClientEntry, 0, len(c.Clients))
	say := func(i int, err error) {
		found = append(found, finding{File: c.File, Line: c.lines.line(fmt.Sprintf("client[%d]", i)), Level: wrong, What: err.Error(), Remedy: "put the client right that it names"})
	}
	for i, cl := range c.Clients {
		client, err := radiusd.NewClient(cl.ClientConfig)
		if err != nil {
			say(i, err)
			continue
		}
		entries = append(entries, radiusd.ClientEntry{Prefix: cl.Prefix, Client: client})
	}
	table, err := radiusd.NewClients(entries)
	if err != nil {
		say(0, err)
	}
	return table, found
}

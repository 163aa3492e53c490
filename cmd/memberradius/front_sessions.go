package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"memberradius/store/ledger"
	"memberradius/web/api"
)

// This file is the operator's API of who is online: api.Sessions, api.Kicker and
// api.Usages over the ledger.

// Sessions implements api.Sessions.
func (f apiFront) Sessions(ctx context.Context, q *api.SessionQuery) (page []api.Session, next string, err error) {
	found, next, err := f.s.online.ledger.List(ctx, &ledger.Filter{
		Login: q.Login, MAC: q.MAC, Client: q.Client, Site: q.Site, Plan: q.Plan, Online: q.Online,
		From: q.From, Until: q.Until, Before: q.After, Most: q.Limit,
	})
	page = make([]api.Session, len(found))
	for i := range found {
		page[i] = apiSession(&found[i])
	}
	return page, next, err
}

// Session implements api.Sessions.
func (f apiFront) Session(ctx context.Context, id string) (*api.Session, []api.Attempt, error) {
	l := f.s.online.ledger
	s, err := l.Find(ctx, id)
	if err != nil {
		return nil, nil, unknownSession(err)
	}
	tried, err := l.Attempts(ctx, s.ID)
	if err != nil {
		return nil, nil, err
	}
	all := make([]api.Attempt, len(tried))
	for i := range tried {
		all[i] = apiAttempt(&tried[i])
	}
	out := apiSession(s)
	return &out, all, nil
}

func unknownSession(err error) error {
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return api.ErrUnknown
	case errors.Is(err, ledger.ErrSeveral):
		return &api.Refusal{Words: "Several open sessions have this Acct-Session-Id: name one by its id."}
	}
	return err
}

// Kick implements api.Kicker.
func (f apiFront) Kick(ctx context.Context, id string) (*api.Attempt, error) {
	s, a, err := f.s.online.kick(ctx, id)
	switch {
	case s == nil:
		return nil, unknownSession(err)
	case a == nil:
		return nil, &api.Refusal{Words: fmt.Sprintf("The session has ended already, at %s.", s.Ended.Format(time.RFC3339))}
	case ctx.Err() != nil:
		return nil, api.ErrPending
	}
	noted := noteOf(a)
	out := apiAttempt(&noted)
	return &out, nil
}

// Usage implements api.Usages.
func (f apiFront) Usage(ctx context.Context, q *api.UsageQuery) ([]api.Usage, error) {
	query := ledger.UsageQuery{Login: q.Login, Plan: q.Plan, From: q.From, Until: q.Until, Most: q.Limit}
	if a := q.After; a != (api.UsageKey{}) {
		query.After = (&ledger.Usage{Day: a.Day, Backend: a.Backend, Login: a.Login, Plan: a.Plan}).Cursor()
	}
	found, err := f.s.online.ledger.Usage(ctx, query)
	all := make([]api.Usage, len(found))
	for i := range found {
		u := &found[i]
		all[i] = api.Usage{
			Day: u.Day, Backend: u.Backend, Login: u.Login, Plan: u.Plan,
			Sessions: u.Sessions, Duration: u.Duration, Input: u.Input, Output: u.Output,
		}
	}
	return all, err
}

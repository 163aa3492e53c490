package main

import (
	"context"
	"fmt"

	"memberradius/member"
	"memberradius/provision"
	"memberradius/store"
	"memberradius/web/api"
)

// Plans implements api.Plans.
func (f apiFront) Plans() []*member.Plan {
	c := f.config()
	all := make([]*member.Plan, len(c.Plans))
	for i := range c.Plans {
		all[i] = &c.Plans[i].Plan
	}
	return all
}

// Backends implements api.Backends.
func (f apiFront) Backends(ctx context.Context) ([]api.Backend, error) {
	c := f.config()
	all := make([]api.Backend, 0, len(c.Backends))
	for i := range c.Backends {
		b, err := f.backend(ctx, &c.Backends[i])
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

func (f apiFront) backend(ctx context.Context, c *backendConfig) (api.Backend, error) {
	k := kinds()[c.Kind]
	b := api.Backend{Name: c.Name, Kind: c.Kind, State: api.StateReady, Stored: k.stored, Editable: k.stored && !k.synced, Syncs: k.synced}
	b.Members = f.s.systems.membersOf(c.Name)
	if !k.synced {
		return b, nil
	}
	runs, err := f.store().Runs(ctx, c.Name, 1)
	if err != nil {
		return b, err
	}
	if len(runs) > 0 {
		last := runOf(&runs[0])
		b.LastRun = &last
		switch {
		case last.Held:
			b.State, b.Detail = api.StateHeld, fmt.Sprintf("its last list had far fewer members: see why, then `memberradius sync %s --accept`", c.Name)
		case last.Error != "":
			b.State, b.Detail = api.StateFailing, last.Error
		}
	}
	if !f.s.systems.said(c.Name) {
		b.State = api.StateNotReady
	}
	return b, nil
}

func runOf(r *store.Run) api.Run {
	return api.Run{
		ID: r.ID, Backend: r.Backend, Trigger: r.Trigger, Kind: r.Kind, Started: r.Started, Ended: r.Ended,
		Added: r.Added, Changed: r.Changed, Returned: r.Returned, Lapsed: r.Lapsed, Unchanged: r.Unchanged, Skipped: r.Skipped,
		Requests: r.Requests, Pages: r.Pages, Held: r.Held, Error: r.Error, Notes: r.Notes,
	}
}

// Start implements api.Backends.
func (f apiFront) Start(ctx context.Context, o api.Order) (*api.Started, error) {
	runner := f.s.systems.runner(o.Backend)
	if runner == nil {
		if f.config().backend(o.Backend) == nil {
			return nil, api.ErrUnknown
		}
		return nil, &api.Refusal{Words: fmt.Sprintf("%q is asked at each login: there is nothing to sync", o.Backend)}
	}
	out, began := make(chan *api.Outcome, 1), make(chan string, 1)
	options := provision.Options{Trigger: "api", Full: o.DryRun, DryRun: o.DryRun, Accept: o.Accept, Began: func(id string) {
		select {
		case began <- id:
		default: // it has been named already
		}
	}}
	f.s.systems.running.Go(func() {
		defer close(out)
		defer close(began)
		report, err := runner.Run(f.s.systems.ctx, options)
		switch {
		case report != nil:
			out <- outcomeOf(report)
		case err != nil:
			out <- &api.Outcome{Run: api.Run{Backend: o.Backend, Error: err.Error()}}
		}
	})
	select {
	case id := <-began: // "" where it could not begin: the outcome says why
		return &api.Started{ID: id, Outcome: out}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func outcomeOf(r *provision.Report) *api.Outcome {
	o := &api.Outcome{Run: runOf(&r.Run), Remedy: r.Remedy}
	for _, c := range r.Changes {
		o.Changes = append(o.Changes, api.Change{Kind: c.Kind.String(), Login: c.Login, Name: c.Name, What: c.What, Text: c.String()})
	}
	return o
}

// Runs implements api.Runs.
func (f apiFront) Runs(ctx context.Context, backend string, most int) ([]api.Run, error) {
	if backend != "" && f.config().backend(backend) == nil {
		return nil, api.ErrUnknown
	}
	runs, err := f.store().Runs(ctx, backend, most)
	if err != nil {
		return nil, err
	}
	out := make([]api.Run, len(runs))
	for i := range runs {
		out[i] = runOf(&runs[i])
	}
	return out, nil
}

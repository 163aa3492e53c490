package main

import (
	"context"
	"errors"

	"memberradius/member"
	"memberradius/store"
	"memberradius/web/api"
)

// This file is the operator's API of what comes in without a login: api.Devices,
// api.Blocks, api.Vouchers and api.PortalLog over the store.

// Devices implements api.Devices.
func (f apiFront) Devices(ctx context.Context, q *api.DeviceQuery) ([]api.Device, error) {
	found, err := everyDevice(ctx, f.store(), store.DeviceFilter{Backend: q.Backend, Login: q.Login, Site: q.Site, MAC: q.MAC})
	all := make([]api.Device, len(found))
	for i, d := range found {
		all[i] = api.Device(d)
	}
	return all, err
}

// AddDevice implements api.Devices.
func (f apiFront) AddDevice(ctx context.Context, d *api.Device) error {
	c := f.config()
	b := c.backend(d.Backend)
	switch {
	case b == nil:
		return api.ErrUnknown
	case d.Site != "" && !c.hasSite(d.Site):
		return &api.Refusal{Field: "site", Words: "there is no such site"}
	}
	k := kinds()[b.Kind]
	if why := k.ownsNoDevice(); why != "" {
		return &api.Refusal{Field: "backend", Words: why}
	}
	if k.stored {
		if _, err := f.store().Get(ctx, d.Backend, d.Login); err != nil {
			return keyed(err)
		}
	}
	kept := store.Device(*d)
	if err := f.store().AddDevice(ctx, &kept); err != nil {
		return deviceError(err)
	}
	*d = api.Device(kept)
	return nil
}

// RemoveDevice implements api.Devices.
func (f apiFront) RemoveDevice(ctx context.Context, mac string) error {
	return deviceError(f.store().RemoveDevice(ctx, mac))
}

// Blocked implements api.Blocks.
func (f apiFront) Blocked(ctx context.Context) ([]api.Block, error) {
	found, err := everyBlocked(ctx, f.store())
	all := make([]api.Block, len(found))
	for i, b := range found {
		all[i] = api.Block(b)
	}
	return all, err
}

// Block implements api.Blocks.
func (f apiFront) Block(ctx context.Context, mac, why string) error {
	_, err := f.store().Block(ctx, mac, why)
	return deviceError(err)
}

// Unblock implements api.Blocks.
func (f apiFront) Unblock(ctx context.Context, mac string) error {
	return deviceError(f.store().Unblock(ctx, mac))
}

// deviceError is what the store says of a device in the words of the API.
func deviceError(err error) error {
	switch {
	case errors.Is(err, store.ErrNoDevice), errors.Is(err, store.ErrNotBlocked):
		return api.ErrUnknown
	case errors.Is(err, store.ErrTaken):
		return api.ErrExists
	case errors.Is(err, store.ErrBlocked):
		return api.ErrBlocked
	}
	return err
}

// MakeVouchers implements api.Vouchers.
func (f apiFront) MakeVouchers(ctx context.Context, o *api.VoucherOrder) ([]api.Voucher, error) {
	c := f.config()
	p := c.plan(o.Plan)
	switch {
	case p == nil:
		return nil, &api.Refusal{Field: "plan", Words: "there is no such plan"}
	case o.Site != "" && !c.hasSite(o.Site):
		return nil, &api.Refusal{Field: "site", Words: "there is no such site"}
	}
	codes, made, err := f.store().CreateVouchers(ctx, o.Count, &store.Voucher{
		Name: o.Name, Plan: p.Name, Site: o.Site, Valid: o.Valid, Devices: o.Devices, Expires: o.Expires,
	})
	if err != nil {
		return nil, err
	}
	all := make([]api.Voucher, len(made))
	for i := range made {
		all[i] = voucherOf(&made[i], codes[i])
	}
	return all, nil
}

func voucherOf(v *store.Voucher, code member.Secret) api.Voucher {
	return api.Voucher{
		ID: v.ID, Code: code, Name: v.Name, Plan: v.Plan, Site: v.Site, Valid: v.Valid, Devices: v.Devices, Uses: v.Uses,
		Created: v.Created, Expires: v.Expires, FirstUsed: v.FirstUsed, Revoked: v.Revoked, Ends: v.Ends,
	}
}

// Vouchers implements api.Vouchers.
func (f apiFront) Vouchers(ctx context.Context, q *api.VoucherQuery) ([]api.Voucher, error) {
	found, err := f.store().Vouchers(ctx, &store.VoucherFilter{Name: q.Name, Site: q.Site, Live: q.Live, Before: q.After, Most: q.Limit})
	all := make([]api.Voucher, len(found))
	for i := range found {
		all[i] = voucherOf(&found[i], "")
	}
	return all, err
}

// RevokeVoucher implements api.Vouchers.
func (f apiFront) RevokeVoucher(ctx context.Context, idOrName string) (int, error) {
	n, err := f.store().RevokeVoucher(ctx, idOrName)
	if errors.Is(err, store.ErrNoVoucher) {
		err = api.ErrUnknown
	}
	return n, err
}

// PortalLog implements api.PortalLog.
func (f apiFront) PortalLog(ctx context.Context, q *api.PortalLogQuery) ([]api.PortalEntry, error) {
	found, err := f.store().PortalLog(ctx, &store.PortalFilter{
		Site: q.Site, MAC: q.MAC, Login: q.Login, Method: q.Method, Outcome: q.Outcome, Since: q.From, Until: q.Until, Before: q.After,
	}, q.Limit)
	all := make([]api.PortalEntry, len(found))
	for i := range found {
		e := &found[i]
		all[i] = api.PortalEntry{
			ID: e.ID, At: e.At, Site: e.Site, Method: e.Method, Login: e.Login, Backend: e.Backend, MAC: e.MAC, IP: e.IP,
			Outcome: e.Outcome, Reason: e.Reason, Status: e.Status, Took: e.Took, PageID: e.PageID,
		}
	}
	return all, err
}

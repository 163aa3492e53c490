package portal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"memberradius/member"
	"memberradius/web/portal/unifi"
)

// voucher takes a code.
func (d *desk) voucher(e *entrance) {
	taken, err := d.Vouchers.Take(e.r.Context(), e.site.Name, e.secret, e.visit.MAC)
	switch {
	case errors.Is(err, ErrNoVoucher):
		d.note(e, member.Deny, reasonVoucher)
		d.wrong(e, e.text.WrongCode)
	case err != nil:
		d.right(e)
		d.failed(e, fmt.Errorf("portal: site %s: a voucher could not be taken: %w", e.site.Name, err), member.ReasonInternal.String())
	default:
		d.right(e)
		e.entry.Login = taken.ID
		d.admit(e, &Grant{UID: taken.ID, Voucher: taken.ID, Plan: taken.Plan, SessionTimeout: taken.Session, IdleTimeout: taken.Idle})
	}
}

// failed answers an attempt that met a fault.
func (d *desk) failed(e *entrance, err error, reason string) {
	d.Fault(err)
	d.note(e, member.Unanswered, reason)
	d.later(e.w, e.r, e.site, d.backTo(e))
}

// admit makes the grant hold and hands the device to its controller. What g
// says of its own stays; the rest is the visit's and the site's.
func (d *desk) admit(e *entrance, g *Grant) {
	g.Kind, g.Site = e.how.grant(), e.site.Name
	g.MAC, g.AccessPoint, g.OriginalURL = e.visit.MAC, e.visit.AP, e.visit.Original
	g.Address = deviceAddress(e.visit.Address, e.from)
	g.SessionTimeout, g.IdleTimeout = e.site.session(g.SessionTimeout), e.site.idle(g.IdleTimeout)
	if u, err := url.Parse(e.visit.Controller); err == nil {
		g.Controller = u.Hostname()
	}
	switch err := d.Grants.Grant(e.r.Context(), g); {
	case errors.Is(err, ErrTooManyDevices):
		d.note(e, member.Deny, reasonDevices)
		d.refuse(e, func(t *words) (string, string) { return t.ManyTitle, t.ManyText })
	case errors.Is(err, ErrBlocked):
		d.note(e, member.Deny, reasonBlocked)
		d.refuse(e, func(t *words) (string, string) { return t.BlockedTitle, t.BlockedText })
	case errors.Is(err, ErrNoVoucher): // revoked, or run out, since it was taken
		d.note(e, member.Deny, reasonVoucher)
		d.wrong(e, e.text.WrongCode)
	case err != nil:
		d.failed(e, fmt.Errorf("portal: site %s: a grant could not be kept: %w", e.site.Name, err), member.ReasonInternal.String())
	default:
		e.entry.PageID = g.PageID
		d.connect(e, g)
	}
}

func (d *desk) refuse(e *entrance, say func(*words) (title, text string)) {
	d.message(e.w, e.r, e.site, func(t *words) messageView {
		title, text := say(t)
		return messageView{status: http.StatusForbidden, Title: title, Text: text, Back: d.backTo(e)}
	})
}

// deviceAddress returns the device's own address as far as it can be known. One
// that calls from a private address is the device, unless the redirect says
// another: then either something stands between, or the device says what is not so.
func deviceAddress(said, from netip.Addr) netip.Addr {
	switch {
	case !private(from):
		return said
	case !said.IsValid() || said == from:
		return from
	}
	return netip.Addr{}
}

// connect hands a device that has its grant to the controller.
func (d *desk) connect(e *entrance, g *Grant) {
	back, err := d.statusURL(e, g)
	if err == nil {
		err = d.handOver(e, g, back)
	}
	if err != nil {
		// A grant that leads nowhere would count as a device that is on.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(e.r.Context()), noteTimeout)
		defer cancel()
		if ended := d.Grants.End(ctx, g.PageID, reasonController); ended != nil {
			err = errors.Join(err, ended)
		}
		d.failed(e, fmt.Errorf("portal: site %s: the controller can't be told of a device: %w", e.site.Name, err), reasonController)
	}
}

// statusURL is the page with the time left, behind a link that ends the session too.
func (d *desk) statusURL(e *entrance, g *Grant) (string, error) {
	sealed, err := d.seal(forStatus, &token{Site: e.site.Name, PageID: g.PageID, Visit: &visit{MAC: g.MAC}})
	if err != nil {
		return "", err
	}
	return e.site.statusPath() + "?" + url.Values{"g": {sealed}, "new": {"1"}, "lang": {e.text.Lang}}.Encode(), nil
}

// handOver does what the kind of controller needs, and answers the browser. An
// error: nothing was answered.
func (d *desk) handOver(e *entrance, g *Grant, back string) error {
	switch e.visit.Kind {
	case UniFi:
		if err := e.site.Guests.Authorize(e.r.Context(), d.guestOf(e.r.Context(), g)); err != nil {
			return err
		}
	case MAC:
		if d.Nudge != nil {
			// The grant holds already: a controller that was not reached lets the device
			// in when it asks next, and the page says what to do.
			if err := d.Nudge.AskAgain(e.r.Context(), g); err != nil {
				d.Fault(fmt.Errorf("portal: site %s: the controller was not asked to look again: %w", e.site.Name, err))
			}
		}
	default:
		return d.handTicket(e, g, back)
	}
	d.note(e, member.Allow, member.ReasonNone.String())
	http.Redirect(e.w, e.r, back, http.StatusSeeOther)
	return nil
}

// guestOf is a grant as a UniFi controller takes it. What can't be said of the
// traffic is not bounded there.
func (d *desk) guestOf(ctx context.Context, g *Grant) *unifi.Guest {
	out := &unifi.Guest{MAC: g.MAC, AccessPoint: g.AccessPoint, For: left(g, d.Now())}
	if p := d.Plans(g.Plan); p != nil {
		out.Up, out.Down = within32(p.Up.Bits/1000), within32(p.Down.Bits/1000)
	}
	if d.Quotas != nil {
		octets, known, err := d.Quotas.Left(ctx, g)
		if err != nil {
			d.Fault(fmt.Errorf("portal: site %s: how much traffic is left could not be said: %w", g.Site, err))
		} else if known {
			out.Megabytes = max(1, within32(octets>>20)) // 0 would be no bound
		}
	}
	return out
}

func within32(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }

// handTicket answers with the page that takes a ticket to the controller.
func (d *desk) handTicket(e *entrance, g *Grant, back string) error {
	if d.Tickets == nil {
		return errors.New("no tickets are configured")
	}
	user, password, err := d.Tickets.Make(e.r.Context(), g)
	if err != nil {
		return err
	}
	out := hand(&handing{
		site: e.site, visit: e.visit, user: user, password: password,
		back: d.base(e.r) + back, session: left(g, d.Now()), secure: d.secure(e.r),
	})
	if out == nil || out.Address == "" {
		return fmt.Errorf("nothing can be handed to a controller of kind %q", e.visit.Kind)
	}
	d.note(e, member.Allow, member.ReasonNone.String())
	forms := []string{out.Origin}
	if d.PublicURL != "" {
		forms = append(forms, originOf(d.PublicURL)) // where the controller sends the browser back to
	}
	d.render(e.w, e.r, e.site, &answer{status: http.StatusOK, page: "hand", forms: forms, fill: func(v *view) {
		v.Hand = out
		if out.Get {
			v.Refresh = out.Address
		}
	}})
	return nil
}

// left is how long a grant lasts from now.
func left(g *Grant, now time.Time) time.Duration { return max(0, g.Expires.Sub(now)) }

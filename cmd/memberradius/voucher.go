package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"memberradius/radiusd"
	"memberradius/store"
)

// voucherCmd is the codes that let guests in by the portal.
type voucherCmd struct {
	Create voucherCreateCmd `cmd:"" help:"Make vouchers, and show their codes this once."`
	List   voucherListCmd   `cmd:"" help:"List the vouchers."`
	Revoke voucherRevokeCmd `cmd:"" help:"Let vouchers do nothing more, and throw off who is on by them."`
}

type voucherCreateCmd struct {
	Count   int           `default:"1" help:"How many."`
	Name    string        `default:"voucher" help:"What they are for; all of them can be revoked by it."`
	Plan    string        `required:"" placeholder:"PLAN" help:"What they give, of [[plan]]."`
	Site    string        `placeholder:"NAME" help:"At this [[site]] only (default: at all)."`
	Valid   time.Duration `default:"24h" placeholder:"TIME" help:"How long one lasts from its first use (default: ${default})."`
	Devices int           `default:"1" help:"How many devices may use one."`
	Days    int           `default:"365" help:"After how many days one that was not used is good for nothing."`
}

// Help implements kong.HelpProvider.
func (voucherCreateCmd) Help() string {
	return "Only a digest of each code is kept: what is lost is made anew.\n\n" +
		example("memberradius voucher create --count 20 --plan guest --valid 8h --name conference")
}

// A voucherView is a voucher as the verbs print it; its code is there once.
type voucherView struct {
	Code      string     `json:"code,omitempty"`
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Plan      string     `json:"plan"`
	Site      string     `json:"site,omitempty"`
	Valid     string     `json:"valid"`
	Devices   int        `json:"devices"`
	Uses      int        `json:"uses"`
	Created   time.Time  `json:"created"`
	FirstUsed *time.Time `json:"first_used,omitempty"`
	Ends      *time.Time `json:"ends,omitempty"`
	Revoked   *time.Time `json:"revoked,omitempty"`
}

func viewVoucher(v *store.Voucher) voucherView {
	return voucherView{
		ID: v.ID, Name: v.Name, Plan: v.Plan, Site: v.Site, Valid: v.Valid.String(), Devices: v.Devices, Uses: v.Uses, Created: v.Created,
		FirstUsed: whenSet(v.FirstUsed), Ends: whenSet(v.Ends), Revoked: whenSet(v.Revoked),
	}
}

// Run makes vouchers.
func (v *voucherCreateCmd) Run(p *program) error {
	s, c, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	switch {
	case c.plan(v.Plan) == nil:
		return fmt.Errorf("--plan: there is no [[plan]] %q", v.Plan)
	case v.Site != "" && !c.hasSite(v.Site):
		return fmt.Errorf("--site: there is no [[site]] %q", v.Site)
	case v.Days < 1:
		return fmt.Errorf("--days %d: a number above 0 is needed", v.Days)
	}
	codes, made, err := s.CreateVouchers(p.ctx, v.Count, &store.Voucher{
		Name: v.Name, Plan: c.plan(v.Plan).Name, Site: v.Site, Valid: v.Valid, Devices: v.Devices, Expires: time.Now().AddDate(0, 0, v.Days),
	})
	if err != nil {
		return err
	}
	views := make([]voucherView, len(made))
	for i := range made {
		views[i] = viewVoucher(&made[i])
		views[i].Code = string(codes[i])
	}
	if p.JSON {
		return p.printJSON(views)
	}
	for i := range views {
		p.printf("%s\n", views[i].Code)
	}
	return nil
}

type voucherListCmd struct {
	Name string `placeholder:"NAME" help:"Of this name."`
	All  bool   `help:"Those that have ended too."`
}

// Help implements kong.HelpProvider.
func (voucherListCmd) Help() string {
	return example("memberradius voucher list --name conference --all")
}

// Run lists vouchers.
func (v *voucherListCmd) Run(p *program) error {
	s, _, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	found, err := everyPage(func(before string) ([]store.Voucher, error) {
		return s.Vouchers(p.ctx, &store.VoucherFilter{Name: v.Name, Live: !v.All, Before: before})
	}, func(v *store.Voucher) string { return v.ID })
	if err != nil {
		return err
	}
	views := make([]voucherView, len(found))
	for i := range found {
		views[i] = viewVoucher(&found[i])
	}
	if p.JSON {
		return p.printJSON(views)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "VOUCHER\tNAME\tPLAN\tSITE\tLASTS\tUSED\tENDS\t")
	for _, v := range views {
		ends := "-"
		if v.Ends != nil {
			ends = v.Ends.Local().Format(time.DateTime)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d of %d\t%s\t\n", v.ID, radiusd.Printable(v.Name), v.Plan, v.Site, v.Valid, v.Uses, v.Devices, ends)
	}
	return w.Flush()
}

type voucherRevokeCmd struct {
	Voucher string `arg:"" help:"A voucher's id, or the name of all that were made together."`
}

// Help implements kong.HelpProvider.
func (voucherRevokeCmd) Help() string { return example("memberradius voucher revoke conference") }

// Run revokes vouchers.
func (v *voucherRevokeCmd) Run(p *program) error {
	s, c, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	n, err := s.RevokeVoucher(p.ctx, v.Voucher)
	if errors.Is(err, store.ErrNoVoucher) {
		return fmt.Errorf("no voucher has the id or the name %q, or all of them were revoked before", v.Voucher)
	}
	if err != nil {
		return err
	}
	p.announce(c)
	p.printf("revoked: %s\n", counted(n, "voucher"))
	return nil
}

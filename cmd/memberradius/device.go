package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"memberradius/member"
	"memberradius/radiusd"
	"memberradius/store"
)

// deviceCmd is the devices that can't log in by themselves: printers, TVs.
type deviceCmd struct {
	Add     deviceAddCmd     `cmd:"" help:"Let a member's device in by its address."`
	List    deviceListCmd    `cmd:"" help:"List the devices."`
	Remove  deviceRemoveCmd  `cmd:"" help:"Let a device in no more."`
	Block   deviceBlockCmd   `cmd:"" help:"Keep a device out of every portal and registration."`
	Unblock deviceUnblockCmd `cmd:"" help:"Take a device off the blocked ones."`
}

// readMAC reads an argument.
func readMAC(s string) (string, error) {
	mac, ok := radiusd.ParseMAC(s)
	if !ok {
		return "", fmt.Errorf("%q is no MAC address: write it as aa:bb:cc:dd:ee:ff", s)
	}
	return mac, nil
}

type deviceAddCmd struct {
	MAC     string `arg:"" name:"mac" help:"Its MAC address, as the access point shows it."`
	Login   string `arg:"" help:"The member it belongs to: it is let in while she is, with her plan."`
	Name    string `placeholder:"TEXT" help:"What it is."`
	Site    string `placeholder:"NAME" help:"At this [[site]] only (default: at all)."`
	Backend string `placeholder:"NAME" help:"The [[backend]] that knows her (default: the one that does)."`
}

// Help implements kong.HelpProvider.
func (deviceAddCmd) Help() string {
	return "An address is no proof: anybody can take it on. Give such devices a plan, or a site, that opens little. The access point's [[client]] needs mac among its methods.\n\n" +
		example("memberradius device add 02:00:5e:10:00:01 bob@example.com --name printer")
}

// Run adds a device.
func (v *deviceAddCmd) Run(p *program) error {
	mac, err := readMAC(v.MAC)
	if err != nil {
		return err
	}
	s, c, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if v.Site != "" && !c.hasSite(v.Site) {
		return fmt.Errorf("--site: there is no [[site]] %q", v.Site)
	}
	d := store.Device{MAC: mac, Login: v.Login, Name: v.Name, Site: v.Site}
	if d.Backend, err = v.owner(p, s, c); err != nil {
		return err
	}
	if err := s.AddDevice(p.ctx, &d); err != nil {
		return err
	}
	p.announce(c)
	p.printf("added: %s of %s (backend %s)\n", mac, d.Login, d.Backend)
	return nil
}

// owner returns the backend that knows the member. Who is kept here must be
// there; a system that is asked at each login can't say.
func (v *deviceAddCmd) owner(p *program, s *store.Store, c *config) (string, error) {
	var foreign []string
	for i := range c.Backends {
		b := &c.Backends[i]
		if v.Backend != "" && v.Backend != b.Name {
			continue
		}
		k := kinds()[b.Kind]
		switch why := k.ownsNoDevice(); {
		case why != "" && v.Backend != "":
			return "", fmt.Errorf("backend %q: %s", b.Name, why)
		case why != "":
			continue
		case !k.stored:
			foreign = append(foreign, b.Name)
			continue
		}
		switch _, err := s.Get(p.ctx, b.Name, v.Login); {
		case err == nil:
			return b.Name, nil
		case !errors.Is(err, member.ErrUnknown):
			return "", err
		}
	}
	switch len(foreign) {
	case 0:
		return "", fmt.Errorf("no [[backend]] whose members are kept here has a member %q; `memberradius member list` shows who is there", v.Login)
	case 1:
		return foreign[0], nil
	}
	return "", fmt.Errorf("which [[backend]] knows %q? Say --backend, one of %s", v.Login, strings.Join(foreign, ", "))
}

type deviceListCmd struct {
	Login   string `placeholder:"LOGIN" help:"Of this member."`
	Blocked bool   `help:"The blocked ones instead."`
}

// Help implements kong.HelpProvider.
func (deviceListCmd) Help() string {
	return example("memberradius device list --login bob@example.com")
}

// A deviceView is a device as the verb prints it, a blockedView one that is blocked.
type (
	deviceView struct {
		MAC     string    `json:"mac"`
		Backend string    `json:"backend"`
		Login   string    `json:"login"`
		Name    string    `json:"name,omitempty"`
		Site    string    `json:"site,omitempty"`
		Created time.Time `json:"created"`
	}
	blockedView struct {
		MAC     string    `json:"mac"`
		Why     string    `json:"why,omitempty"`
		Created time.Time `json:"created"`
	}
)

// Run lists devices.
func (v *deviceListCmd) Run(p *program) error {
	s, _, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if v.Blocked {
		return v.blocked(p, s)
	}
	found, err := everyDevice(p.ctx, s, store.DeviceFilter{Login: v.Login})
	if err != nil {
		return err
	}
	views := make([]deviceView, len(found))
	for i, d := range found {
		views[i] = deviceView{d.MAC, d.Backend, d.Login, d.Name, d.Site, d.Created}
	}
	if p.JSON {
		return p.printJSON(views)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "DEVICE\tMEMBER\tBACKEND\tNAME\tSITE\t")
	for _, d := range views {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\n", d.MAC, d.Login, d.Backend, radiusd.Printable(d.Name), d.Site)
	}
	return w.Flush()
}

// everyDevice reads all devices that a filter asks for.
func everyDevice(ctx context.Context, s *store.Store, f store.DeviceFilter) ([]store.Device, error) {
	return everyPage(func(after string) ([]store.Device, error) {
		f.After = after
		return s.Devices(ctx, &f)
	}, func(d *store.Device) string { return d.MAC })
}

// everyBlocked reads all devices that are blocked.
func everyBlocked(ctx context.Context, s *store.Store) ([]store.BlockedDevice, error) {
	return everyPage(func(after string) ([]store.BlockedDevice, error) { return s.Blocked(ctx, after, 0) },
		func(b *store.BlockedDevice) string { return b.MAC })
}

// everyPage reads a list of the store page by page: key names the last of a page.
func everyPage[T any](page func(after string) ([]T, error), key func(*T) string) (all []T, err error) {
	for after := ""; ; after = key(&all[len(all)-1]) {
		found, err := page(after)
		if err != nil {
			return nil, err
		}
		if all = append(all, found...); len(found) < store.MaxListed {
			return all, nil
		}
	}
}

func (v *deviceListCmd) blocked(p *program, s *store.Store) error {
	found, err := everyBlocked(p.ctx, s)
	if err != nil {
		return err
	}
	views := make([]blockedView, len(found))
	for i, b := range found {
		views[i] = blockedView{b.MAC, b.Why, b.Created}
	}
	if p.JSON {
		return p.printJSON(views)
	}
	for _, b := range views {
		p.printf("%s  %s  %s\n", b.MAC, b.Created.Local().Format(time.DateTime), radiusd.Printable(b.Why))
	}
	return nil
}

// A deviceArg is a verb's one device.
type deviceArg struct {
	MAC string `arg:"" name:"mac" help:"Its MAC address."`
}

// change does something to the device, and has the running server know.
func (v *deviceArg) change(p *program, did string, f func(s *store.Store, mac string) error) error {
	mac, err := readMAC(v.MAC)
	if err != nil {
		return err
	}
	s, c, err := p.openStore()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	switch err := f(s, mac); {
	case errors.Is(err, store.ErrNoDevice):
		return fmt.Errorf("device %s is nobody's: `memberradius device list` has those that are", mac)
	case errors.Is(err, store.ErrNotBlocked):
		return fmt.Errorf("device %s is not blocked", mac)
	case err != nil:
		return err
	}
	p.announce(c)
	p.printf("%s: %s\n", did, mac)
	return nil
}

type deviceRemoveCmd struct{ deviceArg }

// Help implements kong.HelpProvider.
func (deviceRemoveCmd) Help() string { return example("memberradius device remove 02:00:5e:10:00:01") }

// Run removes a device.
func (v *deviceRemoveCmd) Run(p *program) error {
	return v.change(p, "removed", func(s *store.Store, mac string) error { return s.RemoveDevice(p.ctx, mac) })
}

type deviceBlockCmd struct {
	deviceArg
	Why string `placeholder:"TEXT" help:"What for."`
}

// Help implements kong.HelpProvider.
func (deviceBlockCmd) Help() string {
	return "It is thrown off, and gets in by no portal, voucher or registration. A member's own login still lets her in: an address can be changed.\n\n" +
		example("memberradius device block 02:00:5e:10:00:01 --why abuse")
}

// Run blocks a device.
func (v *deviceBlockCmd) Run(p *program) error {
	return v.change(p, "blocked", func(s *store.Store, mac string) error {
		_, err := s.Block(p.ctx, mac, v.Why)
		return err
	})
}

type deviceUnblockCmd struct{ deviceArg }

// Help implements kong.HelpProvider.
func (deviceUnblockCmd) Help() string {
	return example("memberradius device unblock 02:00:5e:10:00:01")
}

// Run takes a device off the blocked ones.
func (v *deviceUnblockCmd) Run(p *program) error {
	return v.change(p, "unblocked", func(s *store.Store, mac string) error { return s.Unblock(p.ctx, mac) })
}

package radiustest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"memberradius/member"
)

// A UAMKind is whose hotspot gateway a UAM behaves like.
type UAMKind string

const (
	// UAMMikroTik is RouterOS' hotspot, with the login.html that `memberradius
	// walled-garden` prints.
	UAMMikroTik UAMKind = "mikrotik"
	// UAMChilli is CoovaChilli.
	UAMChilli UAMKind = "chilli"
)

// A UAM is a hotspot's gateway (UAM, the universal access method): it holds
// devices captive and sends their browsers to a portal, asks by RADIUS for whoever
// comes back from there, lets out whom an Access-Accept lets out, reports that, and
// throws off whom a Disconnect-Request names. Fill in the fields; then Open, Join
// for each device, and Close.
//
// It listens on loopback and knows a device by the address that it calls from. A
// request for the gateway's own host and port is for the gateway; any other is
// one that a device sent to the world: of a captive device it is redirected, of one
// that is let out Beyond answers it. So a browser that resolves all names to this
// gateway is behind it.
type UAM struct {
	Kind UAMKind
	// Portal is the address of the login page.
	Portal string
	// Auth and Acct are the server's ports, Secret is shared with it.
	Auth, Acct netip.AddrPort
	Secret     member.Secret
	// Timing is when it sends again; the zero value is RFC 5080's.
	Timing Timing
	// AccessPoint is what it says of itself in every request; Station is the device's.
	AccessPoint AccessPoint
	// PAP has a MikroTik gateway give no challenge: the browser brings the password as
	// it is (login-by=http-pap). CoovaChilli always gives one.
	PAP bool
	// UAMSecret is CoovaChilli's uamsecret; "" is none.
	UAMSecret member.Secret
	// Straight has CoovaChilli send whoever is in to the userurl (nouamsuccess);
	// else it sends them to the portal once more, with res=success.
	Straight bool
	// Dynamic is where Disconnect-Requests come; nil has Open bind a free port of
	// loopback. Close closes it.
	Dynamic *net.UDPConn
	// Beyond is the world; nil is a page that names the host.
	Beyond http.Handler
	// Heard is told of every request to the gateway itself, its form parsed; nil is
	// not. It must not change the request, and not keep it.
	Heard func(*http.Request)
	// Rand and Now default to crypto/rand and time.Now.
	Rand io.Reader
	Now  func() time.Time

	auth, acct NAS
	listener   net.Listener
	web        http.Server
	ctx        context.Context // ends with Close
	cancel     context.CancelFunc
	running    sync.WaitGroup

	mu     sync.Mutex
	guests []*guest
	faults []error
}

// A UAMDevice is how a device stands at a gateway.
type UAMDevice struct {
	Station net.HardwareAddr
	// Address is its own on the hotspot's network, 10.5.50.0/24.
	Address netip.Addr
	// Open says that it is let out.
	Open bool
	// User is the User-Name that let it out, and Session the Acct-Session-Id, of the
	// last session where it is not let out now.
	User, Session string
	// Until is when Session-Timeout throws it off (zero: nothing does), Idle after how
	// much time without a request Idle-Timeout does (0: none).
	Until time.Time
	Idle  time.Duration
	// Cause is the Acct-Terminate-Cause of its last session.
	Cause string
}

// A guest is a device with what only its gateway knows.
type guest struct {
	UAMDevice
	from             netip.Addr // the address that it calls from
	class            []byte     // to be repeated in accounting (RFC 2865 §5.25)
	since, last      time.Time
	ident, challenge []byte
}

// challengeSize is what both kinds give, in octets.
const challengeSize = 16

var errUAMKind = errors.New("radiustest: the UAM is of no kind that is known; UAMMikroTik and UAMChilli are")

// Open binds the ports and serves until Close.
func (u *UAM) Open(ctx context.Context) (err error) {
	if u.Kind != UAMMikroTik && u.Kind != UAMChilli {
		return errUAMKind
	}
	u.ctx, u.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(err, u.Close())
		}
	}()
	for nas, server := range map[*NAS]netip.AddrPort{&u.auth: u.Auth, &u.acct: u.Acct} {
		nas.Server, nas.Secret, nas.Timing, nas.Rand, nas.Now = server, u.Secret, u.Timing, u.Rand, u.Now
		if err := nas.Open(ctx); err != nil {
			return err
		}
	}
	if u.Dynamic == nil {
		if u.Dynamic, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return fmt.Errorf("radiustest: %w", err)
		}
	}
	var listen net.ListenConfig
	if u.listener, err = listen.Listen(ctx, "tcp4", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("radiustest: %w", err)
	}
	u.web = http.Server{Handler: http.HandlerFunc(u.serve), ReadHeaderTimeout: 10 * time.Second}
	u.running.Go(func() { _ = u.web.Serve(u.listener) })
	u.running.Go(u.listen)
	return nil
}

// Close gives the ports back and waits for what is in work. It ends no session.
func (u *UAM) Close() error {
	u.mu.Lock()
	u.cancel() // from here on nothing more begins
	u.mu.Unlock()
	var errs []error
	if u.listener != nil {
		errs = append(errs, u.web.Close())
	}
	if u.Dynamic != nil {
		errs = append(errs, u.Dynamic.Close())
	}
	errs = append(errs, u.auth.Close(), u.acct.Close())
	u.running.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("radiustest: %w", err)
	}
	return nil
}

// Host is the gateway's own host and port for browsers, once it is open.
func (u *UAM) Host() string { return u.listener.Addr().String() }

// Join says that the device that calls from an address is this one from now on,
// captive until it logs in. Another that was there is gone, and nobody reports that.
func (u *UAM) Join(from netip.Addr, station net.HardwareAddr) {
	u.mu.Lock()
	defer u.mu.Unlock()
	d := &guest{from: from.Unmap()}
	d.Station, d.Address = station, netip.AddrFrom4([4]byte{10, 5, 50, byte(2 + len(u.guests)%250)})
	for i, old := range u.guests {
		if old.from == d.from {
			d.Address = old.Address
			u.guests[i] = d
			return
		}
	}
	u.guests = append(u.guests, d)
}

// Device returns how the device stands that calls from an address; the zero value
// where none has joined. Whose time is over has been thrown off before.
func (u *UAM) Device(from netip.Addr) UAMDevice {
	u.mu.Lock()
	defer u.mu.Unlock()
	if d := u.find(from); d != nil {
		u.expire(d)
		return d.UAMDevice
	}
	return UAMDevice{}
}

// Faults are what went wrong with the server: requests that it did not answer,
// requests of it that were dropped.
func (u *UAM) Faults() []error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]error(nil), u.faults...)
}

func (u *UAM) fault(err error) {
	if err == nil || u.ctx.Err() != nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.faults = append(u.faults, err)
}

// find returns the device that calls from an address; nil: none. u.mu is held.
func (u *UAM) find(from netip.Addr) *guest {
	for _, d := range u.guests {
		if d.from == from.Unmap() {
			return d
		}
	}
	return nil
}

// expire throws off a device whose time is over. u.mu is held.
func (u *UAM) expire(d *guest) {
	now := u.auth.now()
	switch {
	case !d.Open:
	case !d.Until.IsZero() && !now.Before(d.Until):
		u.shut(d, "Session-Timeout")
	case d.Idle > 0 && now.Sub(d.last) >= d.Idle:
		u.shut(d, "Idle-Timeout")
	}
}

// shut throws a device off, and reports it behind the caller's back: a gateway
// waits for no server before it closes a door. u.mu is held.
func (u *UAM) shut(d *guest, cause string) {
	d.Open, d.Cause = false, cause
	stop := u.report(d, "Stop")
	if u.ctx.Err() == nil {
		u.running.Go(func() { u.account(stop) })
	}
}

// report is an Accounting-Request of a device's session. u.mu is held.
func (u *UAM) report(d *guest, kind string) *Request {
	r := &Request{Method: NoProof, Code: AccountingRequest, Login: d.User, AccessPoint: u.AccessPoint, MessageAuthenticator: Absent}
	r.AccessPoint.Station = d.Station
	r.Attributes = []member.Attribute{
		{Name: "Acct-Status-Type", Value: kind}, {Name: "Acct-Session-Id", Value: d.Session}, {Name: "Framed-IP-Address", Value: d.Address.String()},
	}
	if kind == "Stop" {
		r.Attributes = append(r.Attributes,
			member.Attribute{Name: "Acct-Session-Time", Value: fmt.Sprint(int(u.auth.now().Sub(d.since) / time.Second))},
			member.Attribute{Name: "Acct-Terminate-Cause", Value: d.Cause})
	}
	if d.class != nil {
		r.Octets = append([]byte{typeClass, byte(2 + len(d.class))}, d.class...)
	}
	return r
}

func (u *UAM) account(r *Request) {
	if _, err := u.acct.Do(u.ctx, r); err != nil {
		u.fault(fmt.Errorf("%s was not acknowledged: %w", r.Attributes[0].Value, err))
	}
}

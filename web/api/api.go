package api

import (
	"errors"
	"net/http"
	"time"

	"memberradius/web/caller"
)

const (
	// maxBody is the largest body in octets: a member is well below 4 KiB.
	maxBody = 64 << 10
	// maxWait is how long a sync or a kick is waited for: less than what clients and
	// proxies commonly wait for an answer, and than the 30 s that the server has for one.
	maxWait = 8 * time.Second
	// places bound the requests in work: a list walks all members.
	places, placesEach = 64, 32
)

// Config is what New needs.
type Config struct {
	// These must be there.
	Tokens   Tokens
	Members  Members
	Editor   Editor
	Access   Access
	Plans    Plans
	Backends Backends
	Runs     Runs

	// Of these what there is is served. Sessions and Kicker go together, and so do
	// PortalLogins and PortalPages.
	Sessions     Sessions
	Kicker       Kicker
	Usages       Usages
	Devices      Devices
	Blocks       Blocks
	Vouchers     Vouchers
	PortalLog    PortalLog
	PortalLogins PortalLogins
	PortalPages  PortalPages

	// Proxies are the operator's own.
	Proxies caller.Proxies
	// PublicURL is where members reach /me, as "https://wifi.example.com"; "":
	// links lead to where the API was called.
	PublicURL string
	// Told hears what was changed. It must not wait. Nil hears nothing.
	Told func(Deed)
	// Fault hears of faults of this server that a caller met. It must not wait.
	// Nil hears nothing.
	Fault func(error)
	// Wait is how long an answer waits for what a member system or an access point
	// says: at most 8 s, which is what 0 means.
	Wait time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// An api serves /api/v1.
type api struct {
	Config
	guesses *caller.Guesses
	gate    *caller.Gate
	// devicePace and callPace bound portal logins, repeats knows them again.
	devicePace, callPace *pace
	repeats              *repeats
	mux                  *http.ServeMux
}

// New returns the handler of everything below /api/v1.
func New(c Config) (http.Handler, error) {
	if c.Tokens == nil || c.Members == nil || c.Editor == nil || c.Access == nil || c.Plans == nil || c.Backends == nil || c.Runs == nil {
		return nil, errors.New("api: Tokens, Members, Editor, Access, Plans, Backends and Runs must be set")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait <= 0 || c.Wait > maxWait {
		c.Wait = maxWait
	}
	if c.Told == nil {
		c.Told = func(Deed) {}
	}
	if c.Fault == nil {
		c.Fault = func(error) {}
	}
	if (c.Sessions == nil) != (c.Kicker == nil) || (c.PortalLogins == nil) != (c.PortalPages == nil) {
		return nil, errors.New("api: Sessions and Kicker must be set both or neither, and so PortalLogins and PortalPages")
	}
	a := &api{
		Config: c, guesses: caller.NewGuesses(c.Now), gate: caller.NewGate(places, placesEach),
		devicePace: newPace(deviceLogins, deviceEvery, c.Now), callPace: newPace(callerCalls, callerEvery, c.Now),
		repeats: newRepeats(c.Now), mux: http.NewServeMux(),
	}
	a.route()
	return a.mux, nil
}

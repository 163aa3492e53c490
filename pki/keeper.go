package pki

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// A Keeper holds the Identity in force, and brings it up to date. Its methods
// may be called by several goroutines.
type Keeper struct {
	mu      sync.Mutex
	config  Config
	ca      *Authority // nil: none is needed
	web     *download
	failed  error // the last reload
	current atomic.Pointer[Identity]
}

// Open reads what c names, and makes on the first start what is to be made
// here: the CA of Dir and the server's certificate. Errors that a setting or a
// file is to blame for are *Problem. A CRL that can't be fetched is none: it is
// a Finding, and Verify refuses.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	k := &Keeper{}
	if err := k.Reconfigure(ctx, c); err != nil {
		return nil, err
	}
	return k, nil
}

// Identity returns the one in force; never nil.
func (k *Keeper) Identity() *Identity { return k.current.Load() }

// Reload reads all files again, and asks the CRL's URL whether there is a new
// list. A server certificate made here is made anew when fewer than RenewBefore
// are left of it. An error leaves the Identity as it was.
func (k *Keeper) Reload(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failed = k.load(ctx, k.config)
	return k.failed
}

// Reconfigure is Reload with other settings. An error leaves the old ones.
func (k *Keeper) Reconfigure(ctx context.Context, c Config) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	c = c.withDefaults()
	if err := k.load(ctx, c); err != nil {
		return err
	}
	k.config, k.failed = c, nil
	return nil
}

func (k *Keeper) load(ctx context.Context, c Config) error {
	l := loader{Config: c, web: k.web, make: true, held: k.current.Load()}
	if errs := l.load(ctx); len(errs) > 0 {
		return errs[0]
	}
	k.ca, k.web = l.ca, l.web
	k.current.Store(l.id)
	return nil
}

// Findings says what an operator should know now.
func (k *Keeper) Findings() []Finding {
	k.mu.Lock()
	failed := k.failed
	k.mu.Unlock()
	found := k.Identity().findings()
	var p *Problem
	if errors.As(failed, &p) {
		f := p.Finding
		f.What = "certificates were not read again, and those of before hold: " + f.What
		found = append(found, f)
	}
	return found
}

// errNoCA says that this server makes no certificates.
var errNoCA = errors.New("pki: there is no private CA: certificate and client_ca name others'")

// Authority returns the private CA; nil where none is needed.
func (k *Keeper) Authority() *Authority {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ca
}

// Issue makes a client certificate for a login, which holds for valid.
func (k *Keeper) Issue(login string, valid time.Duration) (*Issued, error) {
	a := k.Authority()
	if a == nil {
		return nil, errNoCA
	}
	return a.Issue(login, valid)
}

// Revoke revokes all certificates of a login, or the one with a serial number,
// as of now. Where there is none it returns ErrNotIssued.
func (k *Keeper) Revoke(which string) error {
	a := k.Authority()
	if a == nil {
		return errNoCA
	}
	if err := a.Revoke(which); err != nil {
		return err
	}
	return k.Reload(context.Background())
}

// Renew makes a new server certificate, under the same CA: devices do not ask again.
func (k *Keeper) Renew() error {
	a := k.Authority()
	if a == nil || !k.Identity().Made {
		return errors.New("pki: the server's certificate is the operator's own: put a new one in its place, and reload")
	}
	if err := a.Renew(k.Identity().ServerName()); err != nil {
		return err
	}
	return k.Reload(context.Background())
}

// Inspect reads what c names, as Open does, and makes and writes nothing. What
// is to be made on first start and is not there yet is neither a finding nor in
// the Identity. Each Problem is one for which Open would fail.
func Inspect(ctx context.Context, c Config) (*Identity, []Finding, []*Problem) {
	l := loader{Config: c.withDefaults()}
	var problems []*Problem
	for _, err := range l.load(ctx) {
		var p *Problem
		if !errors.As(err, &p) {
			p = problem("", "certificates can't be read", "see that the server's user may read what is in "+c.Dir, err)
		}
		problems = append(problems, p)
	}
	return l.id, l.id.findings(), problems
}

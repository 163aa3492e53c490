package main

import (
	"context"
	"sync/atomic"

	"memberradius/eap"
	"memberradius/eap/eaptls"
	"memberradius/eap/gtc"
	"memberradius/eap/mschapv2"
	"memberradius/eap/peap"
	"memberradius/eap/ttls"
	"memberradius/eap/tunnel"
	"memberradius/pki"
)

// maxTickets bounds what fast reconnect keeps: about 1 KiB for each.
const maxTickets = 1 << 16

// maxCoroutines is how many handshakes leave their stack to the next ones: as
// many as a busy server has under way.
const maxCoroutines = 256

// eapName is what this server calls itself in MS-CHAPv2's challenge.
const eapName = "memberradius"

// A wpa is what WPA-Enterprise keeps over reloads: certificates and tickets.
type wpa struct {
	keeper  *pki.Keeper
	watch   *certWatch
	tickets tunnel.Tickets
	// coroutines are for handshakes.
	coroutines *tunnel.Coroutines
	current    atomic.Pointer[shown]
}

// A shown is an identity of pki as TLS wants it.
type shown struct {
	from *pki.Identity
	to   *tunnel.Identity
}

// openWPA makes or reads the certificates. It is nil where no method needs one.
func (s *server) openWPA(ctx context.Context, c *config) findings {
	if len(c.EAP.Methods) == 0 || s.wpa != nil {
		return nil
	}
	keeper, err := pki.Open(ctx, c.EAP.PKI)
	if err != nil {
		return c.pkiFindings(err)
	}
	s.wpa = &wpa{keeper: keeper, watch: newCertWatch(keeper, s.log), tickets: tunnel.NewMemory(maxTickets), coroutines: &tunnel.Coroutines{Most: maxCoroutines}}
	return nil
}

// identity is the one in force: a new certificate is for new conversations.
func (w *wpa) identity() *tunnel.Identity {
	from := w.keeper.Identity()
	if s := w.current.Load(); s != nil && s.from == from {
		return s.to
	}
	to := &tunnel.Identity{Certificate: from.Certificate, ClientCAs: from.ClientCAs, Verify: from.Verify}
	w.current.Store(&shown{from, to})
	return to
}

// tunnel is how a method speaks TLS.
func (w *wpa) tunnel(e *eapConfig, kind eap.Type, word string) *tunnel.Config {
	return &tunnel.Config{
		Type: kind, MaxTLS: e.TLSMax[word], Identity: w.identity,
		ClientCertificate: kind == eap.TLS,
		Tickets:           w.tickets, Resume: e.Resume,
		AllowNoEMS: e.AllowNoEMS, Coroutines: w.coroutines,
	}
}

// methods makes the methods of a configuration, in its order.
func (w *wpa) methods(e *eapConfig) []eap.Method {
	ms := &mschapv2.Method{Name: eapName}
	inner := []eap.Method{ms, gtc.Method{}}
	methods := make([]eap.Method, 0, len(e.Methods))
	for _, word := range e.Methods {
		switch word {
		case "peap":
			methods = append(methods, &peap.Method{Tunnel: w.tunnel(e, eap.PEAP, word), Inner: inner})
		case "ttls":
			methods = append(methods, &ttls.Method{Tunnel: w.tunnel(e, eap.TTLS, word), Inner: append(inner[:2:2], w.inside(e))})
		case "tls":
			methods = append(methods, &eaptls.Method{Tunnel: w.tunnel(e, eap.TLS, word), Login: pki.Login})
		case "mschapv2":
			methods = append(methods, ms)
		}
	}
	return methods
}

// inside is EAP-TLS inside TTLS. The outer tunnel is what is resumed.
func (w *wpa) inside(e *eapConfig) eap.Method {
	t := w.tunnel(e, eap.TLS, "tls")
	t.Tickets = nil
	return &eaptls.Method{Tunnel: t, Login: pki.Login}
}

package web

import (
	"io"
	"net/http"

	"memberradius/web/api"
	"memberradius/web/me"
	"memberradius/web/portal"
	"memberradius/web/webhook"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// operator serves the pages of the operator's address.
func (s *Server) operator() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.config.Metrics, promhttp.HandlerOpts{
		MaxRequestsInFlight: 8, // a scrape walks every counter; eight at once are no scrapes
		ErrorLog:            s.config.ErrorLog,
	}))
	// It is 200 whatever it says: who is degraded serves, and must not be restarted for it.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.degraded(); err != nil {
			say(w, http.StatusOK, "degraded: "+err.Error()+"\n")
			return
		}
		say(w, http.StatusOK, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.config.Ready(); err != nil {
			say(w, http.StatusServiceUnavailable, "not ready: "+err.Error()+"\n")
			return
		}
		say(w, http.StatusOK, "ready\n")
	})
	if s.parts.api != nil {
		mux.Handle("/api/", s.parts.api)
	}
	s.parts.shared(mux)
	return mux
}

func (s *Server) degraded() error {
	if s.config.Degraded == nil {
		return nil
	}
	return s.config.Degraded()
}

// public serves guests and member systems. Metrics, health and the API are the
// operator's alone.
func (s *Server) public() http.Handler {
	mux := http.NewServeMux()
	s.parts.shared(mux)
	return mux
}

// parts are the handlers of the packages below; nil is not served.
type parts struct{ api, webhook, me, portal http.Handler }

// make builds them from what c has of them.
func (p *parts) make(c *Config) (err error) {
	if c.API != nil {
		a := *c.API
		a.PublicURL, a.Proxies = c.PublicURL, c.TrustedProxies
		if p.api, err = api.New(a); err != nil {
			return err
		}
	}
	if c.Webhook != nil {
		h := *c.Webhook
		h.Proxies = c.TrustedProxies
		p.webhook = webhook.New(h)
	}
	if c.Me != nil {
		m := *c.Me
		m.PublicURL, m.Proxies = c.PublicURL, c.TrustedProxies
		if p.me, err = me.New(m); err != nil {
			return err
		}
	}
	if c.Portal != nil {
		d := *c.Portal
		d.PublicURL, d.Proxies = c.PublicURL, c.TrustedProxies
		p.portal, err = portal.New(d)
	}
	return err
}

// shared adds what every address serves.
func (p *parts) shared(mux *http.ServeMux) {
	if p.webhook != nil {
		mux.Handle("/webhooks/", p.webhook)
		mux.Handle("/acs/", p.webhook)
	}
	if p.me != nil {
		mux.Handle("/me", p.me)
		mux.Handle("/me/", p.me)
	}
	if p.portal != nil {
		mux.Handle("/portal/", p.portal)
		// UniFi controllers send their guests there, whatever they are told.
		mux.Handle("/guest/s/", p.portal)
	}
}

// guard sets what every answer carries and bounds what every request may.
func guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
		header.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h.ServeHTTP(w, r)
	})
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

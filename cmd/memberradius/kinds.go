package main

import (
	"memberradius/backends"
	"memberradius/backends/coworks"
	"memberradius/backends/file"
	"memberradius/backends/local"
	"memberradius/backends/nexudus"
	"memberradius/backends/portallogin"
	"memberradius/backends/rest"
	"memberradius/backends/webhook"
)

// An opener is a pointer to a kind's Config.
type opener interface {
	Open(d backends.Deps) (backends.Backend, error)
}

// A kind is a kind of member system.
type kind struct {
	// config returns a Config to decode a [[backend]] into.
	config func() opener
	// live systems are asked over the network, and so get the layers; the
	// others answer from memory.
	live bool
	// stored says that its members are in the embedded store, synced that the
	// system's own word puts them there.
	stored, synced bool
	// told says that it has no members: it hears of portal logins.
	told bool
	// remote says that Check goes over the network; live ones do anyway.
	remote bool
}

// ownsNoDevice says why no device can be registered to a member that such a system
// knows; "": one can.
func (k *kind) ownsNoDevice() string {
	switch {
	case k.live:
		return "it is asked with a password at each login, and could not say whether a device's member may come in"
	case k.told:
		return "it has no members: it is told of portal logins"
	}
	return ""
}

// kinds is the one registry of member systems: by the word in kind = "...",
// which is also the folder below backends, without its underscores.
func kinds() map[string]kind {
	return map[string]kind{
		"coworks":      {config: func() opener { return &coworks.Config{} }, live: true},
		"file":         {config: func() opener { return &file.Config{} }},
		"local":        {config: func() opener { return &local.Config{} }, stored: true},
		"nexudus":      {config: func() opener { return &nexudus.Config{} }, stored: true, synced: true, remote: true},
		"portal_login": {config: func() opener { return &portallogin.Config{} }, told: true, remote: true},
		"rest":         {config: func() opener { return &rest.Config{} }, live: true},
		"webhook":      {config: func() opener { return &webhook.Config{} }, stored: true, synced: true},
	}
}

// layered returns a live system in its layers, from the inside: the bulkhead
// bounds the calls under way, the breaker stops asking a system that fails,
// and the cache answers again without asking, or instead of one that could not
// say.
func layered(b backends.Backend, c *backendConfig, d backends.Deps) *backends.Cache {
	bounded := backends.NewBulkhead(b, c.InFlight, d)
	guarded := backends.NewBreaker(bounded, d)
	return backends.NewCache(guarded, backends.CacheConfig{Deps: d, Fresh: c.Fresh, Grace: c.Grace})
}

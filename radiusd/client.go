package radiusd

import (
	"net/netip"

	"memberradius/member"
)

// An Arrival is how a request came in: all that may say who speaks.
type Arrival struct {
	Local, Remote netip.AddrPort
	// Site is set where the port is a site's own.
	Site string
}

// ClientConfig describes a NAS. Zero fields refuse or mean what their comment says.
type ClientConfig struct {
	// Name is for log, metrics and policy; it must be set.
	Name string
	// Secret is the RADIUS shared secret; it must not be empty (RFC 2865 §3).
	Secret member.Secret
	// Vendor names a file of vendor attributes; empty is generic.
	Vendor string
	// Methods are those that its users may use, of pap, mschap, mschapv2, chap,
	// eap, mac; nil: pap, mschapv2 and eap.
	Methods []string
	// TolerateNoMessageAuthenticator takes Access-Requests without a
	// Message-Authenticator, unless they carry Proxy-State (CVE-2024-3596).
	TolerateNoMessageAuthenticator bool
	// Site is which site it belongs to.
	Site string
	// VLAN is for members whose plan has none.
	VLAN member.VLAN
}

// A ClientEntry is a Client at an address or a prefix.
type ClientEntry struct {
	Prefix netip.Prefix
	Client *Client
}

// NewClient and NewClients (the longest-prefix table that meets Clients) are in this file:
//   func NewClient(c ClientConfig) (*Client, error)
//   func NewClients(entries []ClientEntry) (Clients, error)

// A Client is a NAS, ready for use.
type Client struct {
	ClientConfig
}

package outward

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Address reads an address of the configuration. It must be https, or lead to
// this host, unless insecure takes http to any. A token or a password in it
// would reach every error that names it. Errors say what is wrong and what to do.
func Address(text string, insecure bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New(`is no address; write it as "https://api.example.com/wifi"`)
	case strings.ContainsAny(text, "{}"):
		return nil, errors.New("holds a placeholder in braces; write the address in full")
	case u.User != nil:
		return nil, errors.New("holds a user name or a password; put what authenticates us into a key of its own")
	case u.Fragment != "":
		return nil, errors.New("holds a \"#\"; what follows it is never sent, so remove it")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		if why := forbidden(addr); why != "" {
			return nil, fmt.Errorf("leads to %s, %s; write another address", addr, why)
		}
	}
	switch u.Scheme {
	case "https":
	case "http":
		if !insecure && !thisHost(u.Hostname()) {
			return nil, errors.New("is http, which shows the token and passwords to everyone on the way; write https, or insecure = true to take that")
		}
	default:
		return nil, errors.New("must begin with https://")
	}
	return u, nil
}

// thisHost says whether host can only be this host.
func thisHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

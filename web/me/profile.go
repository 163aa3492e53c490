package me

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"memberradius/onboard"
)

// profile sends what sets a device up, or the certificate alone.
func (d *desk) profile(w http.ResponseWriter, r *http.Request) {
	v, ok := d.admit(w, r)
	if !ok {
		return
	}
	n := v.Network
	if n == nil || v.Ended {
		http.Redirect(w, r, "/me", http.StatusSeeOther) // which says why there is none
		return
	}
	var content []byte
	var mime, extension string
	var err error
	switch kind := r.PathValue("kind"); {
	case kind == string(apple):
		content, err = n.Apple(&v.Access, d.Sign)
		mime, extension = onboard.AppleType, ".mobileconfig"
	case kind == string(chrome):
		content, err = n.ONC(&v.Access)
		mime, extension = onboard.ONCType, ".onc"
	case kind == string(windows):
		content, err = n.Windows(&v.Access)
		mime, extension = onboard.WindowsType, ".xml"
	case kind == "ca" && n.CA != nil:
		content, mime, extension = n.CA.Raw, onboard.CAType, ".crt"
	default:
		http.Redirect(w, r, "/me", http.StatusSeeOther)
		return
	}
	switch {
	case errors.Is(err, onboard.ErrUnfit):
		d.show(w, r, http.StatusConflict, "unfit")
		return
	case err != nil:
		d.fault(w, r, err)
		return
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName(n)+extension+`"`)
	_, _ = w.Write(content) //nolint:gosec // G705: a file to keep, never shown as a page: its type is said, and nosniff
}

// fileName makes a name that every system takes out of what the place is called.
func fileName(n *onboard.Network) string {
	name := n.Space
	if name == "" {
		name = n.SSID
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '-' })
	name = strings.Join(append(parts, "wifi"), "-")
	return name[max(0, len(name)-60):]
}

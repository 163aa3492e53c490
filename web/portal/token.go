package portal

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

const (
	// formLife is how long a form can be sent; a guest reads the terms and looks for
	// a voucher meanwhile. Until formKept it is known again, and shown anew.
	formLife = 30 * time.Minute
	formKept = 24 * time.Hour
	// maxToken is longer than any token of ours, maxForm than any form.
	maxToken = 8 << 10
	maxForm  = 32 << 10
)

// Purposes keep a token of one kind from being taken for one of another.
const (
	forForm   = "form"
	forStatus = "status"
)

// A token is what pages carry from one to the next, since small browsers keep no
// cookies: signed, so that nobody but this server has written it, and not
// secret, since all of it came from the browser or is shown to it.
type token struct {
	Site string `json:"n"`
	// Made is in seconds since 1970.
	Made int64 `json:"t"`
	// Visit is what a form is about.
	Visit *visit `json:"v,omitempty"`
	// PageID is what a status page is about.
	PageID int64 `json:"p,omitempty"`
}

// seal signs a token.
func (d *desk) seal(purpose string, t *token) (string, error) {
	t.Made = d.Now().Unix()
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // or each & of an address would take six octets
	if err := e.Encode(t); err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(body.Bytes())
	return text + "." + d.sign(purpose, text), nil
}

func (d *desk) sign(purpose, text string) string {
	h := hmac.New(sha256.New, d.key)
	h.Write([]byte("memberradius portal " + purpose + " "))
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// open returns what a token of this site holds, and its age. False: this server
// has not signed it, or not for this.
func (d *desk) open(purpose, site, sealed string) (t token, age time.Duration, ok bool) {
	text, signature, found := strings.Cut(sealed, ".")
	if !found || len(sealed) > maxToken || !hmac.Equal([]byte(signature), []byte(d.sign(purpose, text))) {
		return token{}, 0, false
	}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(body, &t) != nil || t.Site != site {
		return token{}, 0, false
	}
	return t, d.Now().Sub(time.Unix(t.Made, 0)), true
}

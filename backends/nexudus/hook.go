package nexudus

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"memberradius/backends"
)

// The kinds of what a hook is about. A change of anything else, and one that
// can't be told, is looked for among all changes.
const (
	refCoworker = "coworker"
	refChanges  = "changes"
)

// signatureHeader holds the HMAC-SHA256 of the body in upper-case hexadecimal.
const signatureHeader = "X-Nexudus-Hook-Signature"

// maxRefs is how many records of one hook are looked at; more are changes at large.
const maxRefs = 20

// Notify implements backends.Notified. What a hook holds is never taken for
// data: nothing in it says when it was sent, so that it can be replayed. It is a hint to
// read again.
func (b *Backend) Notify(_ context.Context, h http.Header, body []byte) (*backends.Push, error) {
	if b.config.WebhookSecret == "" {
		return nil, backends.ErrDeaf
	}
	if !signed([]byte(b.config.WebhookSecret), h.Get(signatureHeader), body) {
		return nil, backends.ErrUnsigned
	}
	refs, err := hookRefs(body)
	if err != nil {
		return nil, &backends.Error{Class: backends.BadAnswer, Backend: b.name, Err: err}
	}
	return &backends.Push{Refs: refs}, nil
}

// signed says whether signature is that of body. Nexudus computes it in .NET
// over the body as ASCII, where each character that is none becomes "?": once
// for a character, or once for each half of one that UTF-16 writes as two.
func signed(secret []byte, signature string, body []byte) bool {
	given := []byte(strings.ToUpper(strings.TrimSpace(signature)))
	good := 0
	for _, text := range [...][]byte{body, questioned(body, false), questioned(body, true)} {
		mac := hmac.New(sha256.New, secret)
		_, _ = mac.Write(text)
		want := []byte(strings.ToUpper(hex.EncodeToString(mac.Sum(nil))))
		good |= subtle.ConstantTimeCompare(given, want)
	}
	return good == 1
}

// questioned writes body as .NET's ASCIIEncoding does.
func questioned(body []byte, halves bool) []byte {
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case halves && r > 0xffff:
			out = append(out, '?', '?')
		default:
			out = append(out, '?')
		}
		body = body[n:]
	}
	return out
}

var errHook = errors.New("the hook is signed but holds no JSON object or list of them")

// hookRefs reads whom a hook is about. What it holds is not documented: it is a
// list of one record, or the record alone.
func hookRefs(body []byte) ([]backends.Ref, error) {
	body = bytes.TrimLeft(body, " \t\r\n")
	var records []hookBody
	switch {
	case len(body) > 0 && body[0] == '[':
		if err := decode(body, &records); err != nil {
			return nil, errHook
		}
	case len(body) > 0 && body[0] == '{':
		records = make([]hookBody, 1)
		if err := decode(body, &records[0]); err != nil {
			return nil, errHook
		}
	default:
		return nil, errHook
	}
	if len(records) == 0 || len(records) > maxRefs {
		return []backends.Ref{{Kind: refChanges}}, nil
	}
	var refs []backends.Ref
	seen := map[backends.Ref]bool{}
	for i := range records {
		if r := records[i].ref(); !seen[r] {
			seen[r] = true
			refs = append(refs, r)
		}
	}
	return refs, nil
}

// A hookBody is one record of a hook, as far as it tells what it is. Nothing
// here may fail for a type: whatever it is, it is a hint.
type hookBody struct {
	id, coworker word
	customer     bool // it has what only a coworker has
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *hookBody) UnmarshalJSON(b []byte) error {
	*h = hookBody{}
	var fields map[string]json.RawMessage
	if b[0] != '{' || json.Unmarshal(b, &fields) != nil {
		return nil
	}
	for name, value := range fields {
		switch strings.ToLower(name) {
		case "id":
			h.id = idIn(value)
		case "coworkerid", "coworker", "customerid":
			if id := idIn(value); id != "" {
				h.coworker = id
			}
		case "coworkertype", "accesspincode", "isdefaultprofile":
			h.customer = true
		}
	}
	return nil
}

// idIn reads an id, or the id of an object.
func idIn(value json.RawMessage) word {
	var r ref
	if json.Unmarshal(value, &r) != nil || !plainID(r.id) {
		return ""
	}
	return r.id
}

// plainID says whether an id can stand in an address as it is.
func plainID(id word) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	return strings.IndexFunc(string(id), func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-'
	}) < 0
}

func (h *hookBody) ref() backends.Ref {
	switch {
	case h.coworker != "":
		return backends.Ref{Kind: refCoworker, ID: string(h.coworker)}
	case h.customer && h.id != "":
		return backends.Ref{Kind: refCoworker, ID: string(h.id)}
	}
	return backends.Ref{Kind: refChanges}
}

// coworkersIn returns the ids of the coworkers whom refs name; false where they
// name something else as well, or nobody.
func coworkersIn(refs []backends.Ref) ([]word, bool) {
	var list []word
	for _, r := range refs {
		if r.Kind != refCoworker || !plainID(word(r.ID)) {
			return nil, false
		}
		list = append(list, word(r.ID))
	}
	return list, len(list) > 0 && len(list) <= maxRefs
}

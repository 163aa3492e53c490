package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"memberradius/member"
)

// The headers of a push and the forms of what is in them: Standard Webhooks
// 1.0.0, "Webhook headers" and "Signature scheme".
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"

	secretPrefix    = "whsec_"
	signaturePrefix = "v1," // HMAC-SHA256; "v1a," is Ed25519, which has no secret that both sides know
)

const (
	// minSecret is what Standard Webhooks asks of a secret, in octets.
	minSecret = 24
	// maxSecrets, maxID and maxSignatures bound what is tried for one push.
	maxSecrets    = 8
	maxID         = 256
	maxSignatures = 16
	// tolerance is how far the clock of a sender may be off: a push that was
	// recorded can't be sent again after it.
	tolerance = 5 * time.Minute
)

// A key is what one secret stands for.
type key []byte

// parseSecrets reads the secrets of a webhook. No error quotes one.
func parseSecrets(s member.Secret) ([]key, error) {
	words := strings.Fields(string(s))
	switch {
	case len(words) == 0:
		return nil, errors.New(`is missing or empty; write webhook_secret = "file:PATH" or "env:NAME", and make one with: echo "whsec_$(openssl rand -base64 32)"`)
	case len(words) > maxSecrets:
		return nil, fmt.Errorf("holds %d secrets; at most %d are taken, and two are enough while one replaces the other", len(words), maxSecrets)
	}
	keys := make([]key, 0, len(words))
	for _, word := range words {
		encoded, ok := strings.CutPrefix(word, secretPrefix)
		if !ok {
			return nil, errors.New(`must be "whsec_" and base64, as the system shows it; make one with: echo "whsec_$(openssl rand -base64 32)"`)
		}
		k, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(encoded, "="))
		if err != nil {
			return nil, errors.New(`what follows "whsec_" is no base64; see whether all of it was copied`)
		}
		if len(k) < minSecret {
			return nil, fmt.Errorf("holds a secret of %d octets; Standard Webhooks asks for %d or more", len(k), minSecret)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// sign returns the signature of a push.
func (k key) sign(id, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, k)
	_, _ = h.Write([]byte(id + "." + timestamp + ".")) // a hash never fails
	_, _ = h.Write(body)
	return h.Sum(nil)
}

// Sign returns the headers of a push with this body, sent at a time, for
// whoever sends one. The secret is one of Config.WebhookSecret; the error is about it.
func Sign(secret member.Secret, id string, at time.Time, body []byte) (http.Header, error) {
	keys, err := parseSecrets(secret)
	if err != nil {
		return nil, fmt.Errorf("webhook: the secret %w", err)
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set(headerID, id)
	h.Set(headerTimestamp, timestamp)
	signatures := make([]string, 0, len(keys))
	for _, k := range keys {
		signatures = append(signatures, signaturePrefix+base64.StdEncoding.EncodeToString(k.sign(id, timestamp, body)))
	}
	h.Set(headerSignature, strings.Join(signatures, " "))
	return h, nil
}

// A stamp is what the headers of a push say.
type stamp struct {
	id         string
	timestamp  string // as sent: it is signed
	sent       time.Time
	signatures [][]byte
}

// readStamp reads the headers of a push. A header that comes twice could be
// read in two ways, and is read in none.
func readStamp(h http.Header) (s stamp, ok bool) {
	ids, times, signatures := h.Values(headerID), h.Values(headerTimestamp), h.Values(headerSignature)
	if len(ids) != 1 || len(times) != 1 || len(signatures) != 1 {
		return s, false
	}
	s.id, s.timestamp = ids[0], times[0]
	seconds, err := strconv.ParseUint(s.timestamp, 10, 36) // until the year 4147; digits alone
	if err != nil || !validID(s.id) {
		return s, false
	}
	s.sent = time.Unix(int64(seconds), 0)
	s.signatures = parseSignatures(signatures[0])
	return s, true
}

// validID says whether a push can have this id. A full stop in it could be
// taken for the one after it ("Signature scheme").
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == '.' {
			return false
		}
	}
	return true
}

// parseSignatures returns the HMAC-SHA256 in a list of signatures, which blanks
// separate. What else stands there belongs to other schemes.
func parseSignatures(list string) (all [][]byte) {
	for word := range strings.FieldsSeq(list) {
		encoded, ok := strings.CutPrefix(word, signaturePrefix)
		if !ok {
			continue
		}
		if len(all) == maxSignatures {
			break
		}
		signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err == nil && len(signature) == sha256.Size {
			all = append(all, signature)
		}
	}
	return all
}

// signed says whether one of the keys signed the push. Every key meets every
// signature, so that the time taken tells nothing about which of them fits.
func (s *stamp) signed(keys []key, body []byte) bool {
	ok := false
	for _, k := range keys {
		want := k.sign(s.id, s.timestamp, body)
		for _, got := range s.signatures {
			if hmac.Equal(got, want) {
				ok = true
			}
		}
	}
	return ok
}

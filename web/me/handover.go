package me

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"sync"
	"time"

	"memberradius/member"
)

const (
	// handoverLife is how long the code on one screen can be scanned by another device.
	handoverLife = 10 * time.Minute
	// maxHandovers bounds the table: about 1 MiB.
	maxHandovers = 4096
	handoverSize = 32 // octets of randomness
)

// handovers let a member open her page on a second device: the QR code on the
// first is a link that can be used once, and joins the session she has. They
// live in memory alone, the links as SHA-256; after a restart she loads her page again.
type handovers struct {
	now  func() time.Time
	rand io.Reader

	mu   sync.Mutex
	held map[[sha256.Size]byte]handover
	of   map[[sha256.Size]byte][sha256.Size]byte // the one link of each session
}

type handover struct {
	session member.Secret
	until   time.Time
}

func newHandovers(now func() time.Time, rand io.Reader) *handovers {
	return &handovers{now: now, rand: rand, held: map[[sha256.Size]byte]handover{}, of: map[[sha256.Size]byte][sha256.Size]byte{}}
}

// offer returns a link into session. The one before ends.
func (h *handovers) offer(session member.Secret) (member.Secret, error) {
	var b [handoverSize]byte
	if _, err := io.ReadFull(h.rand, b[:]); err != nil {
		return "", err
	}
	link := member.Secret(base64.RawURLEncoding.EncodeToString(b[:]))
	owner, key := digest(session), digest(link)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end(h.of[owner])
	if len(h.held) >= maxHandovers {
		h.makeRoom()
	}
	h.held[key] = handover{session: session, until: h.now().Add(handoverLife)}
	h.of[owner] = key
	return link, nil
}

// peek says whether a link is good.
func (h *handovers) peek(link member.Secret) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now().Before(h.held[digest(link)].until)
}

// take uses a link up.
func (h *handovers) take(link member.Secret) (session member.Secret, ok bool) {
	key := digest(link)
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.held[key]
	h.end(key)
	return found.session, h.now().Before(found.until)
}

// end forgets a link.
func (h *handovers) end(key [sha256.Size]byte) {
	if found, ok := h.held[key]; ok {
		delete(h.of, digest(found.session))
		delete(h.held, key)
	}
}

// makeRoom forgets what has run out, and where nothing has, what would run out first.
func (h *handovers) makeRoom() {
	var first [sha256.Size]byte
	var when time.Time
	now := h.now()
	for key, one := range h.held {
		if !now.Before(one.until) {
			h.end(key)
		} else if when.IsZero() || one.until.Before(when) {
			first, when = key, one.until
		}
	}
	if len(h.held) >= maxHandovers {
		h.end(first)
	}
}

// digest makes a lookup tell nothing of the secret by its time.
func digest(s member.Secret) [sha256.Size]byte { return sha256.Sum256([]byte(s)) }

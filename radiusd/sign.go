package radiusd

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/binary"

	"memberradius/member"
	"memberradius/mschap"
	"memberradius/radiusd/md5many"
)

// md5Block is MD5's block size in octets, which HMAC pads its key to (RFC 2104 §2).
const md5Block = 64

// A key is a shared secret with the work done ahead that depends on it alone:
// the MD5 states after HMAC's two pads.
type key struct {
	secret       []byte
	inner, outer md5many.State
}

func newKey(secret member.Secret) key {
	k := key{secret: []byte(secret)}
	padded := k.secret
	if len(padded) > md5Block {
		sum := md5.Sum(padded)
		padded = sum[:]
	}
	var inner, outer [md5Block]byte
	copy(inner[:], padded)
	copy(outer[:], padded)
	for i := range md5Block {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	k.inner, k.outer = md5many.Absorb(&inner), md5many.Absorb(&outer)
	return k
}

// sameAuthenticator compares in constant time.
func sameAuthenticator(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// A signer computes what RADIUS asks of MD5 for many packets at once: MD5 waits
// for itself at every step, so that sums side by side cost little more than
// one alone (docs/decisions/0008). It belongs to one goroutine.
type signer struct {
	sums, outer []md5many.Sum
	// arena holds what is hashed and lies nowhere in one piece.
	arena []byte
	// accepted are the exchanges that the replies of a batch settle.
	accepted []mschap.Accepted
	settler  mschap.Settler
}

// plain adds MD5(secret + a + b), which hides passwords and keys (RFC 2865
// §5.2, RFC 2548 §2.4), and returns its place.
func (s *signer) plain(k *key, a, b []byte) int {
	from := len(s.arena)
	s.arena = append(s.arena, k.secret...)
	s.arena = append(s.arena, a...)
	s.arena = append(s.arena, b...)
	s.sums = append(s.sums, md5many.Sum{From: md5many.Start(), Data: s.arena[from:]})
	return len(s.sums) - 1
}

// keyed adds the inner hash of an HMAC-MD5 over data (RFC 2104) and returns its place.
func (s *signer) keyed(k *key, data []byte) int {
	s.sums = append(s.sums, md5many.Sum{From: k.inner, Before: md5Block, Data: data})
	return len(s.sums) - 1
}

// keyedOuter adds the outer hash over the inner one at that place.
func (s *signer) keyedOuter(k *key, place int) {
	s.outer = append(s.outer, md5many.Sum{From: k.outer, Before: md5Block, Data: s.sums[place].Out[:]})
}

func (s *signer) reset() { s.sums, s.outer, s.arena = s.sums[:0], s.outer[:0], s.arena[:0] }

// keyed says whether the request's Message-Authenticator is made as that of a
// request for access. A report's is not: see verifiedReport.
func (r *request) keyed() bool { return r.auths == 1 && r.code != codeAccountingRequest }

// verify computes the Message-Authenticator of each request that has one:
// HMAC-MD5 over the packet with its own value as zeros (RFC 3579 §3.2). On the
// way it makes the mask of each first block of a User-Password (RFC 2865 §5.2).
func (s *signer) verify(all []arrived) {
	s.reset()
	for i := range all {
		a := &all[i]
		if !a.onItsWay {
			continue
		}
		if a.keyed() {
			at := a.raw[a.authAt : a.authAt+authenticatorSize]
			copy(a.claimed[:], at)
			clear(at)
			a.sum = s.keyed(&a.client.key, a.raw)
		}
		if a.userPassword != nil {
			a.mask = s.plain(&a.client.key, a.authenticator(), nil)
		}
	}
	md5many.Compute(s.sums)
	for i := range all {
		if a := &all[i]; a.onItsWay && a.keyed() {
			s.keyedOuter(&a.client.key, a.sum)
		}
	}
	md5many.Compute(s.outer)
	next := 0
	for i := range all {
		a := &all[i]
		if !a.onItsWay {
			continue
		}
		if a.keyed() {
			a.authentic = sameAuthenticator(a.claimed[:], s.outer[next].Out[:])
			next++
		}
		if a.userPassword != nil {
			a.firstMask = s.sums[a.mask].Out
		}
	}
}

// sign is the only place that signs. It settles and hides what the replies have to,
// then writes Message-Authenticator over each reply with the Request
// Authenticator in its place (RFC 3579 §3.2), then the Response Authenticator
// over that (RFC 2865 §3).
func (s *signer) sign(replies []outgoing) {
	s.settle(replies)
	s.hide(replies)
	s.reset()
	for i := range replies {
		o := &replies[i]
		binary.BigEndian.PutUint16(o.reply[2:], uint16(len(o.reply)))
		copy(o.reply[4:headerSize], o.authenticator)
		if !o.bare {
			s.keyed(&o.client.key, o.reply)
		}
	}
	md5many.Compute(s.sums)
	for i := range replies {
		if o := &replies[i]; !o.bare {
			s.keyedOuter(&o.client.key, len(s.outer))
		}
	}
	md5many.Compute(s.outer)
	s.sums = s.sums[:0]
	next := 0
	for i := range replies {
		o := &replies[i]
		if !o.bare {
			copy(o.reply[headerSize+2:], s.outer[next].Out[:])
			next++
		}
		// The room behind the reply is free: most secrets fit there.
		s.sums = append(s.sums, md5many.Sum{From: md5many.Start(), Data: append(o.reply, o.client.key.secret...)})
	}
	md5many.Compute(s.sums)
	for i := range replies {
		copy(replies[i].reply[4:headerSize], s.sums[i].Out[:])
	}
}

// settle writes the server's proof (RFC 2759 §8.7) and the session keys, each
// behind its length (RFC 2548 §2.4.2), into the replies that accept a response.
func (s *signer) settle(replies []outgoing) {
	s.settler.Settle(s.accepted)
	for i := range replies {
		o := &replies[i]
		if o.success == 0 {
			continue
		}
		a := &s.accepted[o.accepted]
		copy(o.reply[o.success:], a.Success[:])
		for j, sessionKey := range [...]*[16]byte{&a.Send, &a.Recv} {
			room := o.reply[o.hidden[j].at:]
			room[0] = byte(len(sessionKey))
			copy(room[1:], sessionKey[:])
		}
	}
}

// hiddenSize is the length of what hides a key of 16 octets: two blocks.
// maxBlocks hide one of 32.
const (
	hiddenSize = 2 * authenticatorSize
	maxBlocks  = 3
)

// A hiding is where a reply holds a key in clear until it is signed: so many
// blocks, and before them the salt, if the attribute has one.
type hiding struct{ at, salt, blocks int }

// hide hides keys as RFC 2548 §2.4 asks: the first block by MD5 of secret,
// Request Authenticator and salt, each other by MD5 of secret and the one before.
func (s *signer) hide(replies []outgoing) {
	for block := range maxBlocks {
		s.reset()
		for i := range replies {
			o := &replies[i]
			for _, h := range o.hidden[:o.hides] {
				switch before := h.at + (block-1)*authenticatorSize; {
				case block == 0:
					s.plain(&o.client.key, o.authenticator, o.reply[h.at-h.salt:h.at])
				case block < h.blocks:
					s.plain(&o.client.key, o.reply[before:before+authenticatorSize], nil)
				}
			}
		}
		if len(s.sums) == 0 {
			return
		}
		md5many.Compute(s.sums)
		next := 0
		for i := range replies {
			o := &replies[i]
			for _, h := range o.hidden[:o.hides] {
				if block >= h.blocks {
					continue
				}
				at := o.reply[h.at+block*authenticatorSize:]
				subtle.XORBytes(at, at[:authenticatorSize], s.sums[next].Out[:])
				next++
			}
		}
	}
}

// secretSum is MD5(secret + a) for one alone.
func (s *signer) secretSum(k *key, a []byte) [authenticatorSize]byte {
	s.arena = append(append(s.arena[:0], k.secret...), a...)
	return md5.Sum(s.arena)
}

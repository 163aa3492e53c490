package radiusd

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"memberradius/member"
)

// maxVendorValue is the longest value of one attribute in a Vendor-Specific.
const maxVendorValue = maxValue - 6

// A reply is built in place. Past 4,096 octets it is over, and nothing is sent.
type reply struct {
	b    []byte
	over bool
	// hidden are the keys in it that are still in clear.
	hidden [2]hiding
	hides  int
	// bare: it has no Message-Authenticator.
	bare bool
	settling
}

// A settling says which exchange of MS-CHAPv2 a reply settles, by its place
// among the signer's, and where the reply has room for the server's proof: 0
// where it settles none. The session keys are its hidden ones.
type settling struct{ accepted, success int }

// unsigned stands where signer.sign writes.
var unsigned [authenticatorSize]byte

// begin writes the header and, unless the reply is bare, Message-Authenticator, which
// stands first so that nothing an attacker chooses stands before it (CVE-2024-3596).
func (p *reply) begin(room []byte, code, id byte, bare bool) {
	p.over, p.bare, p.hides, p.success = false, bare, 0, 0
	p.b = append(room[:0], code, id, 0, 0)
	p.b = append(p.b, unsigned[:]...)
	if bare {
		return
	}
	p.b = append(p.b, typeMessageAuthenticator, authenticatorSize+2)
	p.b = append(p.b, unsigned[:]...)
}

func (p *reply) fits(n int) bool {
	if len(p.b)+n > maxPacket {
		p.over = true
	}
	return !p.over
}

// add appends an attribute; an empty one is left out, since a text or string
// must not be empty (RFC 2865 §5).
func (p *reply) add(kind byte, value []byte) {
	if len(value) == 0 || len(value) > maxValue || !p.fits(2+len(value)) {
		return
	}
	p.b = append(p.b, kind, byte(2+len(value)))
	p.b = append(p.b, value...)
}

// addMicrosoft appends one of Microsoft's attributes (RFC 2548 §2) in a Vendor-Specific.
func (p *reply) addMicrosoft(kind byte, parts ...[]byte) {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	if n > maxVendorValue || !p.fits(8+n) {
		return
	}
	p.b = append(p.b, typeVendorSpecific, byte(8+n))
	p.b = binary.BigEndian.AppendUint32(p.b, vendorMicrosoft)
	p.b = append(p.b, kind, byte(2+n))
	for _, part := range parts {
		p.b = append(p.b, part...)
	}
}

// addHidden appends an attribute of Microsoft's that signer.sign will hide.
// value is whole blocks.
func (p *reply) addHidden(kind byte, salt, value []byte) {
	p.addMicrosoft(kind, salt, value)
	if !p.over {
		p.hidden[p.hides] = hiding{at: len(p.b) - len(value), salt: len(salt), blocks: len(value) / authenticatorSize}
		p.hides++
	}
}

// addEncoded appends attributes that are encoded already.
func (p *reply) addEncoded(attributes []byte) {
	if p.fits(len(attributes)) {
		p.b = append(p.b, attributes...)
	}
}

// answerNAS builds the reply that the verdict asks for, and sends, holds or
// withholds it.
func (x *exchange) answerNAS() {
	x.identify()
	if x.proved {
		x.release()
	}
	switch x.verdict {
	case member.Allow:
		x.open(codeAccessAccept)
		methodTable[x.used].settle(x)
		if x.tables.Book != nil {
			x.reply.addEncoded(x.attributes.Bytes())
		}
		x.reply.add(typeClass, x.decision[:])
		x.addIdentity()
		x.close(0)
	case member.Deny:
		wait, send := x.rejectWait()
		if !send {
			x.drop(dropBraked)
			x.silence()
			return
		}
		x.open(codeAccessReject)
		methodTable[x.used].settle(x)
		x.close(wait)
	default:
		x.server.dropped(x.client, &x.arrival, dropUnanswered)
		x.silence()
	}
}

// status answers Status-Server (RFC 5997): we are alive. It is no decision.
func (x *exchange) status() {
	x.server.meters.of(x.client).status.Inc()
	code := byte(codeAccessAccept)
	if x.from.role == Acct {
		code = codeAccountingResponse
	}
	x.open(code)
	x.close(0)
}

// open begins the reply, with the request's Proxy-States in their order (RFC 2865 §5.33).
func (x *exchange) open(code byte) {
	// Old NASes expect no Message-Authenticator where they sent none.
	bare := x.code == codeAccountingRequest && x.auths == 0
	x.reply.begin(x.out, code, x.id, bare)
	for at := headerSize; x.proxies > 0 && at < len(x.raw); at += int(x.raw[at+1]) {
		if x.raw[at] == typeProxyState {
			x.reply.addEncoded(x.raw[at : at+int(x.raw[at+1])])
		}
	}
}

// An outgoing is a reply on its way back, from when it is complete.
type outgoing struct {
	reply []byte // in the datagram's own room
	// authenticator is the Request Authenticator, in the request's datagram.
	authenticator []byte
	client        *Client
	hidden        [2]hiding
	hides         int
	bare          bool
	settling
	// delay counts from receipt.
	delay time.Duration
	slot  int // of the batch
	entry *kept
	key   repeatKey
}

// close completes the reply. It is signed with those of the batch, and goes
// back after the delay where there is one.
func (x *exchange) close(delay time.Duration) {
	if x.reply.over {
		x.server.trouble(fmt.Errorf("radiusd: the reply to client %s is longer than %d octets and was not sent: the request's Proxy-States and the plan's attributes are too many", x.client.config.Name, maxPacket))
		x.silence()
		return
	}
	x.outbox = append(x.outbox, outgoing{
		reply: x.reply.b, authenticator: x.request.authenticator(), client: x.client,
		hidden: x.reply.hidden, hides: x.reply.hides, bare: x.reply.bare, settling: x.reply.settling,
		delay: delay, slot: x.slot, entry: x.entry, key: x.key,
	})
}

// deliver keeps a signed reply for repeats, and returns it where it goes back at once.
func (x *exchange) deliver(o *outgoing) (now []byte) {
	switch {
	case o.delay > 0:
		x.hold(o)
		return nil
	case x.work != nil:
		x.work.reply = append([]byte(nil), o.reply...)
		x.from.send(x.work.reply, &x.arrival)
		x.work.done.Store(true)
		return nil
	case o.entry.is(o):
		o.entry.reply = append(o.entry.reply[:0], o.reply...)
	}
	return o.reply
}

// is says whether the entry is still the one of this reply's request: another
// request of the same batch may have taken its place.
func (e *kept) is(o *outgoing) bool {
	return e.key == o.key && e.work == nil && sameAuthenticator(e.authenticator[:], o.authenticator)
}

func (x *exchange) hold(o *outgoing) {
	w := x.work
	if w == nil {
		w = &work{}
		if o.entry.is(o) {
			o.entry.work = w
		}
	}
	w.reply = append([]byte(nil), o.reply...)
	due := x.received.Add(o.delay + rand.N(jitter)) //nolint:gosec // it spreads replies and keeps no secret
	if !x.server.delay.hold(held{work: w, due: due, from: x.from, to: x.arrival}) {
		w.forgotten.Store(true)
		x.server.dropped(o.client, &x.arrival, dropHeld)
	}
}

// silence ends the request without a reply. Repeats stay unanswered too, unless
// nobody was asked: then a repeat is as good as a new request.
func (x *exchange) silence() {
	switch {
	case !x.asked():
		x.forget()
	case x.work != nil:
		x.work.done.Store(true)
	}
}

// forget makes a repeat as good as a new request.
func (x *exchange) forget() {
	if x.work == nil {
		x.repeats.drop(x.entry)
		return
	}
	x.work.forgotten.Store(true)
}

// said is the reason as it may be told to whoever asks: before a right proof
// every refusal that tells about a member sounds the same.
func (x *exchange) said() member.Reason {
	reason := x.reason
	if !x.proved {
		reason = reason.BeforeProof()
	}
	if x.used == methodMAC && reason == member.ReasonWrongProof {
		return member.ReasonUnknownDevice // there is no password to be wrong
	}
	return reason
}

// refusal is the text of a refusal: the member system's own words, else the reason's.
func (x *exchange) refusal() string {
	if x.words == "" {
		return x.said().Message()
	}
	printable := func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}
	text := strings.Map(printable, x.words[:min(len(x.words), 4*maxValue)])
	for len(text) > maxValue {
		_, n := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-n]
	}
	return text
}

// sayRefusal adds Reply-Message to an Access-Reject (RFC 2865 §5.18).
func (x *exchange) sayRefusal() {
	if x.verdict == member.Deny {
		x.reply.add(typeReplyMessage, []byte(x.refusal()))
	}
}

// addIdentity adds Chargeable-User-Identity where the NAS asked for it (RFC
// 4372 §2.1): opaque, the same for a member at a site, another at each site.
func (x *exchange) addIdentity() {
	if x.cui == nil {
		return
	}
	var room [4 * maxValue]byte
	m := &x.answer.Member
	message := append(room[:sha256.BlockSize], m.Backend...)
	message = append(message, 0)
	login := m.Login
	if login == "" {
		login = x.attempt.Login
	}
	message = member.Fold(message, login)
	message = append(message, 0)
	message = append(message, x.attempt.Site...)
	sum := x.server.identity.sum(message)
	var text [32]byte
	hex.Encode(text[:], sum[:16])
	x.reply.add(typeCUI, text[:])
}

// An identityKey is HMAC-SHA256's key (RFC 2104), padded ahead.
type identityKey struct{ inner, outer [sha256.BlockSize]byte }

func newIdentityKey(secret []byte) *identityKey {
	if len(secret) > sha256.BlockSize {
		sum := sha256.Sum256(secret)
		secret = sum[:]
	}
	k := &identityKey{}
	copy(k.inner[:], secret)
	copy(k.outer[:], secret)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k
}

// sum is the HMAC of what follows the first block of message, which it overwrites.
func (k *identityKey) sum(message []byte) [sha256.Size]byte {
	copy(message, k.inner[:])
	inner := sha256.Sum256(message)
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], k.outer[:])
	copy(outer[sha256.BlockSize:], inner[:])
	return sha256.Sum256(outer[:])
}

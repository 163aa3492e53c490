package radiustest

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A pool holds packets that are ready but for identifier, Authenticator and
// what follows from it. Its memory is one arena, whose size is bounded by the
// number of templates.
type pool struct {
	arena     []byte
	templates []template
	next      int
	signer    *signer
	plain     bool // Echo: nothing is signed
	// seed and counter make Authenticators: the counter, masked, in one half
	// makes each of them new, a mix of it in the other makes them differ widely.
	seed    [2]uint64
	counter uint64
}

// A template is where a packet lies in the arena, and where in it the hidden
// password and the Message-Authenticator's value do.
type template struct {
	from, to     int
	password     span
	messageAuthn int
}

// newPool prepares a packet for each user, or for MS-CHAP as many as c.Proofs.
func newPool(c *Load) (*pool, error) {
	p := &pool{signer: newSigner(c.Secret), plain: c.Mode == Echo}
	var seed [16]byte
	if _, err := io.ReadFull(c.Rand, seed[:]); err != nil {
		return nil, fmt.Errorf("radiustest: load: Request Authenticators: %w", err)
	}
	p.seed = [2]uint64{binary.LittleEndian.Uint64(seed[:]), binary.LittleEndian.Uint64(seed[8:])}
	method := c.Mode
	switch {
	case p.plain:
		method = PAP
	case method.EAP():
		method = NoProof
	}
	n := len(c.Users)
	if method == CHAP || method == MSCHAP || method == MSCHAPv2 {
		n = max(n, c.Proofs)
	}
	compose := composer{dictionary: c.Dictionary, secret: c.Secret, rand: c.Rand}
	p.templates = make([]template, 0, n)
	point := c.AccessPoint
	if point.Identifier == "" && !point.Address.IsValid() {
		point.Identifier = "radiustest"
	}
	for i := range n {
		user := c.Users[i%len(c.Users)]
		if c.Mode.EAP() && c.EAP != nil && c.EAP.Anonymous != "" {
			user.Login = c.EAP.Anonymous
		}
		packet, _, err := compose.compose(&Request{
			Method: method, Login: user.Login, Password: user.Password, AccessPoint: point,
		})
		if err != nil {
			return nil, fmt.Errorf("radiustest: load: user %d: %w", i+1, err)
		}
		if err := p.add(packet); err != nil {
			return nil, fmt.Errorf("radiustest: load: user %d: %w", i+1, err)
		}
	}
	return p, nil
}

// add puts a packet into the arena, its passwords not hidden and its
// Message-Authenticator zeros.
func (p *pool) add(packet *Packet) error {
	size := headerSize + len(packet.attributes)
	if size > maxPacket {
		return fmt.Errorf("a packet of %d octets: at most %d are allowed", size, maxPacket)
	}
	t := template{from: len(p.arena), to: len(p.arena) + size, messageAuthn: headerSize + packet.macs[0].at}
	if len(packet.passwords) > 0 {
		t.password = span{headerSize + packet.passwords[0].from, headerSize + packet.passwords[0].to}
	}
	var header [headerSize]byte
	header[0] = byte(packet.Code)
	binary.BigEndian.PutUint16(header[2:], uint16(size))
	p.arena = append(p.arena, header[:]...)
	p.arena = append(p.arena, packet.attributes...)
	p.templates = append(p.templates, t)
	return nil
}

// build writes the next request into dst, which has room for maxPacket octets,
// and returns its part that counts. It is the whole cost of a request but for
// the system call: a copy, one MD5 block or two that hide a password, one HMAC.
func (p *pool) build(dst []byte, identifier byte) []byte {
	t := &p.templates[p.next]
	if p.next++; p.next == len(p.templates) {
		p.next = 0
	}
	dst = dst[:copy(dst, p.arena[t.from:t.to])]
	dst[1] = identifier
	if p.plain {
		return dst
	}
	p.stamp(dst)
	p.signer.hide(dst[t.password.from:t.password.to], dst[4:headerSize])
	copy(dst[t.messageAuthn:], p.signer.messageAuthenticator(dst))
	return dst
}

// base writes what every request of a user begins with into dst, under a new
// Authenticator, and returns it, and where its Message-Authenticator is to stand.
func (p *pool) base(dst []byte, user int) (packet []byte, signature int) {
	t := &p.templates[user]
	dst = dst[:copy(dst, p.arena[t.from:t.to])]
	p.stamp(dst)
	return dst, t.messageAuthn
}

// stamp writes an Authenticator that was never used before.
func (p *pool) stamp(packet []byte) {
	p.counter++
	binary.LittleEndian.PutUint64(packet[4:], mix(p.counter+p.seed[0]))
	binary.LittleEndian.PutUint64(packet[12:], p.counter^p.seed[1])
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of x
// counts in every bit of the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

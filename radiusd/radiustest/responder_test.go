package radiustest

import (
	"bytes"
	"encoding/binary"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"memberradius/member"
	"memberradius/mschap"
)

const testSecret = member.Secret("radiustest-secret")

// A responder is the smallest server that a NAS can be tried with. answer
// returns what to send back, in order; nothing is silence.
type responder struct {
	conn   *net.UDPConn
	answer func(request []byte) [][]byte
	ended  sync.WaitGroup

	mu  sync.Mutex
	got [][]byte
	by  map[netip.AddrPort]bool
}

func respond(tb testing.TB, answer func(request []byte) [][]byte) *responder {
	tb.Helper()
	return respondAt(tb, "127.0.0.1:0", answer)
}

func respondAt(tb testing.TB, address string, answer func(request []byte) [][]byte) *responder {
	tb.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
	if err != nil {
		tb.Skipf("no UDP socket on %s: %v", address, err)
	}
	r := &responder{conn: conn, answer: answer, by: map[netip.AddrPort]bool{}}
	r.ended.Go(r.serve)
	tb.Cleanup(func() {
		_ = conn.Close()
		r.ended.Wait()
	})
	return r
}

func (r *responder) addr() netip.AddrPort { return r.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (r *responder) requests() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([][]byte(nil), r.got...)
}

// peers are the addresses that requests came from, in order.
func (r *responder) peers() []netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Keys(r.by), netip.AddrPort.Compare)
}

func (r *responder) serve() {
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		request := bytes.Clone(buffer[:n])
		r.mu.Lock()
		r.got = append(r.got, request)
		r.by[from] = true
		r.mu.Unlock()
		for _, reply := range r.answer(request) {
			_, _ = r.conn.WriteToUDPAddrPort(reply, from)
		}
	}
}

// A oneMember is a server that knows one member by her password.
type oneMember struct {
	secret   member.Secret
	login    string
	password string
	// edit changes a reply before it is signed.
	edit func(*Packet)
	// hash overrides the NT hash that the server's own proof is made of.
	hash *[16]byte
	// salts overrides those of the MPPE keys.
	salts *[2][2]byte
}

func (o *oneMember) answer(request []byte) [][]byte {
	reply := o.reply(request)
	reply.Identifier = request[1]
	if o.edit != nil {
		o.edit(reply)
	}
	b, err := reply.EncodeReply(o.secret, [16]byte(request[4:]))
	if err != nil {
		panic(err)
	}
	return [][]byte{b}
}

func (o *oneMember) reply(request []byte) *Packet {
	reply := &Packet{Code: AccessReject}
	reply.AddMessageAuthenticator()
	r := &Reply{Raw: request[:binary.BigEndian.Uint16(request[2:])]}
	if request[0] == byte(StatusServer) {
		reply.Code = AccessAccept
		return reply
	}
	s := newSigner(o.secret)
	if p := r.Values(typeUserPassword); len(p) == 1 {
		if string(bytes.TrimRight(s.reveal(p[0], request[4:20]), "\x00")) == o.password {
			reply.Code = AccessAccept
		}
		return reply
	}
	challenge := r.VendorValues(vendorMicrosoft, typeMSCHAPChallenge)
	if v2 := r.VendorValues(vendorMicrosoft, typeMSCHAP2Response); len(v2) == 1 && len(challenge) == 1 {
		o.replyV2(reply, request, challenge[0], v2[0])
	}
	if v1 := r.VendorValues(vendorMicrosoft, typeMSCHAPResponse); len(v1) == 1 && len(challenge) == 1 {
		nt := mschap.NTHash(o.password)
		if mschap.Verify([8]byte(challenge[0]), nt, [24]byte(v1[0][26:])) {
			reply.Code = AccessAccept
			keys := mschap.KeysV1(nt)
			hidden := append(keys[:], make([]byte, 8)...)
			s.hide(hidden, request[4:20])
			reply.AddVendor(vendorMicrosoft, typeMSCHAPMPPEKeys, hidden)
		}
	}
	return reply
}

func (o *oneMember) replyV2(reply *Packet, request, challenge, v2 []byte) {
	nt := mschap.NTHash(o.password)
	response := [24]byte(v2[26:50])
	hash := mschap.ChallengeHash([16]byte(v2[2:18]), [16]byte(challenge), mschap.StripDomain(o.login))
	if !mschap.Verify(hash, nt, response) {
		reply.AddVendor(vendorMicrosoft, typeMSCHAPError,
			append(v2[:1:1], "E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=Wrong password."...))
		return
	}
	reply.Code = AccessAccept
	hashHash := mschap.HashHash(nt)
	if o.hash != nil {
		hashHash = mschap.HashHash(*o.hash)
	}
	success := mschap.AuthenticatorResponse(hashHash, response, hash)
	reply.AddVendor(vendorMicrosoft, typeMSCHAP2Success, append(v2[:1:1], success[:]...))
	send, recv := mschap.MasterKeys(hashHash, response)
	s, salts := newSigner(o.secret), [2][2]byte{{0x80, 1}, {0x80, 2}}
	if o.salts != nil {
		salts = *o.salts
	}
	reply.AddVendor(vendorMicrosoft, typeMSMPPESendKey, s.encryptKey(send[:], request[4:20], salts[0]))
	reply.AddVendor(vendorMicrosoft, typeMSMPPERecvKey, s.encryptKey(recv[:], request[4:20], salts[1]))
}

// encryptKey is the server's side of decryptKey (RFC 2548 §2.4.2).
func (s *signer) encryptKey(key, authenticator []byte, salt [2]byte) []byte {
	text := append([]byte{byte(len(key))}, key...)
	text = append(text, make([]byte, (16-len(text)%16)%16)...)
	s.hide(text, append(bytes.Clone(authenticator), salt[:]...))
	return append(salt[:], text...)
}

package radiustest

import (
	"bytes"
	"encoding/binary"
	"slices"

	"memberradius/mschap"
)

// An eapMember is a server that knows one member and speaks EAP-MSCHAPv2 with
// her, in three rounds. All that it must remember is in its State.
type eapMember struct {
	password string
	// edit changes a reply before it is signed: of round 0, 1, 2.
	edit func(round int, reply *Packet)
	// silent is the round in which it says nothing more; 0 is none.
	silent int
}

func (e *eapMember) answer(request []byte) [][]byte {
	r := &Reply{Raw: request[:binary.BigEndian.Uint16(request[2:])]}
	message := slices.Concat(r.Values(typeEAPMessage)...)
	round := 0
	if states := r.Values(typeState); len(states) == 1 {
		round = int(states[0][0])
	}
	if len(message) < 6 && len(message) != 0 || round > 0 && round == e.silent {
		return nil
	}
	reply := (&Packet{Code: AccessChallenge, Identifier: request[1]}).AddMessageAuthenticator()
	switch {
	case len(message) == 0: // EAP-Start
		reply.Add(typeEAPMessage, []byte{1, 1, 0, 5, 1})
		reply.Add(typeState, []byte{0, 99})
	case round == 0:
		e.challenge(reply, message[1]+1)
	case round == 1:
		e.prove(reply, message)
	case message[4] == 26 && message[5] == 3:
		e.accept(reply, request, message[1], r.Values(typeState)[0])
	default:
		reply.Code = AccessReject
		reply.Add(typeEAPMessage, []byte{4, message[1], 0, 4})
	}
	if e.edit != nil {
		e.edit(round, reply)
	}
	b, err := reply.EncodeReply(testSecret, [16]byte(request[4:]))
	if err != nil {
		panic(err)
	}
	return [][]byte{b}
}

var eapChallenge = [16]byte([]byte("sixteen octets !"))

func (e *eapMember) challenge(reply *Packet, ident byte) {
	data := append([]byte{1, ident, 0, 30, 26, 1, 9, 0, 25, 16}, eapChallenge[:]...)
	reply.Add(typeEAPMessage, append(data, "test"...))
	reply.Add(typeState, []byte{1})
}

// prove checks the password; what the keys follow from goes into the State.
func (e *eapMember) prove(reply *Packet, message []byte) {
	value := message[10:59]
	nt := mschap.NTHash(e.password)
	hash := mschap.ChallengeHash([16]byte(value), eapChallenge, string(message[59:]))
	response := [24]byte(value[24:])
	data := []byte{1, message[1] + 1, 0, 22, 26, 4, 9, 0, 17}
	text := "E=691 R=0 V=3"
	if mschap.Verify(hash, nt, response) {
		proof := mschap.AuthenticatorResponse(mschap.HashHash(nt), response, hash)
		data, text = []byte{1, message[1] + 1, 0, 51, 26, 3, 9, 0, 46}, string(proof[:])
	}
	reply.Add(typeEAPMessage, append(data, text...))
	reply.Add(typeState, append([]byte{2}, response[:]...))
}

func (e *eapMember) accept(reply *Packet, request []byte, ident byte, state []byte) {
	reply.Code = AccessAccept
	reply.Add(typeEAPMessage, []byte{3, ident, 0, 4})
	send, recv := mschap.MasterKeys(mschap.HashHash(mschap.NTHash(e.password)), [24]byte(state[1:]))
	s := newSigner(testSecret)
	both := append(bytes.Clone(recv[:]), send[:]...)
	reply.AddVendor(vendorMicrosoft, typeMSMPPERecvKey, s.encryptKey(both, request[4:20], [2]byte{0x80, 1}))
	reply.AddVendor(vendorMicrosoft, typeMSMPPESendKey, s.encryptKey(make([]byte, 32), request[4:20], [2]byte{0x80, 2}))
}

package mschap

import "crypto/sha1"

// The constants of RFC 3079 §3.4: Magic1, and Magic3 and Magic2 as the server
// uses them.
const (
	masterMagic = "This is the MPPE Master Key"
	sendMagic   = "On the client side, this is the receive key; on the server side, it is the send key."
	recvMagic   = "On the client side, this is the send key; on the server side, it is the receive key."
)

// shaPad is the length of SHSpad1 and of SHSpad2 in octets (RFC 3079 §3.4).
const shaPad = 40

// MasterKeys returns the start keys of 128 bits that follow from an MS-CHAPv2
// exchange (RFC 3079 §3.3), as the server names them: what the NAS encrypts
// with, for MS-MPPE-Send-Key, and what it decrypts with, for MS-MPPE-Recv-Key
// (RFC 2548 §2.4.2, §2.4.3).
func MasterKeys(hashHash [16]byte, response [24]byte) (send, recv [16]byte) {
	master := masterKey(hashHash, response)
	return startKey(master, sendMagic), startKey(master, recvMagic)
}

// masterSize is the length of the master key in octets (RFC 3079 §3.4).
const masterSize = 16

// masterKey is GetMasterKey of RFC 3079 §3.4.
func masterKey(hashHash [16]byte, response [24]byte) [masterSize]byte {
	text := masterText(hashHash, response)
	digest := sha1.Sum(text[:])
	return [masterSize]byte(digest[:])
}

func masterText(hashHash [16]byte, response [24]byte) (text [hashSize + responseSize + len(masterMagic)]byte) {
	n := copy(text[:], hashHash[:])
	n += copy(text[n:], response[:])
	copy(text[n:], masterMagic)
	return text
}

// startKey is GetAsymmetricStartKey of RFC 3079 §3.4 for 128 bits; magic says
// which direction the key is for.
func startKey(master [masterSize]byte, magic string) [16]byte {
	text := startText(master, magic)
	digest := sha1.Sum(text[:])
	return [16]byte(digest[:])
}

func startText(master [masterSize]byte, magic string) (text [masterSize + shaPad + len(sendMagic) + shaPad]byte) {
	n := copy(text[:], master[:])
	n += shaPad
	n += copy(text[n:], magic)
	for ; n < len(text); n++ {
		text[n] = 0xf2
	}
	return text
}

// KeysV1 returns what MS-CHAP-MPPE-Keys holds in clear after an MS-CHAPv1
// exchange (RFC 2548 §2.4.1), without its padding of eight zero octets: the
// LM key, which is zero since no LM hash is kept here, and the NT key.
//
// The section asks for the NT hash. Peers start from the hash of it, as
// RFC 3079 §2.3 does, and other servers send that, so this does too.
func KeysV1(nt [16]byte) (keys [24]byte) {
	hashHash := HashHash(nt)
	copy(keys[8:], hashHash[:])
	return keys
}

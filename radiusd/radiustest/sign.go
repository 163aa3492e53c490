package radiustest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"errors"
	"hash"

	"memberradius/member"
)

// A signer computes what a shared secret takes part in. It belongs to one
// goroutine and allocates nothing once it is warm.
type signer struct {
	mac     hash.Hash
	scratch []byte // the secret, then what is hashed with it
	secret  int    // its length
	sum     []byte
}

func newSigner(secret member.Secret) *signer {
	s := &signer{mac: hmac.New(md5.New, []byte(secret)), secret: len(secret), sum: make([]byte, 0, authenticatorSize)}
	s.scratch = append(make([]byte, 0, len(secret)+maxPacket), string(secret)...)
	return s
}

// messageAuthenticator returns HMAC-MD5 over a packet whose own value is zeros
// (RFC 3579 §3.2), valid until the next call.
func (s *signer) messageAuthenticator(packet []byte) []byte {
	s.mac.Reset()
	s.mac.Write(packet)
	s.sum = s.mac.Sum(s.sum[:0])
	return s.sum
}

// authenticator returns MD5 over a packet and the secret (RFC 2865 §3 for
// replies, RFC 2866 §3 for requests). The header must hold the request's
// authenticator, or zeros.
func (s *signer) authenticator(packet []byte) [authenticatorSize]byte {
	text := append(s.scratch[s.secret:s.secret], packet...)
	text = append(text, s.scratch[:s.secret]...)
	return md5.Sum(text)
}

// verifyReply says whether a reply's Response Authenticator answers the request
// that had this authenticator. The packet is the same again afterwards.
func (s *signer) verifyReply(packet []byte, request *[authenticatorSize]byte) bool {
	got := [authenticatorSize]byte(packet[4:headerSize])
	copy(packet[4:], request[:])
	want := s.authenticator(packet)
	copy(packet[4:], got[:])
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// secretSum returns MD5 over the secret and vector.
func (s *signer) secretSum(vector []byte) [authenticatorSize]byte {
	return md5.Sum(append(s.scratch[:s.secret], vector...))
}

// hide hides padded text in place (RFC 2865 §5.2): each block of 16 octets
// under a hash of the secret and the hidden block before it, the first under
// vector.
func (s *signer) hide(text, vector []byte) {
	for ; len(text) >= authenticatorSize; text = text[authenticatorSize:] {
		pad := s.secretSum(vector)
		subtle.XORBytes(text[:authenticatorSize], text, pad[:])
		vector = text[:authenticatorSize]
	}
}

// reveal returns what hide was given.
func (s *signer) reveal(hidden, vector []byte) []byte {
	clear := make([]byte, len(hidden))
	for at := 0; at+authenticatorSize <= len(hidden); at += authenticatorSize {
		pad := s.secretSum(vector)
		vector = hidden[at : at+authenticatorSize]
		subtle.XORBytes(clear[at:], vector, pad[:])
	}
	return clear
}

var (
	errKeySize   = errors.New("the value is not a salt of 2 octets and blocks of 16")
	errKeyLength = errors.New("it decrypts to a length that its blocks do not hold")
)

// decryptKey returns the key and the salt of an MS-MPPE-Send-Key or
// MS-MPPE-Recv-Key (RFC 2548 §2.4.2): salt, then key length, key and padding
// hidden under the request's authenticator and the salt.
func (s *signer) decryptKey(value []byte, request *[authenticatorSize]byte) (key []byte, salt [2]byte, err error) {
	if len(value) < 2+authenticatorSize || (len(value)-2)%authenticatorSize != 0 {
		return nil, salt, errKeySize
	}
	salt = [2]byte(value)
	clear := s.reveal(value[2:], append(request[:], salt[:]...))
	n := int(clear[0])
	if n > len(clear)-1 {
		return nil, salt, errKeyLength
	}
	return clear[1 : 1+n], salt, nil
}

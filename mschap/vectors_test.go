package mschap

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// array reads hexadecimal digits, spaces between them allowed.
func array[T [8]byte | [16]byte | [24]byte](t testing.TB, digits string) (out T) {
	t.Helper()
	octets, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatalf("%q: %v", digits, err)
	}
	switch out := any(&out).(type) {
	case *[8]byte:
		*out = [8]byte(octets)
	case *[16]byte:
		*out = [16]byte(octets)
	case *[24]byte:
		*out = [24]byte(octets)
	}
	return out
}

// The exchange of RFC 2759 §9.2, from which RFC 3079 §3.5 goes on.
const (
	rfcUser      = "User"
	rfcPassword  = "clientPass"
	rfcAuth      = "5B 5D 7C 7D 7B 3F 2F 3E 3C 2C 60 21 32 26 26 28"
	rfcPeer      = "21 40 23 24 25 5E 26 2A 28 29 5F 2B 3A 33 7C 7E"
	rfcChallenge = "D0 2E 43 86 BC E9 12 26"
	rfcNTHash    = "44 EB BA 8D 53 12 B8 D6 11 47 44 11 F5 69 89 AE"
	rfcHashHash  = "41 C0 0C 58 4B D2 D9 1C 40 17 A2 A1 2F A5 9F 3F"
	rfcResponse  = "82 30 9E CD 8D 70 8B 5E A0 8F AA 39 81 CD 83 54 42 33 11 4A 3D 85 D6 DF"
	rfcSuccess   = "S=407A5589115FD0D6209F510FE9C04566932CDA56"
	rfcMasterKey = "FD EC E3 71 7A 8C 83 8C B3 88 E5 27 AE 3C DD 31"
	rfcStart40   = "8B 7C DC 14 9B 99 3A 1B"
	rfcStart128  = "8B 7C DC 14 9B 99 3A 1B A1 18 CB 15 3F 56 DC CB"
)

func TestRFC2759Section9_2(t *testing.T) {
	t.Parallel()
	nt := NTHash(rfcPassword)
	if want := array[[16]byte](t, rfcNTHash); nt != want {
		t.Errorf("NTHash = %x, want %x", nt, want)
	}
	hashHash := HashHash(nt)
	if want := array[[16]byte](t, rfcHashHash); hashHash != want {
		t.Errorf("HashHash = %x, want %x", hashHash, want)
	}
	challenge := ChallengeHash(array[[16]byte](t, rfcPeer), array[[16]byte](t, rfcAuth), rfcUser)
	if want := array[[8]byte](t, rfcChallenge); challenge != want {
		t.Errorf("ChallengeHash = %x, want %x", challenge, want)
	}
	response := ChallengeResponse(challenge, nt)
	if want := array[[24]byte](t, rfcResponse); response != want {
		t.Errorf("ChallengeResponse = %x, want %x", response, want)
	}
	if got := AuthenticatorResponse(hashHash, response, challenge); string(got[:]) != rfcSuccess {
		t.Errorf("AuthenticatorResponse = %s, want %s", got, rfcSuccess)
	}
}

func TestRFC3079Section3_5(t *testing.T) {
	t.Parallel()
	hashHash, response := array[[16]byte](t, rfcHashHash), array[[24]byte](t, rfcResponse)
	if got, want := masterKey(hashHash, response), array[[16]byte](t, rfcMasterKey); got != want {
		t.Errorf("master key = %x, want %x", got, want)
	}
	send, recv := MasterKeys(hashHash, response)
	if want := array[[16]byte](t, rfcStart128); send != want {
		t.Errorf("§3.5.3 SendStartKey128 = %x, want %x", send, want)
	}
	if got, want := [8]byte(send[:8]), array[[8]byte](t, rfcStart40); got != want {
		t.Errorf("§3.5.1 SendStartKey40 = %x, want %x", got, want)
	}
	if recv == send {
		t.Error("both directions have one key")
	}
}

// TestMSCHAPv1 has the exchange of RFC 2433 appendix B.2, and the session key of
// RFC 3079 §2.5.3, which shows that peers start from the hash of the NT hash.
// That section prints the key twice, once with AC CA D1 in it; the other one,
// with AC C1 D1, is what SHA-1 gives and what its session key follows from.
func TestMSCHAPv1(t *testing.T) {
	t.Parallel()
	challenge := array[[8]byte](t, "10 2D B5 DF 08 5D 30 41")
	nt := NTHash("MyPw")
	if want := array[[16]byte](t, "FC 15 6A F7 ED CD 6C 0E DD E3 33 7D 42 7F 4E AC"); nt != want {
		t.Errorf("NTHash = %x, want %x", nt, want)
	}
	response := array[[24]byte](t, "4E 9D 3C 8F 9C FD 38 5D 5B F4 D3 24 67 91 95 6C A4 C3 51 AB 40 9A 3D 61")
	if !Verify(challenge, nt, response) {
		t.Error("the response of the RFC is refused")
	}

	keys := KeysV1(NTHash(rfcPassword))
	if lm := array[[8]byte](t, "00 00 00 00 00 00 00 00"); [8]byte(keys[:8]) != lm {
		t.Errorf("LM key = %x, want zeros", keys[:8])
	}
	session := sha1.Sum(slices.Concat(keys[8:], keys[8:], challenge[:]))
	want := array[[16]byte](t, "A8 94 78 50 CF C0 AC C1 D1 78 9F B6 2D DC DD B0")
	if [16]byte(session[:16]) != want {
		t.Errorf("a peer's InitialSessionKey = %x, want %x", session[:16], want)
	}
}

// TestDESKnownAnswers has one block each of what NIST's validation of DES calls
// variable plaintext, variable key and substitution table.
func TestDESKnownAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct{ key, block, want string }{
		{"01 01 01 01 01 01 01 01", "80 00 00 00 00 00 00 00", "95 F8 A5 E5 DD 31 D9 00"},
		{"80 01 01 01 01 01 01 01", "00 00 00 00 00 00 00 00", "95 A8 D7 28 13 DA A9 4D"},
		{"7C A1 10 45 4A 1A 6E 57", "01 A1 D6 D0 39 77 67 42", "69 0F 5B 0D 9A 26 93 9B"},
	}
	for _, tt := range tests {
		var key [7]byte
		for i, octet := range array[[8]byte](t, tt.key) {
			for bit := range 7 {
				n := 7*i + bit
				key[n/8] |= octet << bit & 0x80 >> (n % 8)
			}
		}
		if got, want := desBlock(key, array[[8]byte](t, tt.block)), array[[8]byte](t, tt.want); got != want {
			t.Errorf("key %s, block %s: %x, want %x", tt.key, tt.block, got, want)
		}
	}
}

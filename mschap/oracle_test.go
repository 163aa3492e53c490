package mschap

import (
	"bytes"
	"crypto/des"
	"math/bits"
	"math/rand/v2"
	"testing"

	"golang.org/x/crypto/md4" //nolint:staticcheck // MD4 is what RFC 2759 hashes with
	"layeh.com/radius/rfc2759"
	"layeh.com/radius/rfc3079"
)

// The oracles: other people's MD4, DES, MS-CHAPv2 and MPPE keys.

// rounds is how many random inputs each oracle gets.
const rounds = 3000

func oracleMD4(octets []byte) []byte {
	h := md4.New()
	_, _ = h.Write(octets)
	return h.Sum(nil)
}

// Only even lengths: what is hashed here is UTF-16 or an NT hash.
func TestMD4AgainstXCrypto(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	lengths := []int{0, 2, 54, 56, 58, 62, 64, 66, 118, 120, 122, 126, 128, 130, 1 << 16}
	for range 300 {
		lengths = append(lengths, 2*r.IntN(512))
	}
	for _, n := range lengths {
		octets := make([]byte, n)
		fill(r, octets)
		h := newMD4()
		for i := 0; i < n; i += 2 {
			h.write16(uint16(octets[i]) | uint16(octets[i+1])<<8)
		}
		if got, want := h.sum(), oracleMD4(octets); !bytes.Equal(got[:], want) {
			t.Errorf("%d octets: %x, want %x", n, got, want)
		}
	}
}

func TestPasswordsAgainstOracle(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	// Across the edges of a block: 28 units leave no room for the length, 32 fill it.
	passwords := []string{"", "a", "\U0001f600", "\ufeffbom", "nul\x00inside"}
	for n := 26; n <= 34; n++ {
		ascii := bytes.Repeat([]byte("x"), n)
		passwords = append(passwords, string(ascii), string(ascii[1:])+"\U00010437")
	}
	for range rounds {
		passwords = append(passwords, randomText(r, 400))
	}
	for _, password := range passwords {
		units, err := rfc2759.ToUTF16([]byte(password))
		if err != nil {
			t.Fatalf("%q: %v", password, err)
		}
		if got, want := NTHash(password), oracleMD4(units); !bytes.Equal(got[:], want) {
			t.Errorf("%q: %x, want %x", password, got, want)
		}
	}
}

func TestDESAgainstStandardLibrary(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	for i := range rounds {
		var key [7]byte
		var block [8]byte
		fill(r, key[:])
		fill(r, block[:])
		if i < 56 {
			key, block = [7]byte{}, [8]byte{}
			key[i/8] = 0x80 >> (i % 8)
		}
		c, err := des.NewCipher(withParity(key))
		if err != nil {
			t.Fatal(err)
		}
		var want [8]byte
		c.Encrypt(want[:], block[:])
		if got := desBlock(key, block); got != want {
			t.Fatalf("key %x, block %x: %x, want %x", key, block, got, want)
		}
	}
}

// withParity makes the 8 octets that crypto/des takes out of 7 (RFC 2759 §8.6).
func withParity(key [7]byte) []byte {
	out := make([]byte, 8)
	for n := range 56 {
		out[n/7] |= key[n/8] >> (7 - n%8) & 1 << (7 - n%7)
	}
	for i := range out {
		out[i] |= byte(1 &^ bits.OnesCount8(out[i]))
	}
	return out
}

func TestExchangeAgainstLayeh(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	for range rounds {
		x := randomExchange(r)
		user, password := []byte(x.user), []byte(x.password)
		response, err := rfc2759.GenerateNTResponse(x.auth[:], x.peer[:], user, password)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x.response[:], response) {
			t.Fatalf("%q: response %x, want %x", x.password, x.response, response)
		}
		if !Verify(x.challenge, NTHash(x.password), [24]byte(response)) {
			t.Fatalf("%q: the oracle's response is refused", x.password)
		}
		success, err := rfc2759.GenerateAuthenticatorResponse(x.auth[:], x.peer[:], response, user, password)
		if err != nil {
			t.Fatal(err)
		}
		hashHash := HashHash(NTHash(x.password))
		if got := AuthenticatorResponse(hashHash, x.response, x.challenge); string(got[:]) != success {
			t.Fatalf("%q: %s, want %s", x.password, got, success)
		}
		send, recv := MasterKeys(hashHash, x.response)
		for _, key := range []struct {
			got    [16]byte
			isSend bool
		}{{send, true}, {recv, false}} {
			want, err := rfc3079.MakeKey(response, password, key.isSend)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(key.got[:], want) {
				t.Fatalf("%q: key (send %v) %x, want %x", x.password, key.isSend, key.got, want)
			}
		}
	}
}

func FuzzNTHash_NoPanic(f *testing.F) {
	f.Add("")
	f.Add(rfcPassword)
	f.Add("\U0001f600 \xff \xed\xa0\x80")
	f.Fuzz(func(t *testing.T, password string) {
		units, err := rfc2759.ToUTF16([]byte(password))
		if err != nil {
			t.Skip(err)
		}
		if got, want := NTHash(password), oracleMD4(units); !bytes.Equal(got[:], want) {
			t.Errorf("%q: %x, want %x", password, got, want)
		}
	})
}

func FuzzChallengeHash_NoPanic(f *testing.F) {
	f.Add(make([]byte, 32), "")
	f.Add(make([]byte, 32), `CORP\bob`)
	f.Fuzz(func(t *testing.T, challenges []byte, user string) {
		if len(challenges) < 32 {
			t.Skip()
		}
		peer, auth := [16]byte(challenges), [16]byte(challenges[16:])
		user = StripDomain(user)
		got, want := ChallengeHash(peer, auth, user), rfc2759.ChallengeHash(peer[:], auth[:], []byte(user))
		if !bytes.Equal(got[:], want) {
			t.Errorf("%q: %x, want %x", user, got, want)
		}
	})
}

// TestSettler: as many exchanges as come, settled together, come out as one by one.
func TestSettler(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(21, 22))
	var s Settler
	for n := range 70 {
		all := make([]Accepted, n)
		for i := range all {
			fill(r, all[i].HashHash[:])
			fill(r, all[i].Response[:])
			fill(r, all[i].Challenge[:])
		}
		s.Settle(all)
		for i, a := range all {
			send, recv := MasterKeys(a.HashHash, a.Response)
			if success := AuthenticatorResponse(a.HashHash, a.Response, a.Challenge); a.Success != success || a.Send != send || a.Recv != recv {
				t.Fatalf("exchange %d of %d: %s %x %x, want %s %x %x", i, n, a.Success, a.Send, a.Recv, success, send, recv)
			}
		}
	}
}

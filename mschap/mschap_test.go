package mschap

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// desBlock enciphers one block on its own.
func desBlock(key [7]byte, block [8]byte) (out [8]byte) {
	var padded [8]byte
	copy(padded[1:], key[:])
	k := binary.BigEndian.Uint64(padded[:])
	var s subkeys
	s.schedule(&[3]uint64{^k << 8 >> 8, k, k ^ 1})
	three := s.encrypt(binary.BigEndian.Uint64(block[:]))
	binary.BigEndian.PutUint64(out[:], three[1])
	return out
}

// An exchange is one of a member who knows her password.
type exchange struct {
	user, password string
	peer, auth     [16]byte
	challenge      [8]byte
	response       [24]byte
}

func randomExchange(r *rand.Rand) exchange {
	x := exchange{user: randomText(r, 253), password: randomText(r, 64)}
	fill(r, x.peer[:])
	fill(r, x.auth[:])
	x.challenge = ChallengeHash(x.peer, x.auth, x.user)
	x.response = ChallengeResponse(x.challenge, NTHash(x.password))
	return x
}

// randomText has up to most octets of runes of all lengths in UTF-8, surrogate
// pairs in UTF-16 among them, and now and then an octet that is no UTF-8.
func randomText(r *rand.Rand, most int) string {
	ranges := [...][2]rune{{1, 0x7f}, {0x80, 0x7ff}, {0x800, 0xd7ff}, {0xe000, 0xffff}, {0x10000, 0x10ffff}}
	var b strings.Builder
	for n := r.IntN(most + 1); b.Len() < n; {
		if r.IntN(50) == 0 {
			b.WriteByte(0x80 + byte(r.IntN(0x80)))
			continue
		}
		from := ranges[r.IntN(len(ranges))]
		b.WriteRune(from[0] + r.Int32N(from[1]-from[0]+1))
	}
	return b.String()
}

func fill(r *rand.Rand, octets []byte) {
	for i := range octets {
		octets[i] = byte(r.Uint32())
	}
}

// A Key does what the functions do, and is never printed.
func TestKey(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var k Key
	for range 200 {
		x := randomExchange(r)
		nt := NTHash(x.password)
		if k.Is(&nt) {
			t.Error("the key of another password")
		}
		k.Init(nt)
		if !k.Is(&nt) || k.HashHash() != HashHash(nt) || !k.Verify(x.challenge, x.response) {
			t.Errorf("the key of %q", x.password)
		}
		x.response[r.IntN(24)] ^= 1
		if k.Verify(x.challenge, x.response) {
			t.Error("a wrong response")
		}
	}
	if got := fmt.Sprintf("%v %+v %x", &k, &k, &k); strings.Trim(got, "[redact] ") != "" {
		t.Errorf("a Key prints as %s", got)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	x := randomExchange(rand.New(rand.NewPCG(1, 2)))
	nt := NTHash(x.password)
	if !Verify(x.challenge, nt, x.response) {
		t.Fatal("the right response is refused")
	}
	for bit := range 8 * len(x.response) {
		wrong := x.response
		wrong[bit/8] ^= 1 << (bit % 8)
		if Verify(x.challenge, nt, wrong) {
			t.Fatalf("a response with bit %d changed is accepted", bit)
		}
	}
	if Verify(x.challenge, NTHash(x.password+"x"), x.response) {
		t.Error("the response of another password is accepted")
	}
	if Verify([8]byte{}, nt, x.response) {
		t.Error("the response to another challenge is accepted")
	}
	if Verify([8]byte{}, [16]byte{}, [24]byte{}) {
		t.Error("zero values are accepted")
	}
}

func TestStripDomain(t *testing.T) {
	t.Parallel()
	tests := []struct{ user, want string }{
		{`CORP\bob`, "bob"},
		{`CORP\Bob`, "Bob"},
		{"bob", "bob"},
		{"bob@x", "bob@x"},
		{"Bob@Example.COM", "Bob@Example.COM"},
		{`CORP\bob@x`, "bob@x"},
		{`A\B\bob`, `B\bob`},
		{`\bob`, "bob"},
		{`CORP\`, ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := StripDomain(tt.user); got != tt.want {
			t.Errorf("StripDomain(%q) = %q, want %q", tt.user, got, tt.want)
		}
	}
}

func TestOctetsThatAreNoUTF8(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, password, same string }{
		{"one octet", "a\xffb", "a\ufffdb"},
		{"a rune cut short", "\xe2\x82", "\ufffd\ufffd"},
		{"a surrogate in UTF-8", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
	}
	for _, tt := range tests {
		if NTHash(tt.password) != NTHash(tt.same) {
			t.Errorf("%s: %q and %q differ", tt.name, tt.password, tt.same)
		}
	}
}

func TestNamesOfAnyLength(t *testing.T) {
	t.Parallel()
	seen := map[[8]byte]int{}
	for _, n := range []int{0, 1, 253, maxStackUser - 1, maxStackUser, maxStackUser + 1, 300, 65536} {
		hash := ChallengeHash([16]byte{1}, [16]byte{2}, strings.Repeat("u", n))
		if other, ok := seen[hash]; ok {
			t.Errorf("names of %d and %d octets have one hash", other, n)
		}
		seen[hash] = n
	}
}

func TestNothingAllocates(t *testing.T) {
	x := randomExchange(rand.New(rand.NewPCG(3, 4)))
	x.user = strings.Repeat("u", maxStackUser)
	x.password = strings.Repeat("päss\U0001f600", 100)
	if n := testing.AllocsPerRun(100, func() {
		nt := NTHash(x.password)
		hashHash := HashHash(nt)
		challenge := ChallengeHash(x.peer, x.auth, StripDomain(x.user))
		Verify(challenge, nt, x.response)
		AuthenticatorResponse(hashHash, x.response, challenge)
		MasterKeys(hashHash, x.response)
		KeysV1(nt)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package md5many

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func (k kernel) String() string { return []string{"portable", "AVX2", "AVX-512"}[k] }

// eachKernel runs a test with every kernel that this CPU has.
func eachKernel(t *testing.T, test func(t *testing.T, k kernel)) {
	t.Helper()
	for _, k := range available() {
		t.Run(k.String(), func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// random returns n octets that are the same in every run.
func random(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// check compares each sum from Start with crypto/md5.
func check(t *testing.T, sums []Sum) {
	t.Helper()
	for i := range sums {
		if want := md5.Sum(sums[i].Data); sums[i].Out != want {
			t.Fatalf("sum %d of %d, %d octets: %x, want %x", i, len(sums), len(sums[i].Data), sums[i].Out, want)
		}
	}
}

// TestSuite is the test suite of RFC 1321 §A.5.
func TestSuite(t *testing.T) {
	t.Parallel()
	suite := [][2]string{
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a", "0cc175b9c0f1b6a831c399e269772661"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
		{strings.Repeat("1234567890", 8), "57edf4a22be3c955ac49da2e2107b67a"},
	}
	eachKernel(t, func(t *testing.T, k kernel) {
		sums := make([]Sum, len(suite))
		for i, c := range suite {
			sums[i] = Sum{From: Start(), Data: []byte(c[0])}
		}
		k.compute(sums)
		for i, c := range suite {
			if got := hex.EncodeToString(sums[i].Out[:]); got != c[1] {
				t.Errorf("MD5(%q) = %s, want %s", c[0], got, c[1])
			}
		}
	})
}

// TestLengths takes every length up to several blocks, alone and among others.
func TestLengths(t *testing.T) {
	t.Parallel()
	text := random(1, 300)
	eachKernel(t, func(t *testing.T, k kernel) {
		all := make([]Sum, 0, len(text)+1)
		for n := range len(text) + 1 {
			all = append(all, Sum{From: Start(), Data: text[:n]})
			alone := []Sum{all[n]}
			k.compute(alone)
			check(t, alone)
		}
		k.compute(all)
		check(t, all)
	})
}

// TestMixtures fills lanes with sums of random numbers and lengths, one of
// which is longer than a single call of a kernel may be.
func TestMixtures(t *testing.T) {
	t.Parallel()
	const octets = 40_000
	eachKernel(t, func(t *testing.T, k kernel) {
		text := random(2, octets)
		before := bytes.Clone(text)
		r := rand.New(rand.NewPCG(3, 0))
		for range 300 {
			sums := make([]Sum, r.IntN(100))
			most := []int{30, 70, 300, 4096}[r.IntN(4)]
			for i := range sums {
				from := r.IntN(octets - most)
				sums[i] = Sum{From: Start(), Data: text[from : from+r.IntN(most)]}
			}
			if len(sums) > 0 && most == 4096 {
				sums[r.IntN(len(sums))].Data = text
			}
			k.compute(sums)
			check(t, sums)
		}
		if !bytes.Equal(text, before) {
			t.Error("the data were written to")
		}
	})
}

// hmacMD5 builds RFC 2104 as package radiusd does: pads absorbed ahead, all
// inner sums at once, then all outer ones.
func hmacMD5(k kernel, keys, texts [][]byte) []Sum {
	inner, outer := make([]Sum, len(keys)), make([]Sum, len(keys))
	for i, key := range keys {
		if len(key) > blockSize {
			sum := md5.Sum(key)
			key = sum[:]
		}
		var ipad, opad [blockSize]byte
		copy(ipad[:], key)
		copy(opad[:], key)
		for j := range ipad {
			ipad[j] ^= 0x36
			opad[j] ^= 0x5c
		}
		inner[i] = Sum{From: Absorb(&ipad), Before: blockSize, Data: texts[i]}
		outer[i] = Sum{From: Absorb(&opad), Before: blockSize, Data: inner[i].Out[:]}
	}
	k.compute(inner)
	k.compute(outer)
	return outer
}

// TestHMAC has the vectors of RFC 2202 §2.
func TestHMAC(t *testing.T) {
	t.Parallel()
	count := make([]byte, 25)
	for i := range count {
		count[i] = byte(i + 1)
	}
	vectors := []struct {
		key, text []byte
		want      string
	}{
		{bytes.Repeat([]byte{0x0b}, 16), []byte("Hi There"), "9294727a3638bb1c13f48ef8158bfc9d"},
		{[]byte("Jefe"), []byte("what do ya want for nothing?"), "750c783e6ab0b503eaa86e310a5db738"},
		{bytes.Repeat([]byte{0xaa}, 16), bytes.Repeat([]byte{0xdd}, 50), "56be34521d144c88dbb8c733f0e8b3f6"},
		{count, bytes.Repeat([]byte{0xcd}, 50), "697eaf0aca3a3aea3a75164746ffaa79"},
		{bytes.Repeat([]byte{0x0c}, 16), []byte("Test With Truncation"), "56461ef2342edc00f9bab995690efd4c"},
		{bytes.Repeat([]byte{0xaa}, 80), []byte("Test Using Larger Than Block-Size Key - Hash Key First"), "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
		{bytes.Repeat([]byte{0xaa}, 80), []byte("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"), "6f630fad67cda0ee1fb1f562db3aa53e"},
	}
	keys, texts := make([][]byte, len(vectors)), make([][]byte, len(vectors))
	for i, v := range vectors {
		keys[i], texts[i] = v.key, v.text
	}
	eachKernel(t, func(t *testing.T, k kernel) {
		for i, sum := range hmacMD5(k, keys, texts) {
			if got := hex.EncodeToString(sum.Out[:]); got != vectors[i].want {
				t.Errorf("case %d: %s, want %s", i+1, got, vectors[i].want)
			}
		}
	})
}

// TestNoSums: nothing to do is nothing done.
func TestNoSums(t *testing.T) {
	t.Parallel()
	Compute(nil)
	eachKernel(t, func(_ *testing.T, k kernel) { k.compute(nil) })
}

// TestKernelFor: Compute is right on both sides of the number from which lanes pay.
func TestKernelFor(t *testing.T) {
	t.Parallel()
	best := available()[len(available())-1]
	if kernelFor(1) != portable || kernelFor(64) != best {
		t.Errorf("one sum by %v, 64 by %v; want portable and %v", kernelFor(1), kernelFor(64), best)
	}
	text := random(4, 80)
	for n := range 20 {
		sums := make([]Sum, n)
		for i := range sums {
			sums[i] = Sum{From: Start(), Data: text[i : 60+i]}
		}
		Compute(sums)
		check(t, sums)
	}
}

func TestNoAllocations(t *testing.T) { // not parallel: it counts the whole program's
	for _, k := range available() {
		n := testing.AllocsPerRun(100, func() {
			var text [200]byte
			var sums [40]Sum // neither they nor the text may be driven to the heap
			for i := range sums {
				sums[i] = Sum{From: Start(), Data: text[:5*i]}
			}
			k.compute(sums[:])
			Compute(sums[:])
		})
		if n != 0 {
			t.Errorf("%v allocates %v times", k, n)
		}
	}
}

// TestMovingStack computes on young goroutines of many depths, with text on the
// stack, so that stacks grow, and move, at every place where they can.
func TestMovingStack(t *testing.T) {
	t.Parallel()
	want := md5.Sum(make([]byte, 100))
	eachKernel(t, func(t *testing.T, k kernel) {
		var wg sync.WaitGroup
		for depth := range 200 {
			wg.Go(func() {
				if got := deep(k, depth); got != want {
					t.Errorf("depth %d: %x, want %x", depth, got, want)
				}
			})
		}
		wg.Wait()
	})
}

// deep computes at the given depth of calls, some hundred octets of stack each.
func deep(k kernel, depth int) [16]byte {
	var text [100]byte
	if depth > 0 {
		out := deep(k, depth-1)
		text[0] = out[0] // keeps the array alive over the call
		return out
	}
	sums := [3]Sum{{From: Start(), Data: text[:]}, {From: Start(), Data: text[:70]}, {From: Start(), Data: text[:]}}
	k.compute(sums[:])
	return sums[2].Out
}

// FuzzCompute_NoPanic cuts a text into sums and compares every kernel with crypto/md5.
func FuzzCompute_NoPanic(f *testing.F) {
	f.Add([]byte("one short text"), []byte{14})
	f.Add(random(5, 700), []byte{0, 1, 55, 56, 63, 64, 65, 119, 120, 128})
	f.Add(random(6, 4096), bytes.Repeat([]byte{60, 120, 250}, 20))
	f.Fuzz(func(t *testing.T, text, cuts []byte) {
		sums := make([]Sum, 0, len(cuts)+1)
		rest := text
		for _, c := range cuts {
			n := min(int(c), len(rest))
			sums = append(sums, Sum{From: Start(), Data: rest[:n]})
			rest = rest[n:]
		}
		sums = append(sums, Sum{From: Start(), Data: rest})
		for _, k := range available() {
			for i := range sums {
				sums[i].Out = [16]byte{}
			}
			k.compute(sums)
			check(t, sums)
		}
	})
}

// perSum reports what one sum takes.
func perSum(b *testing.B, sums int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(sums), "ns/sum")
}

// sized returns sums of texts from least to most octets long.
func sized(count, least, most int) []Sum {
	text, r := random(7, most+count), rand.New(rand.NewPCG(8, 0))
	sums := make([]Sum, count)
	for i := range sums {
		sums[i] = Sum{From: Start(), Data: text[i : i+least+r.IntN(most-least+1)]}
	}
	return sums
}

// benchmark runs every kernel and, beside it, crypto/md5.
func benchmark(b *testing.B, octets string, sums []Sum) {
	name := fmt.Sprintf("octets=%s/sums=%d/by=", octets, len(sums))
	for _, k := range available() {
		b.Run(name+k.String(), func(b *testing.B) {
			for b.Loop() {
				k.compute(sums)
			}
			perSum(b, len(sums))
		})
	}
	b.Run(name+"crypto", func(b *testing.B) {
		for b.Loop() {
			for i := range sums {
				sums[i].Out = md5.Sum(sums[i].Data)
			}
		}
		perSum(b, len(sums))
	})
}

// BenchmarkCompute takes what a full batch of packets asks: an outer sum of
// HMAC-MD5, a small and a larger packet, and packets as they come.
func BenchmarkCompute(b *testing.B) {
	for _, size := range []int{16, 120, 260} {
		benchmark(b, fmt.Sprint(size), sized(64, size, size))
	}
	benchmark(b, "60-260", sized(64, 60, 260))
}

// BenchmarkFew shows from how many sums on lanes pay: worthAVX512, worthAVX2.
func BenchmarkFew(b *testing.B) {
	for _, size := range []int{16, 120} {
		for _, count := range []int{1, 2, 3, 4, 8} {
			benchmark(b, fmt.Sprint(size), sized(count, size, size))
		}
	}
}

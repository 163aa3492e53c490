package radiustest

import (
	"net/netip"
	"testing"
)

// BenchmarkBuild is what a request costs the generator besides system calls.
func BenchmarkBuild(b *testing.B) {
	for _, mode := range []Method{Echo, PAP, MSCHAP, MSCHAPv2} {
		b.Run(string(mode), func(b *testing.B) {
			p := testPool(b, mode)
			dst := make([]byte, maxPacket)
			b.ReportAllocs()
			for b.Loop() {
				p.build(dst, 7)
			}
		})
	}
}

func testPool(tb testing.TB, mode Method) *pool {
	tb.Helper()
	l := &Load{
		Server: netip.MustParseAddrPort("127.0.0.1:1812"), Secret: testSecret, Mode: mode, Proofs: 64,
		Users:       []User{{"anna", "correct horse"}, {"bert", "a password of more than sixteen octets"}},
		AccessPoint: AccessPoint{Identifier: "ap1", SSID: "Members", Station: []byte{1, 2, 3, 4, 5, 6}},
	}
	c, err := l.complete()
	if err != nil {
		tb.Fatal(err)
	}
	p, err := newPool(c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

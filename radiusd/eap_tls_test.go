package radiusd

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"

	"memberradius/eap"
	"memberradius/radiusd/radiustest"
	"memberradius/radiusd/radiustest/peer"
)

// Flags of EAP-TLS (RFC 5216 §3.1), and where they stand.
const (
	flagsAt    = 5
	flagLength = 0x80
	flagMore   = 0x40
)

// typed makes a Response of the last Request's type.
func (d *device) typed(data ...byte) []byte {
	request := message(d.reply)
	return eap.Packet{Code: eap.Response, ID: request[1], Type: eap.Type(request[4]), Data: data}.Append(nil)
}

// T1: both sides' messages go in fragments of any size, each acknowledged, each
// with an Identifier of its own, the length on the first of several.
func TestT1Fragments(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		if method == radiustest.EAPMSCHAPv2 {
			t.Skip("no TLS")
		}
		options.Certificate = a.device("bob")
		for _, version := range versions {
			for _, size := range []int{1, 60, 300, 1400} {
				if size == 1 && (method != radiustest.TTLS || version == versions[0]) {
					continue // some 700 rounds: once is enough
				}
				options.FragmentSize, options.MTU, options.MaxTLS = max(size, 5), 64+size, version
				reply := r.ask(bobBy(method, options))
				if reply.Code != radiustest.AccessAccept || reply.Keys != radiustest.Right {
					t.Errorf("TLS %#x, %d octets: %v, keys %v", version, size, reply.Code, reply.Keys)
				}
			}
		}
	})
}

// T1: a message of more than 64 KiB is refused, declared or not, and takes no room.
func TestT1Bounds(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	for _, declared := range []uint32{1 << 31, 1<<32 - 1, 64<<10 + 1} {
		d := r.device(radiustest.TTLS, radiustest.EAP{}).reach(2)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d.packet = d.typed(append(binary.BigEndian.AppendUint32([]byte{flagLength | flagMore}, declared), 22, 3, 1)...)
		if reply := d.ask(); reply.Code != radiustest.AccessReject {
			t.Errorf("%d octets declared: %v", declared, reply.Code)
		}
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 64<<20 {
			t.Errorf("%d octets declared: %d allocated", declared, after.TotalAlloc-before.TotalAlloc)
		}
	}
	d := r.device(radiustest.TTLS, radiustest.EAP{}).reach(2)
	fragment := append([]byte{flagMore}, make([]byte, 2000)...)
	n := 0
	for ; n < 40; n++ {
		if d.packet = d.typed(fragment...); d.ask().Code != radiustest.AccessChallenge {
			break
		}
	}
	if n*2000 > 64<<10 || d.reply.Code != radiustest.AccessReject {
		t.Errorf("%v after %d octets", d.reply.Code, n*2000)
	}
	// A second length that is another one.
	d = r.device(radiustest.TTLS, radiustest.EAP{}).reach(2)
	for i, declared := range []uint32{1000, 1001} {
		d.packet = d.typed(append(binary.BigEndian.AppendUint32([]byte{flagLength | flagMore}, declared), 22, 3, 1)...)
		if reply := d.ask(); (reply.Code == radiustest.AccessChallenge) != (i == 0) {
			t.Errorf("length %d: %v", declared, reply.Code)
		}
	}
}

// T2: a message in one piece is taken with its length and without, and sent without.
func TestT2OnePiece(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	for _, withLength := range []bool{false, true} {
		d := r.device(radiustest.TTLS, radiustest.EAP{FragmentSize: 4000})
		whole := true
		for d.next() {
			if d.packet[4] == byte(eap.Nak) {
				continue
			}
			if flags := message(d.reply)[flagsAt]; whole && flags&(flagLength|flagMore) == flagLength {
				t.Errorf("round %d: flags %#x on a message in one piece", d.rounds, flags)
			} else {
				whole = flags&flagMore == 0
			}
			tlsData := d.packet[flagsAt+1:]
			if d.packet[flagsAt]&flagLength != 0 {
				tlsData = tlsData[4:]
			}
			data := append([]byte{0}, tlsData...)
			if withLength && len(tlsData) > 0 {
				data = slices.Concat(binary.BigEndian.AppendUint32([]byte{flagLength}, uint32(len(tlsData))), tlsData)
			}
			d.packet = d.typed(data...)
		}
		if d.reply.Code != radiustest.AccessAccept {
			t.Errorf("with length %v: %v", withLength, d.reply.Code)
		}
	}
}

// T9, T10 and RFC 9190 as a device sees them that objects to all that is not
// as it should be: every way and version, full and resumed.
func TestT10StrictDevice(t *testing.T) {
	t.Parallel()
	r, a := startEAP(t)
	every(t, func(t *testing.T, method radiustest.Method, options radiustest.EAP) {
		options.Certificate, options.CA, options.ServerName = a.device("bob"), a.roots, serverName
		for _, version := range versions {
			for _, early := range []bool{false, true} {
				options.Session, options.MinTLS, options.MaxTLS, options.Early = &peer.Session{}, version, version, early
				for resumed := range 2 {
					reply := r.ask(bobBy(method, options)) // its Faults are errors
					want := resumed == 1 && method != radiustest.EAPMSCHAPv2
					if reply.Code != radiustest.AccessAccept || reply.EAP.Resumed() != want || method != radiustest.EAPMSCHAPv2 && reply.EAP.Tunnel.Version != version {
						t.Errorf("TLS %#x, early %v: %v, resumed %v", version, early, reply.Code, reply.EAP.Resumed())
					}
				}
			}
		}
	})
}

// A Nak leads to the method that the device wants, and to a refusal that names
// both sides where there is none.
func TestNak(t *testing.T) {
	t.Parallel()
	r, _ := startEAP(t)
	for _, method := range []radiustest.Method{radiustest.PEAP, radiustest.TTLS, radiustest.EAPMSCHAPv2} {
		reply := r.ask(bobBy(method, radiustest.EAP{}))
		if offered := reply.EAP.Offered; reply.Code != radiustest.AccessAccept || offered[0] != peer.TypePEAP || len(offered) > 2 {
			t.Errorf("%s: %v, offered %v", method, reply.Code, offered)
		}
	}
	for name, nak := range map[string][]byte{
		"nothing": {3, 0}, "empty": {3}, "MD5 and LEAP": {3, 4, 17}, "what it was offered": {3, 25},
		"expanded": {254, 0, 0, 0, 0, 0, 0, 3, 254, 0, 0, 0, 0, 0, 0, 13}, "expanded, cut": {254},
	} {
		d := r.device(radiustest.PEAP, radiustest.EAP{}).reach(1)
		d.packet = eap.Packet{Code: eap.Response, ID: message(d.reply)[1], Type: eap.Type(nak[0]), Data: nak[1:]}.Append(nil)
		if reply := d.ask(); reply.Code != radiustest.AccessReject {
			t.Errorf("a Nak of %s: %v", name, reply.Code)
		}
		if s := r.Why("bob", 1)[0].Sentence(); !strings.Contains(s, "no EAP method in common") || !strings.Contains(s, "this server PEAP, TTLS, TLS, MSCHAPv2") {
			t.Errorf("a Nak of %s: %s", name, s)
		}
	}
	// First of all, and in the middle of a method, it makes no sense.
	d := r.device(radiustest.PEAP, radiustest.EAP{})
	d.packet = []byte{2, 9, 0, 6, 3, 21}
	if reply := d.ask(); reply.Code != radiustest.AccessReject {
		t.Errorf("a Nak before the identity: %v", reply.Code)
	}
	d = r.device(radiustest.PEAP, radiustest.EAP{}).reach(3)
	request := message(d.reply)
	d.packet = eap.Packet{Code: eap.Response, ID: request[1], Type: eap.Nak, Data: []byte{21}}.Append(nil)
	if reply := d.ask(); !bytes.Equal(message(reply), request) || reply.Values(typeErrorCause) == nil {
		t.Errorf("a Nak in the middle: %v", reply.Code)
	}
}

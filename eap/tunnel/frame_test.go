package tunnel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
)

// exchange has one frame send flight to another, each fragment acknowledged.
func exchange(t *testing.T, from, to *frame, room int) []byte {
	t.Helper()
	for n := 0; ; n++ {
		data := from.next(room)
		if len(data) > room {
			t.Fatalf("a fragment of %d octets in room for %d", len(data), room)
		}
		more, sized := data[0]&flagMore != 0, data[0]&flagLength != 0
		if sized != (n == 0 && more) {
			t.Fatalf("fragment %d has flags %#x: the length stands on the first of several alone", n, data[0])
		}
		flight, whole, err := to.receive(data)
		if err != nil || whole == more || whole == from.sending() {
			t.Fatalf("fragment %d: whole %t, %v", n, whole, err)
		}
		if whole {
			return flight
		}
		ack := to.next(room)
		if !bytes.Equal(ack, []byte{0}) {
			t.Fatalf("the acknowledgement is %x", ack)
		}
		if flight, whole, err := from.receive(ack); err != nil || !whole || len(flight) != 0 {
			t.Fatalf("the acknowledgement was read as %x, %t, %v", flight, whole, err)
		}
	}
}

// TestT1Fragments: what goes in comes out, in any size and room (RFC 5216 §2.1.5).
func TestT1Fragments(t *testing.T) {
	t.Parallel()
	random := rand.NewChaCha8([32]byte{})
	rooms := []int{20, 21, 59, 60, 100, 253, 254, 255, 256, 1000, 1019, 1399, 1400}
	sizes := []int{1, 2, 13, 14, 15, 18, 19, 20, 21, 59, 253, 1013, 1018, 1019, 1020, 2048, 4096, 16 << 10, maxMessage - 1, maxMessage}
	for _, room := range rooms {
		var a, b frame
		a.versioned, b.versioned = true, true
		for _, size := range sizes {
			if size/room > 2000 {
				continue
			}
			flight := make([]byte, size)
			_, _ = random.Read(flight)
			a.send(flight)
			if got := exchange(t, &a, &b, room); !bytes.Equal(got, flight) {
				t.Errorf("%d octets in fragments of %d came out as %d others", size, room, len(got))
			}
			b.send(flight[:size/2+1])
			if got := exchange(t, &b, &a, room); !bytes.Equal(got, flight[:size/2+1]) {
				t.Errorf("%d octets back in fragments of %d came out as %d others", size/2+1, room, len(got))
			}
		}
	}
	var f frame
	if got := f.next(20); !bytes.Equal(got, []byte{0}) {
		t.Errorf("nothing to send is %x", got)
	}
}

// sized is a fragment with the Length field.
func sized(flags byte, length uint32, data string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flags | flagLength}, length), data...)
}

func TestFrameTakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		parts [][]byte
		want  string
	}{
		{"one without a length (RFC 9190 §2.4)", [][]byte{{0, 'a', 'b'}}, "ab"},
		{"one with it", [][]byte{sized(0, 2, "ab")}, "ab"},
		{"the length on the first", [][]byte{sized(flagMore, 3, "ab"), {0, 'c'}}, "abc"},
		{"the length on each", [][]byte{sized(flagMore, 3, "a"), sized(flagMore, 3, "b"), sized(0, 3, "c")}, "abc"},
		{"no length at all", [][]byte{{flagMore, 'a'}, {flagMore, 'b'}, {0, 'c'}}, "abc"},
		{"the length on the last", [][]byte{{flagMore, 'a'}, {0, 'b'}}, "ab"},
		{"reserved bits (RFC 5216 §3.1)", [][]byte{{0x1f, 'a'}}, "a"},
	}
	for _, c := range tests {
		var f frame
		for i, part := range c.parts {
			flight, whole, err := f.receive(part)
			last := i == len(c.parts)-1
			if err != nil || whole != last || last && string(flight) != c.want {
				t.Errorf("%s, part %d: %q, %t, %v", c.name, i, flight, whole, err)
			}
		}
		if flight, whole, err := f.receive([]byte{0, 'x'}); string(flight) != "x" || !whole || err != nil {
			t.Errorf("%s: the next flight is %q, %t, %v", c.name, flight, whole, err)
		}
	}
}

func TestFrameRefuses(t *testing.T) {
	t.Parallel()
	full := append([]byte{flagMore}, make([]byte, 1000)...)
	var many [][]byte
	for range maxMessage/1000 + 1 {
		many = append(many, full)
	}
	tests := []struct {
		name  string
		parts [][]byte
		want  error
	}{
		{"no flags", [][]byte{{}}, errTruncated},
		{"a length that is not there", [][]byte{{flagLength, 0, 0, 1}}, errTruncated},
		{"more without data", [][]byte{{flagMore}}, errTruncated},
		{"more without data, again", [][]byte{sized(flagMore, 9, "a"), {flagMore}}, errTruncated},
		{"two different lengths", [][]byte{sized(flagMore, 3, "a"), sized(0, 2, "b")}, errLength},
		{"a length that comes late and is wrong", [][]byte{{flagMore, 'a'}, sized(0, 3, "b")}, errLength},
		{"fewer octets than the length", [][]byte{sized(flagMore, 3, "a"), {0, 'b'}}, errLength},
		{"more octets than the length", [][]byte{sized(flagMore, 2, "a"), {0, 'b', 'c'}}, errLength},
		{"64 KiB and one", [][]byte{sized(flagMore, maxMessage+1, "a")}, errTooLong},
		{"2 GiB (CVE-2012-4445's kind)", [][]byte{sized(flagMore, 1<<31, "a")}, errTooLong},
		{"4 GiB", [][]byte{sized(0, 1<<32-1, "a")}, errTooLong},
		{"more than 64 KiB and no word of it", many, errTooLong},
	}
	for _, c := range tests {
		var f frame
		for i, part := range c.parts {
			flight, whole, err := f.receive(part)
			if last := i == len(c.parts)-1; last && !errors.Is(err, c.want) || !last && (err != nil || whole) {
				t.Errorf("%s, part %d: %q, %t, %v", c.name, i, flight, whole, err)
			}
		}
	}
}

// TestM10Version: TTLS and PEAP have a version in their flags, and it is 0.
func TestM10Version(t *testing.T) {
	t.Parallel()
	for version := byte(0); version <= versionFlags; version++ {
		f := frame{versioned: true}
		if _, _, err := f.receive([]byte{version, 'a'}); (err == nil) != (version == 0) || version != 0 && !errors.Is(err, errVersion) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

func TestFrameHalfDuplex(t *testing.T) {
	t.Parallel()
	var f frame
	f.send(make([]byte, 100))
	f.next(20)
	if _, _, err := f.receive([]byte{0, 'a'}); !errors.Is(err, errUnasked) {
		t.Errorf("a message while ours is half out: %v", err)
	}
}

// TestT1NoMemoryOnCredit: what a peer says that it will send takes no memory.
func TestT1NoMemoryOnCredit(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	frames := make([]frame, 100)
	for i := range frames {
		_, _, _ = frames[i].receive(sized(flagMore, maxMessage, "a"))
		_, _, _ = frames[i].receive(sized(flagMore, 1<<31, "a"))
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 100<<10 {
		t.Errorf("100 announcements of 64 KiB and 2 GiB took %d octets", took)
	}
	runtime.KeepAlive(frames)
}

func FuzzFrame_NoPanic(f *testing.F) {
	f.Add([]byte{flagLength, 0, 0, 0, 2, 'a', 'b'}, byte(20))
	f.Add([]byte{flagMore, 'a'}, byte(255))
	f.Add([]byte{flagLength | flagMore, 0x80, 0, 0, 0}, byte(6))
	f.Fuzz(func(t *testing.T, octets []byte, size byte) {
		a := frame{versioned: size%2 == 0}
		for len(octets) > 0 {
			n := min(int(size)+1, len(octets))
			flight, whole, err := a.receive(octets[:n])
			octets = octets[n:]
			if err != nil {
				return
			}
			if len(a.in) > maxMessage || len(flight) > maxMessage || !whole && flight != nil {
				t.Fatalf("%d octets are kept, %d came out, whole %t", len(a.in), len(flight), whole)
			}
		}
	})
}

func FuzzFrame_RoundTrip(f *testing.F) {
	f.Add([]byte("a flight"), uint16(20))
	f.Add(make([]byte, 3000), uint16(1019))
	f.Fuzz(func(t *testing.T, flight []byte, room uint16) {
		if len(flight) == 0 || len(flight) > maxMessage || room < 20 || room > 1400 {
			return
		}
		var a, b frame
		a.send(flight)
		if got := exchange(t, &a, &b, int(room)); !bytes.Equal(got, flight) {
			t.Errorf("%d octets in fragments of %d came out as %d others", len(flight), room, len(got))
		}
	})
}

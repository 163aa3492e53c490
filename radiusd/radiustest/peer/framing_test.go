package peer

import (
	"bytes"
	"errors"
	"testing"
)

// TestFraming cuts messages and puts them together again, at every size about
// the borders.
func TestFraming(t *testing.T) {
	t.Parallel()
	for size := 1; size <= 40; size++ {
		for length := range 90 {
			message := bytes.Repeat([]byte{0xab}, length)
			out, in := outbox{size: size}, assembly{}
			out.put(message)
			for n := 0; ; n++ {
				f, err := parseFragment(out.next())
				if err != nil {
					t.Fatal(err)
				}
				if has, want := f.Flags&flagLength != 0, n == 0 && length > size; has != want || has && int(f.Total) != length {
					t.Fatalf("size %d, length %d: fragment %d has flags %#x, total %d", size, length, n, f.Flags, f.Total)
				}
				got, whole, fault, err := in.add(f)
				if err != nil || fault != "" || whole != !out.pending() {
					t.Fatalf("size %d, length %d: %t %q %v", size, length, whole, fault, err)
				}
				if whole {
					if !bytes.Equal(got, message) || n+1 != max(1, (length+size-1)/size) {
						t.Fatalf("size %d, length %d: %x in %d fragments", size, length, got, n+1)
					}
					break
				}
			}
		}
	}
}

// TestAssembly_Wrong is what does not fit together.
func TestAssembly_Wrong(t *testing.T) {
	t.Parallel()
	for name, fragments := range map[string][]fragment{
		"longer":       {{flagLength | flagMore, 3, []byte("ab")}, {flagMore, 0, []byte("cd")}},
		"shorter":      {{flagLength | flagMore, 9, []byte("ab")}, {0, 0, []byte("cd")}},
		"other length": {{flagLength | flagMore, 9, []byte("ab")}, {flagLength | flagMore, 8, []byte("cd")}},
		"huge":         {{flagLength, maxMessage + 1, nil}},
	} {
		var in assembly
		var err error
		for _, f := range fragments {
			_, _, _, err = in.add(f)
		}
		if err == nil || name != "huge" && !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A length that is never announced is no way around the bound.
	var in assembly
	var err error
	for range maxMessage/1000 + 1 {
		if _, _, _, err = in.add(fragment{Flags: flagMore, Data: make([]byte, 1000)}); err != nil {
			return
		}
	}
	t.Error("a message without a length may grow for ever")
}

// TestAVP_RFC5281 is a pair as RFC 5281 §10.1 draws it.
func TestAVP_RFC5281(t *testing.T) {
	t.Parallel()
	for digits, a := range map[string]avp{
		"00000001 4000000c 616e6e61":                  {Code: 1, Mandatory: true, Data: []byte("anna")},
		"00000001 0000000b 616e6e 00":                 {Code: 1, Data: []byte("ann")},
		"0000000b c0000014 00000137 3132333435363738": {Code: 11, Vendor: 311, Mandatory: true, Data: []byte("12345678")},
		"0000004f 40000008":                           {Code: 79, Mandatory: true, Data: []byte{}},
		"0000001a 8000000e 00000137 0102 0000":        {Code: 26, Vendor: 311, Data: []byte{1, 2}},
	} {
		want := unhex(t, digits)
		if got := a.append(nil); !bytes.Equal(got, want) {
			t.Errorf("%x, want %x", got, want)
		}
		all, err := parseAVPs(want)
		if err != nil || len(all) != 1 || all[0].Code != a.Code || all[0].Vendor != a.Vendor || all[0].Mandatory != a.Mandatory || !bytes.Equal(all[0].Data, a.Data) {
			t.Errorf("%s: %+v, %v", digits, all, err)
		}
		for n := 1; n < len(want)-3; n++ {
			if _, err := parseAVPs(want[:n]); !errors.Is(err, errMalformed) {
				t.Errorf("%s cut to %d octets: %v", digits, n, err)
			}
		}
	}
}

func TestTLV(t *testing.T) {
	t.Parallel()
	b := result(resultSuccess).append(tlv{Kind: tlvBinding, Value: []byte{1}}.append(nil))
	if want := unhex(t, "000c0001 01 80030002 0001"); !bytes.Equal(b, want) {
		t.Errorf("%x, want %x", b, want)
	}
	all, err := parseTLVs(b)
	if err != nil || len(all) != 2 || all[0].Kind != 12 || all[0].Mandatory || all[1].Kind != 3 || !all[1].Mandatory {
		t.Errorf("%+v, %v", all, err)
	}
	for _, n := range []int{1, 2, 3, 4, 6, 7, 8, 9, 10} {
		if _, err := parseTLVs(b[:n]); !errors.Is(err, errMalformed) {
			t.Errorf("cut to %d octets: %v", n, err)
		}
	}
}

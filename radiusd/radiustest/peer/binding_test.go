package peer

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// unhex reads digits, blanks between them left out.
func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestBinding_Microsoft is the example of MS-PEAP §4.4.1.3.2 and §4.4.3: tunnel
// key, the inner method's key, what follows from both, a server's TLV.
func TestBinding_Microsoft(t *testing.T) {
	t.Parallel()
	var tunnel [tunnelKeySize]byte
	copy(tunnel[:], unhex(t, "738BB5F462D58E7ED844E1F00D0EBE50C50A2050DE11997710D65F45FB5FBAB7E3181E924F429738"))
	inner := unhex(t, "673E961401BEFBA560717B3B5DDD40386567F9F416FD3E9DFC71163BDFF2FA95")
	k := bind(tunnel, inner, false)
	if want := unhex(t, "3A911C255473E83E9A0CC333AE1F8A35CDC74163 E7F60F6C65EF71C26442AAACA2B6F1EB4F25ECA3"); !bytes.Equal(k.ipmk[:], want) {
		t.Errorf("IPMK %x", k.ipmk)
	}
	if want := unhex(t, "3355353B6920D074C782E475DFB0999D4DB467EB"); !bytes.Equal(k.cmk[:], want) {
		t.Errorf("CMK %x", k.cmk)
	}
	request := unhex(t, "00000000 BDA7A599FA816521AD3064C2BDDBD16EAA949E7D98A8D794314 7CF425D85DA7B 0CBF105E9175574822 4FBB8300062691 1CFB1B0F")
	if err := k.verify(request); err != nil {
		t.Error(err)
	}
	for i := range request {
		wrong := bytes.Clone(request)
		wrong[i] ^= 1
		if k.verify(wrong) == nil {
			t.Errorf("octet %d may change", i)
		}
	}
	msk := k.msk()
	if want := unhex(t, "6A02D782201BC7138BF8EFF733B496970D7CAB30 0AC9577278E1DDD5AEF766971752D4E584A1C895"+
		"039B4D05E3BC9A8484DDC2AA6E2CE162765C4068 BFF65A45"); !bytes.Equal(msk[:], want) {
		t.Errorf("MSK %x", msk)
	}
}

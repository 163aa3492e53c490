package member

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFold(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, a, b string }{
		{"ASCII case", "Bob@Example.COM", "bob@example.com"},
		{"decomposed meets composed", "Jose\u0301", "JOSÉ"},
		{"sigma in all its forms", "ΟΔΥΣΣΕΥΣ", "οδυσσευς"},
		{"Kelvin sign", "\u212a", "k"},
		{"ASCII before the first letter that is not", "ABCÄ", "abcä"},
	}
	for _, tt := range tests {
		if a, b := FoldString(tt.a), FoldString(tt.b); a != b {
			t.Errorf("%s: %q and %q fold to %q and %q", tt.name, tt.a, tt.b, a, b)
		}
	}
	if a, b := FoldString("bob"), FoldString("rob"); a == b {
		t.Error("bob and rob fold alike")
	}
	if got := string(Fold([]byte("x/"), "Ä")); got != "x/ä" {
		t.Errorf("Fold after a prefix = %q", got)
	}
	if got := FoldString("a\xffB"); got != "a\xffb" {
		t.Errorf("octets that are no UTF-8 = %q", got)
	}
}

func TestFoldAllocatesNothing(t *testing.T) {
	login := "Bob@Example.com"
	known := map[string]bool{"bob@example.com": true}
	fold := func() {
		var buf [MaxLogin]byte
		if !known[string(Fold(buf[:0], login))] {
			t.Error("not found")
		}
	}
	if n := testing.AllocsPerRun(100, fold); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFold_RoundTrip(f *testing.F) {
	f.Add("Bob@Example.COM")
	f.Add("Jose\u0301 \xff ΣΑΣ")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > MaxLogin {
			return
		}
		once := FoldString(s)
		if twice := FoldString(once); twice != once {
			t.Errorf("%q folds to %q, and that to %q", s, once, twice)
		}
	})
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	hash := Hash{1, 2, 3, 0xca, 0xfe}
	cred := Credential{Password: "canary", NTHash: &hash, Argon2id: "$argon2id$canary"}
	attempt := Attempt{Proof: Proof{Kind: MSCHAPv2, Password: "canary"}}
	attempt.Proof.MSCHAP.Response[0] = 0xca
	asJSON, err := json.Marshal(cred)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		got := fmt.Sprintf(verb, cred) + fmt.Sprintf(verb, attempt) + fmt.Sprintf(verb, hash) + string(asJSON)
		for _, leak := range []string{"canary", "63616e617279", "0xca", "ca, fe"} {
			if strings.Contains(got, leak) {
				t.Errorf("%s prints %q: %s", verb, leak, got)
			}
		}
		if !strings.Contains(got, redacted) {
			t.Errorf("%s does not say %s: %s", verb, redacted, got)
		}
	}
}

func TestZeroValuesRefuse(t *testing.T) {
	t.Parallel()
	var a Answer
	if a.Verdict == Allow || a.Proved || a.Credential != nil {
		t.Errorf("the zero Answer lets in: %+v", a)
	}
	if k := (Proof{}).Kind; k != NoProof {
		t.Errorf("the zero Proof is %v", k)
	}
	var h Hours
	if _, open := h.Open(time.Now()); open {
		t.Error("empty Hours are open")
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	words := map[string]Reason{}
	for r := range Reasons {
		if r.String() == "" || r.Sentence() == "" {
			t.Errorf("reason %d has no word or no sentence", r)
		}
		if other, ok := words[r.String()]; ok {
			t.Errorf("reasons %d and %d share the word %q", r, other, r)
		}
		words[r.String()] = r
	}
	want := map[Reason]int{
		ReasonDisabled: 647, ReasonExpired: 648, ReasonOutOfHours: 646, ReasonWrongSSID: 649, ReasonWrongProof: 691, ReasonUnanswered: 691,
		ReasonUnknownDevice: 691, ReasonOtherDevice: 691, ReasonBlockedDevice: 647, ReasonDevices: 649, ReasonQuota: 649,
	}
	for r, code := range want {
		if r.Code() != code {
			t.Errorf("%v has code %d, want %d", r, r.Code(), code)
		}
	}
	for _, r := range []Reason{ReasonUnknownLogin, ReasonDisabled, ReasonExpired, ReasonOutOfHours, ReasonNoCredential, ReasonNoPlan, ReasonBlockedDevice, ReasonDevices, ReasonQuota} {
		said := r.BeforeProof()
		if said.Code() != 691 || said.Message() != ReasonWrongProof.Message() {
			t.Errorf("%v sounds different before a proof: %d %q", r, said.Code(), said.Message())
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		m    Member
		want Reason
	}{
		{"no bounds", Member{}, ReasonNone},
		{"disabled before all else", Member{Disabled: true, ValidUntil: now.Add(-time.Hour)}, ReasonDisabled},
		{"begins now", Member{ValidFrom: now}, ReasonNone},
		{"begins later", Member{ValidFrom: now.Add(time.Second)}, ReasonNotYetValid},
		{"ends now", Member{ValidUntil: now}, ReasonExpired},
		{"ends later", Member{ValidUntil: now.Add(time.Second)}, ReasonNone},
	}
	for _, tt := range tests {
		v, r := tt.m.Judge(now)
		if r != tt.want || (v == Allow) != (r == ReasonNone) {
			t.Errorf("%s: %v %v, want %v", tt.name, v, r, tt.want)
		}
	}
}

func TestAttemptAt(t *testing.T) {
	t.Parallel()
	received, later := time.Unix(1000, 0), time.Unix(2000, 0)
	now := func() time.Time { return later }
	if got := (&Attempt{Received: received}).At(now); !got.Equal(received) {
		t.Errorf("an attempt received at %v is judged by %v", received, got)
	}
	if got := (&Attempt{}).At(now); !got.Equal(later) {
		t.Errorf("an attempt of no time is judged by %v", got)
	}
}

func FuzzArgon2id_NoPanic(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$M6daiPe6tz+9L3yZOfVOPWabrR3zsy4Kzqj36NAXYug")
	f.Add("$argon2id$v=19$m=99999999999,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParseArgon2id(Secret(s)); err == nil && (p.Memory > maxArgonMemory || p.Passes > maxArgonPasses || len(p.Tag) < minArgonTag) {
			t.Errorf("%q costs %+v", s, p)
		}
	})
}

func TestParseArgon2id(t *testing.T) {
	t.Parallel()
	const good = "$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHQ$M6daiPe6tz+9L3yZOfVOPWabrR3zsy4Kzqj36NAXYug"
	a, err := ParseArgon2id(good)
	if err != nil || a.Memory != 64 || a.Passes != 2 || a.Threads != 1 || string(a.Salt) != "saltsalt" || len(a.Tag) != 32 {
		t.Errorf("%+v, %v", a, err)
	}
	for n := range len(good) - 20 {
		if _, err := ParseArgon2id(Secret(good[:n])); err == nil {
			t.Errorf("the first %d octets are a hash", n)
		}
	}
	for _, change := range [][2]string{
		{"argon2id", "argon2i"}, {"v=19", "v=16"}, {"m=64", "m=7"}, {"m=64", "m=262145"}, {"m=64", "m=064"}, {"t=2", "t=0"}, {"t=2", "t=11"},
		{"p=1", "p=9"}, {"p=1", "p=1,x=1"}, {"c2FsdHNhbHQ", "c2Fs"}, {"c2FsdHNhbHQ", "!"}, {"M6da", "M!da"},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if _, err := ParseArgon2id(Secret(bad)); err == nil || strings.Contains(err.Error(), "M6d") {
			t.Errorf("%s for %s: %v", change[1], change[0], err)
		}
	}
}

func TestParseVLAN(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"1", "77", "4094", "members", "Floor 3"} {
		if v, err := ParseVLAN(s); err != nil || string(v) != s {
			t.Errorf("ParseVLAN(%q) = %q, %v", s, v, err)
		}
	}
	for _, s := range []string{"", "0", "4095", "-1", "a\nb", strings.Repeat("x", 33)} {
		if v, err := ParseVLAN(s); err == nil {
			t.Errorf("ParseVLAN(%q) = %q, want an error", s, v)
		}
	}
	if n, ok := VLAN("77").Number(); !ok || n != 77 {
		t.Errorf("Number = %d, %v", n, ok)
	}
	if _, ok := VLAN("members").Number(); ok {
		t.Error("a name is a number")
	}
}

func TestHours(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tests := []struct {
		name, hours, now, until string // until "": closed; "always": no end
	}{
		{"in the middle", "Mon-Fri 08:00-20:00", "2026-11-23 12:00", "2026-11-23 20:00"},
		{"the first minute", "Mon-Fri 08:00-20:00", "2026-11-23 08:00", "2026-11-23 20:00"},
		{"the last minute", "Mon-Fri 08:00-20:00", "2026-11-23 20:00", ""},
		{"weekend", "Mon-Fri 08:00-20:00", "2026-11-22 12:00", ""},
		{"second part", "Mon-Fri 08:00-20:00, Sat 10:00-14:00", "2026-11-28 11:00", "2026-11-28 14:00"},
		{"over midnight, evening", "Fri 22:00-06:00", "2026-11-27 23:00", "2026-11-28 06:00"},
		{"over midnight, morning", "Fri 22:00-06:00", "2026-11-28 05:59", "2026-11-28 06:00"},
		{"over midnight, other morning", "Fri 22:00-06:00", "2026-11-27 05:00", ""},
		{"days around the weekend", "Sat-Mon", "2026-11-22 12:00", "2026-11-24 00:00"},
		{"every day", "06:00-24:00", "2026-11-22 12:00", "2026-11-23 00:00"},
		{"never closed", "Mon-Sun", "2026-11-22 12:00", "always"},
		{"parts that touch", "Mon 08:00-12:00, Mon 12:00-14:00", "2026-11-23 09:00", "2026-11-23 14:00"},
		{"a day of 23 hours", "Sun", "2026-03-29 01:00", "2026-03-30 00:00"},
	}
	for _, tt := range tests {
		h, err := ParseHours(tt.hours)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		until, open := h.Open(at(tt.now))
		switch {
		case open != (tt.until != ""):
			t.Errorf("%s: open = %v", tt.name, open)
		case tt.until == "always" && !until.IsZero():
			t.Errorf("%s: until %v, want no end", tt.name, until)
		case open && tt.until != "always" && !until.Equal(at(tt.until)):
			t.Errorf("%s: until %v, want %s", tt.name, until, tt.until)
		}
	}
	if _, open := (*Hours)(nil).Open(time.Now()); !open {
		t.Error("no hours are closed")
	}
	for _, s := range []string{"", "Mon-", "Funday 08:00-09:00", "08:00", "25:00-26:00", "Mon 08:00-08:00", "Mon 24:00-08:00", "Mon 08:00-09:00 x", ","} {
		if _, err := ParseHours(s); err == nil {
			t.Errorf("ParseHours(%q) takes it", s)
		}
	}
}

func TestParseRate(t *testing.T) {
	t.Parallel()
	for s, bits := range map[string]uint64{"50M": 50e6, "500k": 500e3, "500K": 500e3, "1G": 1e9, "9600": 9600} {
		if r, err := ParseRate(s); err != nil || r.Bits != bits || r.Text != s {
			t.Errorf("ParseRate(%q) = %+v, %v", s, r, err)
		}
	}
	for _, s := range []string{"", "M", "0", "-1M", "1.5M", "50 M", "50MB", "5000000000"} {
		if r, err := ParseRate(s); err == nil {
			t.Errorf("ParseRate(%q) = %+v, want an error", s, r)
		}
	}
}

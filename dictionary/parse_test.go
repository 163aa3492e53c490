package dictionary

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write puts files into a folder of the test's own, and returns the first one's path.
func write(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

func with(t testing.TB, text string) *Dictionary {
	t.Helper()
	d, err := Builtin().With(write(t, "dictionary", text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func attribute(t testing.TB, d *Dictionary, name string) *Attribute {
	t.Helper()
	a, ok := d.ByName(name)
	if !ok {
		t.Fatalf("no attribute %s", name)
	}
	return a
}

const acme = `
# an operator's file
VENDOR Acme 99999
BEGIN-VENDOR Acme
ATTRIBUTE Acme-Text 1 string	# a comment
attribute Acme-Number 0x02 integer
VALUE Acme-Number Low 1
VALUE Acme-Number High 0x10
ATTRIBUTE Acme-Key 3 octets[4]
ATTRIBUTE Acme-Password 4 string encrypt=2
ATTRIBUTE Acme-Odd 5 string frobnicate
ATTRIBUTE Acme-Binary 6 abinary
ATTRIBUTE Acme-TLV 7 tlv
BEGIN-TLV Acme-TLV
ATTRIBUTE Acme-Inner 1 string
END-TLV Acme-TLV
ATTRIBUTE Acme-Inner-2 7.2 string
ATTRIBUTE Acme-Far 256 string
END-VENDOR Acme
ATTRIBUTE Acme-Outside 26.99999.8 string
ATTRIBUTE Acme-Old-Form 9 string Acme
ATTRIBUTE Server-Only 1234 string
`

func TestOperatorsFile(t *testing.T) {
	t.Parallel()
	d := with(t, acme)
	for _, c := range []struct {
		name   string
		vendor uint32
		number uint32
		value  string
		want   string // in hex, or what the error says
	}{
		{"acme-TEXT", 99999, 1, "hi", "1a0a0001869f01046869"},
		{"Acme-Number", 99999, 2, "HIGH", "1a0c0001869f020600000010"},
		{"Acme-Key", 99999, 3, "0x01020304", "1a0c0001869f030601020304"},
		{"Acme-Key", 99999, 3, "0x010203", "3 octets: 4 are needed"},
		{"Acme-Password", 99999, 4, "x", "it can't be sent: it travels encrypted"},
		{"Acme-Odd", 99999, 5, "x", `it can't be sent: its flag "frobnicate" at `},
		{"Acme-Binary", 99999, 6, "x", "it can't be sent: type abinary is not supported"},
		{"Acme-TLV", 99999, 7, "x", "it can't be sent: it is of type tlv"},
		{"Acme-Inner", 99999, 1, "x", "it can't be sent: it lies inside another attribute"},
		{"Acme-Inner-2", 99999, 2, "x", "it can't be sent: it lies inside another attribute"},
		{"Acme-Far", 99999, 256, "x", "it can't be sent: its number is over 255"},
		{"Acme-Outside", 99999, 8, "x", "1a090001869f080378"},
		{"Acme-Old-Form", 99999, 9, "x", "1a090001869f090378"},
		{"Server-Only", 0, 1234, "x", "it can't be sent: its number is not from 1 to 255"},
		{"Vendor-Specific", 0, 26, "x", "it can't be sent: a vendor's attribute is written by its own name"},
		{"User-Password", 0, 2, "x", "it can't be sent: it travels encrypted"},
	} {
		a := attribute(t, d, c.name)
		if a.Vendor != c.vendor || a.Number != c.number {
			t.Errorf("%s is %d of %d", c.name, a.Number, a.Vendor)
		}
		got, err := a.Append(nil, c.value)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) || got != nil {
				t.Errorf("%s: %v, %x; want %s", c.name, err, got, c.want)
			}
			continue
		}
		if fmt.Sprintf("%x", got) != c.want {
			t.Errorf("%s = %s: %x, want %s", c.name, c.value, got, c.want)
		}
	}
	if _, ok := d.ByNumber(99999, 1); !ok {
		t.Error("no attribute by number")
	}
	if a, _ := d.ByNumber(99999, 1); a.Name != "Acme-Text" {
		t.Errorf("number 1 is %s: one inside another took its place", a.Name)
	}
	if name, ok := d.Vendor(99999); !ok || name != "Acme" {
		t.Errorf("vendor %q", name)
	}
	if _, ok := Builtin().ByName("Acme-Text"); ok {
		t.Error("the built-in dictionary has changed")
	}
}

func TestErrorsNameFileAndLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, line, want string }{
		{"\n\nALIAS x 1 string\n", ":3: ", `"ALIAS" is no word`},
		{"ATTRIBUTE x 1\n", ":1: ", "needs a name, a number and a type"},
		{"ATTRIBUTE x 1 strnig\n", ":1: ", `type "strnig" is unknown`},
		{"ATTRIBUTE x 1.a string\n", ":1: ", `number "1.a"`},
		{"ATTRIBUTE x 99999999999 string\n", ":1: ", `number "99999999999"`},
		{"ATTRIBUTE x 1.1.1.1.1.1.1.1.1 string\n", ":1: ", "number "},
		{"ATTRIBUTE x 200 octets[0]\n", ":1: ", "a length of 1 to 255"},
		{"ATTRIBUTE x 200 octets[3\n", ":1: ", "a length of 1 to 255"},
		{"ATTRIBUTE x\x1b 200 string\n", ":1: ", `name "x\x1b"`},
		{"ATTRIBUTE " + strings.Repeat("x", 200) + " 1 string\n", ":1: ", "longer than 128"},
		{"ATTRIBUTE x 26.4242.1 string\n", ":1: ", "vendor 4242 is unknown"},
		{"VALUE Service-Type\n", ":1: ", "VALUE needs"},
		{"VALUE Service-Type x -1\n", ":1: ", `number "-1"`},
		{"VALUE Service-Type x 0x1ffffffff\n", ":1: ", "one of 32 bits is needed"},
		{"VALUE Nowhere x 1\n\n", ":1: ", "attribute Nowhere, which is nowhere defined"},
		{"VENDOR x\n", ":1: ", "VENDOR needs"},
		{"VENDOR x 0\n", ":1: ", "no enterprise number"},
		{"VENDOR x 77777 format=3,1\n", ":1: ", "t of 1, 2 or 4"},
		{"VENDOR x 77777 format=1\n", ":1: ", "format=t,l is needed"},
		{"VENDOR x 77777 format=1,1,d\n", ":1: ", "only c may follow"},
		{"VENDOR Mikrotik 1\n", ":1: ", "vendor Mikrotik is 1 here, but 14988 at built-in mikrotik.dictionary:"},
		{"VENDOR Other 14988 format=2,2\n", ":1: ", "another format here than at built-in mikrotik.dictionary:"},
		{"BEGIN-VENDOR Nobody\n", ":1: ", "vendor Nobody is unknown"},
		{"BEGIN-VENDOR\n", ":1: ", "needs a vendor's name"},
		{"BEGIN-VENDOR WISPr\nBEGIN-VENDOR WISPr\n", ":2: ", "inside that of WISPr"},
		{"# x\nBEGIN-VENDOR WISPr\nATTRIBUTE y 200 string\n", ":2: ", "has no END"},
		{"END-VENDOR WISPr\n", ":1: ", "without BEGIN-VENDOR"},
		{"BEGIN-VENDOR WISPr\nEND-VENDOR HP\n", ":2: ", "END-VENDOR WISPr is needed"},
		{"BEGIN-TLV Nothing\n", ":1: ", "attribute Nothing is unknown"},
		{"BEGIN-TLV User-Name\n", ":1: ", "is no tlv"},
		{"END-TLV x\n", ":1: ", "without BEGIN-TLV"},
		{"ATTRIBUTE x 200 tlv\nBEGIN-TLV x\nEND-TLV y\n", ":3: ", "END-TLV x is needed"},
		{"ATTRIBUTE x 200 tlv\n\nBEGIN-TLV x\n", ":3: ", "has no END"},
		{"$INCLUDE\n", ":1: ", "needs one file name"},
		{"\n$INCLUDE missing\n", ":2: ", "missing: no such file"},
	} {
		path := write(t, "dictionary", c.text)
		_, err := Builtin().With(path)
		if err == nil {
			t.Errorf("%q: no error", c.text)
			continue
		}
		if msg := err.Error(); !strings.HasPrefix(msg, "dictionary: "+path+c.line) || !strings.Contains(msg, c.want) {
			t.Errorf("%.60q:\n got %s\nwant %s%s", c.text, msg, c.line, c.want)
		}
	}
}

func TestRedefinition(t *testing.T) {
	t.Parallel()
	t.Run("identical", func(t *testing.T) {
		t.Parallel()
		d := with(t, "VENDOR Mikrotik 14988\nBEGIN-VENDOR Mikrotik\nATTRIBUTE Mikrotik-Rate-Limit 8 string\nEND-VENDOR Mikrotik\nVALUE Service-Type Framed-User 2\n")
		if got := attribute(t, d, "Service-Type").Text([]byte{0, 0, 0, 2}); got != "Framed-User" {
			t.Error(got)
		}
	})
	t.Run("another number names both places", func(t *testing.T) {
		t.Parallel()
		path := write(t, "dictionary", "\nATTRIBUTE filter-id 200 string\n")
		_, err := Builtin().With(path)
		want := "dictionary: " + path + ":2: attribute filter-id is number 200 here, but number 11 at built-in rfc2865.dictionary:"
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	})
	t.Run("another number of a value names both places", func(t *testing.T) {
		t.Parallel()
		path := write(t, "dictionary", "VALUE Tunnel-Type vlan 14\n")
		_, err := Builtin().With(path)
		want := "dictionary: " + path + ":1: VALUE vlan of Tunnel-Type is 14 here, but 13 at built-in rfc3580.dictionary:"
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	})
	t.Run("a second name is an alias, and as secret as the first", func(t *testing.T) {
		t.Parallel()
		d := with(t, "ATTRIBUTE My-Password 2 string\nATTRIBUTE My-Challenge 60 octets\nATTRIBUTE My-Service 6 integer\nVALUE My-Service Guest 99\nATTRIBUTE Tunnel-Password 69 string\n")
		for _, name := range []string{"My-Password", "My-Challenge", "Tunnel-Password"} {
			if got := attribute(t, d, name).Text([]byte("abc")); got != "[redacted]" {
				t.Errorf("%s shows %s", name, got)
			}
		}
		if _, err := attribute(t, d, "My-Password").Append(nil, "abc"); err == nil || strings.Contains(err.Error(), "abc") {
			t.Errorf("an encrypted attribute was written: %v", err)
		}
		a, _ := d.ByNumber(0, 6)
		if got := a.Name + " " + a.Text([]byte{0, 0, 0, 99}) + " " + a.Text([]byte{0, 0, 0, 2}); got != "My-Service Guest Framed-User" {
			t.Error(got)
		}
		if got := attribute(t, Builtin(), "Service-Type").Text([]byte{0, 0, 0, 99}); got != "99" {
			t.Errorf("the built-in dictionary has changed: %s", got)
		}
	})
	t.Run("the last type holds", func(t *testing.T) {
		t.Parallel()
		d := with(t, "ATTRIBUTE Filter-Id 11 octets\n")
		if a := attribute(t, d, "Filter-Id"); a.Type != Octets {
			t.Error(a.Type)
		}
	})
	t.Run("a value more does not reach the built-in dictionary", func(t *testing.T) {
		t.Parallel()
		d := with(t, "VALUE NAS-Port-Type Space-Laser 77\n")
		value := []byte{0, 0, 0, 77}
		a, _ := d.ByNumber(0, 61)
		if got := a.Text(value) + " " + attribute(t, d, "NAS-Port-Type").Text(value); got != "Space-Laser Space-Laser" {
			t.Error(got)
		}
		if got := attribute(t, Builtin(), "NAS-Port-Type").Text(value); got != "77" {
			t.Errorf("the built-in dictionary has changed: %s", got)
		}
	})
	t.Run("a value before its attribute", func(t *testing.T) {
		t.Parallel()
		d := with(t, "VALUE Later One 1\nATTRIBUTE Later 200 byte\n")
		if got := attribute(t, d, "Later").Text([]byte{1}); got != "One" {
			t.Error(got)
		}
	})
	t.Run("too many values", func(t *testing.T) {
		t.Parallel()
		var s strings.Builder
		for i := range maxValues + 1 {
			fmt.Fprintf(&s, "VALUE Port-Limit v%d %d\n", i, i)
		}
		if _, err := Builtin().With(write(t, "dictionary", s.String())); err == nil || !strings.Contains(err.Error(), "more than 10000 values") {
			t.Error(err)
		}
	})
}

func TestInclude(t *testing.T) {
	t.Parallel()
	t.Run("relative to the file that includes", func(t *testing.T) {
		t.Parallel()
		path := write(t, "dictionary", "$INCLUDE sub/one\n$INCLUDE- sub/missing\n",
			"sub/one", "$INCLUDE two\n$INCLUDE two\nATTRIBUTE One 201 string\n", "sub/two", "ATTRIBUTE Two 202 string\n")
		d, err := Builtin().With(path)
		if err != nil {
			t.Fatal(err)
		}
		attribute(t, d, "One")
		attribute(t, d, "Two")
	})
	t.Run("an error is where it is", func(t *testing.T) {
		t.Parallel()
		path := write(t, "dictionary", "\n$INCLUDE sub/one\n", "sub/one", "# fine\nNONSENSE\n")
		_, err := Builtin().With(path)
		if want := filepath.Join(filepath.Dir(path), "sub/one") + ":2: "; err == nil || !strings.HasPrefix(err.Error(), "dictionary: "+want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	})
	t.Run("a file that includes itself", func(t *testing.T) {
		t.Parallel()
		path := write(t, "dictionary", "$INCLUDE sub/../one\n", "one", "$INCLUDE dictionary\n", "sub/x", "")
		_, err := Builtin().With(path)
		if err == nil || !strings.Contains(err.Error(), "one:1: ") || !strings.Contains(err.Error(), "includes itself") {
			t.Error(err)
		}
	})
	t.Run("too deep", func(t *testing.T) {
		t.Parallel()
		var files []string
		for i := range 30 {
			files = append(files, fmt.Sprint("d", i), fmt.Sprintf("$INCLUDE d%d\n", i+1))
		}
		if _, err := Builtin().With(write(t, files...)); err == nil || !strings.Contains(err.Error(), "d15:1: ") || !strings.Contains(err.Error(), "17 deep") {
			t.Error(err)
		}
	})
	t.Run("too many", func(t *testing.T) {
		t.Parallel()
		files := []string{"d0", ""}
		for i := range 13 {
			files = append(files, fmt.Sprint("d", i+1), strings.Repeat(fmt.Sprintf("$INCLUDE d%d\n", i), 2))
		}
		files = append([]string{"dictionary", "$INCLUDE d13\n"}, files...)
		if _, err := Builtin().With(write(t, files...)); err == nil || !strings.Contains(err.Error(), "more than 2000 files") {
			t.Error(err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		if _, err := Builtin().With(write(t, "dictionary", strings.Repeat("#\n", maxFileSize/2+1))); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
			t.Error(err)
		}
	})
	t.Run("missing, and a folder", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		for _, path := range []string{dir, filepath.Join(dir, "missing")} {
			if _, err := Builtin().With(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Error(err)
			}
		}
	})
}

func FuzzParse_NoPanic(f *testing.F) {
	f.Add(acme)
	f.Add("BEGIN-TLV x\nVALUE a b 0x\nVENDOR v 1 format=1,1,c\nBEGIN-VENDOR v parent=x\nATTRIBUTE y 241.1.2 evs concat,array\nEND-VENDOR v")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToUpper(text), "$INCLUDE") {
			return // no files in a fuzz run
		}
		d := newDictionary()
		p := newParser(d)
		if p.parse("fuzz", []byte(text)) != nil || p.finish() != nil {
			return
		}
		for _, a := range d.byName {
			if out, err := a.Append(nil, "1"); err == nil && len(out) < 3 {
				t.Errorf("%s: %x", a.Name, out)
			}
		}
	})
}

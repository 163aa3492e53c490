package file

import (
	"fmt"
	"strings"
	"testing"

	"memberradius/member"

	"github.com/BurntSushi/toml"
)

func TestDecodeFaults(t *testing.T) {
	t.Parallel()
	const head = "# first line\n[[member]]\nlogin = \"a\"\n"
	tests := []struct{ name, text, want string }{
		{"empty", " \n", "m.toml: the file is empty"},
		{"syntax", head + "password = hunter2\n", "m.toml:4: not valid TOML"},
		{"unknown key", head + "pasword = \"x\"\n", "m.toml:4: pasword: is not known"},
		{"unknown table", head + "[plan]\nx = 1\n", "m.toml: plan: is not known"},
		{"unknown key before", "plan = 1\n" + head, "m.toml:1: plan: is not known"},
		{"member is no list", "[member]\nlogin = \"a\"\n", "member: is not a list"},
		{"no login", "[[member]]\nname = \"A\"\n", "m.toml:1: login: is missing"},
		{"empty login", "[[member]]\nlogin = \"\"\n", "m.toml:2: login: is empty"},
		{"long login", "[[member]]\nlogin = \"" + strings.Repeat("a", 254) + "\"\n", "m.toml:2: login: has 254 octets"},
		{"login is a number", "[[member]]\nlogin = 7\n", "m.toml:2: login: must be text"},
		{"same login", head + "\n[[ member ]] # her again\nname = \"\"\"\nlogin = \"x\"\n\"\"\"\nlogin = \"A\"\n", `m.toml:9: login: "A" is the same login as in line 3`},
		{"two credentials", head + "password = \"x\"\nnt_hash = \"8846F7EAEE8FB117AD06BDD830B7586C\"\n", "m.toml:5: nt_hash: stands beside password"},
		{"empty password", head + "password = \"\"\n", "m.toml:4: password: is empty"},
		{"short NT hash", head + "nt_hash = \"8846\"\n", "m.toml:4: nt_hash: must be 32"},
		{"NT hash not hex", head + "nt_hash = \"8846F7EAEE8FB117AD06BDD830B7586X\"\n", "m.toml:4: nt_hash: must be 32"},
		{"argon2id memory", head + "password_hash = \"$argon2id$v=19$m=1048576,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG\"\n", "m.toml:4: password_hash: has m=1048576; 32 to 262144"},
		{"argon2id passes", head + "password_hash = \"$argon2id$v=19$m=65536,t=11,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG\"\n", "has t=11; 1 to 10"},
		{"argon2id threads", head + "password_hash = \"$argon2id$v=19$m=65536,t=3,p=9$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG\"\n", "has p=9; 1 to 8"},
		{"argon2id memory for its threads", head + "password_hash = \"$argon2id$v=19$m=8,t=3,p=8$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG\"\n", "has m=8; 64 to"},
		{"argon2i", head + "password_hash = \"$argon2i$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG\"\n", "must be an argon2id hash"},
		{"vlan 4095", head + "vlan = 4095\n", "m.toml:4: vlan: VLAN 4095"},
		{"vlan 0", head + "vlan = 0\n", "m.toml:4: vlan: VLAN 0"},
		{"vlan is a list", head + "vlan = [1]\n", "m.toml:4: vlan: must be a number"},
		{"plan is a number", head + "plan = 3\n", "m.toml:4: plan: must be a plan's name"},
		{"plan with a number", head + "plan = [\n  \"a\",\n  3,\n]\nvlan = 0\n", "m.toml:8: vlan"},
		{"devices", head + "devices = -1\n", "m.toml:4: devices: must be a number"},
		{"disabled is text", head + "disabled = \"no\"\n", "m.toml:4: disabled: must be true or false"},
		{"local time", head + "valid_until = 2026-01-01T00:00:00\n", "m.toml:4: valid_until: must be a date, a time and an offset"},
		{"date alone", head + "valid_until = 2026-01-01\n", "m.toml:4: valid_until: must be"},
		{"never valid", head + "valid_from = 2026-01-02T00:00:00Z\nvalid_until = 2026-01-01T00:00:00Z\n", "m.toml:5: valid_until: is not after"},
	}
	for _, tt := range tests {
		_, err := decode("m.toml", "staff", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestDecodeSaysAllFaultsUpToABound(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for range 100 {
		text.WriteString("[[member]]\n")
	}
	_, err := decode("m.toml", "staff", []byte(text.String()))
	if n := len(strings.Split(err.Error(), "\n")); n != maxFaults+1 {
		t.Errorf("%d lines of faults", n)
	}
}

// TestNoSecretInErrors: what stands where a password stands is in no error,
// wherever the fault is.
func TestNoSecretInErrors(t *testing.T) {
	t.Parallel()
	const canary = "hunter2canary"
	for _, text := range []string{
		"password = " + canary, "password = '" + canary, `password = "` + canary, `password = "a"` + canary + `"`, `password "` + canary + `"`,
		`password = "` + canary + `" x`, `password = "` + canary + `\q"`, "nt_hash = \"" + canary + "\"", `password_hash = "` + canary + `"`,
		`password_hash = "$argon2id$v=19$m=65536,t=3,p=4$` + canary + `!$` + canary + `"`, `password = ["` + canary + `"]`, `password = '''` + canary,
		`password = """` + canary, "password = \"" + canary + "\"\nnt_hash = \"" + canary + "\"", "password = { x = \"" + canary + "\" }",
		"password = \"" + canary + "\"\npassword = \"" + canary + "\"", "password = \"" + strings.Repeat(canary, 20) + "\"",
		"password = 'a" + canary + "'b" + canary + "'",
	} {
		_, err := decode("m.toml", "staff", []byte("[[member]]\nlogin = \"a\"\n"+text+"\n"))
		if err == nil {
			t.Errorf("%s: no error", text)
			continue
		}
		if strings.Contains(err.Error(), canary) || strings.Contains(fmt.Sprintf("%#v", err), canary) {
			t.Errorf("%s: the error shows it: %v", text, err)
		}
	}
}

// TestNoDigitsInErrors: the parser quotes what it takes for a bad number.
func TestNoDigitsInErrors(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"0815471100", "08__15471100", "99999999908154711009", "0815471100.", "2026-99-0815471100"} {
		_, err := decode("m.toml", "staff", []byte("[[member]]\nlogin = \"a\"\npassword = "+password+"\n"))
		if err == nil || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "5471100") {
			t.Errorf("%s: %v", password, err)
		}
	}
}

func seeds(f *testing.F) {
	f.Add([]byte(twoMembers))
	f.Add([]byte("[[member]]\nlogin='a'\n'name' = \"\"\"x\n\"\"\"\"\"\nplan=[\n'a', # b\n'c']\n"))
	f.Add([]byte("member = [{login = \"a\"}, {login = \"A\"}]\n"))
	f.Add([]byte("[[member]]\nlogin = \"a\"\nvlan = \"x\"\nvalid_until = 2099-01-01T00:00:00Z"))
	f.Add([]byte("\"a\" . b = 1\n[[member]]"))
}

func FuzzMembers_NoPanic(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		locate(text)
		members, err := decode("m.toml", "staff", text)
		if err != nil {
			return
		}
		for folded, r := range members {
			if folded != member.FoldString(r.Member.Login) || r.Member.Login == "" || len(r.Member.Login) > member.MaxLogin {
				t.Errorf("%q stands under %q", r.Member.Login, folded)
			}
		}
	})
}

// FuzzMembers_RoundTrip writes what was read and reads it again.
func FuzzMembers_RoundTrip(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		members, err := decode("m.toml", "staff", text)
		if err != nil || len(members) == 0 {
			return
		}
		var again strings.Builder
		var tables []map[string]any
		for _, r := range members {
			table := map[string]any{"login": r.Member.Login, "name": r.Member.Name, "team": r.Member.Team, "disabled": r.Member.Disabled, "devices": r.Member.Devices}
			if r.Member.VLAN != "" {
				table["vlan"] = string(r.Member.VLAN)
			}
			if r.Credential.Password != "" {
				table["password"] = string(r.Credential.Password)
			}
			tables = append(tables, table)
		}
		if err := toml.NewEncoder(&again).Encode(map[string]any{"member": tables}); err != nil {
			t.Skip() // not every string that TOML reads can be written by the encoder
		}
		second, err := decode("m.toml", "staff", []byte(again.String()))
		if err != nil || len(second) != len(members) {
			t.Fatalf("%v: %d members, then %d", err, len(members), len(second))
		}
		for folded, r := range members {
			s := second[folded]
			if s == nil || s.Member.Login != r.Member.Login || s.Member.VLAN != r.Member.VLAN || s.Credential.Password != r.Credential.Password || s.Member.Devices != r.Member.Devices {
				t.Errorf("%q differs after a round trip", r.Member.Login)
			}
		}
	})
}

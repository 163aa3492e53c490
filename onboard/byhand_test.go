package onboard

import (
	"fmt"
	"strings"
	"testing"
)

func TestByHand_Golden(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		var b strings.Builder
		for _, step := range ByHand(s.network, s.access) {
			fmt.Fprintf(&b, "%s (%s)\n", step.Title, step.System)
			for i, do := range step.Do {
				fmt.Fprintf(&b, "%d. %s\n", i+1, do)
			}
			for _, f := range step.Fields {
				value := f.Value
				if f.Password {
					value = "<her password>"
				}
				if f.Exact {
					value = "`" + value + "`"
				}
				fmt.Fprintf(&b, "   %s: %s\n", f.Name, value)
			}
			b.WriteString("\n")
		}
		if strings.Contains(b.String(), string(s.access.Password)) && s.access.Password != "" {
			t.Errorf("%s: the password is among the steps", s.name)
		}
		golden(t, s.name+".txt", []byte(b.String()))
	}
}

// TestByHand_Complete: what a device must be told to know the right network
// from a false one.
func TestByHand_Complete(t *testing.T) {
	t.Parallel()
	// openssl x509 -in testdata/ca.pem -noout -fingerprint -sha256
	const fingerprint = "7F:C7:64:C6:5E:94:8A:F6:F0:9F:9C:7C:C4:B2:6D:9C:E2:6F:4C:3C:B2:2F:FA:CD:A0:20:7D:5B:A6:73:45:49"
	for _, step := range ByHand(plainNetwork(t), plainAccess()) {
		values, password := map[string]bool{}, false
		for _, f := range step.Fields {
			values[f.Value] = true
			password = password || f.Password && f.Value == ""
		}
		if !values["radius.example.com"] || !values["anna@example.com"] || !password {
			t.Errorf("%s: %+v", step.System, step.Fields)
		}
		// Apple's devices show the server's certificate, which is renewed.
		if step.System != "apple" && !values[fingerprint] {
			t.Errorf("%s: no fingerprint of the CA: %+v", step.System, step.Fields)
		}
	}
	n := plainNetwork(t)
	n.Method, n.TTLSInner = TTLS, PAP
	if steps := ByHand(n, plainAccess()); len(steps) != 4 || len(steps[1].Fields) != 0 || !strings.Contains(steps[1].Do[0], "can't be set up by hand") {
		t.Errorf("PAP by hand on an iPhone: %+v", steps)
	}
	n.SSID = ""
	if steps := ByHand(n, plainAccess()); steps != nil {
		t.Errorf("steps for no network: %+v", steps)
	}
}

package radiustest

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"memberradius/member"
	"memberradius/radiusd/radiustest/peer"
)

// freeRADIUSEAP is a site that speaks EAP: port, directory, secret, highest TLS
// version, size of fragments.
const freeRADIUSEAP = `
logdir = %[2]q
db_dir = %[2]q
raddbdir = %[2]q
run_dir = %[2]q
log {
	destination = stdout
}
max_requests = 65536
cleanup_delay = 2
security {
	allow_vulnerable_openssl = yes
	reject_delay = 0
}
client localhost {
	ipaddr = 127.0.0.1
	secret = %[3]q
}
modules {
	pap {
	}
	chap {
	}
	mschap {
		use_mppe = yes
	}
	files {
		usersfile = "%[2]s/users"
	}
	eap eap {
		default_eap_type = md5
		timer_expire = 60
		md5 {
		}
		mschapv2 {
		}
		gtc {
			auth_type = PAP
		}
		tls-config tls-common {
			certificate_file = "%[2]s/server.pem"
			private_key_file = "%[2]s/server.key"
			ca_file = "%[2]s/ca.pem"
			cipher_list = "DEFAULT"
			tls_min_version = "1.2"
			tls_max_version = %[4]q
			ecdh_curve = ""
			fragment_size = %[5]d
			cache {
				enable = yes
				lifetime = 1
				name = "radiustest"
				persist_dir = "%[2]s/cache"
			}
		}
		tls {
			tls = tls-common
		}
		ttls {
			tls = tls-common
			default_eap_type = mschapv2
			virtual_server = "inside"
		}
		peap {
			tls = tls-common
			default_eap_type = mschapv2
			virtual_server = "inside"
		}
	}
}
server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = %[1]d
	}
	authorize {
		eap {
			ok = return
		}
		files
	}
	authenticate {
		Auth-Type MS-CHAP {
			mschap
		}
		eap
	}
}
server inside {
	authorize {
		chap
		mschap
		eap {
			ok = return
		}
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		Auth-Type CHAP {
			chap
		}
		Auth-Type MS-CHAP {
			mschap
		}
		eap
	}
}
`

// freeRADIUSWithEAP runs it with the certificates of a PKI.
func freeRADIUSWithEAP(t *testing.T, p *testPKI, version string, fragment int) netip.AddrPort {
	t.Helper()
	return startFreeRADIUS(t, freeRADIUSUsers, func(port uint16, dir string) string {
		save(t, p.server(t, "radius.example.org"), filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
		if err := os.Mkdir(filepath.Join(dir, "cache"), 0o700); err != nil {
			t.Fatal(err)
		}
		ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.ca.Raw})
		if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(freeRADIUSEAP, port, dir, string(testSecret), version, fragment)
	})
}

// TestEAP_FreeRADIUS logs in by every method at a server that is not ours.
func TestEAP_FreeRADIUS(t *testing.T) {
	t.Parallel()
	pki := newPKI(t)
	certificate := pki.client(t, "anna")
	for _, version := range []string{"1.2", "1.3"} {
		nas := open(t, &NAS{Server: freeRADIUSWithEAP(t, pki, version, 400), Secret: testSecret, TakeUnsigned: true})
		for _, c := range []struct {
			method   Method
			inner    peer.Inner
			fragment int
		}{
			{method: PEAP}, {PEAP, peer.InnerGTC, 0}, {PEAP, "", 100},
			{method: TTLS}, {TTLS, peer.InnerCHAP, 0}, {TTLS, peer.InnerMSCHAP, 0}, {TTLS, peer.InnerMSCHAPv2, 0},
			{TTLS, peer.InnerEAPMSCHAPv2, 0}, {TTLS, peer.InnerGTC, 0}, {TTLS, "", 60},
			{method: TLS}, {TLS, "", 200}, {method: EAPMSCHAPv2},
		} {
			name := fmt.Sprintf("TLS %s, %s %s %d", version, c.method, c.inner, c.fragment)
			device := &EAP{
				Inner: c.inner, CA: pki.pool, ServerName: "radius.example.org", Certificate: certificate,
				FragmentSize: c.fragment, Start: c.inner == "",
			}
			if c.method != EAPMSCHAPv2 { // outside a tunnel there is no second name
				device.Anonymous = "anonymous"
			}
			reply, err := nas.Do(t.Context(), &Request{Method: c.method, Login: "anna", Password: "correct horse", EAP: device})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if reply.Code != AccessAccept || reply.Keys != Right || reply.EAP.Diagnosis != nil || reply.EAP.Step != peer.StepResult {
				t.Errorf("%s: %s, keys %s, faults %q, %+v", name, reply.Code, reply.Keys, reply.Faults, reply.EAP.Diagnosis)
			}
			if tunnel := reply.EAP.Tunnel; tunnel != nil && tls.VersionName(tunnel.Version) != "TLS "+version {
				t.Errorf("%s: %s", name, tls.VersionName(tunnel.Version))
			}
		}
	}
}

// TestEAP_FreeRADIUSResumes: TLS 1.2 sessions it keeps by id only, which
// crypto/tls does not know.
func TestEAP_FreeRADIUSResumes(t *testing.T) {
	t.Parallel()
	pki := newPKI(t)
	nas := open(t, &NAS{Server: freeRADIUSWithEAP(t, pki, "1.3", 1000), Secret: testSecret, TakeUnsigned: true})
	certificate := pki.client(t, "anna")
	for _, method := range []Method{PEAP, TTLS, TLS} {
		session := &peer.Session{}
		for _, resumed := range []bool{false, true} {
			reply, err := nas.Do(t.Context(), &Request{
				Method: method, Login: "anna", Password: "correct horse", EAP: &EAP{Certificate: certificate, Session: session},
			})
			if err != nil || reply.Code != AccessAccept || reply.Keys != Right || reply.EAP.Resumed() != resumed {
				t.Errorf("%s, resumed %t: %+v, %v", method, resumed, reply, err)
			}
		}
	}
}

// TestEAP_FreeRADIUSRefuses: what went wrong is told from outside.
func TestEAP_FreeRADIUSRefuses(t *testing.T) {
	t.Parallel()
	pki, other := newPKI(t), newPKI(t)
	nas := open(t, &NAS{Server: freeRADIUSWithEAP(t, pki, "1.2", 1000), Secret: testSecret, TakeUnsigned: true})
	for name, c := range map[string]struct {
		method   Method
		password member.Secret
		eap      EAP
		party    peer.Party
		words    string
	}{
		"password of PEAP":         {PEAP, "wrong", EAP{}, peer.PartyLogin, "wrong password"},
		"password of GTC":          {PEAP, "wrong", EAP{Inner: peer.InnerGTC}, peer.PartyLogin, "wrong password, or the member is refused"},
		"password of TTLS":         {TTLS, "wrong", EAP{}, peer.PartyLogin, "wrong password, or the member is refused"},
		"password of EAP-MSCHAPv2": {EAPMSCHAPv2, "wrong", EAP{}, peer.PartyLogin, "wrong password"},
		"our CA":                   {PEAP, "correct horse", EAP{CA: other.pool}, peer.PartyServer, "is not the CA that the device trusts"},
		"its CA":                   {TLS, "", EAP{Certificate: other.client(t, "anna")}, peer.PartyDevice, "does not take the device's certificate"},
		"TLS 1.3 only":             {TTLS, "correct horse", EAP{MinTLS: tls.VersionTLS13}, peer.PartyDevice, "takes nothing of what the device offers for TLS (TLS 1.3)"},
		"cipher":                   {TTLS, "correct horse", EAP{MaxTLS: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, peer.PartyDevice, "takes nothing of what the device offers for TLS (TLS 1.2)"},
	} {
		reply, err := nas.Do(t.Context(), &Request{Method: c.method, Login: "anna", Password: c.password, EAP: &c.eap})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := reply.EAP.Diagnosis; reply.Code != AccessReject || d == nil || d.Party != c.party || !strings.Contains(d.Text, c.words) {
			t.Errorf("%s: %s, %+v; want %s and %q", name, reply.Code, d, c.party, c.words)
		}
	}
}

package onboard

import (
	"crypto/sha1" // Windows names certificates by it
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// A Step is how one kind of device is set up by hand.
type Step struct {
	// System is android, apple, windows or linux; Title is what people call it.
	System, Title string
	// Do are the steps in their order, each a sentence or two.
	Do []string
	// Fields are what the device asks for, in its order and its words.
	Fields []Field
}

// A Field is one line of a device's form.
type Field struct {
	// Name is what the device calls it, Value what to enter or to choose.
	Name, Value string
	// Exact says that Value is to be copied letter by letter.
	Exact bool
	// Password says that the member's password goes here; Value is empty then.
	Password bool
}

// ByHand says how a device is set up without a profile: the method, the exact
// CA and its fingerprint, the domain and the identity. The password is not in
// it. A network that no profile could be made for has no steps.
func ByHand(n *Network, a *Access) []Step {
	c, err := n.normal()
	if err != nil {
		return nil
	}
	h := hand{Network: c, login: visible(a.Login)}
	return []Step{h.android(), h.apple(), h.windows(), h.linux()}
}

// A hand writes the steps of one network for one member.
type hand struct {
	*Network
	login string
}

func exact(name, value string) Field  { return Field{Name: name, Value: value, Exact: true} }
func choose(name, value string) Field { return Field{Name: name, Value: value} }
func password() Field                 { return Field{Name: "Password", Password: true} }

// ssid is the SSID for a person's eyes, with its octets where it is no text.
func (h hand) ssid() string {
	if plain(h.SSID) {
		return h.SSID
	}
	return display(h.SSID) + " (hexadecimal " + strings.ToUpper(hex.EncodeToString([]byte(h.SSID))) + ")"
}

// inner is what the tunnel carries, in the words of Android.
func (h hand) inner() string {
	if h.Method == TTLS && h.TTLSInner == PAP {
		return "PAP"
	}
	return "MSCHAPV2"
}

func (h hand) android() Step {
	s := Step{System: "android", Title: "Android"}
	ca := choose("CA certificate", "Use system certificates")
	if h.CA != nil {
		ca = exact("CA certificate", h.caName())
		s.Do = append(s.Do, `Download the CA certificate on this page. Search the phone's settings for "Wi-Fi certificate" (often under Security, Encryption & credentials, Install a certificate), and choose the file. Name it `+h.caName()+`.`)
	}
	s.Do = append(s.Do, "Open Settings, Wi-Fi, touch "+h.ssid()+", and enter what follows. Android refuses the network unless both the CA certificate and the domain are set.")
	s.Fields = []Field{
		exact("Network name (SSID)", h.ssid()),
		choose("EAP method", strings.ToUpper(h.Method)), choose("Phase 2 authentication", h.inner()),
		ca, choose("Online certificate status", "Do not validate"), exact("Domain", h.ServerName),
		exact("Identity", h.login), exact("Anonymous identity", h.outer()), password(),
	}
	return h.proved(s)
}

func (h hand) apple() Step {
	s := Step{System: "apple", Title: "iPhone, iPad and Mac"}
	if h.inner() == "PAP" {
		s.Do = []string{"This network can't be set up by hand on Apple's devices: download the profile on this page. It opens in Settings, where you install it."}
		return s
	}
	s.Do = []string{
		"The profile on this page is safer: with it the device checks the network by itself.",
		"Without it: open Settings, Wi-Fi, touch " + h.ssid() + ", and enter user name and password.",
		"The device then shows a certificate. Touch Trust only if it is the one named here; if it is not, somebody may be imitating the network.",
	}
	s.Fields = []Field{exact("User name", h.login), password(), exact("Certificate", h.ServerName)}
	if h.CA != nil {
		s.Fields = append(s.Fields, exact("Issued by", h.caName()))
	}
	return s
}

func (h hand) windows() Step {
	s := Step{System: "windows", Title: "Windows"}
	if h.CA != nil {
		s.Do = append(s.Do, `Download the CA certificate on this page and open it: Install Certificate, Current User, "Place all certificates in the following store", Trusted Root Certification Authorities. Windows asks once more and shows a thumbprint: it must be the SHA-1 fingerprint below.`)
	}
	method := "Microsoft: Protected EAP (PEAP), with Secured password (EAP-MSCHAP v2)"
	if h.Method == TTLS {
		method = "Microsoft: EAP-TTLS, with " + map[string]string{PAP: "Unencrypted password (PAP)", MSCHAPv2: "MS-CHAP v2"}[h.TTLSInner]
	}
	root := choose("Trusted Root Certification Authorities", "all of them")
	if h.CA != nil {
		root = exact("Trusted Root Certification Authorities", h.caName())
	}
	s.Do = append(s.Do,
		`Download the Windows profile, open a Command Prompt in the folder of the download, and enter: netsh wlan add profile filename="NAME OF THE FILE" user=current`,
		"Choose "+h.ssid()+" in the list of networks, and enter user name and password.",
		`Without the profile: Control Panel, Network and Sharing Center, "Set up a new connection or network", "Manually connect to a wireless network", with what follows. A user name and password of their own are needed, not those of Windows.`)
	s.Fields = []Field{
		exact("Network name", h.ssid()), choose("Security type", "WPA2-Enterprise"), choose("Encryption type", "AES"),
		choose("Authentication method", method), choose("Verify the server's identity", "yes"),
		exact("Connect to these servers", h.ServerName), root, exact("Identity privacy", anonymous),
		exact("User name", h.login), password(),
	}
	return h.proved(s)
}

func (h hand) linux() Step {
	s := Step{System: "linux", Title: "Linux"}
	ca := choose("CA certificate", "that of the system (/etc/ssl/certs)")
	if h.CA != nil {
		ca = choose("CA certificate", "the downloaded file")
		s.Do = append(s.Do, "Download the CA certificate on this page, and keep the file: the network needs it at every connection.")
	}
	s.Do = append(s.Do, "Choose "+h.ssid()+" in the list of networks, and enter what follows.")
	s.Fields = []Field{choose("Wi-Fi security", "WPA & WPA2 Enterprise")}
	if h.Method == TTLS {
		s.Fields = append(s.Fields, choose("Authentication", "Tunneled TLS"),
			choose("Inner authentication", map[string]string{PAP: "PAP", MSCHAPv2: "MSCHAPv2 (no EAP)"}[h.TTLSInner]))
	} else {
		s.Fields = append(s.Fields, choose("Authentication", "Protected EAP (PEAP)"),
			choose("PEAP version", "Automatic"), choose("Inner authentication", "MSCHAPv2"))
	}
	s.Fields = append(s.Fields, exact("Anonymous identity", h.outer()), exact("Domain", h.ServerName), ca,
		exact("User name", h.login), password())
	return h.proved(s)
}

// proved adds by what the downloaded CA is known to be the right one.
func (h hand) proved(s Step) Step {
	if h.CA == nil {
		return s
	}
	long, short := sha256.Sum256(h.CA.Raw), sha1.Sum(h.CA.Raw)
	s.Fields = append(s.Fields, exact("SHA-256 fingerprint of the CA", pairs(long[:], ":")))
	if s.System == "windows" {
		s.Fields = append(s.Fields, exact("SHA-1 fingerprint of the CA", pairs(short[:], ":")))
	}
	return s
}

// pairs writes octets in upper-case hexadecimal with something in between.
func pairs(octets []byte, between string) string {
	p := make([]string, len(octets))
	for i := range octets {
		p[i] = strings.ToUpper(hex.EncodeToString(octets[i : i+1]))
	}
	return strings.Join(p, between)
}

package eaptest

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"

	"memberradius/eap"
)

// Flags of EAP-TLS type-data (RFC 5216 §3.1).
const (
	flagLength = 0x80
	flagMore   = 0x40
	flagStart  = 0x20
)

// A Device is the peer of one conversation in EAP-TLS, TTLS or PEAP.
type Device struct {
	Type eap.Type
	TLS  *tls.Config
	// Fragment is how many octets of TLS it sends in a packet; 0 is 1,000.
	Fragment int
	// Inside says what to answer to what was heard inside the tunnel: it is
	// called after the handshake and after each flight, also of nothing.
	Inside func(d *Device, heard []byte) []byte
	// Client is the TLS, once the server has begun.
	Client *Client
	// Heard is all that was said inside.
	Heard []byte

	in, out []byte
	whole   int // of out, before the first fragment
}

// NewDevice returns one that trusts CA and speaks this version of TLS alone.
func NewDevice(kind eap.Type, version uint16) *Device {
	return &Device{Type: kind, TLS: &tls.Config{
		RootCAs: Pool(CA), ServerName: ServerName, MinVersion: version, MaxVersion: version,
		// The hybrid's key share would make each first flight two fragments.
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256},
	}}
}

// Answer takes a Request's type-data and returns the Response's.
func (d *Device) Answer(data []byte) []byte {
	flags, rest := data[0], data[1:]
	if flags&flagLength != 0 {
		rest = rest[4:]
	}
	switch {
	case flags&flagStart != 0:
		d.Client = NewClient(d.TLS)
		d.send(d.Client.Feed(nil))
		return d.fragment()
	case flags&flagMore != 0:
		d.in = append(d.in, rest...)
		return []byte{0}
	case len(d.out) > 0:
		return d.fragment()
	}
	flight := append(d.in, rest...)
	d.in = nil
	d.send(d.turn(flight))
	return d.fragment()
}

// turn takes a whole flight.
func (d *Device) turn(flight []byte) []byte {
	out := d.Client.Feed(flight)
	if !d.Client.Trusted() {
		return out
	}
	heard := d.Client.Hear()
	d.Heard = append(d.Heard, heard...)
	if d.Inside != nil && d.Client.Err == nil {
		out = append(out, d.Client.Say(d.Inside(d, heard))...)
	}
	return out
}

func (d *Device) send(flight []byte) { d.out, d.whole = flight, len(flight) }

func (d *Device) fragment() []byte {
	size := d.Fragment
	if size == 0 {
		size = 1000
	}
	data := []byte{0}
	if len(d.out) == d.whole && d.whole > size {
		data = binary.BigEndian.AppendUint32([]byte{flagLength}, uint32(d.whole))
	}
	n := min(size, len(d.out))
	if n < len(d.out) {
		data[0] |= flagMore
	}
	data = append(data, d.out[:n]...)
	d.out = d.out[n:]
	return data
}

// Close ends what a conversation that broke off has left.
func (d *Device) Close() {
	if d.Client != nil {
		d.Client.Close()
	}
}

// Resumed says that the handshake was short.
func (d *Device) Resumed() bool { return d.Client.State().DidResume }

// Export is TLS's exporter, below 1.3 without a context.
func (d *Device) Export(label string, context []byte, n int) []byte {
	state := d.Client.State()
	if state.Version < tls.VersionTLS13 {
		context = nil
	}
	out, err := state.ExportKeyingMaterial(label, context, n)
	if err != nil {
		panic(fmt.Sprintf("eaptest: %v", err))
	}
	return out
}

// Material is the key material of the tunnel: 64 octets of MSK and 64 of EMSK
// (RFC 5216 §2.3, RFC 5281 §8, RFC 9190 §2.3, RFC 9427 §2.1).
func (d *Device) Material() []byte {
	label := "client EAP encryption"
	if d.Type == eap.TTLS {
		label = "ttls keying material"
	}
	if d.Client.State().Version == tls.VersionTLS13 {
		label = "EXPORTER_EAP_TLS_Key_Material"
	}
	return d.Export(label, []byte{byte(d.Type)}, 128)
}

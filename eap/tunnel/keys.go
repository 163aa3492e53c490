package tunnel

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"hash"
	"slices"

	"memberradius/eap"
)

const (
	randomSize = 32
	// randomAt is where a hello in the first record of a flight has its random:
	// behind the headers of record and handshake, and the version (RFC 5246 §7.4.1).
	randomAt = 11
	// materialSize is MSK and EMSK. TLS 1.3's exporter makes other octets for
	// another length, so that all of it is asked for (RFC 9190 §2.3).
	materialSize = 128
	mskSize      = 64
)

// ErrNoEMS says that the peer has no Extended Master Secret (RFC 7627), without
// which its keys could be another's.
var ErrNoEMS = errors.New("the device has no Extended Master Secret (RFC 7627), and [eap] allow_no_ems is off")

// keys collects what the keys of a session are made from. It is the
// KeyLogWriter of its handshake, since crypto/tls exports nothing for TLS 1.2
// without Extended Master Secret.
type keys struct {
	kind           eap.Type
	version        uint16
	answered       bool // a ServerHello went out
	client, server [randomSize]byte
	secret         []byte // TLS 1.2's master secret, of a full handshake
	state          tls.ConnectionState
	noEMS          bool
}

// Write implements io.Writer for lines of NSS's key log format.
func (k *keys) Write(line []byte) (int, error) {
	fields := bytes.Fields(line)
	if len(fields) == 3 && string(fields[0]) == "CLIENT_RANDOM" {
		k.secret, _ = hex.AppendDecode(nil, fields[2])
	}
	return len(line), nil
}

// asked looks for the ClientHello in the first flight of the peer.
func (k *keys) asked(in []byte) {
	const handshake, clientHello = 22, 1
	if !k.answered && len(in) >= randomAt+randomSize && in[0] == handshake && in[5] == clientHello {
		copy(k.client[:], in[randomAt:])
	}
}

// served looks for the ServerHello in the first flight of ours.
func (k *keys) served(out []byte) {
	const handshake, serverHello = 22, 2
	if !k.answered && len(out) >= randomAt+randomSize && out[0] == handshake && out[5] == serverHello {
		k.answered = true
		copy(k.server[:], out[randomAt:])
	}
}

func (k *keys) finish(state tls.ConnectionState, kind eap.Type) {
	k.state, k.kind, k.version = state, kind, state.Version
	if k.version < tls.VersionTLS13 {
		_, err := state.ExportKeyingMaterial("ems", nil, 1)
		k.noEMS = err != nil
	}
}

// labels of TLS 1.2 (RFC 5216 §2.3, RFC 5281 §8; PEAPv0 has EAP-TLS's).
var labels = map[eap.Type]string{
	eap.TLS: "client EAP encryption", eap.PEAP: "client EAP encryption", eap.TTLS: "ttls keying material",
}

// export is TLS's exporter (RFC 5705, RFC 8446 §7.5), and without Extended
// Master Secret the function that it calls (RFC 5246 §5).
func (k *keys) export(label string, context []byte, n int) ([]byte, error) {
	if !k.noEMS {
		return k.state.ExportKeyingMaterial(label, context, n)
	}
	if k.secret == nil {
		return nil, ErrNoEMS
	}
	newHash := sha256.New
	switch k.state.CipherSuite {
	case tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:
		newHash = sha512.New384
	}
	seed := slices.Concat([]byte(label), k.client[:], k.server[:])
	return prf(newHash, k.secret, seed, n), nil
}

// prf is P_hash of RFC 5246 §5.
func prf(newHash func() hash.Hash, secret, seed []byte, n int) []byte {
	h := hmac.New(newHash, secret)
	sum := func(parts ...[]byte) []byte {
		h.Reset()
		for _, p := range parts {
			_, _ = h.Write(p)
		}
		return h.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

// Keys are what a session gives to its method.
type Keys struct {
	// MSK is 64 octets; Tunnel is PEAP's tunnel key, its first 60 (MS-PEAP §3.1.5.5.2.1).
	MSK, Tunnel []byte
	// SessionID is the EAP Session-Id (RFC 5247 appendix A, RFC 9190 §2.3).
	SessionID []byte
}

// Keys derives the keys. It fails with ErrNoEMS where the peer has no Extended
// Master Secret and may not go without.
func (s *Session) Keys() (Keys, error) {
	k := &s.keys
	if k.noEMS && !s.config.AllowNoEMS {
		return Keys{}, ErrNoEMS
	}
	label, context := labels[k.kind], []byte(nil)
	id := []byte{byte(k.kind)}
	if k.version == tls.VersionTLS13 {
		label, context = "EXPORTER_EAP_TLS_Key_Material", id
		method, err := k.export("EXPORTER_EAP_TLS_Method-Id", context, 2*randomSize)
		if err != nil {
			return Keys{}, err
		}
		id = append(id, method...)
	} else {
		id = append(append(id, k.client[:]...), k.server[:]...)
	}
	material, err := k.export(label, context, materialSize)
	if err != nil {
		return Keys{}, err
	}
	return Keys{MSK: material[:mskSize], Tunnel: material[:tunnelKeySize], SessionID: id}, nil
}

const tunnelKeySize = 60

// Challenge is what both ends know without sending it (RFC 5281 §11.1): n
// octets of challenge, and an Ident.
func (s *Session) Challenge(n int) ([]byte, error) {
	return s.keys.export("ttls challenge", nil, n+1)
}

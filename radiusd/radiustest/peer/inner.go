package peer

import (
	"fmt"
)

// An inner method runs inside a tunnel. It takes and gives what follows the type.
type inner interface {
	answer(data []byte) ([]byte, error)
	// missing says what must still come before success; "" when nothing must.
	missing() string
	// key is what the method adds to PEAP's keys, 32 octets; nil where it has none.
	key() []byte
}

// gtc is a Generic Token Card (RFC 3748 §5.6), whose token is the password.
type gtc struct {
	*record
	config *Config
}

// answer implements inner.
func (g *gtc) answer([]byte) ([]byte, error) {
	if g.config.StopInside {
		return nil, ErrStopped
	}
	g.proved = true
	return []byte(string(g.config.Password)), nil
}

// missing implements inner.
func (g *gtc) missing() string {
	if !g.proved {
		return "our password: nobody has asked for it"
	}
	return ""
}

// key implements inner.
func (g *gtc) key() []byte { return nil }

// A conversation is EAP inside a tunnel.
type conversation struct {
	*record
	config *Config
	kind   Type
	inner  inner
	begun  bool
}

func newConversation(c *Config, r *record) *conversation {
	if c.Inner == InnerGTC {
		return &conversation{record: r, config: c, kind: TypeGTC, inner: &gtc{record: r, config: c}}
	}
	return &conversation{record: r, config: c, kind: TypeMSCHAPv2, inner: &mschapv2{record: r, config: c}}
}

func (c *conversation) identity(identifier byte) Packet {
	return Packet{Response, identifier, TypeIdentity, []byte(c.config.Login)}
}

// answer returns the response to an inner request; nil to a success or failure.
func (c *conversation) answer(request Packet) (*Packet, error) {
	response := Packet{Response, request.Identifier, request.Type, nil}
	switch {
	case request.Code == Success:
		return nil, nil
	case request.Code == Failure:
		c.blame(PartyLogin, "the server refused the login inside the tunnel without saying why")
		return nil, nil
	case request.Code != Request:
		return nil, fmt.Errorf("peer: %w: the server sends an %s inside the tunnel", errMalformed, request.Code)
	case request.Type == TypeIdentity:
		response = c.identity(request.Identifier)
	case request.Type == TypeNotification:
		c.say(string(request.Data))
	case request.Type != c.kind:
		c.refusedInside = append(c.refusedInside, request.Type)
		if c.begun {
			return nil, fmt.Errorf("peer: %w: the server changes from %s to %s inside the tunnel", errMalformed, c.kind, request.Type)
		}
		response.Type, response.Data = TypeNak, []byte{byte(c.kind)}
	default:
		c.begun = true
		var err error
		if response.Data, err = c.inner.answer(request.Data); err != nil {
			return nil, err
		}
	}
	return &response, nil
}

// missing says what must still come before success.
func (c *conversation) missing() string {
	if c.begun || len(c.refusedInside) == 0 {
		return c.inner.missing()
	}
	return fmt.Sprintf("an inner method in common: the server offers %s", types(c.refusedInside))
}

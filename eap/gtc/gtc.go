// Package gtc is EAP-GTC (RFC 3748 §5.6): a password in clear. It is for the
// inside of a tunnel and nowhere else.
package gtc

import (
	"memberradius/eap"
	"memberradius/member"
)

// A Method is EAP-GTC.
type Method struct{}

// Type implements eap.Method.
func (Method) Type() eap.Type { return eap.GTC }

// Start implements eap.Method.
func (Method) Start() eap.Conversation { return &conversation{} }

type conversation struct{ asked bool }

// prompt is what a person reads whose supplicant shows it.
const prompt = "Password: "

// maxPassword is the longest password in octets: what User-Password has room for.
const maxPassword = 128

// End implements eap.Conversation.
func (*conversation) End() {}

// Next implements eap.Conversation.
func (c *conversation) Next(data []byte, x *eap.Exchange) eap.Turn {
	if !c.asked {
		c.asked = true
		return eap.Turn{Kind: eap.Ask, Data: []byte(prompt)}
	}
	if len(data) == 0 || len(data) > maxPassword {
		return eap.Refuse(member.ReasonEAP, "EAP-GTC: a password of no octets, or of more than 128")
	}
	d := x.Decider.Decide(x.Identity, &member.Proof{Kind: member.Password, Password: member.Secret(data)})
	t := eap.Finish(&d)
	t.Result.How = "eap-gtc"
	return t
}

package radiusd

import "memberradius/member"

// eapSeam is where EAP will run its conversations. Until then a device that
// speaks EAP is told so at once, in EAP: an Access-Reject without EAP-Failure
// would leave it waiting (RFC 3579 §2.6.3).
type eapSeam struct{}

func (eapSeam) proof(*exchange) member.Reason { return member.ReasonMethodUnknown }
func (eapSeam) prove(*exchange) member.Reason { return member.ReasonMethodUnknown }

const (
	eapFailure     = 4 // RFC 3748 §4.2
	eapFailureSize = 4
)

// settle adds an EAP-Failure with the Identifier of the response. Reply-Message
// must not stand beside it (RFC 3579 §2.6.5).
func (eapSeam) settle(x *exchange) {
	x.reply.add(typeEAPMessage, []byte{eapFailure, x.eapIdent, 0, eapFailureSize})
}

package radiusd

// A drop is why a request got no reply. Garbage gets none, since any reply
// could be used to amplify; what is not authentic gets none, since any reply
// would tell its sender something.
type drop uint8

const (
	dropMalformed drop = iota
	dropUnknownClient
	dropWrongCode
	dropWrongPort
	dropNoAuthenticator
	dropProxyState
	dropSeveralAuthenticators
	dropWrongAuthenticator
	dropNoMethod
	dropSeveralMethods
	dropBusy
	dropHeld
	dropBraked
	dropUnanswered
	dropInternal
	dropAccounting
	dropWrongRequestAuthenticator
	dropNoReport
	dropUnrecorded

	drops // how many there are
)

// dropped is the table: the metric's label, and for the log what happened and
// what to do on which device.
var dropped = [drops]struct{ word, what, remedy string }{
	dropMalformed:                 {"malformed", "the packet is malformed (RFC 2865 §3, §5)", "if this NAS is real, its firmware or something on the way breaks RADIUS packets"},
	dropUnknownClient:             {"unknown_client", "no [[client]] has this source address", "add a [[client]] with this address, or an address of a NAS behind it; at a site's own port only clients of that site are known"},
	dropWrongCode:                 {"wrong_code", "the packet is no request", "check what this device is set up to send here"},
	dropWrongPort:                 {"wrong_port", "the request came to the other kind of port", "point the NAS's authentication at a port of [server] auth and its accounting at one of acct"},
	dropNoAuthenticator:           {"no_message_authenticator", "the request has no Message-Authenticator (CVE-2024-3596, BlastRADIUS)", "switch Message-Authenticator on in the NAS or update its firmware; only where neither is possible set require_message_authenticator = false at this [[client]]"},
	dropProxyState:                {"proxy_state", "the request has Proxy-State but no Message-Authenticator (CVE-2024-3596, BlastRADIUS)", "switch Message-Authenticator on in the proxy between the NAS and this server"},
	dropSeveralAuthenticators:     {"several_message_authenticators", "the request has more than one Message-Authenticator, or one of a wrong length", "update the NAS's firmware"},
	dropWrongAuthenticator:        {"wrong_message_authenticator", "the Message-Authenticator is wrong: most often the shared secret differs", "set the same secret at the NAS and at this [[client]]; look for blanks at its ends"},
	dropNoMethod:                  {"no_method", "the request has neither a login method nor a Message-Authenticator (RFC 3579 §3.3)", "switch Message-Authenticator on in the NAS"},
	dropSeveralMethods:            {"several_methods", "the request mixes login methods (RFC 3579 §3.3)", "update the NAS's firmware"},
	dropBusy:                      {"busy", "too many requests wait for member systems", "look at the member systems' answer times; raise pool or queue in [server] if they are well"},
	dropHeld:                      {"held", "too many Access-Rejects wait for reject_delay", "somebody may be guessing passwords: see which logins are refused"},
	dropBraked:                    {"braked", "so many passwords of one login are wrong that this Access-Reject would come too late to be of use", "an old password on a device, or somebody guesses: `memberradius why` with the login that is refused says from which device"},
	dropUnanswered:                {"unanswered", "a member system could not say; the NAS asks its next server", "the decision's own line says which system and why"},
	dropInternal:                  {"internal", "a fault of this server", "report the line above with its stack"},
	dropAccounting:                {"accounting", "accounting is not recorded here, and so not acknowledged (RFC 2866 §4.1)", "switch accounting off at the NAS, or let it be: the server stays silent"},
	dropWrongRequestAuthenticator: {"wrong_request_authenticator", "the Request Authenticator of the Accounting-Request is wrong (RFC 2866 §3): most often the shared secret differs", "set the same secret for accounting at the NAS as at this [[client]]"},
	dropNoReport:                  {"no_report", "the Accounting-Request lacks Acct-Status-Type or Acct-Session-Id, or holds what belongs to a login (RFC 2866 §5.13)", "update the NAS's firmware"},
	dropUnrecorded:                {"unrecorded", "the report could not be kept, and so is not acknowledged (RFC 2866 §4.1); the NAS reports again", "the line about accounting says why: the disk, or its space"},
}

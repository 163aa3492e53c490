package member

// A Reason says why a request ended as it did. One table holds what each
// reader of it gets, so that no path can tell the NAS one thing and the log
// another.
type Reason uint8

// The reasons. Those up to the comment "could not say" go with Allow or Deny.
const (
	// ReasonNone goes with Allow.
	ReasonNone Reason = iota
	// ReasonUnknownLogin: no member system of the site knows the login.
	ReasonUnknownLogin
	// ReasonWrongProof: the password, or what MS-CHAP made of it, is wrong.
	ReasonWrongProof
	// ReasonRefused: the member system checked the proof itself and said no.
	ReasonRefused
	// ReasonNoCredential: the member is known, but nothing is stored that this method can be checked against.
	ReasonNoCredential
	// ReasonDisabled: the member is disabled or suspended.
	ReasonDisabled
	// ReasonNotYetValid: the membership begins later.
	ReasonNotYetValid
	// ReasonExpired: the membership has ended.
	ReasonExpired
	// ReasonNotCheckedIn: the member system lets in who is checked in, and she is not.
	ReasonNotCheckedIn
	// ReasonOutOfHours: the plan's hours do not include now.
	ReasonOutOfHours
	// ReasonWrongSSID: the plan does not open this network.
	ReasonWrongSSID
	// ReasonGate: a gate refused (not checked in, no active membership).
	ReasonGate
	// ReasonNoPlan: the member's plan is not configured here, and there is no default plan.
	ReasonNoPlan
	// ReasonMethodNotAllowed: the client's methods do not list the one that was used.
	ReasonMethodNotAllowed
	// ReasonMethodUnknown: the request holds a method that this server does not have.
	ReasonMethodUnknown
	// ReasonMalformed: the attributes of the method have a wrong size or content.
	ReasonMalformed
	// ReasonEAP: the EAP conversation broke: what the device sent makes no sense, or its State is unknown.
	ReasonEAP
	// ReasonNoEAPMethod: the device and this server have no EAP method in common.
	ReasonNoEAPMethod
	// ReasonNoInnerMethod: they have no method inside the tunnel in common.
	ReasonNoInnerMethod
	// ReasonNotTrusted: the device does not trust this server's certificate.
	ReasonNotTrusted
	// ReasonTLS: the TLS handshake failed for another cause: versions, ciphers.
	ReasonTLS
	// ReasonCertificate: the device's certificate is missing, expired, revoked, or of nobody who is trusted here.
	ReasonCertificate
	// ReasonCryptoBinding: the device's Crypto-Binding is wrong.
	ReasonCryptoBinding
	// ReasonUnknownDevice: nothing lets the device in by its MAC address: no portal login that still holds, no registration.
	ReasonUnknownDevice
	// ReasonOtherDevice: the login is a MAC address, and not the one of the device that asks.
	ReasonOtherDevice
	// ReasonBlockedDevice: the operator has blocked the device.
	ReasonBlockedDevice
	// ReasonDevices: as many of the member's devices are on as may be at the same time.
	ReasonDevices
	// ReasonQuota: the data or the time of the plan's day, week or month is used up.
	ReasonQuota

	// could not say

	// ReasonStopped: the device stopped answering in the middle of EAP.
	ReasonStopped
	// ReasonUnanswered: a member system could not say, and gave no better reason.
	ReasonUnanswered
	// ReasonTimeout: a member system did not answer in time.
	ReasonTimeout
	// ReasonUnreachable: no connection to a member system.
	ReasonUnreachable
	// ReasonBackendError: a member system answered with a fault of its own (5xx, 408, 429).
	ReasonBackendError
	// ReasonBadAnswer: what a member system answered can't be read or can't be used.
	ReasonBadAnswer
	// ReasonTokenRefused: a member system refused our token.
	ReasonTokenRefused
	// ReasonBreakerOpen: a member system failed so often that it is only probed for now.
	ReasonBreakerOpen
	// ReasonBusy: as many requests wait for a member system as may.
	ReasonBusy
	// ReasonNotReady: a member system that is synced has no data yet.
	ReasonNotReady
	// ReasonNoNTKey: a member system proved an MS-CHAP response but returned no nt_key, so that no keys can be made.
	ReasonNoNTKey
	// ReasonInternal: a fault of this server.
	ReasonInternal

	// Reasons is how many there are.
	Reasons
)

// MS-CHAP-Error codes (RFC 2759 §6).
const (
	codeHours    = 646
	codeDisabled = 647
	codeExpired  = 648
	codeNoDialIn = 649
	codeFailure  = 691
)

// reasons is the table. Message is what the NAS hears, and so anybody: before
// a right proof it must sound the same whoever asks.
var reasons = [Reasons]struct {
	word     string
	code     int
	message  string
	sentence string
}{
	ReasonNone:             {"ok", 0, "", "she was let in"},
	ReasonUnknownLogin:     {"unknown_login", codeFailure, "Login or password is wrong.", "no member system of this site knows this login; compare its spelling with the member's record"},
	ReasonWrongProof:       {"wrong_password", codeFailure, "Login or password is wrong.", "the password is wrong"},
	ReasonRefused:          {"refused", codeFailure, "Login or password is wrong.", "the member system checked the password and refused"},
	ReasonNoCredential:     {"no_credential", codeFailure, "Login or password is wrong.", "what is stored of her password can't be checked by this method: an argon2id hash takes PAP and TTLS-PAP only, CHAP needs the password in clear, and no password at all takes none"},
	ReasonDisabled:         {"disabled", codeDisabled, "The membership is suspended.", "the member is disabled"},
	ReasonNotYetValid:      {"not_yet_valid", codeHours, "The membership has not begun.", "the membership begins later"},
	ReasonExpired:          {"expired", codeExpired, "The membership has ended.", "the membership has ended"},
	ReasonNotCheckedIn:     {"not_checked_in", codeNoDialIn, "Please check in first.", "she is not checked in, and this member system lets in only who is"},
	ReasonOutOfHours:       {"out_of_hours", codeHours, "Not at this time of day.", "the plan does not let in at this time"},
	ReasonWrongSSID:        {"wrong_ssid", codeNoDialIn, "Not on this network.", "the plan does not open this network (SSID)"},
	ReasonGate:             {"gate", codeNoDialIn, "Not allowed at the moment.", "a gate of this site refused"},
	ReasonNoPlan:           {"no_plan", codeNoDialIn, "No plan for this membership.", "no plan here matches the member's, and the site has no default_plan"},
	ReasonMethodNotAllowed: {"method_not_allowed", codeFailure, "This login method is not allowed here.", "this client's methods do not list the method that the device used"},
	ReasonMethodUnknown:    {"method_unknown", codeFailure, "This login method is not supported.", "this server does not have the method that the device used"},
	ReasonMalformed:        {"malformed", codeFailure, "The request is malformed.", "the method's attributes have a wrong size or content"},
	ReasonEAP:              {"eap", codeFailure, "The EAP conversation broke.", "the EAP conversation broke"},
	ReasonNoEAPMethod:      {"no_eap_method", codeFailure, "No EAP method in common.", "no EAP method in common"},
	ReasonNoInnerMethod:    {"no_inner_method", codeFailure, "No inner method in common.", "no inner method in common"},
	ReasonNotTrusted:       {"not_trusted", codeFailure, "The device does not trust the server.", "her device does not trust this server's certificate"},
	ReasonTLS:              {"tls", codeFailure, "TLS failed.", "the TLS handshake failed"},
	ReasonCertificate:      {"certificate", codeFailure, "The certificate is not accepted.", "her device's certificate is not accepted"},
	ReasonCryptoBinding:    {"crypto_binding", codeFailure, "Crypto-Binding is wrong.", "her device's Crypto-Binding is wrong: somebody may stand between it and this server"},
	ReasonUnknownDevice:    {"unknown_device", codeFailure, "This device is not known here.", "nothing lets this device in by its MAC address: it has no portal login that still holds, and is registered to nobody"},
	ReasonOtherDevice:      {"other_device", codeFailure, "This is another device.", "the login is the MAC address of another device than the one that asks (Calling-Station-Id): somebody pretends to be it, or the access point writes something else there"},
	ReasonBlockedDevice:    {"blocked_device", codeDisabled, "This device is blocked.", "the device is blocked"},
	ReasonDevices:          {"devices", codeNoDialIn, "Too many devices at the same time.", "as many of her devices are on as may be at the same time"},
	ReasonQuota:            {"quota", codeNoDialIn, "The data or time of the plan is used up.", "the data or the time of her plan is used up for this day, week or month"},
	ReasonStopped:          {"stopped", 0, "", "her device stopped answering"},
	ReasonUnanswered:       {"unanswered", 0, "", "a member system could not say"},
	ReasonTimeout:          {"timeout", 0, "", "a member system did not answer in time"},
	ReasonUnreachable:      {"unreachable", 0, "", "a member system can't be reached"},
	ReasonBackendError:     {"backend_error", 0, "", "a member system answered with a fault of its own"},
	ReasonBadAnswer:        {"bad_answer", 0, "", "a member system's answer can't be read"},
	ReasonTokenRefused:     {"token_refused", 0, "", "a member system refuses our token: put a new one into its [[backend]]"},
	ReasonBreakerOpen:      {"breaker_open", 0, "", "a member system failed so often that it is only probed for now"},
	ReasonBusy:             {"busy", 0, "", "as many requests wait as may"},
	ReasonNotReady:         {"not_ready", 0, "", "a member system has not been read yet"},
	ReasonNoNTKey:          {"no_nt_key", 0, "", "a member system proved MS-CHAP but returned no nt_key, so that no keys can be made; it must return nt_key, or the client use PAP"},
	ReasonInternal:         {"internal", 0, "", "a fault of this server; the log says which"},
}

// String returns the reason's word for log and metrics.
func (r Reason) String() string {
	if r < Reasons {
		return reasons[r].word
	}
	return "unknown"
}

// Code returns the MS-CHAP-Error code (RFC 2759 §6), 691 where the reason has none of its own.
func (r Reason) Code() int {
	if r < Reasons && reasons[r].code != 0 {
		return reasons[r].code
	}
	return codeFailure
}

// Message returns what the NAS hears in Reply-Message and MS-CHAP-Error.
func (r Reason) Message() string {
	if r < Reasons {
		return reasons[r].message
	}
	return ""
}

// Sentence returns what the operator reads: a clause without a full stop.
func (r Reason) Sentence() string {
	if r < Reasons {
		return reasons[r].sentence
	}
	return "the reason is unknown"
}

// BeforeProof returns what may be said to somebody who has not proved who they
// are: every refusal that tells about a member becomes ReasonWrongProof.
func (r Reason) BeforeProof() Reason {
	switch r {
	case ReasonMethodNotAllowed, ReasonMethodUnknown, ReasonMalformed,
		ReasonEAP, ReasonNoEAPMethod, ReasonNoInnerMethod, ReasonNotTrusted, ReasonTLS, ReasonCertificate, ReasonCryptoBinding,
		ReasonUnknownDevice, ReasonOtherDevice:
		return r
	default:
		return ReasonWrongProof
	}
}

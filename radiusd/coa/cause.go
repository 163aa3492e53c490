package coa

import "strconv"

// An ErrorCause is a NAS's reason for a NAK, or what it adds to an ACK (RFC 5176
// §3.5). 0 is none.
type ErrorCause uint32

// The causes of RFC 5176 §3.5. Those of 2xx are of success, of 4xx of what was asked,
// of 5xx of the NAS itself.
const (
	ResidualSessionContextRemoved       ErrorCause = 201
	InvalidEAPPacket                    ErrorCause = 202
	UnsupportedAttribute                ErrorCause = 401
	MissingAttribute                    ErrorCause = 402
	NASIdentificationMismatch           ErrorCause = 403
	InvalidRequest                      ErrorCause = 404
	UnsupportedService                  ErrorCause = 405
	UnsupportedExtension                ErrorCause = 406
	InvalidAttributeValue               ErrorCause = 407
	AdministrativelyProhibited          ErrorCause = 501
	RequestNotRoutable                  ErrorCause = 502
	SessionContextNotFound              ErrorCause = 503
	SessionContextNotRemovable          ErrorCause = 504
	OtherProxyProcessingError           ErrorCause = 505
	ResourcesUnavailable                ErrorCause = 506
	RequestInitiated                    ErrorCause = 507
	MultipleSessionSelectionUnsupported ErrorCause = 508
)

// String returns the RFC's name, with hyphens; "none" for 0, and the number of a cause
// that the RFC does not know.
func (c ErrorCause) String() string {
	if name := c.name(); name != "" {
		return name
	}
	return strconv.FormatUint(uint64(c), 10)
}

// label is String for a metric: a NAS must not choose how many there are.
func (c ErrorCause) label() string {
	if name := c.name(); name != "" {
		return name
	}
	return "other"
}

func (c ErrorCause) name() string {
	switch {
	case c == 0:
		return "none"
	case c >= 201 && c <= 202:
		return successNames[c-201]
	case c >= 401 && c <= 407:
		return requestNames[c-401]
	case c >= 501 && c <= 508:
		return serverNames[c-501]
	}
	return ""
}

var (
	successNames = [...]string{"Residual-Session-Context-Removed", "Invalid-EAP-Packet"}
	requestNames = [...]string{
		"Unsupported-Attribute", "Missing-Attribute", "NAS-Identification-Mismatch", "Invalid-Request",
		"Unsupported-Service", "Unsupported-Extension", "Invalid-Attribute-Value",
	}
	serverNames = [...]string{
		"Administratively-Prohibited", "Request-Not-Routable", "Session-Context-Not-Found", "Session-Context-Not-Removable",
		"Other-Proxy-Processing-Error", "Resources-Unavailable", "Request-Initiated", "Multiple-Session-Selection-Unsupported",
	}
)

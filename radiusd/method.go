package radiusd

import (
	"fmt"
	"slices"
	"strings"

	"memberradius/member"
)

// A method is one way to prove a login: a file each. It finds the proof and
// nothing else; what the member may do is decided elsewhere.
type method interface {
	// proof reads the proof from the request into the attempt. Another reason
	// than ReasonNone refuses.
	proof(x *exchange) member.Reason
	// prove checks the attempt against what the answer brought, and says why
	// it does not hold. Only ReasonNone proves.
	prove(x *exchange) member.Reason
	// settle adds to the reply what the method owes it, for Allow and Deny.
	settle(x *exchange)
}

// A methodID names a method in tables. Zero is none.
type methodID uint8

const (
	methodNone methodID = iota
	methodPAP
	methodMSCHAPv2
	methodMSCHAPv1
	methodCHAP
	methodEAP
	methodMAC

	methods // how many there are
)

// methodTable holds the methods by ID: their configuration word, and how they work where this server has them.
var methodTable = [methods]struct {
	word string
	method
}{
	methodNone:     {"none", unknownMethod{}},
	methodPAP:      {"pap", pap{}},
	methodMSCHAPv2: {"mschapv2", mschapv2{}},
	methodMSCHAPv1: {"mschap", mschapv1{}},
	methodCHAP:     {"chap", chap{}},
	methodEAP:      {"eap", eapMethod{}},
	methodMAC:      {"mac", macMethod{}},
}

// String returns the method's word in configuration, log and metrics.
func (m methodID) String() string { return methodTable[m].word }

// Methods returns the words that ClientConfig.Methods takes.
func Methods() []string {
	words := make([]string, 0, methods-1)
	for _, m := range methodTable[1:] {
		words = append(words, m.word)
	}
	return words
}

// A methodSet is a set of methodIDs.
type methodSet uint16

func (s methodSet) has(m methodID) bool { return s&(1<<m) != 0 }

func parseMethods(words []string) (methodSet, error) {
	if words == nil {
		return 1<<methodPAP | 1<<methodMSCHAPv2 | 1<<methodEAP, nil
	}
	var s methodSet
	for _, w := range words {
		i := slices.IndexFunc(methodTable[1:], func(m struct {
			word string
			method
		}) bool {
			return m.word == w
		})
		if i < 0 {
			return 0, fmt.Errorf("method %q is unknown: it is one of %s", w, strings.Join(Methods(), ", "))
		}
		s |= 1 << (i + 1)
	}
	return s, nil
}

// choose returns which method a request uses. More than one of the kinds that
// exclude each other is several (RFC 2865 §4.1, RFC 3579 §3.3).
func (r *request) choose() (m methodID, several bool) {
	found := 0
	for _, kind := range [...]struct {
		there bool
		methodID
	}{
		{r.eap, methodEAP},
		{r.userPassword != nil, methodPAP},
		{r.ms2Response != nil, methodMSCHAPv2},
		{r.msResponse != nil, methodMSCHAPv1},
		{r.chapPassword != nil, methodCHAP},
	} {
		if kind.there {
			found++
			m = kind.methodID
		}
	}
	return m, found > 1
}

// unknownMethod refuses: a request without a method, or with one that this
// server does not have.
type unknownMethod struct{}

func (unknownMethod) proof(*exchange) member.Reason { return member.ReasonMethodUnknown }
func (unknownMethod) prove(*exchange) member.Reason { return member.ReasonMethodUnknown }
func (unknownMethod) settle(x *exchange)            { x.sayRefusal() }

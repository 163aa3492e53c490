package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"memberradius/backends"
	"memberradius/backends/outward"
	"memberradius/member"
)

// maxText is what a RADIUS attribute holds (RFC 2865 §5).
const maxText = 253

var (
	errNoJSON   = errors.New("the answer is not application/json; a proxy or a login page may stand between")
	errEncoded  = errors.New("the answer is compressed, which was not asked for")
	errTooLong  = fmt.Errorf("the answer is longer than %d KiB", maxBody>>10)
	errNoErrors = errors.New(`the answer has no list of errors; return {"errors": ["..."]}, or write the status into deny_on`)
	errRefused  = errors.New("a success that lists errors")
	errNoNTKey  = errors.New("it took the MS-CHAP response and returned no nt_key, so that no keys can be made; it must return nt_key, or the client use PAP or TTLS-PAP")
)

// body calls f with the body of a response that holds JSON. It is wiped
// afterwards, since it may hold an nt_key.
func (r *REST) body(resp *http.Response, f func([]byte) error) error {
	switch {
	case !outward.IsJSON(resp.Header):
		drain(resp)
		return r.bad(resp.StatusCode, errNoJSON)
	case !identity(resp.Header.Get("Content-Encoding")):
		return r.bad(resp.StatusCode, errEncoded)
	case resp.ContentLength > maxBody:
		return r.bad(resp.StatusCode, errTooLong)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	defer clear(b)
	switch {
	case err != nil:
		return r.failed("reading its answer: ", err)
	case len(b) > maxBody:
		return r.bad(resp.StatusCode, errTooLong)
	}
	if err := f(b); err != nil {
		return r.bad(resp.StatusCode, err)
	}
	return nil
}

func identity(encoding string) bool { return encoding == "" || strings.EqualFold(encoding, "identity") }

// denied reads a refusal. Where the status alone refuses (deny_on) the body
// need not be the contract's.
func (r *REST) denied(resp *http.Response, anyway bool) (member.Answer, error) {
	ans := member.Answer{Verdict: member.Deny, Reason: member.ReasonRefused, Source: r.name}
	err := r.body(resp, func(b []byte) error {
		first, listed, err := decodeErrors(b)
		if err == nil && !listed {
			err = errNoErrors
		}
		ans.Message = oneLine(first)
		return err
	})
	if err != nil && !anyway {
		return member.Answer{}, err
	}
	return ans, nil
}

// allowed reads a success.
func (r *REST) allowed(resp *http.Response, a *member.Attempt) (member.Answer, error) {
	var got reply
	var key *member.Hash
	err := r.body(resp, func(b []byte) (err error) {
		if got, err = decodeReply(b, r.zone); err != nil {
			return err
		}
		if len(got.Errors) > 0 {
			return errRefused
		}
		if s, ok := got.NTKey.(string); ok && s != "" && isMSCHAP(a.Proof.Kind) {
			key, err = parseNTKey(s)
		}
		return err
	})
	if err != nil {
		return member.Answer{}, err
	}
	if isMSCHAP(a.Proof.Kind) && key == nil {
		return member.Answer{}, &backends.Error{Class: backends.NoNTKey, Backend: r.name, Err: fmt.Errorf("%s: %w", r.line.Where, errNoNTKey)}
	}
	ans := member.Answer{
		Proved:     a.Proof.Kind == member.Password || isMSCHAP(a.Proof.Kind),
		NTKey:      key,
		Attributes: got.attributes,
		ReturnURL:  webAddress(got.ReturnURL),
		Source:     r.name,
		Member: member.Member{
			Backend: r.name, Login: strings.Clone(a.Login), ID: string(got.ID), MembershipID: string(got.MembershipID),
			Name: got.Membership.Name, ValidFrom: got.validFrom, ValidUntil: got.validUntil,
		},
	}
	if ans.Member.MembershipID == "" {
		ans.Member.MembershipID = string(got.Membership.ID)
	}
	ans.Verdict, ans.Reason = ans.Member.Judge(r.now())
	return ans, nil
}

// oneLine makes what a member system says fit for Reply-Message and for a log:
// the first line, without control characters or those that turn the direction
// of writing, in at most 253 octets.
func oneLine(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i]
	}
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029' {
			return -1
		}
		return c
	}, s)
	if len(s) > maxText {
		n := maxText
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.TrimSpace(s)
}

// webAddress returns s where a browser may be sent there, and nothing otherwise:
// a wrong return_url is no reason to keep a member out.
func webAddress(s string) string {
	u, err := url.Parse(s)
	if s == "" || err != nil || len(s) > maxText || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c == 0x7f {
			return ""
		}
	}
	return s
}

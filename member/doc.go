// Package member owns the nouns that every seam of memberradius speaks: who
// tries to come in (Attempt, Proof), what a member system knows of them
// (Answer, Record, Credential, Member, Plan) and what was decided and why
// (Verdict, Reason).
//
// It does not own any protocol, any storage and any policy. It imports nothing
// of memberradius and cannot log. Zero values refuse: an empty Verdict lets
// nobody in, an empty Proof proves nothing.
package member

// Package webhook owns what member systems send unasked: POST
// /webhooks/{backend}, and /acs/{backend}, where a member system takes us for
// its access control. It reads the octets, bounds them and answers.
//
// It does not own what they mean: who verifies a push, and what becomes of it,
// is handed in (Config). It never looks into a body, and logs nothing.
package webhook

// Package portallogin is the backend of kind "portal_login": it tells another
// system's API of the logins at our portal, for sites whose controllers that
// system drives. It owns the request and what the answers mean. The folder is
// the word of the configuration without its underscore, which no package of Go
// has in its name.
//
// It is a backend so that its settings, its reload and its check are those of
// every other [[backend]]; but it knows no member, and in a chain it says so of
// each login. It does not own which logins there are, nor that one is tried
// again: whoever calls Post keeps them.
package portallogin

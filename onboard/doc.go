// Package onboard makes what a member receives to get her devices onto the
// Wi-Fi: profiles for Apple, ChromeOS and managed Android, and Windows, the steps
// for typing it all by hand, QR codes, and the letter that brings her the link.
//
// It owns the formats and the sending of one letter by SMTP. It does not own
// who gets a letter and when, what a link is worth, or any page: the store
// keeps the outbox, package cmd empties it, package web shows the page.
//
// Every profile pins the server: the CA, where it is a private one, and the
// name in its certificate. A device that skips either hands the member's
// password to anybody with an access point.
package onboard

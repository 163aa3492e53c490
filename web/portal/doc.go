// Package portal owns the captive portal, /portal/{site}/: the page that a
// controller sends a device to before it lets it out, the ways in that the
// operator allows (a member's login, a voucher, a click), the hand-off back to the
// controller, the page with the time left, and the captive-portal API of RFC
// 8908. It is made for the small browsers that open by themselves on a
// network like that: it needs no JavaScript and no cookie.
//
// It does not own who may come in, grants, vouchers or tickets: they are handed
// in (Config). No member's password ever goes to a controller; what goes there
// is a ticket that is good once.
//
// # What it can know of a device
//
// A web server does not see MAC addresses. Which device it is, it has from the
// controller's redirect, which passes through the device's own browser: the
// device can say what it likes there. So a grant is worth no more than a MAC
// address is, and that can be copied; 802.1X is what proves a member. Nothing but
// a state (online or not, time left) is told to whoever names a MAC. What ends a
// session takes a link that this server has signed.
//
// The captive-portal API knows a device by the address that it calls from, where
// a live grant holds that address. That works where the device and this server
// share a network; behind NAT the address is the NAT's, and is nobody's. Else it
// takes the parameter mac of its own URL, where the operator's DHCP server or
// controller puts one in. Else it says that the device is captive, which is what
// a device that has not logged in is. A proxy in front of this server must be
// listed among the trusted ones, or it is taken for one device.
//
// # Where the browser may be sent
//
// The controller's address is of the redirect too. The browser is sent there with
// a ticket only if the operator lists the host, if it is the vendor's own, or if it
// is a private address (Site.Controllers). A ticket that is sent to the wrong one
// lets in the device that it was made for, once. Where the device wanted to go is a
// link on the last page, with the host's name on it, and never followed by itself.
//
// Browsers hold the policy of a page against the redirects of its forms too: a
// controller that is posted the ticket must send the browser back to this portal,
// as its form asks it to; to another place Chromium does not go.
package portal

// Package presence knows who is online: it says at a login how many devices and
// how much data and time a member may still have, and it makes sessions leave
// that may not stay.
//
// # Who counts
//
// A member's limit counts devices, not sessions: the same MAC address on a
// second access point takes no second place and is never refused. A device
// without a MAC address is its client's NAS-Port; where there is none either,
// every session is a device of its own.
//
//   - A device has a place from its admission on. If no accounting of it has
//     come after two minutes the place is free again: limits need accounting.
//   - It keeps the place while one of its sessions is open. A Stop, an
//     Accounting-On or -Off of the NAS, and the ledger's close of a silent
//     session give it back at once.
//   - A device that has been silent for one and a half times its interim
//     interval counts no more. Where the NAS was told no interval nothing can be
//     concluded from silence, and the ledger alone ends the session.
//   - Where all places are taken, the newcomer gets that of a silent device, else
//     that of a device on the same network whose MAC address is locally
//     administered, and so random (IEEE 802-2014 §8.4), and which has moved no
//     data for an interim interval and said so in a report: phones come back with
//     a new address and leave the old one behind. It is told to leave.
//   - A device that gave its place away and turns out to be there is told to
//     leave, unless a place has become free.
//
// Where a member has more devices than a new plan allows, those leave that have
// been silent the longest.
//
// # Who leaves
//
// Reconsider and ReconsiderAll have sessions judged anew, and so has a poll of
// all of them every 15 minutes. Denied: Disconnect-Request. Allowed with another
// plan or VLAN than the session has: CoA-Request, and where the NAS does not know the
// session or can't change it, Disconnect-Request. Could not say: it stays as it is.
// A quota that is used up ends the member's sessions as reports come in.
//
// A NAS that does not answer costs little: few requests are under way to it
// until it has answered one, and when one has stayed without an answer for as long as
// the client repeats it, those that wait for this NAS are not sent. It is tried again
// after a minute, and less often from one time to the next. After an acknowledged Disconnect-Request the Stop must follow; where it
// does not, the attempt says so.
//
// The package does not keep sessions (the ledger does, and tells of each
// change), judge members or know the secrets of NASes: it declares what it needs
// of those who do. Everything here is in memory, and built anew at a start by Load.
package presence

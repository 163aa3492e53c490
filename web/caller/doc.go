// Package caller owns who calls: the address and the scheme of a request that
// may have come through a proxy, and the bounds that are kept for each address.
//
// It does not own any page and knows neither tokens nor links: whoever checks
// those says here when one was wrong.
package caller

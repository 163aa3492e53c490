// Package md5many computes MD5 (RFC 1321) of many short texts at once.
//
// MD5 is broken: two texts with one sum are made in seconds (RFC 6151 §2.1). It
// is here because RADIUS is defined by it: the authenticators and hidden
// passwords of RFC 2865 §3 and §5.2, and the HMAC of Message-Authenticator in
// RFC 3579 §3.2. Nothing else may rest on it.
//
// One sum waits for itself: every one of its 64 steps a block needs the step
// before. Sums that don't know each other fill the waiting, so sixteen of them
// go side by side in the lanes of the CPU's vector registers: by AVX-512 or by
// AVX2 on amd64, whichever the CPU and its system have. Elsewhere, and for a
// few sums, they go one after the other. docs/decisions/0008 has the figures.
//
// It owns the arithmetic and the order in which lanes are filled. It does not
// own HMAC, keys, or what is signed: package radiusd does. It is not for texts
// that come in pieces; crypto/md5 is.
package md5many

//go:generate go run ../../internal/asm/md5

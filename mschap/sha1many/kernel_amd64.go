package sha1many

import "golang.org/x/sys/cpu"

// wide says whether this CPU and its system have AVX-512 with the instructions
// for octets, which turn their order.
var wide = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW

// worth is the number of texts from which lanes are quicker than crypto/sha1
// (BenchmarkCompute).
const worth = 3

// blocks takes n blocks of all sixteen lanes in: those of lane l lie one behind
// the other from l*stride octets behind rows. It needs what wide says.
//
//go:noescape
func blocks(words *state, rows *byte, stride, n int)

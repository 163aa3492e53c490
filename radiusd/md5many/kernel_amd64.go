package md5many

import "golang.org/x/sys/cpu"

const (
	// avx2 works by two interleaved times eight lanes.
	avx2 kernel = portable + 1 + iota
	// avx512 works by sixteen lanes.
	avx512
)

// From so many sums on a kernel is quicker than one sum after the other
// (BenchmarkFew; two sums are a draw for AVX2 where they are long, and a loss
// where they are short).
const (
	worthAVX512 = 2
	worthAVX2   = 3
)

// fastest is the best kernel of this CPU.
var fastest = available()[len(available())-1]

// kernelFor returns the quickest kernel for so many sums.
func kernelFor(sums int) kernel {
	switch {
	case fastest == avx512 && sums >= worthAVX512:
		return avx512
	case fastest == avx2 && sums >= worthAVX2:
		return avx2
	}
	return portable
}

// available are the kernels that this CPU and its system have, the fastest
// last. x/sys/cpu asks the system too: without its help the upper halves of
// the registers are lost when it switches threads.
func available() []kernel {
	kernels := []kernel{portable}
	if cpu.X86.HasAVX2 {
		kernels = append(kernels, avx2)
	}
	if cpu.X86.HasAVX512F {
		kernels = append(kernels, avx512)
	}
	return kernels
}

// compute fills Out of each sum by this kernel.
func (k kernel) compute(sums []Sum) {
	if k == portable {
		oneByOne(sums)
		return
	}
	b := bench{sums: sums}
	b.run(k)
}

// blocks takes n blocks of every lane in: lane l reads 64*n octets at from[l] +
// at[l], wherever they lie, and its state is state[0][l] to state[3][l]. n is 1
// or more. Assembly is not preempted, so n is bounded by the caller.
func (k kernel) blocks(state *[4][lanes]uint32, from *[lanes]*byte, at *[lanes]int, n int) {
	if k == avx512 {
		blocksAVX512(state, from, at, n)
	} else {
		blocksAVX2(state, from, at, n)
	}
}

// blocksAVX512 needs AVX512F.
//
//go:noescape
func blocksAVX512(state *[4][lanes]uint32, from *[lanes]*byte, at *[lanes]int, n int)

// blocksAVX2 needs AVX2.
//
//go:noescape
func blocksAVX2(state *[4][lanes]uint32, from *[lanes]*byte, at *[lanes]int, n int)
